"""gRPC to the receiver, with HTTP behind it for when no channel can be made."""

from __future__ import annotations

import queue
import threading
from collections.abc import Callable, Hashable, Iterator
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import grpc

from wove.contract import ContractError
from wove.contract.services import (
    PUBLISH_METHOD,
    STREAM_METHOD,
    ack_from_answer,
    request_from_event,
)
from wove.worker.answers import Answer, Verdict, judge_status
from wove.worker.grpc_channels import Peer, Target, channels
from wovepb.v1.ack_pb2 import EventAck
from wovepb.v1.event_service_pb2 import StreamEventsResponse

if TYPE_CHECKING:
    from wove.worker.messages import Body
    from wove.worker.routes import Line, Route

__all__ = ["GrpcRoute"]

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


class GrpcRoute:
    """Calls of `EventService`; see `Route`.

    Args:
        url: the payload's `callback_grpc`.
        receiver_id: the payload's.
        otherwise: the route that is used while no channel can be made.
    """

    def __init__(self, url: str, receiver_id: str, *, otherwise: Route) -> None:
        self._target = target = Target.parse(url)
        self._peer = target.peer
        self._receiver_id = receiver_id
        self._otherwise = otherwise
        self._metadata = (
            ("authorization", f"Bearer {target.token}"),
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
        answer: Answer | None = None
        if isinstance(line, _GrpcLine):
            if line.ready():
                answer = line.exchange(request_from_event(body.data), timeout)
            if answer is None:
                line = line.spare(self._otherwise)
        elif line is None:
            channel = channels().get(self._peer, fresh=fresh)
            if channel is not None:
                answer = self._publish(channel, body, timeout)
        if answer is None:
            answer = self._otherwise.post(body, timeout=timeout, fresh=fresh, line=line)
            why = channels().why_avoided(self._peer) if answer.verdict is Verdict.RETRY else ""
            if why:
                answer = replace(answer, text=f"{answer.text}; by gRPC: {why}")
        return answer

    def new_line(self) -> Line:
        """See `Route`: a call of StreamEvents on a channel of its own."""
        channel = channels().connect(self._peer)
        if channel is None:
            return self._otherwise.new_line()
        return _GrpcLine(self._peer, channel, self._metadata, self._receiver_id)

    def _publish(self, channel: grpc.Channel, body: Body, timeout: float) -> Answer | None:
        """One call; None if there is no receiver to be called there."""
        call = channel.unary_unary(PUBLISH_METHOD)
        request = request_from_event(body.data)
        try:
            data, state = call.with_call(request, timeout=timeout, metadata=self._metadata)
        except grpc.RpcError as error:
            # Of the many calls that a broken connection ends, one says so.
            known = _is_lost(error) and not channels().forget(self._peer, channel)
            if not known and _is_nobodys(self._peer, error):
                return None
            return _judge_error(error, self._receiver_id)
        answered_by = _value(state.initial_metadata(), "wove-receiver")
        if answered_by is None:
            channels().strange(self._peer, "OK, not from a Wove receiver")
        else:
            channels().answered(self._peer)
        try:
            ack = ack_from_answer(data)
        except ContractError:
            ack = None  # accepted all the same
        return judge_status(
            200, "OK", answered_by=answered_by, receiver_id=self._receiver_id, ack=ack
        )


class _GrpcLine:
    """One channel, and on it one StreamEvents call at a time."""

    pushes = True

    def __init__(
        self,
        peer: Peer,
        channel: grpc.Channel,
        metadata: tuple[tuple[str, str], ...],
        receiver_id: str,
    ) -> None:
        self.on_cancel: Callable[[str], None] = lambda run_id: None
        self._peer = peer
        self._channel: grpc.Channel | None = channel
        self._spare: Line | None = None
        self._metadata = metadata
        self._receiver_id = receiver_id
        self._call: _Call | None = None

    def ready(self) -> bool:
        """It has a channel, a new one if the last was lost; False if none can be made."""
        if self._channel is None:
            self._channel = channels().connect(self._peer)
        return self._channel is not None

    def spare(self, route: Route) -> Line:
        """A line of another route, for while there is no channel."""
        if self._spare is None:
            self._spare = route.new_line()
        return self._spare

    def exchange(self, request: bytes, timeout: float) -> Answer | None:
        """Send one event and wait for its answer; one at a time, and only if `ready`.

        Returns:
            None if there is no receiver to be called.
        """
        call = self._call
        if call is None or call.ended:
            assert self._channel is not None  # noqa: S101 - `ready` has said so
            call = self._call = _Call(self._channel, self._metadata, self._pushed)
        try:
            ack = call.exchange(request, timeout)
        except queue.Empty:
            self._hang_up()
            if channels().strange(self._peer, "no answer in time", silent=True):
                self._let_go()
            return Answer(Verdict.RETRY, "no answer in time")
        except grpc.RpcError as error:
            self._hang_up()
            nobody = _is_nobodys(self._peer, error)
            if nobody or _is_lost(error):
                self._let_go()
            return None if nobody else _judge_error(error, self._receiver_id)
        channels().answered(self._peer)
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


def _is_nobodys(peer: Peer, error: Any) -> bool:
    """No receiver has said this, and none would: what is there does not know the service.

    What might pass, such as a balancer's own refusal, is counted.
    """
    if isinstance(error, _Ended):
        return False
    if _value(error.trailing_metadata(), "wove-receiver") is not None:
        channels().answered(peer)
        return False
    code = error.code()
    reason = f"{code.name}, not from a Wove receiver"
    if code not in _STATUSES:
        channels().avoid(peer, reason)
        return True
    channels().strange(peer, reason, silent=code is grpc.StatusCode.DEADLINE_EXCEEDED)
    return False


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
