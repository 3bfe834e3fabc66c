"""What RQ's records say about a job, in Wove's words. No input, no output."""

from __future__ import annotations

from dataclasses import dataclass, field

from wove.executors.backend_state import BackendState, BackendStatus

__all__ = ["OVER", "RQJob", "Worker", "failed", "queued", "started", "stopped", "waiting"]

CONFIRM_SECONDS = 10.0
"""A worker whose connection is gone for so long is gone: redis-py takes less to come back."""

OVER = frozenset({"canceled", "failed", "finished", "stopped"})
"""RQ's words for a job that no worker has, or will have."""

_LOST_WITH_ITS_WORKER = (
    "Work-horse terminated unexpectedly",
    "AbandonedJobError",
    "Job was stuck in intermediate queue",
)
WORDS_CHARACTERS = 500


@dataclass
class RQJob:
    """A submitted job. What `submit` returns and `cancel` and `poll` are given."""

    id: str
    """RQ's job id."""
    seen: tuple[str, str] | None = field(default=None, compare=False)
    """Its worker, seen connected, and the Redis server that it was connected to."""
    gone: tuple[float, str] | None = field(default=None, compare=False)
    """When (monotonic) the worker was first seen without a connection, and its last heartbeat
    then, in RQ's writing."""
    ask_again: bool = field(default=False, compare=False)
    """The state may be another one after `CONFIRM_SECONDS`."""


@dataclass(frozen=True, kw_only=True)
class Worker:
    """What RQ has about a worker; times in RQ's own writing, which sorts."""

    name: str
    birth: str
    heartbeat: str
    death: str = ""
    connections: int | None = None
    """Subscribers to the channel that the worker takes commands from; None: not told."""


def queued(queue: str, *, waits: bool, taken: bool) -> BackendState:
    """State of a job that RQ calls queued.

    Args:
        queue: the queue's name.
        waits: the queue holds it.
        taken: a worker has it, and has not begun.
    """
    if waits:
        return BackendState(BackendStatus.QUEUED, f"it is in RQ's queue {queue!r}")
    if taken:
        words = f"a worker took it from RQ's queue {queue!r}, and has not begun it"
        return BackendState(BackendStatus.QUEUED, words)
    return BackendState(
        BackendStatus.ABSENT, f"RQ calls it queued, and its queue {queue!r} does not hold it"
    )


def waiting(status: str) -> BackendState:
    """State of a job that RQ will put into its queue later."""
    return BackendState(BackendStatus.QUEUED, f"RQ says {status}")


def started(
    job: RQJob, worker: str, record: Worker | None, *, since: str, server: str, now: float
) -> BackendState:
    """State of a job that RQ calls started, which it does until somebody notices otherwise.

    Args:
        job: remembers from one question to the next.
        worker: name of the worker that has it.
        record: what RQ has about that worker; None: nothing any more.
        since: when the job was started, in RQ's writing.
        server: identity of the Redis server; another one has no connections to compare.
        now: monotonic seconds.
    """
    if record is None:
        return _lost(f"its worker {worker} is gone: RQ has no heartbeat of it any more")
    if record.death:
        return _lost(f"its worker {worker} stopped at {record.death}")
    if since and record.birth > since:
        return _lost(f"its worker {worker} was started again at {record.birth}")
    running = BackendState(BackendStatus.RUNNING, f"RQ's worker {worker} has it")
    if record.connections is None:
        return running
    if record.connections:
        job.seen, job.gone = (worker, server), None
        return running
    # A worker that has lost its command channel for good may be in best health otherwise.
    if job.gone is None:
        job.gone, job.ask_again = (now, record.heartbeat), True
    first, heartbeat = job.gone
    if record.heartbeat != heartbeat:
        return running
    words = f"RQ's worker {worker} has no connection to Redis; its last heartbeat was {heartbeat}"
    if job.seen != (worker, server):
        return BackendState(BackendStatus.CANNOT_SAY, words)
    if now - first < CONFIRM_SECONDS:
        return BackendState(BackendStatus.RUNNING, words)
    return _lost(words)


def failed(error: str) -> BackendState:
    """State of a job that RQ calls failed.

    Args:
        error: the traceback, or the sentence, that RQ keeps.
    """
    lines = error.strip().splitlines() or ["no reason is kept"]
    words = f"RQ says failed: {lines[-1].strip()[:WORDS_CHARACTERS]}"
    if any(mark in error for mark in _LOST_WITH_ITS_WORKER):
        return _lost(words)
    return BackendState(BackendStatus.FAILED, words)


def stopped(status: str) -> BackendState:
    """State of a job that somebody stopped or cancelled in RQ."""
    return BackendState(BackendStatus.CANCELLED, f"RQ says {status}")


def _lost(words: str) -> BackendState:
    return BackendState(BackendStatus.LOST, words)
