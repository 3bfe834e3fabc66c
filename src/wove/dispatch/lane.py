"""Blocking calls one after the other, for as long as they are quick."""

from __future__ import annotations

import asyncio
import contextlib
import contextvars
import threading
import time
from collections import deque
from collections.abc import Callable
from queue import Empty, SimpleQueue
from typing import Any, NamedTuple, TypeVar

__all__ = ["Lane"]

T = TypeVar("T")

LOOK_SECONDS = 0.01
"""How often it is looked, while calls wait, whether they need more threads."""
SLOW_SECONDS = 0.004
"""A call that takes longer is slow: as many threads begin as there are."""
BUSY = 0.5
"""One thread begins for quick calls if this process used less of a processor meanwhile."""
IDLE_SECONDS = 1.0
"""A thread without a call ends after this."""


class _Call:
    """One call, and the future that its caller awaits."""

    __slots__ = ("_context", "_error", "_future", "_make", "_value")

    def __init__(self, future: asyncio.Future[Any], make: Callable[[], Any]) -> None:
        self._future = future
        self._make = make
        self._context = contextvars.copy_context()
        self._value: Any = None
        self._error: BaseException | None = None

    def run(self) -> None:
        """Make it, in a thread, unless nobody waits for it any more."""
        if self._future.cancelled():
            return
        try:
            self._value = self._context.run(self._make)
        except StopIteration as error:  # a future refuses to carry it
            self._error = RuntimeError("the function raised StopIteration")
            self._error.__cause__ = error
        except BaseException as error:  # noqa: BLE001 - it belongs to the awaiting caller
            self._error = error

    def settle(self) -> None:
        """Hand its outcome over, on the loop."""
        if self._future.done():
            return
        if self._error is not None:
            self._future.set_exception(self._error)
        else:
            self._future.set_result(self._value)


class _Look(NamedTuple):
    """What there was when it was looked."""

    at: float
    """The loop's time."""
    used: float
    """Processor seconds of this process, of all its threads."""
    begun: int
    """Calls that had been begun."""


class Lane:
    """The threads in which one adapter's blocking calls are made; for one event loop.

    Where a weave submits many jobs, a thread for each, and a wake-up of the loop for each,
    cost more than the submissions. Here one thread makes call after call, and the loop is
    told at once of all that ended. A call that takes long holds nobody up: more threads begin
    as long as calls wait and those that run are slow, or have nothing to do but wait for a
    server. They are daemons, as those of `in_thread`, and for the same reasons.
    """

    def __init__(self) -> None:
        self.loop = asyncio.get_running_loop()
        """Where calls are awaited."""
        self._calls: SimpleQueue[_Call] = SimpleQueue()
        self._put = 0
        self._looking = False
        self._ended: deque[_Call] = deque()
        self._told = False
        self._threads = 0
        self._lock = threading.Lock()
        """Guards `_threads`: a thread ends only when nothing waits for it."""

    async def call(self, make: Callable[[], T]) -> T:
        """Call `make` in a thread and await what it returns.

        A caller that is cancelled leaves a call that has begun to finish on its own; one that
        has not is not made.

        Raises:
            RuntimeError: there is no thread to be had.
        """
        future: asyncio.Future[T] = self.loop.create_future()
        call = _Call(future, make)
        with self._lock:
            self._calls.put(call)
            alone = not self._threads
        self._put += 1
        if alone:
            try:
                self._grow()
            except RuntimeError:
                future.cancel()  # it is not to be made later, when its caller has failed
                raise
        elif not self._looking:
            self._looking = True
            self._look_later(self._calls.qsize())
        return await future

    def _look_later(self, waiting: int) -> None:
        last = _Look(self.loop.time(), time.process_time(), self._put - waiting)
        self.loop.call_later(LOOK_SECONDS, self._look, last)

    def _look(self, last: _Look) -> None:
        waiting = self._calls.qsize()
        wanted = self._wanted(last, self._put - waiting)
        with contextlib.suppress(RuntimeError):  # no more threads: those that run go on
            for _ in range(min(waiting, wanted)):
                self._grow()
        self._looking = waiting > 0
        if self._looking:
            self._look_later(waiting)

    def _wanted(self, last: _Look, begun: int) -> int:
        """How many more threads would make the calls end sooner."""
        seconds = self.loop.time() - last.at
        if seconds * self._threads > SLOW_SECONDS * (begun - last.begun):
            return max(self._threads, 1)
        # Quick ones: those that compete for the interpreter gain nothing from company.
        return 1 if time.process_time() - last.used < BUSY * seconds else 0

    def _grow(self) -> None:
        with self._lock:
            self._threads += 1
        try:
            threading.Thread(target=self._serve, name="wove-call", daemon=True).start()
        except RuntimeError:
            with self._lock:
                self._threads -= 1
            raise

    def _serve(self) -> None:
        while True:
            try:
                call = self._calls.get(timeout=IDLE_SECONDS)
            except Empty:
                with self._lock:
                    if self._calls.empty():
                        self._threads -= 1
                        return
                continue
            call.run()
            self._ended.append(call)
            del call  # what it holds is not kept by an idle thread
            if not self._told:
                self._told = True
                with contextlib.suppress(RuntimeError):  # the loop is closed: nobody waits
                    self.loop.call_soon_threadsafe(self._settle)

    def _settle(self) -> None:
        # Cleared first: a call that ends from now on wakes the loop again.
        self._told = False
        while self._ended:
            self._ended.popleft().settle()
