"""Weaves that run inside the tasks of another one, and end when it is stopped.

An `async with weave()` on the loop of the outer weave needs none of this: it is cancelled
with the task that awaits it. Others run where a cancellation does not reach them: in
threads of the outer weave, on loops of their own, or blocking the loop itself.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import Protocol

from wove.pool import Job, ThreadPool

__all__ = ["Nested", "OnOtherLoop", "Stoppable"]


class Stoppable(Protocol):
    """A weave that runs inside a task of another. Both methods may be called in any thread."""

    def cancel(self) -> None:
        """The outer weave or the task is cancelled: cancel this one too."""

    def interrupt(self) -> None:
        """The user pressed Ctrl-C: cancel this one, and the second time give it up."""


class Nested:
    """What runs inside the tasks of one weave, by whose job. Its methods are thread-safe."""

    def __init__(self) -> None:
        self._inner: dict[Stoppable, Job | None] = {}
        self._stopped = False

    @contextmanager
    def holding(self, inner: Stoppable) -> Iterator[None]:
        """Have `inner` end with the outer weave while the block runs."""
        job = ThreadPool.current_job()
        self._inner[inner] = job
        try:
            # Looked at after it was entered: whoever stops the weave does it the other way round.
            if self._stopped or (job is not None and job.dropped):
                inner.cancel()
            yield
        finally:
            del self._inner[inner]

    def cancel(self) -> None:
        """The outer weave is stopped: cancel all, now and from now on."""
        self._stopped = True
        for inner in list(self._inner):
            inner.cancel()

    def cancel_of(self, job: Job) -> None:
        """Cancel what runs inside one job, which has been dropped."""
        for inner, owner in list(self._inner.items()):
            if owner is job:
                inner.cancel()

    def interrupt(self) -> None:
        """Pass Ctrl-C on: the loop of the outer weave may be blocked by one of them."""
        for inner in list(self._inner):
            inner.interrupt()


class OnOtherLoop:
    """An `async with weave()` in the running task, whose loop is not that of the outer weave."""

    def __init__(self) -> None:
        self._loop = asyncio.get_running_loop()
        self._task = asyncio.current_task()

    def cancel(self) -> None:
        """See `Stoppable`; Ctrl-C does the same, and its loop is not left at a second one."""
        if self._task is not None:
            with suppress(RuntimeError):  # its loop has just been closed
                self._loop.call_soon_threadsafe(self._task.cancel)

    interrupt = cancel
