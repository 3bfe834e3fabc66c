"""What a backend says about a job, and what an adapter can do to one."""

from __future__ import annotations

import enum
from dataclasses import dataclass
from typing import Literal

__all__ = ["BackendState", "BackendStatus", "Supports"]


class BackendStatus(str, enum.Enum):
    """The answers that a poll may give for one job."""

    QUEUED = "queued"
    """The backend has the job and no worker does."""
    RUNNING = "running"
    """A worker has it, as far as the backend knows."""
    SUCCEEDED = "succeeded"
    """The job ended, and the backend is content."""
    FAILED = "failed"
    """The job ended, and the backend counts it as failed."""
    CANCELLED = "cancelled"
    """Somebody cancelled it."""
    LOST = "lost"
    """Its worker is gone: nothing more will come."""
    ABSENT = "absent"
    """The backend does not know such a job."""
    CANNOT_SAY = "cannot_say"
    """The backend answered, and has no way to know."""


@dataclass(frozen=True, slots=True)
class BackendState:
    """One job's state in the backend's eyes.

    Args:
        status: what it is.
        reason: the backend's own words, such as "OOMKilled, exit code 137".
        sees_worker: the backend would notice the worker's death. False where it only noted
            that one took the job: a silent worker is then not believed to live.
    """

    status: BackendStatus
    reason: str = ""
    sees_worker: bool = True

    @property
    def words(self) -> str:
        """Both as text for people; of a backend that cannot say, its reason alone."""
        status = self.status.value.replace("_", " ")
        if not self.reason:
            return status
        if self.status is BackendStatus.CANNOT_SAY:
            return self.reason
        return f"{status}: {self.reason}"


@dataclass(frozen=True, kw_only=True, slots=True)
class Supports:
    """What an adapter can really do, for the documentation and for the watcher."""

    cancel_queued: bool = False
    """A job that no worker has taken can be kept from starting."""

    cancel_running: Literal["stops", "asks", "none"] = "none"
    """What `cancel` does to a running job. "none": only the worker's next callback tells it."""

    poll: bool = False
    """`poll` gives answers other than `cannot_say`."""

    idempotent: bool = False
    """The backend refuses a second job under the same id."""
