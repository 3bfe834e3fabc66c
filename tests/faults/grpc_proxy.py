"""A proxy between workers and a receiver over gRPC that misbehaves as it is told.

It carries HTTP/2 frames in both directions as they are, and speaks just enough of it to
know which frame completes which message: each event of a worker is shown to a *rule*,
which answers with what shall happen to it and to its answer.
"""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

import grpc

from tests.faults import rules
from tests.faults.tcp import TcpProxy
from wove.contract import ContractError, event_type
from wove.contract.services import PUBLISH_METHOD, event_from_request
from wovepb.v1.event_service_pb2 import PublishEventResponse

PREFACE = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"
HEAD = 9
"""Bytes before the payload of each frame."""
DATA, HEADERS = 0, 1
END_STREAM, PADDED = 0x1, 0x8


@dataclass
class Message:
    """One event that reached the proxy; see `Seen`.

    Attributes:
        body: the request's message, as sent.
        connection: counts the workers' connections, from 0.
        stream: HTTP/2's number of the call, on that connection.
        at: when it arrived (monotonic seconds).
    """

    body: bytes
    connection: int
    stream: int
    frame: str = ""
    run_id: str = ""
    event_id: str = ""
    delivered: bool = False
    at: float = field(default_factory=time.monotonic)

    def __post_init__(self) -> None:
        with contextlib.suppress(ContractError):
            event = event_from_request(self.body)
            self.frame = event_type(event) or ""
            self.run_id, self.event_id = event.run_id, event.event_id


Change = Callable[[bytes], bytes]


@dataclass(frozen=True)
class Action:
    """What happens to one event. `Action()` passes it on.

    Attributes:
        delay: seconds to hold it, and all that the worker sends after it.
        request: changes the frame that completes it, on its way.
        lose: that frame goes nowhere.
        cut: the connection ends then, in place of an answer.
        answer: changes the first frame of its answer, after which the connection ends.
        garble: the message itself arrives changed; nothing ends.
        garble_answer: the same of its answer.
        again_after: the receiver gets it once more, this many seconds later.
    """

    delay: float = 0.0
    request: Change | None = None
    lose: bool = False
    cut: bool = False
    answer: Change | None = None
    garble: bool = False
    garble_answer: bool = False
    again_after: float | None = None


def _flipped(data: bytes) -> bytes:
    return bytes(byte ^ 0x55 for byte in data)


