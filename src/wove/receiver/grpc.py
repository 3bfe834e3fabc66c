"""The gRPC door: `EventService` on the receiver's loop, over the same hub as HTTP.

Only what gRPC is about is here: metadata, messages, status codes. What an event means
and which answer it gets, the hub decides.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections.abc import Callable, Mapping
from http import HTTPStatus
from typing import Any

import grpc
import grpc.aio

from wove.contract.services import SERVICE, answer_from_ack, event_from_request
from wove.receiver.answers import Answer
from wove.receiver.door import Door
from wove.receiver.grpc_settings import GrpcSettings, cannot_listen
from wove.receiver.responses import refused
from wovepb.v1.ack_pb2 import EventAck
from wovepb.v1.event_service_pb2 import StreamEventsResponse

__all__ = ["GrpcDoor"]

logger = logging.getLogger(__name__)

CODES: Mapping[int, grpc.StatusCode] = {
    400: grpc.StatusCode.INVALID_ARGUMENT,
    404: grpc.StatusCode.UNAUTHENTICATED,
    409: grpc.StatusCode.FAILED_PRECONDITION,
    410: grpc.StatusCode.NOT_FOUND,
    413: grpc.StatusCode.RESOURCE_EXHAUSTED,
    421: grpc.StatusCode.ABORTED,
    503: grpc.StatusCode.UNAVAILABLE,
}
"""gRPC's word for each row of the response table; INTERNAL for all others."""

_ENVELOPE_BYTES = 16
"""What a request is longer than the event in it."""
_WRITE_SECONDS = 30.0
"""A caller that does not read an answer for this long is hung up on."""
_MORE_CALLS = 1024
"""Calls that are no connections: single events, and streams that are being refused."""
_MANY_RUNS = 64
_STOP_SECONDS = 0.2
_IDLE = refused(HTTPStatus.SERVICE_UNAVAILABLE, "the call was silent for too long")
_FULL = refused(HTTPStatus.SERVICE_UNAVAILABLE, "the receiver is overloaded", retry_after=1.0)


