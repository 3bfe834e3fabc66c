"""Events that take time to be sent, and answers that come before they are."""

from __future__ import annotations

import contextlib
import socket
import ssl
import subprocess
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.unit.worker.receiver import Receiver, Reply, answer, as_dict
from wove.integrations.worker import run
from wove.worker import connection, reporter
from wove.worker.connection import Connection
from wove.worker.endpoint import Endpoint

pytestmark = pytest.mark.slow

LARGE = 20_000_000
OURS = b"Wove-Receiver: receiver-1\r\n"
ACCEPTED = b"HTTP/1.1 204 OK\r\n" + OURS + b"\r\n"
TOO_LARGE = b"HTTP/1.1 413 Too Large\r\n" + OURS + b"Content-Length: 0\r\n\r\n"

Serve = Callable[[socket.socket, bytes, int], bool]
"""Answers a request, of which it has the head, and is told how much of it is still to come."""


class Server:
    """Answers small requests, and leaves large ones to the test."""

    def __init__(self, serve: Serve, tls: ssl.SSLContext | None = None) -> None:
        self.large: list[bytes] = []
        self._serve = serve
        self._tls = tls
        self._listening = socket.create_server(("127.0.0.1", 0))
        scheme = "http" if tls is None else "https"
        port = self._listening.getsockname()[1]
        self.url = f"{scheme}://127.0.0.1:{port}/wove/events/secret-token"
        self._open: list[socket.socket] = []
        threading.Thread(target=self._accept, daemon=True).start()

    def close(self) -> None:
        for one in (self._listening, *self._open):
            with contextlib.suppress(OSError):
                one.shutdown(socket.SHUT_RDWR)
            one.close()

    def _accept(self) -> None:
        with contextlib.suppress(OSError):
            while True:
                peer, _ = self._listening.accept()
                threading.Thread(target=self._talk, args=(peer,), daemon=True).start()

    def _talk(self, peer: socket.socket) -> None:
        with contextlib.suppress(OSError):
            if self._tls is not None:
                peer = self._tls.wrap_socket(peer, server_side=True)
            self._open.append(peer)
            rest = b""
            while True:
                while b"\r\n\r\n" not in rest:
                    if not (data := peer.recv(65536)):
                        return
                    rest += data
                head, _, rest = rest.partition(b"\r\n\r\n")
                length = int(head.lower().split(b"content-length: ")[1].split(b"\r\n")[0])
                if length >= LARGE:
                    self.large.append(head)
                    if not self._serve(peer, head, length - len(rest)):
                        return
                else:
                    read(peer, length - len(rest))
                    peer.sendall(ACCEPTED)
                rest = b""


def read(peer: socket.socket, size: int, pause: float = 0.0) -> None:
    while size > 0:
        size -= len(peer.recv(min(size, 1 << 20)))
        time.sleep(pause)


@pytest.fixture
def serving() -> Iterator[Callable[..., Server]]:
    open_: list[Server] = []

    def serve(rule: Serve, tls: ssl.SSLContext | None = None) -> Server:
        open_.append(Server(rule, tls))
        return open_[-1]

    yield serve
    for server in open_:
        server.close()


def report(receiver: Receiver, server: Server, seconds: float = 5) -> dict[str, object]:
    payload = receiver.payload(lambda: b"x" * LARGE)
    payload.callback_url = server.url
    payload.delivery_retry_seconds = seconds
    return run(as_dict(payload))


def test_an_early_refusal_is_read_from_who_goes_on_holding_the_connection(
    receiver: Receiver, serving: Callable[..., Server]
) -> None:
    def refuse(peer: socket.socket, head: bytes, left: int) -> bool:
        peer.sendall(TOO_LARGE)
        time.sleep(60)  # reads nothing, closes nothing
        return False

    server = serving(refuse)
    summary = report(receiver, server)
    assert summary["delivered"]
    assert summary["error"]["kind"] == "EventRefused"  # type: ignore[index]
    assert len(server.large) == 1


@pytest.mark.parametrize("interim", ["100 Continue", "103 Early Hints"])
def test_an_interim_answer_to_half_a_request_is_none(
    receiver: Receiver, serving: Callable[..., Server], interim: str
) -> None:
    def accept(peer: socket.socket, head: bytes, left: int) -> bool:
        peer.sendall(f"HTTP/1.1 {interim}\r\n\r\n".encode())
        time.sleep(0.2)
        read(peer, left)
        peer.sendall(ACCEPTED)
        return True

    server = serving(accept)
    assert report(receiver, server)["outcome"] == "succeeded"
    assert len(server.large) == 1


