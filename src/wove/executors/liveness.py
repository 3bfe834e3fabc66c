"""Every delay that decides whether a run is still alive, in one place."""

from __future__ import annotations

from dataclasses import dataclass

__all__ = ["Liveness"]


@dataclass(frozen=True, kw_only=True)
class Liveness:
    """Delays in seconds. The defaults are for production; tests shrink them."""

    silence_seconds: float = 15.0
    """A started run is asked about after this much silence, unless
    `delivery_heartbeat_seconds` says otherwise: one period."""

    silent_periods: int = 4
    """Periods of silence after which a run is lost when the backend cannot say."""

    silent_at_least: float = 60.0
    """... but never sooner than this."""

    silent_alone: float = 600.0
    """The same when nobody at all has been in contact, so that the fault may be here."""

    poll_seconds: float = 15.0
    """Pause between two polls of a backend, at most: jittered downwards by a tenth."""

    poll_seconds_max: float = 60.0
    """Pause to which polls back off when all runs that are out have started."""

    cancel_poll_seconds: float = 1.0
    """Pause between two polls while `require_ack` waits for proof."""

    tick_seconds: float = 1.0
    """How often the rules are applied while runs are out."""

    poll_timeout: float = 30.0
    """A poll that takes longer is no answer."""

    absent_apart: float = 15.0
    """Two answers "absent" count when they are at least this far apart."""

    succeeded_grace: float = 10.0
    """From the backend's "succeeded" to the second poll that makes it a missing result."""

    ended_grace: float = 2.0
    """From the backend's "failed" or "cancelled" to the end: for events in flight."""

    lost_grace: float = 0.25
    """The same from the backend's "lost": the worker is known to send nothing more."""

    queued_warning: float = 60.0
    """A run that no worker has begun after this is told of, once, in the log."""

    callback_grace: float = 45.0
    """A job known to run, and no event of it ever, for this long: callback unreachable. Less
    than the 60 s after which its worker gives up by itself, and the backend says lost."""

    unheard_at_least: float = 30.0
    """A job that ran for this long before the backend says that it is over, and of which no
    event ever came, could not reach the callback: an end of another kind is a consequence."""

    closed_again: tuple[float, ...] = (1.5, 6.0)
    """A backend is asked at once when a heartbeat connection has closed, and again after
    these: it may notice the worker's end later than the receiver does. Celery looks after
    its pool's processes every 5 seconds."""

    cancel_timeout: float = 30.0
    """How long `require_ack` waits for proof when the task sets no `cancel_timeout`."""

    stop_seconds: float = 5.0
    """A weave that stops has told its backends within this."""

    requeues: int = 2
    """New runs of one item after lost workers, under `delivery_orphan_policy="requeue"`."""
