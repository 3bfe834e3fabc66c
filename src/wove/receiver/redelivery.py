"""A second execution of an open run: who may start, who has to wait.

A backend that believes a worker dead gives its job to another one. Whether the
first is dead, only time tells: the second waits, and starts when the first has
been silent for a period, or when the backend says that it is dead.
"""

from __future__ import annotations

import enum

from wove.receiver.records import RunEntry

__all__ = [
    "MAX_RETRY_AFTER",
    "Permission",
    "ask",
    "current_spoke",
    "dies",
    "retry_after",
    "take_over",
]

MAX_RETRY_AFTER = 5.0
_REFUSED = float("inf")
_RIVALS_KEPT = 16
_SLACK = 1.0
"""How much later than it was told an execution may come back."""


class Permission(enum.Enum):
    """What a second execution that asks to start is told."""

    WAIT = "wait"
    START = "start"
    NEVER = "never"


def ask(run: RunEntry, execution_id: str, now: float, silence_from: float) -> Permission:
    """Decide whether `execution_id`, which is not the run's current one, may start.

    Args:
        run: an open run.
        execution_id: who asks.
        now: monotonic seconds.
        silence_from: silence before this time does not count (the receiver
            itself was not running then).
    """
    rivals = run.rivals
    if rivals is None:
        rivals = run.rivals = {}
    asked = rivals.get(execution_id)
    if asked == _REFUSED:
        return Permission.NEVER
    if run.dead_since is not None:
        return Permission.START
    if asked is None:
        while len(rivals) >= _RIVALS_KEPT:
            del rivals[next(iter(rivals))]
        rivals[execution_id] = now
        return Permission.WAIT
    if run.period is not None and now - max(asked, silence_from) >= run.period:
        return Permission.START
    return Permission.WAIT


def current_spoke(run: RunEntry) -> None:
    """The current execution lives: nobody who asked before may ever start."""
    run.dead_since = None
    if run.rivals:
        for rival in run.rivals:
            run.rivals[rival] = _REFUSED


def dies(run: RunEntry, now: float) -> bool:
    """The backend says that the current execution is dead: the next one that asks may start.

    Returns:
        Whether another execution, which was told to wait, can still be expected to ask.
    """
    if run.dead_since is None:
        run.dead_since = now
    waits = any(asked != _REFUSED for asked in (run.rivals or {}).values())
    return waits and now - run.dead_since <= MAX_RETRY_AFTER + _SLACK


def take_over(run: RunEntry, execution_id: str) -> None:
    """Make `execution_id` the current execution; the one before it never starts again."""
    rivals = run.rivals if run.rivals is not None else {}
    rivals.pop(execution_id, None)
    rivals[run.execution_id] = _REFUSED
    run.rivals = rivals
    run.execution_id = execution_id
    run.dead_since = None
    run.heartbeat_seconds = None
    run.beat_connection = run.beat_closed_at = None
    run.window = type(run.window)()


def retry_after(run: RunEntry, execution_id: str, now: float, silence_from: float) -> float:
    """Seconds until it is worth asking again; at most 5."""
    if run.period is None or run.rivals is None:
        return MAX_RETRY_AFTER
    asked = max(run.rivals.get(execution_id, now), silence_from)
    return min(MAX_RETRY_AFTER, max(0.0, asked + run.period - now))