def test_a_large_event_has_time_by_its_size(
    receiver: Receiver, serving: Callable[..., Server], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(reporter, "ANSWER_SECONDS", 1.0)
    monkeypatch.setattr(reporter, "BYTES_PER_SECOND", LARGE // 60)

    def slowly(peer: socket.socket, head: bytes, left: int) -> bool:
        read(peer, left, pause=0.1)
        peer.sendall(ACCEPTED)
        return True

    server = serving(slowly)
    assert report(receiver, server, seconds=60)["outcome"] == "succeeded"
    assert len(server.large) == 1


def test_a_request_that_nobody_reads_is_given_up_sooner(
    serving: Callable[..., Server], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(connection, "STALL_SECONDS", 0.3)
    server = serving(lambda peer, head, left: bool(time.sleep(60)))
    with pytest.raises(TimeoutError, match="the request could not be sent in time"):
        _post(Endpoint.parse(server.url), timeout=600)


def test_an_answer_that_trickles_has_no_more_time(serving: Callable[..., Server]) -> None:
    def trickle(peer: socket.socket, head: bytes, left: int) -> bool:
        read(peer, left)
        while True:
            peer.sendall(b"X")
            time.sleep(0.1)

    def answer_slowly(peer: socket.socket, head: bytes, left: int) -> bool:
        peer.sendall(b"HTTP/1.1 200 OK\r\nX: ")
        return trickle(peer, head, left)

    server = serving(answer_slowly)
    with pytest.raises(TimeoutError):
        _post(Endpoint.parse(server.url), timeout=2)


@pytest.mark.parametrize("early", [False, True])
def test_large_requests_go_over_tls(
    tmp_path: Path,
    serving: Callable[..., Server],
    monkeypatch: pytest.MonkeyPatch,
    early: bool,
) -> None:
    key, certificate = tmp_path / "key.pem", tmp_path / "certificate.pem"
    words = "openssl req -x509 -newkey rsa:2048 -nodes -days 2 -subj /CN=127.0.0.1"
    command = [*words.split(), "-addext", "subjectAltName=IP:127.0.0.1"]
    command += ["-keyout", str(key), "-out", str(certificate)]
    subprocess.run(command, check=True, capture_output=True)
    tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    tls.load_cert_chain(certificate, key)
    trusting = ssl.create_default_context(cafile=str(certificate))
    monkeypatch.setattr(connection, "_tls", lambda: trusting)

    def serve(peer: socket.socket, head: bytes, left: int) -> bool:
        if early:
            peer.sendall(TOO_LARGE)
            time.sleep(60)
        read(peer, left)
        peer.sendall(ACCEPTED)
        return True

    found = _post(Endpoint.parse(serving(serve, tls).url), timeout=60)
    assert found.status == (413 if early else 204)
    assert found.keep_alive is not early


def _post(endpoint: Endpoint, timeout: float) -> connection.Response:
    head = f"POST {endpoint.target} HTTP/1.1\r\nContent-Length: {LARGE}\r\n\r\n"
    used = Connection(endpoint, timeout=timeout)
    try:
        return used.exchange(head.encode() + b"x" * LARGE, timeout=timeout)
    finally:
        used.close()


def test_413_of_a_proxy_is_believed_after_some_tries(receiver: Receiver) -> None:
    receiver.rule = answer("task_result", Reply(413, ours=False))
    summary = run(as_dict(receiver.payload(lambda: "é" * 10)))
    assert receiver.names() == ["task_started", *["task_result"] * 3, "task_error"]
    info = receiver.frames("task_error")[0].event.task_error.error
    assert (info.source, info.code) == ("wove", "result_too_large")
    assert "413" in info.message
    assert summary["delivered"]


def test_413_of_a_proxy_now_and_then_is_not(receiver: Receiver) -> None:
    limited, busy = Reply(413, ours=False), Reply(503)
    replies = [limited, limited, busy, limited, limited, Reply()]
    receiver.rule = answer("task_result", *replies)
    assert run(as_dict(receiver.payload(int)))["outcome"] == "succeeded"


def test_413_of_a_proxy_to_the_minimal_error_is_retried(receiver: Receiver) -> None:
    left = [Reply(413, ours=False)] * 8

    def rule(seen: object) -> Reply:
        frame = getattr(seen, "frame", "")
        return left.pop() if frame not in ("task_started", "heartbeat") and left else Reply()

    receiver.rule = rule
    assert run(as_dict(receiver.payload(int)))["delivered"]
    assert len(receiver.frames("task_error")) == 6


def test_413_of_a_proxy_does_not_keep_a_task_from_starting(receiver: Receiver) -> None:
    limited = [Reply(413, ours=False)] * 4
    receiver.rule = answer("task_started", *limited, Reply())
    assert run(as_dict(receiver.payload(int)))["outcome"] == "succeeded"
