"""A proxy between workers and a receiver over HTTP that misbehaves as it is told.

It speaks just enough HTTP/1.1 to know where one request ends: each request of a worker
is shown to a *rule*, which answers with what shall happen to it. Everything that went
through is kept in `seen`, bytes and all, so that a test can look at it or send it again.
"""

from __future__ import annotations

import asyncio
import contextlib
import socket
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from urllib.parse import urlsplit

from tests.faults import rules
from tests.faults.tcp import TcpProxy
from wove.contract import ContractError, decode_event, event_type


@dataclass
class Request:
    """One HTTP request that reached the proxy, and what came back for it.

    Attributes:
        head: request line and headers, with the empty line that ends them.
        body: as sent.
        connection: counts the workers' connections, from 0.
        number: counts the requests, from 0.
        frame: the event's type, such as "task_started"; "" for anything else.
        run_id: the event's run; "" for anything else.
        event_id: the event's id; "" for anything else.
        status: what the receiver answered; None when it was never asked or never answered.
        delivered: the worker got the receiver's answer, as the receiver gave it.
        at: when it arrived (monotonic seconds).
    """

    head: bytes
    body: bytes
    connection: int
    number: int
    frame: str = ""
    run_id: str = ""
    event_id: str = ""
    status: int | None = None
    delivered: bool = False
    at: float = field(default_factory=time.monotonic)

    def __post_init__(self) -> None:
        headers = self.header_values()
        if self.head.startswith(b"POST "):
            with contextlib.suppress(ContractError):
                event = decode_event(headers.get("content-type", ""), self.body)
                self.frame = event_type(event) or ""
                self.run_id = event.run_id
                self.event_id = event.event_id

    def header_values(self) -> dict[str, str]:
        lines = self.head.decode("latin-1").split("\r\n")[1:]
        pairs = (line.partition(":") for line in lines if line)
        return {name.strip().lower(): value.strip() for name, _, value in pairs}


@dataclass(frozen=True)
class Action:
    """What happens to one request. `Action()` passes it on.

    Attributes:
        delay: seconds to hold it before anything else happens.
        hold: an event to wait for before anything else happens.
        forward: how often the receiver gets it.
        damage: changes the request on its way.
        answer: changes the receiver's answer on its way; None lets it pass.
        close: the worker's connection is cut instead of answered.
        again_after: the receiver gets it once more, this many seconds later.
        upstream: port of another receiver that gets it.
    """

    delay: float = 0.0
    hold: threading.Event | None = None
    forward: int = 1
    damage: Callable[[bytes], bytes] | None = None
    answer: Callable[[bytes], bytes] | None = None
    close: bool = False
    again_after: float | None = None
    upstream: int | None = None


