"""Threads for the sync tasks of one weave.

Jobs go to the threads through one queue; finished jobs come back to the event
loop through one deque, which the loop is woken for once per batch and not once
per job. The threads are daemons: a weave waits for its jobs itself, and a
weave given up at the second Ctrl-C must not hold the interpreter.
"""

from __future__ import annotations

import asyncio
import threading
from collections import deque
from collections.abc import Callable, Mapping
from contextvars import Context
from queue import SimpleQueue
from typing import Any

__all__ = ["Job", "ThreadPool"]

_THREAD = threading.local()


class Job:
    """One call in a thread: `function(**arguments)` inside `context`.

    `done(job)` is called on the event loop when the job is over: `value` or `error`
    is there, or it was `dropped` before it was `taken` by a thread.
    """

    __slots__ = (
        "arguments",
        "context",
        "done",
        "dropped",
        "error",
        "function",
        "over",
        "started",
        "taken",
        "value",
    )

    def __init__(
        self,
        context: Context,
        function: Callable[..., Any],
        arguments: Mapping[str, Any],
        done: Callable[[Job], None],
        started: Callable[[], None] | None = None,
    ) -> None:
        self.context = context
        self.function = function
        self.arguments = arguments
        self.done = done
        self.started = started
        """Called in the thread just before the function."""
        self.dropped = False
        self.taken = False
        self.over = False
        """Whether `done` has been called."""
        self.value: Any = None
        self.error: BaseException | None = None

    def run(self) -> None:
        """Call the function, in a thread of the pool."""
        if self.dropped:
            return
        self.taken = True
        try:
            if self.started is not None:
                self.started()
            self.value = self.context.run(self.function, **self.arguments)
        except BaseException as error:  # noqa: BLE001 - it is the task's outcome
            self.error = error


class ThreadPool:
    """Up to `most` threads, started when there is work for them.

    All methods are for the event loop's thread. A job that waits for other
    jobs of the pool says so with `block` and `unblock`, and one more thread may
    run meanwhile; that is what keeps a pool of one thread from a deadlock. When
    it goes on, `most` may be exceeded until one of the running jobs ends.
    """

    def __init__(self, most: int, loop: asyncio.AbstractEventLoop) -> None:
        self._most = most
        self._loop = loop
        self._queue: SimpleQueue[Job | None] = SimpleQueue()
        self._finished: deque[Job] = deque()
        self._woken = False
        self._threads: list[threading.Thread] = []
        self._running = 0  # threads that have not been told to end
        self._outstanding = 0  # jobs submitted and not yet back
        self._surplus = 0  # threads to end after their present job
        self._lock = threading.Lock()
        self._idle: asyncio.Future[None] | None = None

    @staticmethod
    def current_job() -> Job | None:
        """The job that this thread is running."""
        return getattr(_THREAD, "job", None)

    def submit(self, job: Job) -> None:
        """Queue a job."""
        self._outstanding += 1
        self._queue.put(job)
        if self._outstanding > self._running and self._running < self._most:
            self._grow()

    def block(self) -> None:
        """A job has begun to wait for others: let one more thread run."""
        self._most += 1
        self._outstanding += 1  # the thread is taken, though its job makes no progress
        if self._take_back_surplus():
            self._running += 1
        elif self._outstanding > self._running and self._running < self._most:
            self._grow()

    def unblock(self) -> None:
        """The job goes on: end one thread when its present job, or its next one, has ended."""
        self._most -= 1
        self._outstanding -= 1
        if self._running > self._most:
            with self._lock:
                self._surplus += 1
            self._running -= 1

    async def close(self) -> None:
        """Wait until every job has ended, and end the threads."""
        if self._outstanding:
            self._idle = self._loop.create_future()
            await self._idle
        for _ in self._threads:
            self._queue.put(None)
        for thread in self._threads:
            thread.join()

    def abandon(self) -> None:
        """End the threads as their jobs end, and wait for nothing."""
        for _ in self._threads:
            self._queue.put(None)

    def _grow(self) -> None:
        self._running += 1
        thread = threading.Thread(target=self._work, name=f"wove-{len(self._threads)}", daemon=True)
        self._threads.append(thread)
        thread.start()

    def _work(self) -> None:
        get, finished = self._queue.get, self._finished
        while True:
            job = get()
            if job is None:
                return
            _THREAD.job = job
            job.run()
            _THREAD.job = None
            finished.append(job)
            if not self._woken:
                self._woken = True
                try:
                    self._loop.call_soon_threadsafe(self._drain)
                except RuntimeError:
                    return  # the weave was given up and its loop is closed
            del job
            if self._surplus and self._take_back_surplus():
                return

    def _take_back_surplus(self) -> bool:
        with self._lock:
            if not self._surplus:
                return False
            self._surplus -= 1
            return True

    def _drain(self) -> None:
        # Cleared first: a job that is appended from now on wakes the loop again.
        self._woken = False
        finished = self._finished
        while finished:
            job = finished.popleft()
            self._outstanding -= 1
            job.over = True
            job.done(job)
        if self._idle is not None and not self._outstanding and not self._idle.done():
            self._idle.set_result(None)
