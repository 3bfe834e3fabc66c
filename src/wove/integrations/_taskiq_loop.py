"""An event loop of Wove's own, in a thread that stays.

What a Taskiq broker connects belongs to the event loop that it was first used on. A weave's
loop ends with the weave, and a user's own is the user's: so Wove's connections are here.
"""

from __future__ import annotations

import asyncio
import os
import threading
from collections.abc import Callable, Coroutine
from typing import Any, TypeVar

__all__ = ["on_own_loop", "run_later"]

T = TypeVar("T")

_lock = threading.Lock()
_loop: asyncio.AbstractEventLoop | None = None
_of_parents: list[asyncio.AbstractEventLoop] = []


async def on_own_loop(make: Callable[..., Coroutine[Any, Any, T]], *args: Any) -> T:
    """Run the coroutine `make(*args)` on Wove's own loop; await it from any other.

    Cancelling who waits for it cancels it.
    """
    running = asyncio.run_coroutine_threadsafe(make(*args), _own_loop())
    return await asyncio.wrap_future(running)


def run_later(pid: int, make: Callable[[], Coroutine[Any, Any, Any]]) -> None:
    """Run a coroutine on Wove's own loop, and forget it; from any thread.

    Args:
        pid: the process whose loop is meant. In a copy of it nothing is done.
        make: begins the coroutine.
    """
    if os.getpid() == pid and _loop is not None:
        _loop.call_soon_threadsafe(lambda: asyncio.ensure_future(make()))


def _own_loop() -> asyncio.AbstractEventLoop:
    global _loop
    with _lock:
        if _loop is None:
            _loop = asyncio.new_event_loop()
            thread = threading.Thread(target=_loop.run_forever, name="wove-taskiq", daemon=True)
            thread.start()
        return _loop


def _forget() -> None:
    """In a forked copy: the thread is not there, and the loop's selector is the parent's."""
    global _loop, _lock
    if _loop is not None:
        _of_parents.append(_loop)  # its end would reach into that selector
    _loop, _lock = None, threading.Lock()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_forget)
