"""The scripted receiver over HTTP/1.1: by hand, so that every answer can go wrong on purpose."""

from __future__ import annotations

import asyncio
import contextlib

from workers.conformance.answers import Answer
from workers.conformance.receiver import Delivery, Receiver
from wove.contract import ContractError, ack_to_json, decode_event
from wovepb.v1.ack_pb2 import EventAck

__all__ = ["SETTLE_SECONDS", "HttpDoor"]

DRAIN_SECONDS = 5.0
SETTLE_SECONDS = 0.02
"""Connections that were just accepted, and those just aborted, need a few turns of the loop."""


class HttpDoor:
    """Listens on a free port of this machine."""

    def __init__(self, receiver: Receiver) -> None:
        self._receiver = receiver
        self._writers: set[asyncio.StreamWriter] = set()
        self._tasks: set[asyncio.Task[None]] = set()
        self._closed = False
        self.port = 0

    @property
    def url(self) -> str:
        """Where events are posted."""
        return f"http://127.0.0.1:{self.port}{self._path}"

    async def open(self) -> None:
        """Listen."""
        self._path = f"/wove/events/{self._receiver.token}"
        self._server = await asyncio.start_server(self._accepted, "127.0.0.1", 0)
        self.port = self._server.sockets[0].getsockname()[1]
        self._receiver.doors.append(self.cut)

    def cut(self) -> None:
        """Stop listening, and cut every connection."""
        self._server.close()
        for writer in list(self._writers):
            writer.transport.abort()

    async def close(self) -> None:
        """The case is over."""
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
        self._writers.add(writer)
        try:
            with contextlib.suppress(OSError, asyncio.IncompleteReadError, asyncio.CancelledError):
                await self._serve(reader, writer)
        finally:
            self._writers.discard(writer)
            self._tasks.discard(task)
            writer.transport.abort() if writer.transport.is_closing() else writer.close()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        number = self._receiver.connected()
        while True:
            line, headers = _parse(await reader.readuntil(b"\r\n\r\n"))
            early = self._receiver.early.pop(0) if self._receiver.early else None
            if early is not None:
                await self._refuse_early(early, reader, writer)
                return
            if headers.get("expect", "").lower() == "100-continue":
                writer.write(b"HTTP/1.1 100 Continue\r\n\r\n")
            body = await _body(reader, headers)
            answer = await self._take(line, headers, body, number)
            if answer.wire == "drop":
                writer.transport.abort()
                return
            data = self._render(answer)
            if answer.wire == "cut":
                writer.write(data[: data.index(b"\r\n") + 12])
            else:
                writer.write(data)
            await writer.drain()
            if answer.wire:
                return

    async def _take(self, line: str, headers: dict[str, str], body: bytes, number: int) -> Answer:
        receiver = self._receiver
        if line != f"POST {self._path} HTTP/1.1":
            receiver.problem(f"a request that is none of a worker's: {line.partition(' ')[0]}")
            return Answer(404, receiver=None)
        try:
            event = decode_event(headers.get("content-type"), body)
        except ContractError as error:
            return receiver.undecodable(error)
        is_json = "json" in headers.get("content-type", "json")
        delivery = Delivery(
            event,
            body,
            "json" if is_json else "protobuf",
            number,
            "post",
            headers,
            flat=is_json and b'"type"' in body,
        )
        return await receiver.decide(delivery)

    async def _refuse_early(
        self, answer: Answer, reader: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> None:
        if answer.wire == "drop":
            writer.transport.abort()
            return
        writer.write(self._render(answer, close=True))
        await writer.drain()
        # A close with unread data resets the connection, and the answer with it.
        with contextlib.suppress(asyncio.TimeoutError):
            await asyncio.wait_for(_drain(reader), DRAIN_SECONDS)

    def _render(self, answer: Answer, *, close: bool = False) -> bytes:
        status, body = answer.status, answer.body or b""
        ack = EventAck()
        if answer.cancel:
            last = self._receiver.deliveries[-1].event
            ack.cancel.run_id, ack.cancel.task_id = last.run_id, last.task_id
        if answer.heartbeat_seconds is not None:
            ack.heartbeat_seconds = answer.heartbeat_seconds
        if ack.ListFields():
            status, body = 200, ack_to_json(ack)
        lines = [f"HTTP/1.1 {status} As Asked"]
        if status != 204:
            lines += [f"Content-Length: {len(body)}", "Content-Type: application/json"]
        name = self._receiver.name(answer)
        if name is not None:
            lines.append(f"Wove-Receiver: {name}")
        if answer.retry_after is not None:
            lines.append(f"Retry-After: {answer.retry_after:g}")
        if 300 <= status < 400:
            lines.append("Location: /elsewhere")
        if close:
            lines.append("Connection: close")
        return "\r\n".join([*lines, "", ""]).encode() + body


def _parse(head: bytes) -> tuple[str, dict[str, str]]:
    line, *rest = head.decode("latin-1").split("\r\n")
    pairs = (text.partition(":") for text in rest if text)
    return line, {name.strip().lower(): value.strip() for name, _, value in pairs}


async def _body(reader: asyncio.StreamReader, headers: dict[str, str]) -> bytes:
    if "chunked" not in headers.get("transfer-encoding", "").lower():
        return await reader.readexactly(int(headers.get("content-length", "0")))
    body = b""
    while size := int((await reader.readline()).partition(b";")[0], 16):
        body += await reader.readexactly(size)
        await reader.readline()
    while (await reader.readline()).strip():
        pass
    return body


async def _drain(reader: asyncio.StreamReader) -> None:
    while await reader.read(1 << 16):
        pass
