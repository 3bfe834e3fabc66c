"""The scripted receiver over gRPC, behind a TCP proxy that can cut one worker's connection."""

from __future__ import annotations

import asyncio
import contextlib
from typing import Any

import grpc
import grpc.aio

from workers.conformance.answers import Answer, grpc_code
from workers.conformance.http_door import SETTLE_SECONDS
from workers.conformance.receiver import Delivery, Receiver
from wove.contract import ContractError
from wove.contract.services import SERVICE, event_from_request
from wovepb.v1.ack_pb2 import EventAck
from wovepb.v1.event_pb2 import Event
from wovepb.v1.event_service_pb2 import (
    PublishEventResponse,
    StreamEventsResponse,
)

__all__ = ["GrpcDoor"]

Context = Any  # grpc ships no types


class GrpcDoor:
    """`wove.v1.EventService` on a free port of this machine."""

    def __init__(self, receiver: Receiver) -> None:
        self._receiver = receiver
        self._proxy = _Proxy(receiver)
        self._streams: dict[Context, tuple[Event, asyncio.Lock]] = {}
        self._pushes: set[asyncio.Task[None]] = set()

    @property
    def url(self) -> str:
        """As in `callback_grpc`."""
        return f"grpc://127.0.0.1:{self._proxy.port}/{self._receiver.grpc_token}"

    async def open(self) -> None:
        """Listen."""
        self._server = grpc.aio.server(
            options=[("grpc.max_receive_message_length", -1), ("grpc.so_reuseport", 0)]
        )
        methods = {
            "PublishEvent": grpc.unary_unary_rpc_method_handler(self._publish),
            "StreamEvents": grpc.stream_stream_rpc_method_handler(self._stream),
        }
        handler = grpc.method_handlers_generic_handler(SERVICE, methods)
        self._server.add_generic_rpc_handlers((handler,))
        port = self._server.add_insecure_port("127.0.0.1:0")
        await self._server.start()
        await self._proxy.open(port)
        self._receiver.push_cancel = self._push_cancel
        self._receiver.doors.append(self.cut)

    def cut(self) -> None:
        """Stop listening, and cut every connection."""
        self._proxy.cut()

    async def close(self) -> None:
        """The case is over."""
        self.cut()
        await self._server.stop(0)
        await self._proxy.close()

    async def _publish(self, request: bytes, context: Context) -> bytes:
        answer, delivery = await self._take(request, context, "publish")
        if answer.wire == "drop":
            await self._cut(context)
        name = self._receiver.name(answer)
        ours = (("wove-receiver", name),) if name is not None else ()
        if answer.wire == "cut":
            await context.send_initial_metadata(ours)
            await self._cut(context)
        if answer.status >= 300:
            trailing = list(ours)
            if answer.retry_after is not None:
                trailing.append(("retry-after", f"{answer.retry_after:g}"))
            await context.abort(grpc_code(answer.status), "as asked", tuple(trailing))
        await context.send_initial_metadata(ours)
        response = PublishEventResponse(ack=self._ack(answer, delivery))
        data: bytes = response.SerializeToString()
        return data

    async def _stream(self, _requests: object, context: Context) -> None:
        await context.send_initial_metadata((("wove-receiver", self._receiver.receiver_id),))
        writing = asyncio.Lock()
        answers: set[asyncio.Task[None]] = set()
        try:
            # Each in a task of its own: an answer that is held holds up no other.
            while (data := await context.read()) is not grpc.aio.EOF:
                answers.add(asyncio.create_task(self._answer(data, context, writing)))
            await asyncio.gather(*answers, return_exceptions=True)
        finally:
            self._streams.pop(context, None)
            for task in answers:
                task.cancel()
            await asyncio.gather(*answers, return_exceptions=True)

    async def _answer(self, data: bytes, context: Context, writing: asyncio.Lock) -> None:
        answer, delivery = await self._take(data, context, "stream")
        if delivery is not None:
            self._streams[context] = (delivery.event, writing)
        if answer.wire in ("drop", "cut"):
            await self._cut(context)
        if answer.receiver is None:
            # An acknowledgement on a call that says who answers cannot be nobody's.
            await context.abort(grpc.StatusCode.UNAVAILABLE, "as asked")
        async with writing:
            ack = self._ack(answer, delivery)
            await context.write(StreamEventsResponse(ack=ack).SerializeToString())

    async def _take(
        self, data: bytes, context: Context, call: str
    ) -> tuple[Answer, Delivery | None]:
        receiver = self._receiver
        headers = {key: str(value) for key, value in context.invocation_metadata() or ()}
        if headers.get("authorization") != f"Bearer {receiver.grpc_token}":
            receiver.problem("a call without the token as `authorization: Bearer`")
            return Answer(404), None
        try:
            event = event_from_request(data)
        except ContractError as error:
            return receiver.undecodable(error), None
        connection = self._proxy.number(context.peer())
        delivery = Delivery(event, data, "grpc", connection, call, headers)
        return await receiver.decide(delivery), delivery

    def _ack(self, answer: Answer, delivery: Delivery | None) -> EventAck:
        ack = EventAck(receiver_id=self._receiver.name(answer) or "")
        if delivery is not None:
            ack.event_id = delivery.event.event_id
        if answer.status >= 300:
            ack.code = grpc_code(answer.status).value[0]
        if answer.retry_after is not None:
            ack.retry_after_seconds = answer.retry_after
        if answer.heartbeat_seconds is not None:
            ack.heartbeat_seconds = answer.heartbeat_seconds
        if answer.cancel and delivery is not None:
            ack.cancel.run_id = delivery.event.run_id
            ack.cancel.task_id = delivery.event.task_id
        return ack

    def _push_cancel(self) -> int:
        """Ask, out of turn, on every open stream; how many there are."""
        for context, (event, writing) in self._streams.items():
            message = StreamEventsResponse()
            message.cancel_task.run_id = event.run_id
            message.cancel_task.task_id = event.task_id
            task = asyncio.ensure_future(_write(context, message.SerializeToString(), writing))
            self._pushes.add(task)
            task.add_done_callback(self._pushes.discard)
        return len(self._streams)

    async def _cut(self, context: Context) -> None:
        self._proxy.cut_one(context.peer())
        await context.abort(grpc.StatusCode.CANCELLED, "the connection is cut")


