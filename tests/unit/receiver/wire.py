"""A plain socket that speaks HTTP/1.1 to a receiver."""

from __future__ import annotations

import http.client
import socket
import time
from collections.abc import Callable
from typing import Any
from urllib.parse import urlsplit

from wove.contract import event_to_bytes, event_to_json
from wove.receiver.server import Receiver
from wovepb.v1.event_pb2 import Event

LIMIT = 20.0
"""No wait in these tests is longer, in seconds."""


def until(condition: Callable[[], Any]) -> None:
    """Wait for something that another thread does."""
    deadline = time.monotonic() + LIMIT
    while not condition():
        assert time.monotonic() < deadline, "it did not happen"
        time.sleep(0.005)


class Reply:
    """One response, read to its end."""

    def __init__(self, response: http.client.HTTPResponse) -> None:
        self.status = response.status
        self.headers = response.headers
        self.body = response.read()


class Wire:
    """One connection."""

    def __init__(self, host: str, port: int) -> None:
        self.sock = socket.create_connection((host, port), timeout=LIMIT)

    def __enter__(self) -> Wire:
        return self

    def __exit__(self, *_: object) -> None:
        self.sock.close()

    def send(self, data: bytes) -> None:
        self.sock.sendall(data)

    def reply(self, method: str = "POST") -> Reply:
        """The next response."""
        response = http.client.HTTPResponse(_Unclosed(self.sock), method=method)  # type: ignore[arg-type]
        response.begin()
        return Reply(response)

    def rest(self) -> bytes:
        """Everything until the other side closes."""
        data = b""
        while True:
            try:
                piece = self.sock.recv(65536)
            except ConnectionResetError:
                return data
            if not piece:
                return data
            data += piece


class _Unclosed:
    """Reads one byte at a time, so that what follows a response stays in the socket."""

    def __init__(self, sock: socket.socket) -> None:
        self._sock = sock

    def makefile(self, *_: Any, **__: Any) -> Any:
        return self._sock.makefile("rb", buffering=0)


def request(
    path: str, body: bytes = b"", *, method: str = "POST", headers: dict[str, str] | None = None
) -> bytes:
    """A whole request with an announced length."""
    lines = [f"{method} {path} HTTP/1.1", "Host: here", f"Content-Length: {len(body)}"]
    lines += [f"{name}: {value}" for name, value in (headers or {}).items()]
    return "\r\n".join(lines).encode() + b"\r\n\r\n" + body


def path_of(receiver: Receiver) -> str:
    return urlsplit(receiver.url).path


def connect(receiver: Receiver) -> Wire:
    return Wire(receiver.host, receiver.port)


def post(
    wire: Wire,
    receiver: Receiver,
    event: Event | bytes,
    *,
    binary: bool = False,
    headers: dict[str, str] | None = None,
    path: str | None = None,
) -> Reply:
    """Post one event and read the answer."""
    body = (
        event
        if isinstance(event, bytes)
        else (event_to_bytes(event) if binary else event_to_json(event))
    )
    kind = "application/x-protobuf" if binary else "application/json"
    sent = {"Content-Type": kind, "Wove-Receiver": receiver.hub.receiver_id, **(headers or {})}
    wire.send(request(path or path_of(receiver), body, headers=sent))
    return wire.reply()