class GrpcDoor:
    """One listening gRPC server; lives on the receiver's loop.

    Args:
        door: decides, and knows the limits; shared with HTTP.
        settings: where to listen, and with which certificates.

    Attributes:
        port: the port that is bound.
    """

    def __init__(self, door: Door, settings: GrpcSettings) -> None:
        self.port = 0
        self._door = door
        self._settings = settings
        self._id = door.hub.receiver_id

    async def start(self) -> None:
        """Listen.

        Raises:
            CallbackUnreachableError: the address cannot be bound.
        """
        limits = self._door.limits
        self._server = server = grpc.aio.server(
            # Beyond it gRPC itself says RESOURCE_EXHAUSTED, which a worker may take for "too
            # large": our own limit, which says UNAVAILABLE, is to come first.
            maximum_concurrent_rpcs=limits.connections + _MORE_CALLS,
            options=[
                ("grpc.max_receive_message_length", limits.body_bytes + _ENVELOPE_BYTES),
                ("grpc.max_metadata_size", limits.head_bytes),
                ("grpc.max_connection_idle_ms", int(limits.idle_seconds * 1000)),
                # Dead peers are found; workers may ping every 10 seconds, calls or none.
                ("grpc.keepalive_time_ms", 30_000),
                ("grpc.keepalive_timeout_ms", 10_000),
                ("grpc.keepalive_permit_without_calls", 1),
                ("grpc.http2.min_recv_ping_interval_without_data_ms", 9_000),
                ("grpc.http2.max_ping_strikes", 0),
                # Two processes on one port would each get half of the events.
                ("grpc.so_reuseport", 0),
            ],
        )
        server.add_generic_rpc_handlers((self._handlers(),))
        await _add_companions(server)
        address = self._settings.listen_address()
        tls = self._settings.credentials()
        try:
            self.port = (
                server.add_insecure_port(address)
                if tls is None
                else server.add_secure_port(address, tls)
            )
        except RuntimeError as error:
            raise cannot_listen(self._settings, str(error)) from error
        await server.start()

    async def stop(self) -> None:
        """Close everything."""
        await self._server.stop(_STOP_SECONDS)

    def _handlers(self) -> grpc.GenericRpcHandler:
        return grpc.method_handlers_generic_handler(
            SERVICE,
            {
                "PublishEvent": grpc.unary_unary_rpc_method_handler(self._publish),
                "StreamEvents": grpc.stream_stream_rpc_method_handler(self._stream),
            },
        )

    async def _publish(self, request: bytes, context: grpc.aio.ServicerContext[Any, Any]) -> bytes:
        token, receiver = _presented(context)
        answer = self._door.hub.refusal(token, receiver)
        event_id = ""
        if answer is None:
            event = self._door.read(lambda: event_from_request(request))
            if isinstance(event, Answer):
                answer = event
            else:
                event_id = event.event_id
                answer = self._door.handle(event, token=token, receiver=receiver, connection=None)
        if answer.status >= 300:
            await self._abort(context, answer)
        await context.send_initial_metadata((("wove-receiver", self._id),))
        return answer_from_ack(self._acknowledged(answer, event_id))

    async def _stream(self, _requests: object, context: grpc.aio.ServicerContext[Any, Any]) -> None:
        token, receiver = _presented(context)
        stream = _Stream(self._door, context, self._id)
        refusal = self._door.hub.refusal(token, receiver)
        try:
            if not self._door.enter(stream):
                refusal = refusal or _FULL
            if refusal is not None:
                await self._abort(context, refusal)
            await context.send_initial_metadata((("wove-receiver", self._id),))
            await stream.serve(lambda data: self._acknowledge(data, token, receiver, stream))
        except asyncio.CancelledError:
            if stream.ours:  # a cancelled handler leaves the call open
                await asyncio.wait_for(self._abort(context, _IDLE), _WRITE_SECONDS)
            raise
        finally:
            stream.close()

    def _acknowledge(
        self, data: bytes, token: str, receiver: str | None, stream: _Stream
    ) -> EventAck:
        event = self._door.read(lambda: event_from_request(data, stream=True))
        if isinstance(event, Answer):
            return self._acknowledged(event, "")
        answer = self._door.handle(event, token=token, receiver=receiver, connection=stream)
        if answer.status < 300:
            stream.follow(event.run_id)
        return self._acknowledged(answer, event.event_id)

    def _acknowledged(self, answer: Answer, event_id: str) -> EventAck:
        if answer.ack is not None:
            return answer.ack
        ack = EventAck(event_id=event_id, receiver_id=self._id, message=answer.reason)
        if answer.status >= 300:
            ack.code = code_of(answer).value[0]
        if answer.retry_after is not None:
            ack.retry_after_seconds = answer.retry_after
        return ack

    async def _abort(self, context: grpc.aio.ServicerContext[Any, Any], answer: Answer) -> None:
        trailing = [("wove-receiver", self._id)]
        if answer.retry_after is not None:
            trailing.append(("retry-after", f"{answer.retry_after:g}"))
        await context.abort(code_of(answer), answer.reason, tuple(trailing))


