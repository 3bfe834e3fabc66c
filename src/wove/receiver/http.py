"""The HTTP door: one connection, as an `asyncio.Protocol` over `httptools`.

All messages of one read are decided and answered in one go, with one write.
Nothing here waits for anything, so answers keep the order of their requests.
"""

from __future__ import annotations

import asyncio
import enum
import socket
from http import HTTPStatus
from typing import cast

import httptools

from wove.receiver.answers import Answer
from wove.receiver.door import Door, log_failure
from wove.receiver.request import TOO_LARGE, Head
from wove.receiver.responses import BAD_REQUEST, CONTINUE, refused

__all__ = ["EventConnection"]

_FULL = refused(HTTPStatus.SERVICE_UNAVAILABLE, "the receiver is overloaded", retry_after=1.0)
_SLOW = refused(HTTPStatus.REQUEST_TIMEOUT, "the request did not come in time")
_HEAD_TOO_LARGE = refused(
    HTTPStatus.REQUEST_HEADER_FIELDS_TOO_LARGE, "the request's head is too large"
)
_NO_TUNNEL = refused(HTTPStatus.METHOD_NOT_ALLOWED, "events are posted here")
_FRAMING = 16
"""Bytes around one byte of a chunked body, at most: a client may send it as a chunk of its own."""
_HOP_BY_HOP = frozenset({b"connection", b"upgrade", b"http2-settings"})


class _State(enum.Enum):
    IDLE = 0
    HEAD = 1
    BODY = 2
    OVER = 3
    """The last answer is written; what still comes is read and thrown away."""


