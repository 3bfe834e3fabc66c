"""Calls of Temporal's SDK that are not left under way when the interpreter ends.

The SDK's runtime has threads of its own. One that comes with an answer while the interpreter
is ending waits for it for ever, and the interpreter for the thread; one that has just given
its answer aborts the program. So calls are not cancelled but waited for, a moment at least,
and after the last one the interpreter's end waits a moment, too.
"""

from __future__ import annotations

import asyncio
import atexit
import time
from collections.abc import Callable, Coroutine
from typing import Any, TypeVar

__all__ = ["Calls", "note_call"]

T = TypeVar("T")

CLOSE_SECONDS = 1.0
"""How long calls that are under way are waited for when nobody wants their answers any more."""

SETTLE_SECONDS = 0.1
"""How long a thread of the runtime may need to be done with a call that has ended here."""

_ended_at = float("-inf")


def note_call() -> None:
    """A call has ended at this moment. `Calls` does this by itself."""
    global _ended_at
    _ended_at = time.monotonic()


class Calls:
    """Calls on one event loop. Cancelling who waits for one does not cancel the call."""

    def __init__(self) -> None:
        self._under_way: set[asyncio.Task[Any]] = set()

    async def wait(self, make: Callable[..., Coroutine[Any, Any, T]], *args: Any) -> T:
        """What the call `make(*args)` returns or raises."""
        task = asyncio.ensure_future(_noted(make, *args))
        self._under_way.add(task)
        task.add_done_callback(self._ended)
        await asyncio.wait({task})
        return task.result()

    async def close(self) -> None:
        """Wait for what is under way, and cancel what does not end."""
        left = set(self._under_way)
        if left:
            _, left = await asyncio.wait(left, timeout=CLOSE_SECONDS)
        for task in left:
            task.cancel()
        if left:
            await asyncio.wait(left)
            await asyncio.sleep(SETTLE_SECONDS)

    def _ended(self, task: asyncio.Task[Any]) -> None:
        self._under_way.discard(task)
        if not task.cancelled():
            task.exception()  # asyncio need not complain that nobody asked for it


async def _noted(make: Callable[..., Coroutine[Any, Any, T]], *args: Any) -> T:
    try:
        return await make(*args)
    finally:
        note_call()


def _settle() -> None:
    time.sleep(max(0.0, _ended_at + SETTLE_SECONDS - time.monotonic()))


atexit.register(_settle)
