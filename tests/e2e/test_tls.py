"""Callbacks over TLS to the workers of every language: a private CA, client certificates."""

from __future__ import annotations

import sys
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

import wove
from tests.certificates import Authority, Pair
from tests.faults.proxy import Proxy, proxy_to
from tests.languages import LANGUAGES, built
from tests.services import ROOT, free_port
from tests.tls_front import TlsFront
from wove import weave
from wove.errors import DeliveryError

pytestmark = [pytest.mark.xdist_group("languages"), pytest.mark.timeout(600)]

TOKEN = "over-tls"


@dataclass(frozen=True)
class Certificates:
    """Of the two sides, and of somebody else."""

    ours: Authority
    theirs: Authority
    server: Pair
    worker: Pair
    stranger: Pair


@pytest.fixture(scope="module")
def certificates(tmp_path_factory: pytest.TempPathFactory) -> Certificates:
    folder = tmp_path_factory.mktemp("certificates")
    ours, theirs = Authority(folder / "ours"), Authority(folder / "theirs")
    worker, stranger = ours.sign("worker"), theirs.sign("stranger")
    return Certificates(ours, theirs, ours.sign("server"), worker, stranger)


@pytest.fixture(params=["python", *LANGUAGES])
def command(request: pytest.FixtureRequest) -> list[str]:
    if request.param == "python":
        return [sys.executable, str(ROOT / "workers/python/tasks/worker.py")]
    return built(request.param)


@pytest.fixture(scope="module")
def port() -> int:
    """Where the receiver listens, without TLS."""
    return free_port()


@pytest.fixture
def front(
    certificates: Certificates, port: int, request: pytest.FixtureRequest
) -> Iterator[TlsFront]:
    """TLS before the receiver; with `request.param`, client certificates are asked for."""
    clients = certificates.ours if getattr(request, "param", False) else None
    front = TlsFront(port, certificates.server, clients)
    yield front
    front.close()


@pytest.fixture
def proxy(port: int) -> Iterator[Proxy]:
    """The way by HTTP without TLS, which gRPC falls back to."""
    with proxy_to(port) as proxy:
        yield proxy


def variables(prefix: str, trusted: Authority | None, own: Pair | None) -> dict[str, str]:
    """The environment of a worker."""
    found = {}
    if trusted is not None:
        found[f"{prefix}_CA"] = str(trusted.certificate)
    if own is not None:
        found[f"{prefix}_CERTIFICATE"] = str(own.certificate)
        found[f"{prefix}_PRIVATE_KEY"] = str(own.key)
    return found


def add(config: Mapping[str, Any], **options: Any) -> Any:
    """One run of the five-task worker."""
    environment = {
        "executor": "process",
        "executor_config": config,
        "allow_pickle": False,
        "delivery_timeout": 100,
        **options,
    }
    wove.config(environments={"remote": environment})
    try:
        with weave(a=1, b=2) as w:

            @w.do(environment="remote", delivery_heartbeat_seconds=0.9)
            def add(a: int, b: int) -> int: ...  # type: ignore[empty-body]

        return w.result.add
    finally:
        wove.config(environments={"remote": None})


def by_https(
    command: list[str], port: int, front: TlsFront, env: Mapping[str, str]
) -> dict[str, Any]:
    return {
        "command": command,
        "env": {"WOVE_ENCODING": "protobuf", **env},
        "callback_port": port,
        "callback_url": f"https://127.0.0.1:{front.port}/wove/events/{TOKEN}",
    }


@pytest.mark.parametrize("front", [False, True], ids=["one side", "both sides"], indirect=True)
def test_https(command: list[str], port: int, front: TlsFront, certificates: Certificates) -> None:
    env = variables("WOVE_HTTPS", certificates.ours, certificates.worker)
    assert add(by_https(command, port, front, env)) == 3
    assert front.handshakes > 0


@pytest.mark.parametrize(
    ("front", "fault"),
    [
        (False, "the system's authorities"),
        (False, "another authority"),
        (True, "no certificate"),
        (True, "a stranger's certificate"),
        (False, "no such file"),
    ],
    indirect=["front"],
)
def test_https_that_cannot_be(
    command: list[str],
    port: int,
    front: TlsFront,
    certificates: Certificates,
    fault: str,
    tmp_path: Path,
) -> None:
    own = certificates
    env = {
        "the system's authorities": variables("WOVE_HTTPS", None, None),
        "another authority": variables("WOVE_HTTPS", own.theirs, None),
        "no certificate": variables("WOVE_HTTPS", own.ours, None),
        "a stranger's certificate": variables("WOVE_HTTPS", own.ours, own.stranger),
        "no such file": {"WOVE_HTTPS_CA": str(tmp_path / "nowhere.pem")},
    }[fault]
    with pytest.raises(DeliveryError):
        add(by_https(command, port, front, env), delivery_timeout=2.5)
    # The weave's own probe trusts nobody here: whatever got through was this worker.
    assert front.handshakes == 0


def by_grpcs(
    command: list[str], port: int, proxy: Proxy, own: Certificates, mutual: bool
) -> dict[str, Any]:
    return {
        "command": command,
        "callback_port": port,
        "callback_url": proxy.url(TOKEN),
        "callback_grpc": True,
        "callback_grpc_certificate": str(own.server.certificate),
        "callback_grpc_private_key": str(own.server.key),
        **({"callback_grpc_client_ca": str(own.ours.certificate)} if mutual else {}),
    }


@pytest.mark.parametrize("mutual", [False, True], ids=["one side", "both sides"])
def test_grpcs(
    command: list[str], port: int, proxy: Proxy, certificates: Certificates, mutual: bool
) -> None:
    config = by_grpcs(command, port, proxy, certificates, mutual)
    config["env"] = variables("WOVE_GRPC", certificates.ours, certificates.worker)
    assert add(config) == 3
    assert [request.frame for request in proxy.seen if request.frame] == []  # all went by gRPC


@pytest.mark.parametrize("fault", ["another authority", "no certificate", "a stranger's"])
def test_grpcs_that_cannot_be(
    command: list[str], port: int, proxy: Proxy, certificates: Certificates, fault: str
) -> None:
    """Nothing is told to whoever cannot be believed; HTTP is used in its place."""
    own = certificates
    config = by_grpcs(command, port, proxy, own, fault != "another authority")
    config["env"] = {
        "another authority": variables("WOVE_GRPC", own.theirs, None),
        "no certificate": variables("WOVE_GRPC", own.ours, None),
        "a stranger's": variables("WOVE_GRPC", own.ours, own.stranger),
    }[fault]
    assert add(config) == 3
    assert len(proxy.frames("task_started")) == 1
    assert len(proxy.frames("task_result")) == 1


def test_a_file_for_grpcs_that_cannot_be_read(
    command: list[str],
    port: int,
    proxy: Proxy,
    certificates: Certificates,
    capfd: pytest.CaptureFixture[str],
) -> None:
    """The worker says which variable named it; HTTP is used in its place."""
    config = by_grpcs(command, port, proxy, certificates, False)
    config["env"] = {"WOVE_GRPC_CA": "/nowhere/ca.pem"}
    assert add(config) == 3
    assert len(proxy.frames("task_result")) == 1
    said = capfd.readouterr().err
    assert "WOVE_GRPC_CA" in said
    assert "/nowhere/ca.pem" in said
