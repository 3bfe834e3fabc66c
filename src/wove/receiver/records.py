"""The hub's records: items, and the runs within them.

An item is one thing a weave waits for. A run is one submission of it to a
backend; a retry or a requeue adds a run to the item. Only the newest run of an
item can be open. Everything here is changed under the hub's lock and may be
read without it.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Protocol

from wove.receiver.endings import RunEnding
from wove.receiver.window import SequenceWindow
from wovepb.v1.event_pb2 import Event

if TYPE_CHECKING:
    from collections.abc import Sequence

__all__ = ["ENDED", "OPEN", "ItemEntry", "RunEntry", "Sink"]

OPEN = "open"
ENDED = "ended"


class Sink(Protocol):
    """Where a run's accepted events go."""

    def put(self, batch: Sequence[tuple[str, Event]]) -> None:
        """Take `(run_id, event)` pairs in the order in which they were accepted.

        Called from the receiver's thread, once per turn of its loop. It must
        not block.
        """
        ...


class ItemEntry:
    """One thing a weave waits for."""

    __slots__ = ("open", "runs")

    def __init__(self) -> None:
        self.open = True
        """No result has been taken, and the weave has not stopped waiting."""
        self.runs: list[RunEntry] = []
        """Oldest first."""


class RunEntry:
    """One submission of an item: what the receiver knows of it.

    The attributes are facts for the watcher; only the hub changes them. Times
    are monotonic seconds of the hub's clock.
    """

    __slots__ = (
        "attempt",
        "backend_job_id",
        "beat_closed_at",
        "beat_connection",
        "cancel_requested",
        "cause",
        "dead_since",
        "detached",
        "ending",
        "execution_id",
        "gated",
        "heard",
        "heartbeat_seconds",
        "item",
        "last_heard_at",
        "opened_at",
        "rivals",
        "run_id",
        "sink",
        "started_at",
        "state",
        "task_id",
        "tell",
        "token",
        "window",
        "worker_id",
    )

    def __init__(
        self,
        run_id: str,
        *,
        task_id: str,
        token: str,
        sink: Sink,
        item: ItemEntry,
        opened_at: float,
        attempt: int = 0,
        gated: bool = True,
        detached: bool = False,
    ) -> None:
        self.run_id = run_id
        self.task_id = task_id
        self.token = token
        self.sink = sink
        self.item = item
        self.attempt = attempt
        """Runs of this item before this one."""
        self.gated = gated
        """The worker waits for the answer to `task_started` before it calls the task."""
        self.detached = detached
        """The worker is never told to stop."""
        self.state = OPEN
        """Either "open" or "ended"."""
        self.cause: str | None = None
        """Why it ended: a terminal event's type, or what `end_run` was given."""
        self.ending: RunEnding | None = None
        """The ending once there is one; `NO_EVENT` without a terminal event."""
        self.opened_at = opened_at
        self.started_at: float | None = None
        """When the `task_started` of the current execution was accepted."""
        self.heard = False
        """Any event of the run ever came, from any execution."""
        self.last_heard_at: float | None = None
        """When the current execution was last heard."""
        self.heartbeat_seconds: float | None = None
        """The interval that `task_started` announced; None: silence means nothing."""
        self.beat_connection: object | None = None
        self.beat_closed_at: float | None = None
        """When the connection of the heartbeats closed, unless the execution spoke after that."""
        self.execution_id = ""
        """The current execution; empty before the first event and for workers that name none."""
        self.dead_since: float | None = None
        """When the backend said that the current execution is dead; None: it did not."""
        self.rivals: dict[str, float] | None = None
        self.window = SequenceWindow()
        self.worker_id = ""
        self.backend_job_id = ""
        self.cancel_requested = False
        self.tell: Callable[[str, str], None] | None = None
        """Asks the worker at once to stop this run (`run_id`, `task_id`); None where only its
        next event can be answered so. May be called from any thread; does not block."""

    @property
    def period(self) -> float | None:
        """Seconds after which silence is a question: three announced heartbeats, or None."""
        return None if self.heartbeat_seconds is None else 3.0 * self.heartbeat_seconds

    def is_current(self, execution_id: str) -> bool:
        """`execution_id` is the current execution, or one of the two is not named."""
        return not execution_id or not self.execution_id or execution_id == self.execution_id

    def __repr__(self) -> str:
        return f"<RunEntry {self.run_id} of {self.task_id!r}: {self.state}, cause {self.cause}>"
