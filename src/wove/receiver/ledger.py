"""The hub's books: which runs there are, what became of them, and what goes to whom.

Bookkeeping only. What an event means is decided in `rules`; who may call when,
in `hub`, whose lock is held wherever these methods are called.
"""

from __future__ import annotations

from wove.receiver import redelivery
from wove.receiver.endings import NO_EVENT, RunEnding, Tombstones
from wove.receiver.records import ENDED, OPEN, ItemEntry, RunEntry, Sink
from wovepb.v1.event_pb2 import Event

__all__ = ["Ledger"]

TELLING_SECONDS = 5.0
"""The longest interval of heartbeats that is waited for when a run was given up: the default."""
SLACK_SECONDS = 1.0
"""How much later than announced a heartbeat may come: the answer to the one before it, a busy
machine, the network; and the worker's last word after it."""
_MANY = 1000
_GIVEN_UP = frozenset({"cancelled", "closed", "superseded", "timed_out"})
"""Causes after which a worker may well be running the task still."""


class Ledger:
    """Runs by their id, endings of those that are gone, beats and undelivered events."""

    def __init__(self) -> None:
        self.runs: dict[str, RunEntry] = {}
        self.contested: set[RunEntry] = set()
        """Runs of which a second execution waits for the first one's silence."""
        self._tombstones = Tombstones()
        self._to_tell: dict[str, float] = {}
        self._tidy_at = _MANY
        self._beats: dict[object, set[RunEntry]] = {}
        self._batches: dict[Sink, list[tuple[str, Event]]] = {}

    def add(self, run: RunEntry) -> None:
        """Keep a new run, as the newest of its item."""
        self.runs[run.run_id] = run
        run.item.runs.append(run)

    def ending(self, run_id: str, now: float) -> RunEnding | None:
        """How a run ended that is no longer kept; None when nothing is known of it."""
        return self._tombstones.get(run_id, now)

    def end(self, run: RunEntry, cause: str, ending: RunEnding) -> bool:
        """The one compare-and-set from open to ended. True for the caller that made it."""
        if run.state == ENDED:
            return False
        run.state, run.cause, run.ending = ENDED, cause, ending
        run.rivals = None
        self.contested.discard(run)
        self.drop_beats(run)
        return True

    def close(self, item: ItemEntry, cause: str, now: float) -> None:
        """The weave stops waiting for an item: all its runs end and are forgotten."""
        item.open = False
        for run in item.runs:
            self.end(run, cause, NO_EVENT)
        self._forget(item, now)

    def settle(self, item: ItemEntry, now: float) -> None:
        """Forget an item that is decided and has no open run left that must be told so."""
        if not item.open and all(run.state == ENDED for run in item.runs):
            self._forget(item, now)

    def must_tell(self, now: float) -> bool:
        """A worker is expected to ask soon, and to be told that nobody waits for its run."""
        self._to_tell = {run_id: until for run_id, until in self._to_tell.items() if until > now}
        return bool(self._to_tell)

    def was_told(self, run_id: str) -> None:
        """The worker has said its last word on this run, or is known not to run it."""
        self._to_tell.pop(run_id, None)

    def _forget(self, item: ItemEntry, now: float) -> None:
        for run in item.runs:
            if self.runs.pop(run.run_id, None) is None:
                continue
            self._tombstones.add(run.run_id, run.ending or NO_EVENT, now)
            beats = run.heartbeat_seconds
            if beats is not None and run.ending is NO_EVENT and run.cause in _GIVEN_UP:
                if not run.detached:
                    self._to_tell[run.run_id] = now + min(beats, TELLING_SECONDS) + SLACK_SECONDS
                if len(self._to_tell) > self._tidy_at:
                    self.must_tell(now)  # drops what is over
                    # Not again with the next run: all of them may have been given up at once.
                    self._tidy_at = max(_MANY, 2 * len(self._to_tell))

    def deliver(self, run: RunEntry, event: Event) -> None:
        """Put an event into the next batch for the run's sink, if its item is still open."""
        if run.item.open:
            self._batches.setdefault(run.sink, []).append((run.run_id, event))

    @property
    def has_batches(self) -> bool:
        """There are events to be taken."""
        return bool(self._batches)

    def take_batches(self) -> dict[Sink, list[tuple[str, Event]]]:
        """All undelivered events, by sink; they are the caller's now."""
        batches, self._batches = self._batches, {}
        return batches

    def heard(self, run: RunEntry, execution_id: str, now: float) -> None:
        """The run's current execution spoke."""
        run.last_heard_at = now
        run.beat_closed_at = None
        run.execution_id = run.execution_id or execution_id
        redelivery.current_spoke(run)
        self.contested.discard(run)

    def beats_over(self, run: RunEntry, connection: object) -> None:
        """The run's worker holds `connection` open: its end is a reason to ask."""
        if run.beat_connection is not connection:
            self.drop_beats(run)
            run.beat_connection = connection
            self._beats.setdefault(connection, set()).add(run)

    def drop_beats(self, run: RunEntry) -> None:
        """The run's heartbeats belong to no connection any more."""
        runs = self._beats.get(run.beat_connection)
        if runs is not None:
            runs.discard(run)
            if not runs:
                del self._beats[run.beat_connection]
        run.beat_connection = None

    def take_beats(self, connection: object) -> set[RunEntry]:
        """The open runs whose heartbeats `connection` carried; it carries them no more."""
        runs = self._beats.pop(connection, set())
        for run in runs:
            run.beat_connection = None
        return runs

    @staticmethod
    def may_give_a_result(item: ItemEntry) -> bool:
        """A run of the item is open, or ended without having said its last word."""
        return any(run.state == OPEN or run.ending is NO_EVENT for run in item.runs)
