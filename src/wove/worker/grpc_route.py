"""gRPC to the receiver, with HTTP behind it for when no channel can be made."""

from __future__ import annotations

import os
import queue
import threading
import time
from collections.abc import Callable, Hashable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import unquote, urlsplit

import grpc

from wove.contract import ContractError
from wove.contract.services import (
    PUBLISH_METHOD,
    STREAM_METHOD,
    ack_from_answer,
    request_from_event,
)
from wove.worker.answers import Answer, Verdict, judge_status
from wovepb.v1.ack_pb2 import EventAck
from wovepb.v1.event_service_pb2 import StreamEventsResponse

if TYPE_CHECKING:
    from wove.worker.messages import Body
    from wove.worker.routes import Line, Route

__all__ = ["GrpcRoute"]

CONNECT_SECONDS = 3.0
"""How long a channel may take to be made before HTTP is used instead."""
AVOID_SECONDS = 60.0
"""For how long an address is not tried again after that."""

_STATUSES: dict[grpc.StatusCode, int] = {
    grpc.StatusCode.INVALID_ARGUMENT: 400,
    grpc.StatusCode.UNAUTHENTICATED: 404,
    grpc.StatusCode.FAILED_PRECONDITION: 409,
    grpc.StatusCode.NOT_FOUND: 410,
    grpc.StatusCode.RESOURCE_EXHAUSTED: 413,
    grpc.StatusCode.ABORTED: 421,
    grpc.StatusCode.UNAVAILABLE: 503,
    grpc.StatusCode.DEADLINE_EXCEEDED: 504,
    grpc.StatusCode.CANCELLED: 503,
    grpc.StatusCode.UNKNOWN: 500,
    grpc.StatusCode.INTERNAL: 500,
}
"""HTTP's word for each code, by the table of event_service.proto; 403 for all others."""
_BY_NUMBER = {code.value[0]: code for code in grpc.StatusCode}

_OPTIONS = [
    ("grpc.enable_retries", 0),  # retries are the reporter's
    ("grpc.max_send_message_length", -1),
    ("grpc.keepalive_time_ms", 30_000),
    ("grpc.keepalive_timeout_ms", 10_000),
    ("grpc.use_local_subchannel_pool", 1),  # two channels are two connections
]


@dataclass(frozen=True)
class _Target:
    """`callback_grpc` in parts."""

    address: str
    secure: bool
    token: str = field(repr=False)

    @classmethod
    def parse(cls, url: str) -> _Target:
        parts = urlsplit(url)
        return cls(parts.netloc, parts.scheme == "grpcs", unquote(parts.path[1:]))


class GrpcRoute:
    """Calls of `EventService`; see `Route`.

    Args:
        url: the payload's `callback_grpc`.
        receiver_id: the payload's.
        otherwise: the route that is used while no channel can be made.
    """

    def __init__(self, url: str, receiver_id: str, *, otherwise: Route) -> None:
        self._target = _Target.parse(url)
        self._receiver_id = receiver_id
        self._otherwise = otherwise
        self._metadata = (
            ("authorization", f"Bearer {self._target.token}"),
            ("wove-receiver", receiver_id),
        )

    @property
    def key(self) -> Hashable:
        """See `Route`."""
        return (self._target, self._receiver_id)

    def post(
        self, body: Body, *, timeout: float, fresh: bool = False, line: Line | None = None
    ) -> Answer:
        """See `Route`."""
        if isinstance(line, _GrpcLine):
            if line.ready():
                return line.exchange(request_from_event(body.data), timeout)
            spare = line.spare(self._otherwise)
            return self._otherwise.post(body, timeout=timeout, fresh=fresh, line=spare)
        channel = _channels.get(self._target, fresh=fresh) if line is None else None
        if channel is None:
            return self._otherwise.post(body, timeout=timeout, fresh=fresh, line=line)
        call = channel.unary_unary(PUBLISH_METHOD)
        request = request_from_event(body.data)
        try:
            data, state = call.with_call(request, timeout=timeout, metadata=self._metadata)
        except grpc.RpcError as error:
            if _is_lost(error):
                _channels.forget(self._target, channel)
            return _judge_error(error, self._receiver_id)
        try:
            ack = ack_from_answer(data)
        except ContractError:
            ack = None  # accepted all the same
        return judge_status(
            200,
            "OK",
            answered_by=_value(state.initial_metadata(), "wove-receiver"),
            receiver_id=self._receiver_id,
            ack=ack,
        )

    def new_line(self) -> Line:
        """See `Route`: a call of StreamEvents on a channel of its own."""
        channel = _channels.connect(self._target)
        if channel is None:
            return self._otherwise.new_line()
        return _GrpcLine(self._target, channel, self._metadata, self._receiver_id)


