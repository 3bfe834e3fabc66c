"""What the rules of `watch` may know of a run."""

from __future__ import annotations

from typing import Protocol

__all__ = ["RunFacts"]


class RunFacts(Protocol):
    """What the receiver knows of a run; `wove.receiver`'s run has these attributes."""

    @property
    def heard(self) -> bool:
        """Any event of the run ever came."""
        ...

    @property
    def started_at(self) -> float | None:
        """When `task_started` was accepted."""

    @property
    def last_heard_at(self) -> float | None:
        """When the last event of the current execution came."""

    @property
    def heartbeat_seconds(self) -> float | None:
        """The announced interval; None: silence means nothing."""

    @property
    def beat_closed_at(self) -> float | None:
        """When the heartbeats' connection closed, if nothing came after that."""
