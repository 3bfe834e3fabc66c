"""One item of a local task: its tries, each bounded by the timeout."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine
from contextvars import copy_context
from time import perf_counter
from typing import TYPE_CHECKING, Any

from wove.errors import TaskTimeoutError
from wove.pool import Job
from wove.waiting import is_cancelled, outlast, request_cancel, take_back_cancel

if TYPE_CHECKING:
    from wove.graph import Node
    from wove.scheduler import Run

__all__ = ["run_job", "run_tries"]


async def run_tries(run: Run, node: Node, arguments: dict[str, Any], item: int | None) -> Any:
    """Call the task until a try succeeds or none is left; the last exception is kept.

    Tries are recorded, except those of mapped items. Only an `Exception` is tried
    again: `SystemExit` and `KeyboardInterrupt` end the task.
    """
    options = node.options
    assert options is not None  # noqa: S101 - for the type checker
    attempt = 0
    while True:
        deadline = _Deadline(run, node.name, options.timeout)
        error: BaseException | None = None
        started = perf_counter()
        try:
            return await deadline.bound(_once(run, node, arguments, deadline))
        except BaseException as failure:
            error = failure
            last = attempt >= options.retries or not isinstance(failure, Exception)
            # Whoever was told to stop and came to something else does not begin again.
            if last or is_cancelled(asyncio.current_task(), run.stopping):
                raise
        finally:
            if item is None:
                run.outcome.note(node, started, perf_counter(), error, attempt)
        attempt += 1


async def _once(run: Run, node: Node, arguments: dict[str, Any], deadline: _Deadline) -> Any:
    if node.is_async:
        deadline.arm()
        return await node.function(**arguments)
    value = await run_job(run, node.function, arguments, started=deadline.arm_from_thread)
    return await value if isinstance(value, Coroutine) else value


async def run_job(
    run: Run,
    function: Callable[..., Any],
    arguments: dict[str, Any],
    started: Callable[[], None] | None = None,
) -> Any:
    """Call a sync callable in a thread of the weave, in a copy of this task's context.

    A thread cannot be stopped. When this is cancelled while the callable runs, it ends at
    once and the weave waits for the thread at its own end; when the whole weave is
    being cancelled, it waits here, and a result that still comes is kept.
    """
    future: asyncio.Future[None] = run.loop.create_future()
    given_up = False

    def done(job: Job) -> None:
        if not future.done():
            future.set_result(None)
        if given_up and isinstance(job.value, Coroutine):
            job.value.close()

    job = Job(copy_context(), function, arguments, done, started)
    run.pool().submit(job)
    try:
        await future
    except asyncio.CancelledError:
        job.dropped = given_up = True
        for merge in run.merges_of(job):
            request_cancel(merge)
        run.nested.cancel_of(job)
        kept = run.stopping and job.taken
        if kept and not job.over:  # cancelling ended the first future, not the job
            future = run.loop.create_future()
            await outlast([future])
        if isinstance(job.value, Coroutine):
            job.value.close()
            kept = False
        if not kept:
            raise
    value, error = job.value, job.error
    if error is None:
        return value
    if isinstance(error, StopIteration):
        raise RuntimeError(f"the task raised {error!r}") from error
    raise error


class _Deadline:
    """Ends one try after `seconds` from the moment it is armed."""

    def __init__(self, run: Run, name: str, seconds: float | None) -> None:
        self.expired = False
        self._run = run
        self._name = name
        self._seconds = seconds
        self._task = asyncio.current_task()
        self._timer: asyncio.TimerHandle | None = None
        self._over = False

    def arm(self) -> None:
        """Start the clock. A sync task waiting for a thread has not started yet."""
        if self._seconds is not None and not self._over:
            self._timer = self._run.loop.call_later(self._seconds, self._expire)

    def arm_from_thread(self) -> None:
        if self._seconds is not None:
            self._run.loop.call_soon_threadsafe(self.arm)

    async def bound(self, work: Coroutine[Any, Any, Any]) -> Any:
        """Await `work`.

        Raises:
            TaskTimeoutError: the time is up, whatever the task made of its cancellation.
        """
        try:
            value = await work
        except BaseException as error:
            if not self.expired or take_back_cancel(self._task, self._run.stopping):
                raise
            cause = None if isinstance(error, asyncio.CancelledError) else error
            raise self._error() from cause
        finally:
            self._over = True
            if self._timer is not None:
                self._timer.cancel()
        if self.expired:
            take_back_cancel(self._task, self._run.stopping)
            raise self._error()
        return value

    def _expire(self) -> None:
        self.expired = True
        if self._task is not None:
            self._task.cancel()

    def _error(self) -> TaskTimeoutError:
        error = TaskTimeoutError(
            f"Task {self._name!r} did not end within its timeout of {self._seconds:g} seconds"
        )
        error.task = self._name
        return error