class _GrpcLine:
    """One channel, and on it one StreamEvents call at a time."""

    pushes = True

    def __init__(
        self,
        target: _Target,
        channel: grpc.Channel,
        metadata: tuple[tuple[str, str], ...],
        receiver_id: str,
    ) -> None:
        self.on_cancel: Callable[[str], None] = lambda run_id: None
        self._target = target
        self._channel: grpc.Channel | None = channel
        self._spare: Line | None = None
        self._metadata = metadata
        self._receiver_id = receiver_id
        self._call: _Call | None = None

    def ready(self) -> bool:
        """It has a channel, a new one if the last was lost; False if none can be made."""
        if self._channel is None:
            self._channel = _channels.connect(self._target)
        return self._channel is not None

    def spare(self, route: Route) -> Line:
        """A line of another route, for while there is no channel."""
        if self._spare is None:
            self._spare = route.new_line()
        return self._spare

    def exchange(self, request: bytes, timeout: float) -> Answer:
        """Send one event and wait for its answer; one at a time, and only if `ready`."""
        call = self._call
        if call is None or call.ended:
            call = self._call = _Call(self._channel, self._metadata, self._pushed)
        try:
            ack = call.exchange(request, timeout)
        except queue.Empty:
            self._hang_up()
            return Answer(Verdict.RETRY, "no answer in time")
        except grpc.RpcError as error:
            self._hang_up()
            if _is_lost(error):
                self._let_go()
            return _judge_error(error, self._receiver_id)
        code = _BY_NUMBER.get(ack.code, grpc.StatusCode.UNKNOWN)
        status = 200 if not ack.code else _STATUSES.get(code, 403)
        retry_after = ack.retry_after_seconds if ack.HasField("retry_after_seconds") else None
        return judge_status(
            status,
            code.name,
            answered_by=ack.receiver_id or None,
            receiver_id=self._receiver_id,
            retry_after=retry_after,
            ack=ack,
        )

    def close(self) -> None:
        """See `Line`."""
        self._hang_up()
        self._let_go()
        if self._spare is not None:
            self._spare.close()

    def _let_go(self) -> None:
        channel, self._channel = self._channel, None
        if channel is not None:
            channel.close()

    def _hang_up(self) -> None:
        call, self._call = self._call, None
        if call is not None:
            call.close()

    def _pushed(self, run_id: str) -> None:
        self.on_cancel(run_id)


class _Call:
    """One StreamEvents call. A thread of its own takes what comes down."""

    def __init__(
        self,
        channel: grpc.Channel,
        metadata: tuple[tuple[str, str], ...],
        on_cancel: Callable[[str], None],
    ) -> None:
        self.ended = False
        self._up: queue.SimpleQueue[bytes | None] = queue.SimpleQueue()
        self._down: queue.SimpleQueue[EventAck | grpc.RpcError] = queue.SimpleQueue()
        self._on_cancel = on_cancel
        method = channel.stream_stream(STREAM_METHOD)
        self._answers: Any = method(self._requests(), metadata=metadata)
        threading.Thread(target=self._read, name="wove-grpc-line", daemon=True).start()

    def exchange(self, request: bytes, timeout: float) -> EventAck:
        self._up.put(request)
        answer = self._down.get(timeout=timeout)
        if isinstance(answer, grpc.RpcError):
            raise answer
        return answer

    def close(self) -> None:
        self.ended = True
        self._up.put(None)
        self._answers.cancel()

    def _requests(self) -> Iterator[bytes]:
        while (request := self._up.get()) is not None:
            yield request

    def _read(self) -> None:
        try:
            for data in self._answers:
                message = StreamEventsResponse.FromString(data)
                if message.HasField("ack"):
                    self._down.put(message.ack)
                elif message.HasField("cancel_task"):
                    self._on_cancel(message.cancel_task.run_id)
            self._answers.code()  # OK: the receiver has ended the call
            error: grpc.RpcError = _Ended()
        except grpc.RpcError as trouble:
            error = trouble
        self.ended = True
        self._up.put(None)
        self._down.put(error)