class EventConnection(asyncio.Protocol):
    """One connection of a worker.

    Attributes:
        deadline: when, on the loop's clock, the peer must have done its next step.
    """

    def __init__(self, door: Door) -> None:
        # Who has shown no token yet has to come to it: an idle stranger costs a descriptor.
        self.deadline = door.loop.time() + min(door.limits.head_seconds, door.limits.idle_seconds)
        self._door = door
        self._known = False
        self._transport: asyncio.Transport | None = None
        self._parser = httptools.HttpRequestParser(self)
        self._state = _State.IDLE
        self._out: list[bytes] = []
        self._close_ours = False
        self._upgrade = self._upgraded = False
        self._done = False
        self._messages = 0
        self._drained = 0
        self._begin()

    def _begin(self) -> None:
        self._url = b""
        self._headers: dict[bytes, bytes] = {}
        self._header_count = 0
        self._head_bytes = 0
        self._fed_bytes = 0
        self._head: Head | None = None
        self._refusal: Answer | None = None
        self._chunks: list[bytes] = []
        self._body_bytes = 0
        self._body_began = 0.0

    # Called by asyncio.

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Count the connection in, or refuse it."""
        self._transport = cast("asyncio.Transport", transport)
        sock = transport.get_extra_info("socket")
        if sock is not None and sock.family in (socket.AF_INET, socket.AF_INET6):
            sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        if not self._door.enter(self):
            self._refuse(_FULL)
            self._write()

    def data_received(self, data: bytes) -> None:
        """Decide and answer everything that `data` completes."""
        if self._state is _State.OVER:
            self._drain(data)
            return
        messages, body = self._messages, self._body_bytes
        self._feed(data)
        if self._state in (_State.HEAD, _State.BODY) and self._messages == messages:
            # The parser keeps an unfinished header or trailer to itself: count what it was fed.
            self._fed_bytes += len(data) - (self._body_bytes - body)
            allowed = self._door.limits.head_bytes
            if self._state is _State.BODY:
                allowed += allowed + _FRAMING * self._body_bytes
            if self._fed_bytes > allowed:
                self._refuse(_HEAD_TOO_LARGE)
        self._write()
        if self._done:
            self._close()

    def eof_received(self) -> bool:
        """Close: everything that was complete has been answered."""
        return False

    def connection_lost(self, exc: Exception | None) -> None:
        """Tell the hub, which may have heard heartbeats here."""
        self._door.leave(self)
        self._release()
        if self._close_ours:
            self._door.hub.connection_dropped(self)
        else:
            self._door.hub.connection_lost(self)

    def pause_writing(self) -> None:
        """Read no more from a peer that does not read its answers."""
        if self._transport is not None:
            self._transport.pause_reading()

    def resume_writing(self) -> None:
        """Go on reading."""
        if self._transport is not None:
            self._transport.resume_reading()

    # Called by the door.

    def expire(self, now: float) -> None:
        """The deadline has passed: say so where somebody waits, and close."""
        if self._close_ours or self._transport is None:
            self.abort()
            return
        if self._state in (_State.HEAD, _State.BODY):
            self._out.append(self._door.responses.encode(_SLOW, close=True))
            self._write()
        self.deadline = now + self._door.limits.drain_seconds
        self._close()

    def abort(self) -> None:
        """Close without another word."""
        self._close_ours = True
        if self._transport is not None:
            self._transport.abort()

    # Called by the parser.

    def on_message_begin(self) -> None:
        """The first byte of a request."""
        if self._state is _State.OVER:
            return
        self._begin()
        self._messages += 1
        self._state = _State.HEAD
        self.deadline = self._door.loop.time() + self._door.limits.head_seconds

    def on_url(self, url: bytes) -> None:
        """A piece of the request's target."""
        self._url += url

    def on_header(self, name: bytes, value: bytes) -> None:
        """A whole header."""
        if self._state is not _State.HEAD:
            return  # a trailer: it cannot change what the head has said
        self._header_count += 1
        self._head_bytes += len(name) + len(value)
        if self._header_count <= self._door.limits.headers:
            self._headers[name.lower()] = value

    def on_headers_complete(self) -> None:
        """The end of the head: refuse by it what can be."""
        if self._state is _State.OVER:
            return
        limits = self._door.limits
        if self._header_count > limits.headers or (
            self._head_bytes + len(self._url) > limits.head_bytes
        ):
            self._refuse(_HEAD_TOO_LARGE)
            return
        head = self._head = Head(self._parser.get_method(), self._url, self._headers)
        if self._parser.should_upgrade():
            self._upgrade = True
            if head.method == b"CONNECT":
                self._refuse(_NO_TUNNEL)
            return
        self._state = _State.BODY
        self._body_began = self._door.loop.time()
        self.deadline = self._body_began + limits.body_seconds
        self._refusal = head.refusal(self._door.hub, limits)
        if self._refusal is None:
            self._known = True
            if head.expects_continue:
                self._out.append(CONTINUE)
        elif head.expects_continue or (head.announced or 0) > limits.discard_bytes:
            self._refuse(self._refusal)

    def on_body(self, data: bytes) -> None:
        """A piece of the body."""
        if self._state is _State.OVER:
            return
        limits = self._door.limits
        self._body_bytes += len(data)
        self.deadline = self._body_began + limits.body_seconds + self._body_bytes / limits.body_rate
        if self._refusal is not None:
            if self._body_bytes > limits.discard_bytes:
                self._refuse(self._refusal)
            return
        if self._body_bytes > limits.body_bytes:
            self._refuse(TOO_LARGE)
            return
        self._chunks.append(data)
        self._door.buffered += len(data)
        if self._door.buffered > limits.buffered_bytes:
            self._refuse(_FULL)

    def on_message_complete(self) -> None:
        """The end of the request: answer it."""
        head = self._head
        if self._state is _State.OVER or self._upgrade or head is None:
            return
        answer = self._refusal
        if answer is None:
            chunks = self._chunks
            body = chunks[0] if len(chunks) == 1 else b"".join(chunks)
            self._release()
            answer = self._door.decide(head, body, self)
        close = not self._parser.should_keep_alive()
        self._out.append(
            self._door.responses.encode(answer, close=close, body=head.method != b"HEAD")
        )
        self._state = _State.IDLE
        limits = self._door.limits
        idle = limits.idle_seconds if self._known else min(limits.head_seconds, limits.idle_seconds)
        self.deadline = self._door.loop.time() + idle
        if close:
            self._over()
            self._done = True

    # Small steps.

    def _feed(self, data: bytes) -> None:
        try:
            self._parser.feed_data(data)
        except httptools.HttpParserUpgrade as upgrade:
            if self._state is _State.OVER:
                return
            if self._upgraded:
                self._refuse(BAD_REQUEST)  # a client offers once; this one only costs time
                return
            self._upgraded = True
            self._feed(self._without_upgrade() + data[upgrade.args[0] :])
            self._upgraded = False
        except httptools.HttpParserCallbackError as error:
            log_failure("The receiver failed on a request", error.__context__ or error)
            self._refuse(refused(HTTPStatus.INTERNAL_SERVER_ERROR, "the receiver failed"))
        except httptools.HttpParserError:
            self._refuse(BAD_REQUEST)

    def _without_upgrade(self) -> bytes:
        """The request's head again, without the upgrade that it offered.

        A server may ignore the offer (RFC 9110, 7.8); the parser cannot. Java's
        client makes it with every request.
        """
        self._upgrade = False
        self._parser = httptools.HttpRequestParser(self)
        lines = [self._headline()]
        lines += [
            name + b": " + value for name, value in self._headers.items() if name not in _HOP_BY_HOP
        ]
        return b"\r\n".join(lines) + b"\r\n\r\n"

    def _headline(self) -> bytes:
        method = self._head.method if self._head is not None else b"GET"
        return method + b" " + self._url + b" HTTP/1.1"

    def _refuse(self, answer: Answer) -> None:
        """Answer before the request is complete; nothing after it will be answered."""
        if self._state is not _State.OVER:
            self._out.append(self._door.responses.encode(answer, close=True))
            self._over()

    def _over(self) -> None:
        self._state = _State.OVER
        self._close_ours = True
        self._release()
        self.deadline = self._door.loop.time() + self._door.limits.drain_seconds

    def _drain(self, data: bytes) -> None:
        # Closing a socket with unread bytes resets it, and the peer may lose the answer.
        self._drained += len(data)
        if self._drained > self._door.limits.drain_bytes:
            self._close()

    def _release(self) -> None:
        self._door.buffered -= sum(map(len, self._chunks))
        self._chunks = []

    def _write(self) -> None:
        if self._out and self._transport is not None:
            self._transport.write(b"".join(self._out))
            self._out.clear()

    def _close(self) -> None:
        self._close_ours = True
        if self._transport is not None:
            self._transport.close()