async def _write(context: Context, message: bytes, writing: asyncio.Lock) -> None:
    async with writing:
        with contextlib.suppress(grpc.aio.BaseError, asyncio.CancelledError):
            await context.write(message)


class _Proxy:
    """Carries bytes between workers and the server; knows which connection is whose."""

    def __init__(self, receiver: Receiver) -> None:
        self._receiver = receiver
        self._pairs: dict[int, tuple[int, list[asyncio.StreamWriter]]] = {}
        self._tasks: set[asyncio.Task[None]] = set()
        self._closed = False
        self.port = 0

    async def open(self, target: int) -> None:
        self._target = target
        self._server = await asyncio.start_server(self._accepted, "127.0.0.1", 0)
        self.port = self._server.sockets[0].getsockname()[1]

    def number(self, peer: str) -> int:
        """Of the connection that the server sees as `peer`."""
        pair = self._pairs.get(_port(peer))
        return pair[0] if pair else 0

    def cut_one(self, peer: str) -> None:
        for writer in self._pairs.get(_port(peer), (0, []))[1]:
            writer.transport.abort()

    def cut(self) -> None:
        self._server.close()
        for _, writers in self._pairs.values():
            for writer in writers:
                writer.transport.abort()

    async def close(self) -> None:
        self._closed = True
        self.cut()
        for task in list(self._tasks):
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        await asyncio.sleep(SETTLE_SECONDS)

    async def _accepted(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        if self._closed:
            writer.transport.abort()
            return
        task = asyncio.current_task()
        assert task is not None
        self._tasks.add(task)
        back: asyncio.StreamWriter | None = None
        try:
            there, back = await asyncio.open_connection("127.0.0.1", self._target)
            port = back.get_extra_info("sockname")[1]
            self._pairs[port] = (self._receiver.connected(), [writer, back])
            with contextlib.suppress(OSError, asyncio.CancelledError):
                await asyncio.gather(_pump(reader, back), _pump(there, writer))
        except (OSError, asyncio.CancelledError):
            return
        finally:
            self._tasks.discard(task)
            writer.transport.abort()
            if back is not None:
                back.transport.abort()


async def _pump(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    try:
        while data := await reader.read(1 << 16):
            writer.write(data)
            await writer.drain()
    finally:
        writer.close()


def _port(peer: str) -> int:
    return int(peer.rpartition(":")[2])
