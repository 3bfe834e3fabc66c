"""What became of each run: the entries of `w.result.runs`."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

__all__ = ["CancelOutcome", "RunRecord", "RunState"]

RunState = Literal[
    "submitted", "queued", "started", "succeeded", "failed", "cancelled", "timed_out", "lost"
]
CancelOutcome = Literal["stopped", "asked", "unconfirmed"]


@dataclass(kw_only=True)
class RunRecord:
    """One run of one task somewhere, updated in place while the weave lasts."""

    task: str
    """Name of the task, or `merge:<callable>`."""

    run_id: str
    """The run's own identifier, new for every try."""

    environment: str
    """Name of the environment that the run was given to."""

    backend: str
    """The executor's name, such as "local", "process" or "celery"."""

    attempt: int = 0
    """Submissions of the same item before this one, by retry or requeue."""

    item: int | None = None
    """Index of the item in a mapped task."""

    backend_job_id: str | None = None
    """The backend's identifier of the job, once the backend has taken it."""

    state: RunState = "submitted"
    """`submitted`: being handed over; `queued`: the backend has it; `started`: a worker
    reported its start; the others are ends. A detached run keeps its last state."""

    cancel: CancelOutcome | None = None
    """What a cancellation came to: `stopped` (there is proof), `asked` (the backend or
    the worker was told), `unconfirmed` (it could not be told, or proof was required and
    did not come). None: nobody cancelled."""

    submitted_at: float | None = None
    """Unix seconds."""

    started_at: float | None = None
    """Unix seconds."""

    ended_at: float | None = None
    """Unix seconds."""

    error: BaseException | None = None
    """What the run failed with."""
