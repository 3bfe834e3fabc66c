"""The fault proxies before the workers of every language, over HTTP and over gRPC."""

from __future__ import annotations

import sys
from collections.abc import Callable
from typing import Any

import pytest

from tests.faults import grpc_proxy as grpc_faults
from tests.faults import proxy as http_faults
from tests.faults import rules
from tests.faults.grpc_proxy import GrpcProxy
from tests.faults.proxy import Proxy
from tests.faults.test_network import FAULTS as HTTP_FAULTS
from tests.faults.test_network_grpc import FAULTS as GRPC_FAULTS
from tests.languages import LANGUAGES, built
from tests.services import ROOT
from wove import weave

pytestmark = [pytest.mark.xdist_group("languages"), pytest.mark.timeout(600)]

Use = Callable[..., None]
FRAMES = ("task_started", "task_result")


@pytest.fixture(params=["python", *LANGUAGES])
def command(request: pytest.FixtureRequest) -> list[str]:
    """A worker that is started once for each run."""
    if request.param == "python":
        return [sys.executable, str(ROOT / "workers/python/tasks/worker.py")]
    return built(request.param)


@pytest.fixture(params=["json", "protobuf", "grpc"])
def encoding(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture
def way(encoding: str, proxy: Proxy, grpc_proxy: GrpcProxy) -> Proxy | GrpcProxy:
    """The proxy through which the events go."""
    return grpc_proxy if encoding == "grpc" else proxy


@pytest.fixture
def remote(
    use: Use,
    command: list[str],
    encoding: str,
    proxy: Proxy,
    grpc_proxy: GrpcProxy,
    port: int,
    grpc_port: int,
) -> Callable[..., None]:
    """Configures the environment whose workers report through the proxies."""

    grpc_proxy.others.append(proxy)

    def configure(**options: Any) -> None:
        config = {
            "command": command,
            "env": {"WOVE_ENCODING": encoding},
            "callback_port": port,
            "callback_url": proxy.url("network"),
            "callback_grpc": grpc_proxy.address,
            "callback_grpc_port": grpc_port,
            "workers": 4,
        }
        use(
            {
                "executor": "process",
                "executor_config": config,
                "allow_pickle": False,
                "delivery_timeout": 100,
                **options,
            }
        )

    return configure


def test_each_fault_befalls_a_run_of_its_own(
    remote: Callable[..., None],
    encoding: str,
    proxy: Proxy,
    grpc_proxy: GrpcProxy,
    way: Proxy | GrpcProxy,
) -> None:
    faults = GRPC_FAULTS if encoding == "grpc" else HTTP_FAULTS
    grpc_proxy.rule = rules.one_each(list(GRPC_FAULTS.values()), grpc_faults.PASS, frames=FRAMES)
    proxy.rule = rules.one_each(list(HTTP_FAULTS.values()), http_faults.PASS, frames=FRAMES)
    remote()
    with weave(b=1) as w:

        @w.do(range(len(faults)), environment="remote")
        def add(a: int, b: int) -> int: ...  # type: ignore[empty-body]

    assert w.result.add == [n + 1 for n in range(len(faults))]
    assert {run.state for run in w.result.runs} == {"succeeded"}
    way.settle(seconds=60)  # Node notices bytes that are no HTTP/2 only when an answer is overdue
    for frame in FRAMES:
        sent = way.frames(frame)
        events = {(found.run_id, found.event_id) for found in sent}
        assert len(events) == len(faults)  # each run was started once, and ended once
        assert len({run_id for run_id, _ in events}) == len(faults)
        assert len(sent) > len(faults)


def test_beats_are_lost_and_connections_cut_in_mid_task(
    remote: Callable[..., None], encoding: str, way: Proxy | GrpcProxy
) -> None:
    remote(delivery_heartbeat_seconds=0.9)
    lost = grpc_faults.LOSE_REQUEST if encoding == "grpc" else http_faults.LOSE_REQUEST
    nothing = grpc_faults.PASS if encoding == "grpc" else http_faults.PASS
    way.rule = rules.first("heartbeat", lost, nothing, times=2)  # type: ignore[assignment]
    with weave(seconds=3.0) as w:

        @w.do(environment="remote")
        def slow(seconds: float) -> float: ...  # type: ignore[empty-body]

        @w.do
        def trouble() -> None:
            way.wait_for("heartbeat", count=3)
            way.cut()

    assert w.result.slow == 3.0
    assert [run.state for run in w.result.runs if run.task == "slow"] == ["succeeded"]
    # After a cut the rest may go by HTTP, where gRPC is not there again soon enough.
    sent = [found for each in [way, *way.others] for found in each.frames("task_result")]
    assert len({found.event_id for found in sent}) == 1
