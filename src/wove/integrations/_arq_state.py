"""What arq's keys say about a job, in Wove's words. No input, no output."""

from __future__ import annotations

from dataclasses import dataclass

from wove.executors.backend_state import BackendState, BackendStatus
from wove.integrations._arq_result import ArqResult

__all__ = ["ArqJob", "Keys", "state_of"]

_TAKEN_TWICE = "max 1 retries exceeded"
"""What arq says of a job of Wove's function that a worker took, and did not end, when it would
be its turn again. (Functions that arq may try more often end so by their own `Retry`, too.)"""


@dataclass(frozen=True)
class ArqJob:
    """A submitted job. What `submit` returns and `cancel` and `poll` are given."""

    id: str
    """arq's job id."""
    queue: str
    """The queue that it was put into."""


@dataclass(frozen=True, kw_only=True)
class Keys:
    """What Redis holds of one job, at one moment.

    Args:
        result: how it ended, if arq kept that.
        in_progress: a worker has taken it, and arq's time for it has not run out.
        due_ms: when it may start (Unix, milliseconds); None: its queue does not hold it.
        held: the job itself is there, function and arguments.
        tries: how many workers have begun it.
    """

    result: ArqResult | None = None
    in_progress: bool = False
    due_ms: float | None = None
    held: bool = False
    tries: int = 0


def state_of(job: ArqJob, keys: Keys, *, now_ms: float) -> BackendState:
    """State of a job.

    Args:
        job: which one.
        keys: what Redis holds of it.
        now_ms: the time, as arq writes it.
    """
    if keys.result is not None:
        return _ended(keys.result)
    if keys.in_progress:
        return BackendState(BackendStatus.RUNNING, "arq says in progress", sees_worker=False)
    if keys.due_ms is None:
        if not keys.held:
            return BackendState(BackendStatus.ABSENT, f"arq has no job {job.id}")
        words = f"arq has job {job.id}, and its queue {job.queue!r} does not hold it"
        return BackendState(BackendStatus.ABSENT, words)
    if not keys.held:
        words = f"arq's queue {job.queue!r} holds the id {job.id}, and the job itself is gone"
        return BackendState(BackendStatus.ABSENT, words)
    where = f"arq's queue {job.queue!r}"
    tried = f", after {keys.tries} tries" if keys.tries else ""
    if keys.due_ms > now_ms:  # arq's `Retry` does that, too, in a function of the user's
        return BackendState(BackendStatus.QUEUED, f"it is deferred in {where}{tried}")
    if keys.tries:
        return BackendState(
            BackendStatus.CANNOT_SAY,
            f"it is in {where} again{tried}: its function asked for that, or its worker is gone",
        )
    return BackendState(BackendStatus.QUEUED, f"it is in {where}")


def _ended(result: ArqResult) -> BackendState:
    if result.success:
        return BackendState(BackendStatus.SUCCEEDED, "arq says complete")
    if result.kind == "CancelledError":
        return BackendState(BackendStatus.CANCELLED, "arq says that it was aborted")
    words = f"arq says failed: {result.words or 'no reason is kept'}"
    if result.kind == "JobExecutionFailed" and _TAKEN_TWICE in result.message:
        return BackendState(BackendStatus.LOST, f"{words}: the worker that had taken it is gone")
    return BackendState(BackendStatus.FAILED, words)
