"""Runs a coroutine to its end from sync code, with or without a running event loop around.

Ctrl-C: the first one cancels the coroutine and gives it `GRACE` seconds; the
second one, or the end of that time, leaves it where it is. Both end in a
`KeyboardInterrupt` for the caller.
"""

from __future__ import annotations

import asyncio
import signal
import threading
from collections.abc import Callable, Coroutine
from contextlib import nullcontext
from contextvars import copy_context
from functools import partial
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from wove.nested import Nested

__all__ = ["GRACE", "run_to_end"]

GRACE = 5.0
"""Seconds between the first Ctrl-C and giving the weave up."""


def run_to_end(
    work: Callable[[], Coroutine[Any, Any, None]],
    abandon: Callable[[], None],
    watch: Callable[[Callable[[], None]], None] | None = None,
    *,
    outer: Nested | None = None,
    interrupt_inner: Callable[[], None] = lambda: None,
) -> None:
    """Run `work()` on an event loop of its own and return when it has ended.

    Where a loop is running in this thread already, as in a notebook, it runs on a
    thread of its own with a copy of this context.

    Args:
        work: makes the coroutine.
        abandon: called when it is given up before its end.
        watch: called with what does the same as Ctrl-C, from any thread.
        outer: what the weave around this one stops, if this runs inside one of its tasks.
        interrupt_inner: passes Ctrl-C on to what runs inside.

    Raises:
        KeyboardInterrupt: the user interrupted it.
        asyncio.CancelledError: the weave around it was stopped, and this one with it.
    """
    runner = _Runner(work, abandon, interrupt_inner)
    if watch is not None:
        watch(runner.ask_to_stop)
    try:
        asyncio.get_running_loop()
    except RuntimeError:
        run: Callable[[], None] = runner.run
    else:
        run = runner.run_on_own_thread
    with nullcontext() if outer is None else outer.holding(runner):
        previous = _replace_handler(runner.on_signal)
        try:
            run()
        except Exception as error:
            if runner.interrupted and not runner.cancelled:
                raise KeyboardInterrupt from error
            raise
        finally:
            runner.over = True
            while previous is not None:
                try:
                    signal.signal(signal.SIGINT, previous)
                except KeyboardInterrupt:
                    # One more was raised before `over` was seen: `interrupted` says so.
                    continue
                break
    if runner.interrupted and not runner.cancelled:
        raise KeyboardInterrupt


def _replace_handler(handler: Callable[[int, Any], None]) -> Any:
    """Handle SIGINT meanwhile, unless the program has a handler of its own.

    `asyncio.Runner`'s handler cancels a task that cannot run while its thread waits for
    ours, so it does not count as the program's own.
    """
    if threading.current_thread() is not threading.main_thread():
        return None
    present = signal.getsignal(signal.SIGINT)
    of_runner = isinstance(present, partial) and present.func.__name__ == "_on_sigint"
    if present is not signal.default_int_handler and not of_runner:
        return None
    signal.signal(signal.SIGINT, handler)
    return present


class _Runner:
    def __init__(
        self,
        work: Callable[[], Coroutine[Any, Any, None]],
        abandon: Callable[[], None],
        interrupt_inner: Callable[[], None],
    ) -> None:
        self.interrupted = False
        """The user pressed Ctrl-C."""
        self.cancelled = False
        """The weave around this one was stopped, or told of Ctrl-C."""
        self.over = False
        """It has ended: nothing is left to be stopped."""
        self._interrupt_inner = interrupt_inner
        self._work = work
        self._abandon = abandon
        self._loop: asyncio.AbstractEventLoop | None = None
        self._task: asyncio.Task[None] | None = None
        self._error: BaseException | None = None

    def on_signal(self, _number: int, _frame: Any) -> None:
        """SIGINT, in the main thread."""
        first = not self.interrupted
        self.ask_to_stop()
        if not first and not self.over:
            raise KeyboardInterrupt

    def ask_to_stop(self) -> None:
        """From any thread: cancel the coroutine the first time, give it up the second."""
        how = _give_up if self.interrupted else self._cancel
        self.interrupted = True
        self._on_loop(how)
        self._interrupt_inner()

    def interrupt(self) -> None:
        """See `Stoppable`."""
        self.cancelled = True
        self.ask_to_stop()

    def cancel(self) -> None:
        """See `Stoppable`."""
        self.cancelled = True
        self._on_loop(self._cancel_task)

    def _on_loop(self, how: Callable[[], None]) -> None:
        if self._loop is not None:
            try:
                self._loop.call_soon_threadsafe(how)
            except RuntimeError:
                return  # it has just ended

    def run(self) -> None:
        """Run the coroutine in this thread."""
        self._loop = loop = asyncio.new_event_loop()
        ended = False
        try:
            self._task = loop.create_task(self._work())
            if self.interrupted:
                self._cancel()
            elif self.cancelled:
                self._cancel_task()
            try:
                loop.run_until_complete(self._task)
            except KeyboardInterrupt:
                if self.interrupted:
                    raise
                # From a handler of the program's own: the same rules from here on.
                self.interrupted = True
                if not self._task.done():
                    self._cancel()
                    loop.run_until_complete(self._task)
            ended = True
        except asyncio.CancelledError:
            ended = True
            if self.cancelled or not self.interrupted:
                raise
        except KeyboardInterrupt:
            if not self.interrupted:
                raise
            ended = self._task is not None and self._task.done()
        except BaseException:
            ended = True
            raise
        finally:
            try:
                if ended:
                    loop.run_until_complete(_clean_up(loop))
                else:
                    self._forget(loop)
            finally:
                loop.close()

    def run_on_own_thread(self) -> None:
        """Run the coroutine in a new thread and wait for it; interrupts are forwarded to it."""
        thread = threading.Thread(
            target=copy_context().run, args=(self._kept,), name="wove-weave", daemon=True
        )
        try:
            thread.start()
            thread.join()
        except BaseException:
            # The second Ctrl-C, or whatever the program's own handler raises.
            self.ask_to_stop()
            if thread.is_alive():
                thread.join(GRACE)
            raise
        if self._error is not None:
            raise self._error

    def _kept(self) -> None:
        try:
            self.run()
        except BaseException as error:  # noqa: BLE001 - raised in the thread that waits
            self._error = error

    def _cancel_task(self) -> None:
        if self._task is not None:
            self._task.cancel()

    def _cancel(self) -> None:
        assert self._loop is not None  # noqa: S101 - for the type checker
        self._cancel_task()
        self._loop.call_later(GRACE, _give_up)

    def _forget(self, loop: asyncio.AbstractEventLoop) -> None:
        self._abandon()
        for task in asyncio.all_tasks(loop):
            # Left on purpose: no "Task was destroyed but it is pending!" for each.
            task._log_destroy_pending = False  # type: ignore[attr-defined]


def _give_up() -> None:
    # An event loop passes this one on to the caller of `run_until_complete`.
    raise KeyboardInterrupt


async def _clean_up(loop: asyncio.AbstractEventLoop) -> None:
    """What `asyncio.run` does at its end: nothing that a task has started stays behind."""
    left = asyncio.all_tasks(loop)
    left.discard(asyncio.current_task())
    if left:
        for task in left:
            task.cancel()
        await asyncio.gather(*left, return_exceptions=True)
        for task in left:
            if not task.cancelled() and task.exception() is not None:
                loop.call_exception_handler(
                    {
                        "message": "unhandled exception in a task that a weave left behind",
                        "exception": task.exception(),
                        "task": task,
                    }
                )
    await loop.shutdown_asyncgens()
    await loop.shutdown_default_executor()