PASS = Action()
LOSE_REQUEST = Action(forward=0, close=True)
LOSE_ANSWER = Action(close=True)
DELAY = Action(delay=0.7)
DUPLICATE = Action(forward=2)
REORDER = Action(forward=0, close=True, again_after=0.6)
"""The request is cut, the worker tries again, and then the first one arrives after all."""
TRUNCATE_REQUEST = Action(damage=lambda data: data[: len(data) - 20], close=True)
TRUNCATE_ANSWER = Action(answer=lambda data: data[: len(data) // 2])
CORRUPT_ANSWER = Action(answer=lambda data: bytes(byte ^ 0x55 for byte in data))
BAD_GATEWAY = Action(
    forward=0, answer=lambda _: b"HTTP/1.1 502 Bad Gateway\r\nContent-Length: 0\r\n\r\n"
)
"""A balancer's own answer: without the receiver's `Wove-Receiver`."""
STRANGER_SAYS_GONE = Action(
    forward=0, answer=lambda _: b"HTTP/1.1 410 Gone\r\nContent-Length: 0\r\n\r\n"
)
"""A final status, but not from a receiver of Wove's."""
STRANGER_SAYS_FINE = Action(
    forward=0, answer=lambda _: b"HTTP/1.1 204 No Content\r\nContent-Length: 0\r\n\r\n"
)
"""An acceptance, but not from a receiver of Wove's."""


def _garble(data: bytes) -> bytes:
    head, separator, body = data.partition(b"\r\n\r\n")
    return head + separator + bytes(byte ^ 0x55 for byte in body)


CORRUPT_REQUEST = Action(damage=_garble)

Rule = Callable[[Request], Action]


def first(frame: str, action: Action, *, times: int = 1) -> Rule:
    """Does `action` to the first `times` requests that carry a `frame`, per run."""
    return rules.first(frame, action, PASS, times=times)


def sometimes(actions: list[Action], *, chance: float, seed: int) -> Rule:
    """Does one of `actions` to each event with probability `chance`; the same every time."""
    return rules.sometimes(actions, PASS, chance=chance, seed=seed)


class Proxy(TcpProxy[Request]):
    """A `TcpProxy` that knows HTTP/1.1: what happens to a request, `rule` says."""

    def __init__(self, upstream: int) -> None:
        self.rule: Rule = lambda request: PASS
        super().__init__(upstream)

    def url(self, token: str) -> str:
        """The `callback_url` that leads through this proxy."""
        return f"http://127.0.0.1:{self.port}/wove/events/{token}"

    async def _carry(
        self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, number: int
    ) -> None:
        upstreams: dict[int, tuple[asyncio.StreamReader, asyncio.StreamWriter]] = {}
        try:
            while (request := await self._read_request(reader, number)) is not None:
                if not await self._handle(request, writer, upstreams):
                    return
        finally:
            for _, upstream in upstreams.values():
                upstream.transport.abort()

    async def _read_request(self, reader: asyncio.StreamReader, number: int) -> Request | None:
        try:
            head = await reader.readuntil(b"\r\n\r\n")
        except asyncio.IncompleteReadError:
            return None
        length = _length(head)
        body = await reader.readexactly(length) if length else b""
        request = Request(head, body, number, len(self.seen))
        self.seen.append(request)
        return request

    async def _handle(
        self,
        request: Request,
        writer: asyncio.StreamWriter,
        upstreams: dict[int, tuple[asyncio.StreamReader, asyncio.StreamWriter]],
    ) -> bool:
        """Do to one request what the rule says. False: the connection is done with."""
        action = self.rule(request)
        if action.delay:
            await asyncio.sleep(action.delay)
        if action.hold is not None:
            while not action.hold.is_set():
                await asyncio.sleep(0.01)
        data = request.head + request.body
        port = action.upstream or self.upstream
        if action.again_after is not None:
            self._start(self._send_later(data, port, action.again_after))
        answer = b""
        if action.damage is not None:
            data = action.damage(data)
            if len(data) < len(request.head) + len(request.body):  # the rest never comes
                await self._send_part(data, port)
                return False
        for _ in range(action.forward):
            if port not in upstreams:
                upstreams[port] = await asyncio.open_connection("127.0.0.1", port, limit=1 << 30)
            answer = await _exchange(*upstreams[port], data)
            request.status = int(answer.split(b" ", 2)[1])
        if action.close:
            return False
        if action.answer is not None:
            changed = action.answer(answer)
            writer.write(changed)
            await writer.drain()
            return len(changed) >= len(answer) and action.forward == 0
        writer.write(answer)
        await writer.drain()
        request.delivered = True
        return True

    async def _send_part(self, data: bytes, port: int) -> None:
        _, upstream = await asyncio.open_connection("127.0.0.1", port)
        upstream.write(data)
        await upstream.drain()
        upstream.close()

    async def _send_later(self, data: bytes, port: int, seconds: float) -> None:
        await asyncio.sleep(seconds)
        reader, upstream = await asyncio.open_connection("127.0.0.1", port)
        with contextlib.suppress(OSError, asyncio.IncompleteReadError):
            await _exchange(reader, upstream, data)
        upstream.transport.abort()


def _length(head: bytes) -> int:
    for line in head.lower().split(b"\r\n"):
        if line.startswith(b"content-length:"):
            return int(line.partition(b":")[2])
    return 0


async def _exchange(
    reader: asyncio.StreamReader, writer: asyncio.StreamWriter, data: bytes
) -> bytes:
    writer.write(data)
    await writer.drain()
    head = await reader.readuntil(b"\r\n\r\n")
    length = _length(head)
    return head + (await reader.readexactly(length) if length else b"")


@contextlib.contextmanager
def proxy_to(upstream: int) -> Iterator[Proxy]:
    """A proxy for the length of a `with` block, and until all workers are free again.

    A worker that lost an answer would try for minutes to reach a proxy that is gone, and
    be missing in the next test.
    """
    proxy = Proxy(upstream)
    try:
        yield proxy
        proxy.settle()
    finally:
        proxy.close()


def post(url: str, body: bytes, *, content_type: str = "application/json") -> tuple[int, bytes]:
    """One POST on a connection of its own: status and body of the answer."""
    parts = urlsplit(url)
    head = (
        f"POST {parts.path} HTTP/1.1\r\nHost: {parts.netloc}\r\nContent-Type: {content_type}\r\n"
        f"Content-Length: {len(body)}\r\n\r\n"
    ).encode()
    assert parts.port is not None
    return send(parts.port, head + body)


def send(port: int, data: bytes) -> tuple[int, bytes]:
    """Send one whole HTTP request to a port of 127.0.0.1: status and body of the answer."""
    with socket.create_connection(("127.0.0.1", port), timeout=10) as connection:
        connection.sendall(data)
        received = b""
        while b"\r\n\r\n" not in received:
            piece = connection.recv(65536)
            assert piece, f"the connection ended after {received[:80]!r}"
            received += piece
        head, _, body = received.partition(b"\r\n\r\n")
        while len(body) < _length(head):
            body += connection.recv(65536)
    return int(head.split(b" ", 2)[1]), body
