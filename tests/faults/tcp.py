"""What the proxies between workers and a receiver have in common: a listener in a thread."""

from __future__ import annotations

import asyncio
import contextlib
import socket
import threading
import time
from collections.abc import Coroutine
from concurrent.futures import Future
from typing import Any, Generic, Protocol, TypeVar


class Seen(Protocol):
    """One thing that a worker sent, as a proxy notes it.

    Attributes:
        frame: the event's type, such as "task_started"; "" for anything else.
        run_id: the event's run; "" for anything else.
        event_id: the event's id; "" for anything else.
        delivered: the worker got the receiver's answer, as the receiver gave it.
    """

    frame: str
    run_id: str
    event_id: str
    delivered: bool


S = TypeVar("S", bound=Seen)


class TcpProxy(Generic[S]):
    """Listens on a free port of 127.0.0.1 and forwards to `upstream` (a port there).

    Runs in a thread of its own. What each connection carries, a subclass decides.

    Attributes:
        port: where it listens.
        seen: everything that workers sent, in order of arrival.
        connections: how many there were.
        others: ways by which an event may be answered that was sent here first.
    """

    def __init__(self, upstream: int) -> None:
        self.upstream = upstream
        self.seen: list[S] = []
        self.connections = 0
        self.others: list[TcpProxy[Any]] = []
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            self.port: int = probe.getsockname()[1]
        self._server: asyncio.Server | None = None
        self._open: set[asyncio.StreamWriter] = set()
        self._tasks: set[asyncio.Task[None]] = set()
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, name="proxy", daemon=True)
        self._thread.start()
        self.listen()

    # ---- what tests do ------------------------------------------------------------------

    def listen(self) -> None:
        """Take connections (again)."""
        self._call(self._listen())

    def refuse(self) -> None:
        """Cut all connections and refuse new ones, until `listen`."""
        self._call(self._refuse())

    def cut(self) -> None:
        """Cut all connections; new ones are taken."""
        self._call(self._cut())

    def frames(self, *names: str, run_id: str | None = None) -> list[S]:
        """What carried one of these event types, in order of arrival."""
        return [
            found
            for found in list(self.seen)
            if found.frame in names and run_id in (None, found.run_id)
        ]

    def wait_for(self, frame: str, *, count: int = 1, seconds: float = 20.0) -> S:
        """The `count`th that has this event type, once it is there."""
        deadline = time.monotonic() + seconds
        while len(found := self.frames(frame)) < count:
            assert time.monotonic() < deadline, f"no {frame} number {count} within {seconds} s"
            time.sleep(0.01)
        return found[count - 1]

    def settle(self, *, seconds: float = 15.0) -> None:
        """Wait until every worker knows that its terminal event arrived, and is free again."""
        deadline = time.monotonic() + seconds
        while open_events := self._unanswered():
            assert time.monotonic() < deadline, f"no answer to {open_events} within {seconds} s"
            time.sleep(0.01)

    def _unanswered(self) -> set[str]:
        sent = self.frames("task_result", "task_error", "task_cancelled")
        ways = [self, *self.others]
        answered = {seen.event_id for way in ways for seen in list(way.seen) if seen.delivered}
        return {request.event_id for request in sent} - answered

    def close(self) -> None:
        self._call(self._refuse(), self._stop_tasks())
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(5)
        self._loop.close()

    # ---- its thread ---------------------------------------------------------------------

    def _call(self, *work: Coroutine[Any, Any, None]) -> None:
        for step in work:
            future: Future[None] = asyncio.run_coroutine_threadsafe(step, self._loop)
            future.result(10)

    async def _listen(self) -> None:
        self._server = await asyncio.start_server(
            self._serve, "127.0.0.1", self.port, backlog=1024, limit=1 << 30
        )

    async def _refuse(self) -> None:
        if self._server is not None:
            # asyncio forgets, open, a connection that it has just taken for a server that is
            # closed then. So none is taken, those that were get as far as `_serve`, and then.
            for listening in self._server.sockets:
                self._loop.remove_reader(listening.fileno())
            for _ in range(10):
                await asyncio.sleep(0)
            self._server.close()
            self._server = None
        await self._cut()

    async def _cut(self) -> None:
        for writer in list(self._open):
            writer.transport.abort()

    async def _stop_tasks(self) -> None:
        tasks = list(self._tasks)
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        self._tasks.add(task)
        self._open.add(writer)
        number, self.connections = self.connections, self.connections + 1
        try:
            await self._carry(reader, writer, number)
        except (OSError, asyncio.IncompleteReadError, asyncio.CancelledError):
            pass  # one side is gone: so is the other
        finally:
            writer.transport.abort()
            self._open.discard(writer)
            self._tasks.discard(task)

    async def _carry(
        self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, number: int
    ) -> None:
        """Carry one worker's connection, of which this is the number, to its end."""
        raise NotImplementedError

    def _start(self, work: Coroutine[Any, Any, None]) -> asyncio.Task[None]:
        """Do something beside a connection; it is over when one side is gone."""

        async def guarded() -> None:
            with contextlib.suppress(OSError, asyncio.IncompleteReadError):
                await work

        task = asyncio.ensure_future(guarded())
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        task.add_done_callback(lambda _: work.close())  # it may have had no turn
        return task


class BytesProxy(TcpProxy[Any]):
    """A `TcpProxy` that knows nothing of what it carries."""

    async def before(self, number: int, data: bytes, *, answer: bool) -> None:
        """Awaited before some bytes go on.

        Args:
            number: of their connection.
            data: the bytes.
            answer: they come from `upstream`.
        """

    async def _carry(
        self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, number: int
    ) -> None:
        there = await asyncio.open_connection("127.0.0.1", self.upstream)

        async def pump(
            source: asyncio.StreamReader, target: asyncio.StreamWriter, *, answers: bool
        ) -> None:
            while data := await source.read(65536):
                await self.before(number, data, answer=answers)
                target.write(data)

        try:
            await asyncio.gather(
                pump(reader, there[1], answers=False), pump(there[0], writer, answers=True)
            )
        finally:
            there[1].transport.abort()
