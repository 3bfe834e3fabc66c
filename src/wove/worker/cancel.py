"""Stopping a task: exactly one of "it returned" and "it was stopped" happens.

A sync callable is stopped by an exception that is injected into its thread. The
interpreter delivers it between two steps of Python code: a call that blocks in C
(`time.sleep`, a database driver, a long multiplication of matrices) first runs to
its end. An async callable is cancelled as any asyncio task. Where gevent or eventlet has
put greenlets in place of threads, a sync callable is not stopped.
"""

from __future__ import annotations

import asyncio
import ctypes
import enum
import inspect
import os
import threading
import time
from collections.abc import Callable
from typing import Any

from wove.worker.forks import end_if_forked

__all__ = ["Stop", "Stopped", "TaskStopped"]


class TaskStopped(BaseException):
    """Injected into the thread of a task that shall stop. Never leaves this package."""


class Stopped(Exception):  # noqa: N818 - inner signal
    """The callable was stopped, or not called, because that was asked."""


class _State(enum.Enum):
    NOT_CALLED = "not called"
    SYNC = "sync"
    COROUTINE = "coroutine"
    RETURNED = "returned"
    ABANDONED = "abandoned"


class Stop:
    """The state of one callable, and the request to stop it.

    Attributes:
        reason: why it was asked to stop, for people; empty before.
        asked_at: when (monotonic seconds); None before.
        on_ask: called once, from the asking thread, when it is asked.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._state = _State.NOT_CALLED
        self._thread = 0
        self._injected = False
        self._cancel: Callable[[], object] | None = None
        self.reason = ""
        self.asked_at: float | None = None
        self.on_ask: Callable[[], object] = lambda: None

    def ask(self, reason: str) -> None:
        """Ask the callable to stop. Ignored once it has returned, and the second time."""
        with self._lock:
            if self.asked_at is not None or self._state in (_State.RETURNED, _State.ABANDONED):
                return
            self.asked_at = time.monotonic()
            self.reason = reason
            if self._state is _State.SYNC:
                self._injected = True
                if not _inject(self._thread):
                    self._injected = False
            elif self._cancel is not None:
                self._cancel()
        self.on_ask()

    def call(self, function: Callable[..., Any], arguments: dict[str, Any]) -> Any:
        """Call `function` in this thread, where `ask` can stop it.

        A process that `function` forked and that comes back from it ends here.

        Raises:
            Stopped: it was stopped, or was asked to stop before it was called.
            BaseException: what `function` raised.
        """
        outcome: tuple[bool, Any] | None = None
        pid = os.getpid()
        try:
            # From inside `_enter` to the end of `_drain` the injected exception may strike at any
            # step: all of it lies in this block, so that it ends here wherever it strikes.
            self._enter()
            try:
                outcome = (True, function(**arguments))
            except TaskStopped:
                raise
            except BaseException as exc:  # noqa: BLE001 - carried out of the block
                outcome = (False, exc)
            # Before the lock: whoever held it when the task forked is not in the copy.
            end_if_forked(pid, None if outcome[0] else outcome[1])
            self._leave(outcome)
            self._drain()
        except TaskStopped as stopped:
            end_if_forked(pid, stopped)
            self._leave(outcome)
            self._drain()
        if outcome is None:
            raise Stopped
        returned, value = outcome
        if returned:
            return value
        if self.asked_at is not None and _came_of_stop(value):
            raise Stopped from value
        raise value

    def _enter(self) -> None:
        with self._lock:
            if self.asked_at is not None or self._state is _State.ABANDONED:
                raise TaskStopped
            self._thread = threading.get_ident()
            self._state = _State.SYNC

    def _leave(self, outcome: tuple[bool, Any] | None) -> None:
        with self._lock:
            if self._state is _State.SYNC:
                unfinished = outcome is not None and inspect.iscoroutine(outcome[1])
                self._state = _State.COROUTINE if unfinished else _State.RETURNED

    def _drain(self) -> None:
        """See to it that nothing strikes after this, in the one thread where it can.

        Replaced by another and caught, not taken back: taking it back leaves CPython 3.11
        with a signal for nobody, which slows all code down and hangs it under a profiler.
        """
        if self._injected:
            try:
                _inject(threading.get_ident())
                while True:
                    pass
            except TaskStopped:
                pass

    def awaiting(self, cancel: Callable[[], object]) -> None:
        """The coroutine that `call` returned begins to run: `cancel` stops it.

        `cancel` is called from any thread, at once if stopping was asked before.
        """
        with self._lock:
            self._cancel = cancel
            if self.asked_at is not None:
                cancel()

    def returned(self) -> None:
        """The coroutine has ended."""
        with self._lock:
            self._cancel = None
            if self._state is _State.COROUTINE:
                self._state = _State.RETURNED

    def abandon(self) -> bool:
        """Stop waiting for a callable that does not stop.

        Returns:
            False if it has returned: its own outcome counts. After True, whatever it does
            has no consequence, and `is_abandoned` is True.
        """
        with self._lock:
            if self._state is _State.RETURNED:
                return False
            self._state = _State.ABANDONED
            self._cancel = None
            return True

    @property
    def is_abandoned(self) -> bool:
        """`abandon` was first."""
        return self._state is _State.ABANDONED


def _inject(thread: int) -> bool:
    """Have the thread raise `TaskStopped`; False if it is none: gevent's and eventlet's are not."""
    exception = ctypes.py_object(TaskStopped)
    found = ctypes.pythonapi.PyThreadState_SetAsyncExc(ctypes.c_ulong(thread), exception)
    return bool(found)


def _came_of_stop(exc: BaseException | None) -> bool:
    """A `finally` or an `except` of the task's raised while it was being stopped."""
    for _ in range(100):
        if exc is None:
            return False
        if isinstance(exc, (TaskStopped, asyncio.CancelledError)):
            return True
        exc = exc.__cause__ or exc.__context__
    return False
