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
from contextvars import Context, ContextVar
from queue import SimpleQueue
from typing import Any
from weakref import ref

__all__ = ["Job", "ThreadPool"]

_JOB: ContextVar[ref[Job]] = ContextVar("wove_job")
# A weak reference, because a job holds its context, and the cycle would wait for the collector.


class Job:
    """One call in a thread: `function(**arguments)` inside `context`.

    `done(job)` is called on the event loop when the job is over: `value` or `error`
    is there, or it was `dropped` before it was `taken` by a thread.
    """

    __slots__ = (
        "__weakref__",
        "arguments",
        "context",
        "done",
        "dropped",
        "error",
        "function",
        "lent",
        "over",
        "pool",
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
        self.lent = 0
        """How many waits this job has lent its place for."""
        self.pool: ThreadPool | None = None
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

    All methods are for the event loop's thread. A job that waits for other jobs of
    the pool lends them its place, and one more thread may run meanwhile; that is what
    keeps a pool of one thread from a deadlock. When the job goes on, a thread that
    has become too many is parked: at once if it is idle, else after its present job.
    """

    def __init__(self, most: int, loop: asyncio.AbstractEventLoop) -> None:
        self._most = most
        self._loop = loop
        self._queue: SimpleQueue[Job | None] = SimpleQueue()
        self._finished: deque[Job] = deque()
        self._woken = False
        self._threads: list[threading.Thread] = []
        self._running = 0  # threads that take jobs
        self._blocked = 0  # jobs that have lent their place
        self._outstanding = 0  # jobs submitted and not yet back
        self._surplus = 0  # threads to be parked after their present job
        self._parked = 0
        self._parking: SimpleQueue[None] = SimpleQueue()
        self._ended = False
        self._lock = threading.Lock()  # for `_surplus` and `_parked`
        self._idle: asyncio.Future[None] | None = None

    @staticmethod
    def current_job() -> Job | None:
        """The job that this context belongs to, also in a thread that the job has started."""
        job = _JOB.get(None)
        return job() if job is not None else None

    def submit(self, job: Job) -> None:
        """Queue a job.

        Raises:
            RuntimeError: the pool is closed, or the job needs a thread and none can be started.
        """
        if self._ended:
            raise RuntimeError("the weave has ended")
        if self._outstanding >= self._running and self._running - self._blocked < self._most:
            self._grow()
        job.pool = self
        job.context.run(_JOB.set, ref(job))
        self._outstanding += 1
        self._queue.put(job)

    def lend(self, job: Job | None) -> bool:
        """A thread has begun to wait: `job`'s place is free until `take_back`.

        A thread without a job of this pool may be one that a job waits for all the same,
        so it counts as one more.

        Returns:
            Whether the place of `job` was lent; it is only once, however often it waits.

        Raises:
            RuntimeError: as `submit`.
        """
        if job is None or job.pool is not self or job.over:
            self.block()
            return False
        if not job.lent:
            self.block()
        job.lent += 1
        return True

    def take_back(self, job: Job | None) -> None:
        """The wait is over. `None` for one that lent no job's place."""
        if job is None:
            self.unblock()
        elif job.lent:  # else the job ended before what it had begun
            job.lent -= 1
            if not job.lent:
                self.unblock()

    def block(self) -> None:
        """Let one more thread run.

        Raises:
            RuntimeError: as `submit`.
        """
        self._blocked += 1
        if self._outstanding > self._running:  # else a thread comes with the next job
            try:
                self._grow()
            except RuntimeError:
                self._blocked -= 1
                raise

    def unblock(self) -> None:
        """Let one thread less run."""
        self._blocked -= 1
        if self._running - self._blocked > self._most:
            self._running -= 1
            with self._lock:
                self._surplus += 1
            if self._queue.empty():  # else no thread is idle
                self._queue.put(None)

    async def close(self) -> None:
        """Wait until every job has ended, and end the threads."""
        while self._outstanding:
            self._idle = self._loop.create_future()
            await self._idle
        self.abandon()
        for thread in self._threads:
            thread.join()

    def abandon(self) -> None:
        """End the threads as their jobs end, and wait for nothing."""
        self._ended = True
        for _ in self._threads:
            self._queue.put(None)
            self._parking.put(None)

    def _grow(self) -> None:
        with self._lock:
            if self._surplus:
                self._surplus -= 1
                self._running += 1
                return
            if self._parked:
                self._parked -= 1
                self._running += 1
                self._parking.put(None)
                return
        thread = threading.Thread(target=self._work, name=f"wove-{len(self._threads)}", daemon=True)
        try:
            thread.start()
        except RuntimeError:  # the system has no more threads, or the interpreter is ending
            if self._running <= self._blocked:
                raise
            return  # those that run will come to the job
        self._threads.append(thread)
        self._running += 1

    def _work(self) -> None:
        get, finished = self._queue.get, self._finished
        while True:
            job = get()
            if job is not None:
                job.run()
                finished.append(job)
                if not self._woken:
                    self._woken = True
                    try:
                        self._loop.call_soon_threadsafe(self._drain)
                    except RuntimeError:
                        return  # the weave was given up and its loop is closed
                del job
            elif self._ended:
                return
            if self._surplus:
                self._park()

    def _park(self) -> None:
        with self._lock:
            if not self._surplus:
                return
            self._surplus -= 1
            self._parked += 1
        self._parking.get()

    def _drain(self) -> None:
        # Cleared first: a job that is appended from now on wakes the loop again.
        self._woken = False
        finished = self._finished
        while finished:
            job = finished.popleft()
            self._outstanding -= 1
            job.over = True
            if job.lent:
                job.lent = 0
                self.unblock()
            job.done(job)
        if self._idle is not None and not self._outstanding and not self._idle.done():
            self._idle.set_result(None)