class _Ended(grpc.RpcError):  # type: ignore[misc]  # grpc has no types
    """The receiver ended a call of StreamEvents in good order."""

    def code(self) -> grpc.StatusCode:
        return grpc.StatusCode.UNAVAILABLE

    def trailing_metadata(self) -> tuple[()]:
        return ()


def _is_lost(error: Any) -> bool:
    """The channel broke, and may never come back: gRPC itself answers, no receiver."""
    if isinstance(error, _Ended) or error.code() is not grpc.StatusCode.UNAVAILABLE:
        return False
    return _value(error.trailing_metadata(), "wove-receiver") is None


def _judge_error(error: Any, receiver_id: str) -> Answer:
    code = error.code()
    # Refused before a call began, or by gRPC itself: a receiver's refusals carry its id.
    trailing = error.trailing_metadata()
    return judge_status(
        _STATUSES.get(code, 403),
        code.name,
        answered_by=_value(trailing, "wove-receiver"),
        receiver_id=receiver_id,
        retry_after=_seconds(_value(trailing, "retry-after")),
    )


def _value(metadata: Any, key: str) -> str | None:
    for name, value in metadata or ():
        if name == key:
            return str(value)
    return None


def _seconds(text: str | None) -> float | None:
    try:
        return None if text is None else max(0.0, float(text))
    except ValueError:
        return None


class _Channels:
    """This process's channels by target, and the targets to which none could be made."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._open: dict[_Target, grpc.Channel] = {}
        self._avoid: dict[_Target, float] = {}

    def get(self, target: _Target, *, fresh: bool = False) -> grpc.Channel | None:
        """A channel that works, or did; None where there is none."""
        with self._lock:
            channel = None if fresh else self._open.get(target)
        if channel is not None:
            return channel
        made = self.connect(target)
        with self._lock:
            if made is not None:
                # The one before may be in use: the collector closes it.
                self._open[target] = made
        return made

    def forget(self, target: _Target, channel: grpc.Channel) -> None:
        """This one does not work any more; whoever uses it closes it by letting go of it."""
        with self._lock:
            if self._open.get(target) is channel:
                del self._open[target]

    def connect(self, target: _Target) -> grpc.Channel | None:
        """A new channel, once it is connected; None when that cannot be."""
        with self._lock:
            if self._avoid.get(target, 0.0) > time.monotonic():
                return None
        channel = (
            grpc.secure_channel(target.address, _credentials(), _OPTIONS)
            if target.secure
            else grpc.insecure_channel(target.address, _OPTIONS)
        )
        try:
            grpc.channel_ready_future(channel).result(CONNECT_SECONDS)
        except grpc.FutureTimeoutError:
            channel.close()
            with self._lock:
                self._avoid[target] = time.monotonic() + AVOID_SECONDS
            return None
        return channel


def _credentials() -> grpc.ChannelCredentials:
    """What TLS needs, from files that the worker's environment names."""

    def read(name: str) -> bytes | None:
        path = os.environ.get(name)
        return Path(path).read_bytes() if path else None

    return grpc.ssl_channel_credentials(
        root_certificates=read("WOVE_GRPC_CA"),
        private_key=read("WOVE_GRPC_PRIVATE_KEY"),
        certificate_chain=read("WOVE_GRPC_CERTIFICATE"),
    )


_channels = _Channels()


def _after_fork() -> None:
    global _channels
    _channels = _Channels()  # the parent's are the parent's


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_after_fork)