PASS = Action()
LOSE_REQUEST = Action(lose=True, cut=True)
LOSE_ANSWER = Action(answer=lambda frame: b"")
DELAY = Action(delay=0.7)
DUPLICATE = Action(again_after=0.0)
REORDER = Action(lose=True, cut=True, again_after=0.6)
"""The event is cut, the worker tries again, and then the first one arrives after all."""
TRUNCATE_REQUEST = Action(request=lambda frame: frame[:-20], cut=True)
TRUNCATE_ANSWER = Action(answer=lambda frame: frame[: len(frame) // 2])
CORRUPT_REQUEST_FRAME = Action(request=_flipped)
"""The frame's own head is spoilt: the receiver ends the connection."""
CORRUPT_ANSWER_FRAME = Action(answer=_flipped)
GARBLE_REQUEST = Action(garble=True)
"""gRPC finds nothing wrong; the message in it is none."""
GARBLE_ANSWER = Action(garble_answer=True)

Rule = Callable[[Message], Action]


def first(frame: str, action: Action, *, times: int = 1) -> Rule:
    """Does `action` to the first `times` events of this type, per run."""
    return rules.first(frame, action, PASS, times=times)


def sometimes(actions: list[Action], *, chance: float, seed: int) -> Rule:
    """Does one of `actions` to each event with probability `chance`; the same every time."""
    return rules.sometimes(actions, PASS, chance=chance, seed=seed)


class _Messages:
    """Joins the DATA frames of one direction of a connection into gRPC messages."""

    def __init__(self) -> None:
        self._parts: dict[int, bytes] = {}

    def take(self, frame: bytes) -> bytes | None:
        """The message that this frame completes, which no frame here shares with another."""
        stream = _stream(frame)
        data = self._parts.pop(stream, b"") + _payload(frame)
        if len(data) < 5 or len(data) < 5 + int.from_bytes(data[1:5], "big"):
            self._parts[stream] = data
            return None
        return data[5:]


class GrpcProxy(TcpProxy[Message]):
    """A `TcpProxy` that knows gRPC: what happens to an event, `rule` says.

    Args:
        upstream: the receiver's port.
        token: the receiver's, to send an event again.
    """

    def __init__(self, upstream: int, token: str) -> None:
        self.rule: Rule = lambda message: PASS
        self._token = token
        super().__init__(upstream)

    @property
    def address(self) -> str:
        """The `callback_grpc` that leads through this proxy."""
        return f"127.0.0.1:{self.port}"

    async def _carry(
        self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, number: int
    ) -> None:
        from_receiver, to_receiver = await asyncio.open_connection("127.0.0.1", self.upstream)
        waiting: dict[int, list[tuple[Message, Action]]] = {}
        ways = [
            self._start(self._up(reader, to_receiver, number, waiting)),
            self._start(self._down(from_receiver, writer, waiting)),
        ]
        try:
            await asyncio.wait(ways, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for way in ways:
                way.cancel()
            to_receiver.transport.abort()

    async def _up(
        self,
        reader: asyncio.StreamReader,
        upstream: asyncio.StreamWriter,
        number: int,
        waiting: dict[int, list[tuple[Message, Action]]],
    ) -> None:
        """From the worker to the receiver."""
        upstream.write(await reader.readexactly(len(PREFACE)))
        messages = _Messages()
        while True:
            frame = await _read_frame(reader)
            body = messages.take(frame) if frame[3] == DATA and _payload(frame) else None
            action = PASS
            if body is not None:
                message = Message(body, number, _stream(frame))
                self.seen.append(message)
                action = self.rule(message)
                waiting.setdefault(message.stream, []).append((message, action))
                if action.again_after is not None:
                    self._start(self._send_again(body, action.again_after))
            await asyncio.sleep(action.delay)
            if not action.lose:
                frame = _changed(frame, action.garble)
                upstream.write(frame if action.request is None else action.request(frame))
                await upstream.drain()
            if action.cut:
                return

    async def _down(
        self,
        upstream: asyncio.StreamReader,
        writer: asyncio.StreamWriter,
        waiting: dict[int, list[tuple[Message, Action]]],
    ) -> None:
        """From the receiver to the worker."""
        messages = _Messages()
        while True:
            frame = await _read_frame(upstream)
            queue = waiting.get(_stream(frame))
            if not queue or not self._answers(frame, messages):
                writer.write(frame)
            else:
                message, action = queue.pop(0)
                if action.answer is not None:
                    writer.write(action.answer(frame))
                    await writer.drain()
                    return
                writer.write(_changed(frame, action.garble_answer))
                message.delivered = True
            await writer.drain()

    @staticmethod
    def _answers(frame: bytes, messages: _Messages) -> bool:
        """This frame completes an acknowledgement, or ends the call with a status."""
        if frame[3] == HEADERS:
            return bool(frame[4] & END_STREAM)
        body = messages.take(frame) if frame[3] == DATA and _payload(frame) else None
        # The answers of both methods hold their acknowledgement in field 1.
        return body is not None and PublishEventResponse.FromString(body).HasField("ack")

    async def _send_again(self, body: bytes, seconds: float) -> None:
        await asyncio.sleep(seconds)
        metadata = (("authorization", f"Bearer {self._token}"),)

        def send() -> None:
            with (
                grpc.insecure_channel(f"127.0.0.1:{self.upstream}") as channel,
                contextlib.suppress(grpc.RpcError),
            ):
                channel.unary_unary(PUBLISH_METHOD)(body, metadata=metadata, timeout=10)

        await asyncio.to_thread(send)


async def _read_frame(reader: asyncio.StreamReader) -> bytes:
    head = await reader.readexactly(HEAD)
    return head + await reader.readexactly(int.from_bytes(head[:3], "big"))


def _stream(frame: bytes) -> int:
    return int.from_bytes(frame[5:HEAD], "big") & 0x7FFFFFFF


def _payload(frame: bytes) -> bytes:
    if not frame[4] & PADDED:
        return frame[HEAD:]
    return frame[HEAD + 1 : len(frame) - frame[HEAD]]


def _changed(frame: bytes, garble: bool) -> bytes:
    """The frame, with the message in it spoilt behind the prefix that gRPC itself reads."""
    if not garble:
        return frame
    start = HEAD + 5 + bool(frame[4] & PADDED)
    return frame[:start] + _flipped(frame[start:])


@contextlib.contextmanager
def grpc_proxy_to(upstream: int, token: str) -> Iterator[GrpcProxy]:
    """A proxy for the length of a `with` block, and until all workers are free again."""
    proxy = GrpcProxy(upstream, token)
    try:
        yield proxy
        proxy.settle()
    finally:
        proxy.close()
