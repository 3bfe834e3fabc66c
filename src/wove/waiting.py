"""Waiting that does not lose a cancellation."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Iterable
from typing import Any
from weakref import WeakSet

__all__ = ["is_cancelled", "outlast", "request_cancel", "take_back_cancel"]

_requested: WeakSet[asyncio.Task[Any]] = WeakSet()
# For Python 3.10, whose tasks do not count the requests to cancel them.


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


def request_cancel(task: asyncio.Task[Any]) -> None:
    """Cancel a task so that it can find out with `is_cancelled`, whatever its work made of it."""
    if sys.version_info < (3, 11):
        _requested.add(task)
    task.cancel()


def is_cancelled(task: asyncio.Task[Any] | None, stopping: bool) -> bool:
    """Whether somebody has asked this task to cancel and not taken it back.

    Args:
        task: the task.
        stopping: whether the whole weave is being cancelled.
    """
    if stopping or task is None:
        return stopping
    return bool(task.cancelling()) if sys.version_info >= (3, 11) else task in _requested


def take_back_cancel(task: asyncio.Task[Any] | None, stopping: bool) -> bool:
    """Undo one `task.cancel()` of our own after its `CancelledError` was caught.

    Args:
        task: the task.
        stopping: whether the whole weave is being cancelled.

    Returns:
        Whether somebody else has cancelled the task too.
    """
    if sys.version_info >= (3, 11) and task is not None:
        return bool(task.uncancel())
    return is_cancelled(task, stopping)