class _Stream:
    """One call of StreamEvents: a connection, as the hub and the door know it.

    Attributes:
        deadline: when, on the loop's clock, the peer must have done its next step.
        ours: it was this side that ended the call.
    """

    def __init__(
        self, door: Door, context: grpc.aio.ServicerContext[Any, Any], receiver_id: str
    ) -> None:
        self.deadline = door.loop.time() + door.limits.idle_seconds
        self._door = door
        self._context = context
        self._task = asyncio.current_task()
        self._writing = asyncio.Lock()
        self._pushing: set[asyncio.Task[None]] = set()
        self._runs: set[str] = set()
        self._tidy_at = _MANY_RUNS
        self.ours = False

    async def serve(self, acknowledge: Callable[[bytes], EventAck]) -> None:
        """Answer every event until the caller has said all."""
        while True:
            self.deadline = self._door.loop.time() + self._door.limits.idle_seconds
            data = await self._context.read()
            if data is grpc.aio.EOF:  # pyright: ignore[reportAttributeAccessIssue]
                return
            ack = acknowledge(data)
            self.deadline = self._door.loop.time() + _WRITE_SECONDS
            await self._write(answer_from_ack(ack, stream=True))

    def follow(self, run_id: str) -> None:
        """Hand a cancel of this run on as soon as it is asked for."""
        if run_id not in self._runs:
            run = self._door.hub.run(run_id)
            if run is not None:
                self._runs.add(run_id)
                run.tell = self.tell
                if len(self._runs) > self._tidy_at:  # a worker's stream may outlive many runs
                    self._runs = {each for each in self._runs if self._door.hub.run(each)}
                    self._tidy_at = max(_MANY_RUNS, 2 * len(self._runs))

    def tell(self, run_id: str, task_id: str) -> None:
        """Ask the worker to stop a run; from any thread."""
        message = StreamEventsResponse()
        message.cancel_task.run_id = run_id
        message.cancel_task.task_id = task_id
        with contextlib.suppress(RuntimeError):  # the receiver is stopped
            self._door.loop.call_soon_threadsafe(self._push, message.SerializeToString())

    def close(self) -> None:
        """The call is over."""
        self._door.leave(self)
        for run_id in self._runs:
            run = self._door.hub.run(run_id)
            if run is not None and run.tell == self.tell:
                run.tell = None
        if self.ours:
            self._door.hub.connection_dropped(self)
        else:
            self._door.hub.connection_lost(self)

    def expire(self, now: float) -> None:
        """The deadline has passed."""
        self.abort()

    def abort(self) -> None:
        """End the call."""
        self.ours = True
        if self._task is not None:
            self._task.cancel()

    def _push(self, message: bytes) -> None:
        task = self._door.loop.create_task(self._write(message))
        self._pushing.add(task)
        task.add_done_callback(self._pushed)

    def _pushed(self, task: asyncio.Task[None]) -> None:
        self._pushing.discard(task)
        if not task.cancelled() and task.exception() is not None:
            logger.debug("a cancel could not be pushed: %s", type(task.exception()).__name__)

    async def _write(self, message: bytes) -> None:
        async with self._writing:
            await self._context.write(message)


def code_of(answer: Answer) -> grpc.StatusCode:
    """The status code of a refusal."""
    return CODES.get(answer.status, grpc.StatusCode.INTERNAL)


def _presented(context: grpc.aio.ServicerContext[Any, Any]) -> tuple[str, str | None]:
    """The caller's token, and the receiver it addresses."""
    token, receiver = "", None
    for key, value in context.invocation_metadata() or ():
        if key == "authorization" and isinstance(value, str):
            scheme, _, rest = value.partition(" ")
            token = rest.strip() if scheme.lower() == "bearer" else ""
        elif key == "wove-receiver" and isinstance(value, str):
            receiver = value
    return token, receiver


async def _add_companions(server: grpc.aio.Server) -> None:
    """The health and reflection services, where their packages are installed."""
    with contextlib.suppress(ImportError):
        from grpc_health.v1 import health, health_pb2, health_pb2_grpc

        servicer = health.aio.HealthServicer()  # pyright: ignore[reportAttributeAccessIssue]
        health_pb2_grpc.add_HealthServicer_to_server(servicer, server)
        await servicer.set(SERVICE, health_pb2.HealthCheckResponse.SERVING)
    with contextlib.suppress(ImportError):
        from grpc_reflection.v1alpha import reflection

        reflection.enable_server_reflection((SERVICE, reflection.SERVICE_NAME), server)
