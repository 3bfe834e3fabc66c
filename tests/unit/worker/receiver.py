"""A small HTTP server that answers each event as the test says."""

from __future__ import annotations

import contextlib
import socket
import ssl
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from wove.contract import ContractError, decode_event, event_type, payload_to_dict
from wove.dispatch.pickling import dumps, loads
from wovepb.v1.event_pb2 import Event
from wovepb.v1.payload_pb2 import TaskPayload

RECEIVER_ID = "receiver-1"
CANCEL = b'{"cancel": {"run_id": "r1"}}'


@dataclass
class Seen:
    """One request."""

    event: Event
    frame: str
    headers: dict[str, str]
    body: bytes
    connection: int
    at: float = field(default_factory=time.monotonic)


@dataclass
class Reply:
    """One answer. `drop`: none, the connection is cut."""

    status: int = 204
    body: bytes = b""
    headers: dict[str, str] = field(default_factory=dict)
    ours: bool = True
    drop: bool = False
    close: bool = False
    raw: bytes | None = None


class Receiver:
    """Listens on a free port; `rule` decides every answer and may block."""

    def __init__(self, tls: ssl.SSLContext | None = None) -> None:
        self.rule: Callable[[Seen], Reply] = lambda seen: Reply()
        self._tls = tls
        self.seen: list[Seen] = []
        self.connections = 0
        self._socket = socket.create_server(("127.0.0.1", 0))
        self.port: int = self._socket.getsockname()[1]
        self._open: list[socket.socket] = []
        self._changed = threading.Condition()
        threading.Thread(target=self._accept, daemon=True).start()

    def payload(self, function: Callable[..., Any], /, **arguments: Any) -> TaskPayload:
        """A payload for `function`, as Wove's own executor makes it."""
        payload = TaskPayload(
            version=1,
            adapter="test",
            callback_url=f"http://127.0.0.1:{self.port}/wove/events/secret-token",
            run_id="r1",
            task_id="report",
            callable_pickle=dumps(function),
            args_pickle=dumps(arguments),
            receiver_id=RECEIVER_ID,
            accepts=["heartbeat"],
        )
        payload.delivery.SetInParent()
        return payload

    def frames(self, *kinds: str) -> list[Seen]:
        with self._changed:
            return [seen for seen in self.seen if not kinds or seen.frame in kinds]

    def names(self) -> list[str]:
        """Frames in the order of arrival, heartbeats left out."""
        return [seen.frame for seen in self.frames() if seen.frame != "heartbeat"]

    def wait_for(self, kind: str, count: int = 1, seconds: float = 10) -> Seen:
        deadline = time.monotonic() + seconds
        with self._changed:
            while len(found := [s for s in self.seen if s.frame == kind]) < count:
                left = deadline - time.monotonic()
                assert left > 0, f"no {kind} number {count}: {[s.frame for s in self.seen]}"
                self._changed.wait(left)
        return found[count - 1]

    def close(self) -> None:
        with contextlib.suppress(OSError):
            self._socket.shutdown(socket.SHUT_RDWR)  # wakes the thread that accepts
        self._socket.close()
        for connection in self._open:
            with contextlib.suppress(OSError):
                connection.shutdown(socket.SHUT_RDWR)
            connection.close()

    def _accept(self) -> None:
        while True:
            try:
                connection, _ = self._socket.accept()
            except OSError:
                return
            self._open.append(connection)
            number, self.connections = self.connections, self.connections + 1
            threading.Thread(target=self._serve, args=(connection, number), daemon=True).start()

    def _serve(self, connection: socket.socket, number: int) -> None:
        with connection, contextlib.suppress(OSError), contextlib.ExitStack() as stack:
            if self._tls is not None:
                connection = stack.enter_context(
                    self._tls.wrap_socket(connection, server_side=True)
                )
            file = connection.makefile("rb")
            while line := file.readline():
                assert line.startswith(b"POST /wove/events/secret-token HTTP/1.1")
                headers = {}
                while (line := file.readline()) != b"\r\n":
                    name, _, value = line.decode().partition(":")
                    headers[name.lower()] = value.strip()
                body = file.read(int(headers["content-length"]))
                try:
                    event = decode_event(headers["content-type"], body)
                except ContractError:
                    connection.sendall(_text(Reply(400)))
                    continue
                seen = Seen(event, event_type(event) or "", headers, body, number)
                with self._changed:
                    self.seen.append(seen)
                    self._changed.notify_all()
                reply = self.rule(seen)
                if reply.drop:
                    return
                connection.sendall(reply.raw or _text(reply))
                if reply.close:
                    return


def _text(reply: Reply) -> bytes:
    headers = {"Content-Length": str(len(reply.body)), **reply.headers}
    if reply.ours:
        headers.setdefault("Wove-Receiver", RECEIVER_ID)
    lines = [f"HTTP/1.1 {reply.status} Whatever", *(f"{k}: {v}" for k, v in headers.items())]
    return "\r\n".join([*lines, "", ""]).encode() + reply.body


def value_of(seen: Seen) -> Any:
    return loads(seen.event.task_result.result_pickle)


def answer(kind: str, *replies: Reply) -> Callable[[Seen], Reply]:
    """Answers the first events of one kind with `replies`, the last of them for ever."""
    left = list(replies)

    def rule(seen: Seen) -> Reply:
        if seen.frame != kind:
            return Reply()
        return left.pop(0) if len(left) > 1 else left[0]

    return rule


def as_dict(payload: TaskPayload) -> dict[str, Any]:
    return payload_to_dict(payload)
