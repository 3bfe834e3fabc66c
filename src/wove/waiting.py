"""Waiting that does not lose a cancellation."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable
from typing import Any

__all__ = ["outlast", "take_back_cancel"]


async def outlast(futures: Iterable[asyncio.Future[Any]]) -> bool:
    """Wait for all of them, whatever happens to this task meanwhile.

    Returns:
        Whether this task was asked to cancel meanwhile; the caller has to obey.
    """
    waiting = set(futures)
    asked = False
    while waiting:
        try:
            _, waiting = await asyncio.wait(waiting)
        except asyncio.CancelledError:  # noqa: PERF203 - it is the point of the loop
            asked = True
            waiting = {future for future in waiting if not future.done()}
    return asked


def take_back_cancel(task: asyncio.Task[Any] | None, stopping: bool) -> bool:
    """Undo one `task.cancel()` of our own after its `CancelledError` was caught.

    Args:
        task: the task.
        stopping: whether the whole weave is being cancelled; the only sign of another
            cancellation that Python 3.10 has.

    Returns:
        Whether somebody else has cancelled the task too.
    """
    uncancel = getattr(task, "uncancel", None)
    return bool(uncancel()) if uncancel is not None else stopping
