"""The hub: decides what each event means, and for whom it is.

No sockets, no threads of its own, an injected clock. One lock guards every
record, so that an event, a timeout, a cancel and a verdict of the backend are
the same compare-and-set from open to ended, made before any answer is given.
"""

from __future__ import annotations

import logging
import secrets
import threading

from wove.contract import TERMINAL, event_type
from wove.receiver import answers, redelivery
from wove.receiver.answers import Answer
from wove.receiver.clock import SYSTEM_CLOCK, Clock
from wove.receiver.endings import NO_EVENT
from wove.receiver.ledger import Ledger
from wove.receiver.records import ENDED, ItemEntry, RunEntry, Sink
from wove.receiver.rules import Rules
from wove.receiver.selfcheck import SelfCheck
from wove.receiver.tokens import Tokens, same_token
from wovepb.v1.event_pb2 import Event

__all__ = ["Hub"]

logger = logging.getLogger(__name__)


class Hub:
    """All runs that one receiver waits for.

    Weaves call `open_run`, `run`, `request_cancel`, `end_run`, `close_item` and
    `execution_dead` from any thread. The doors, HTTP now, call the rest from
    the receiver's thread.

    Args:
        clock: where time comes from.

    Attributes:
        receiver_id: random; tells this receiver from any other.
        last_contact_at: monotonic seconds of the last event with a valid token.
        closing: answer everything with 503 from now on.
    """

    def __init__(self, *, clock: Clock = SYSTEM_CLOCK) -> None:
        self.receiver_id = secrets.token_hex(8)
        self.last_contact_at: float | None = None
        self.closing = False
        self._clock = clock
        self._lock = threading.Lock()
        self._tokens = Tokens()
        self._ledger = Ledger()
        self._selfcheck = SelfCheck(clock)
        self._rules = Rules(self._ledger, self._selfcheck, self.receiver_id)

    def add_token(self, token: str) -> None:
        """Accept `token` at the door from now on."""
        with self._lock:
            self._tokens.add(token)

    def open_run(
        self,
        run_id: str,
        *,
        task_id: str,
        token: str,
        sink: Sink,
        supersedes: str | None = None,
        attempt: int = 0,
        gated: bool = True,
        detached: bool = False,
    ) -> RunEntry:
        """Begin to wait for `run_id`; to be called before it is submitted.

        Args:
            run_id: identifier of the run, new to this hub.
            task_id: name of its task.
            token: the callback token that its payload carries.
            sink: takes its events.
            supersedes: the run of the same item before this one. It ends, if it
                is still open; a late result of it is taken while the item is.
                When it has given its result already, the new run is born with a
                cancel requested, so that it never starts.
            attempt: runs of this item before this one.
            gated: the worker does not call the task before `task_started` is
                acknowledged.
            detached: the worker is never told to stop.

        Raises:
            ValueError: the run is open already.
        """
        with self._lock:
            if run_id in self._ledger.runs:
                raise ValueError(f"run {run_id!r} is open already")
            self._tokens.add(token)
            now = self._clock.monotonic()
            older = self._ledger.runs.get(supersedes or "")
            if older is not None:
                self._ledger.end(older, "superseded", NO_EVENT)
            run = RunEntry(
                run_id,
                task_id=task_id,
                token=token,
                sink=sink,
                item=ItemEntry() if older is None else older.item,
                opened_at=now,
                attempt=attempt,
                gated=gated,
                detached=detached,
            )
            ending = self._ledger.ending(supersedes, now) if supersedes else None
            if ending is not None and ending.result:
                run.item.open = False
            run.cancel_requested = not run.item.open
            self._ledger.add(run)
            return run

    def run(self, run_id: str) -> RunEntry | None:
        """The record of a run while this hub keeps it; None otherwise."""
        return self._ledger.runs.get(run_id)

    def request_cancel(self, run_id: str) -> bool:
        """Tell the run's worker to stop, with the next answer that it gets.

        This ends nothing: a result that arrives first wins. A gated run whose
        start was not accepted yet will be refused it; that ends the run, and
        its sink gets a `task_cancelled` made here.

        Returns:
            Whether there is an open run whose worker may be told.
        """
        with self._lock:
            run = self._ledger.runs.get(run_id)
            if run is None or run.state == ENDED or run.detached:
                return False
            run.cancel_requested = True
            tell = run.tell
        if tell is not None:
            tell(run.run_id, run.task_id)
        return True

    def end_run(self, run_id: str, cause: str, *, item_goes_on: bool = False) -> bool:
        """End a run without an event: a timeout, a cancel, a verdict, a failed submission.

        Args:
            run_id: the run.
            cause: why; kept as the run's `cause`.
            item_goes_on: the item will have another run; until the item ends, a
                late `task_result` of this one is taken.

        Returns:
            Whether this call ended it. False: an event, or another cause, was first.
        """
        with self._lock:
            run = self._ledger.runs.get(run_id)
            if run is None or not self._ledger.end(run, cause, NO_EVENT):
                return False
            if not item_goes_on:
                self._ledger.close(run.item, cause, self._clock.monotonic())
            return True

    def close_item(self, run_id: str, *, gone: bool = False) -> None:
        """Stop waiting for the item that `run_id`, any of its runs, belongs to.

        Args:
            run_id: the run.
            gone: there is proof that the run's job does not run.
        """
        with self._lock:
            run = self._ledger.runs.get(run_id)
            if run is not None:
                self._ledger.close(run.item, "closed", self._clock.monotonic())
            if gone:
                self._ledger.was_told(run_id)

    def must_tell(self) -> bool:
        """A worker still runs what was given up, and is to hear of it with its next heartbeat.

        The process should not end before: an answer is what stops such a task.
        """
        with self._lock:
            return self._ledger.must_tell(self._clock.monotonic())

    def execution_dead(self, run_id: str) -> bool:
        """Note the backend's verdict that the run's current execution is dead.

        The next execution that asks to start may. Should the dead one speak
        before, the verdict is void.

        Returns:
            Whether another execution waits, which may now start. False once it had the
            time to come back and did not: it is not to be waited for any longer.
        """
        with self._lock:
            run = self._ledger.runs.get(run_id)
            if run is None or run.state == ENDED:
                return False
            return redelivery.dies(run, self._clock.monotonic())

    def refusal(self, token: str, receiver: str | None) -> Answer | None:
        """The answer to an event whose token is enough to refuse it, before its body is read.

        Args:
            token: what the caller presented.
            receiver: the `receiver_id` it addresses; None when it names none.
        """
        if self.closing:
            return answers.SHUTTING_DOWN
        if token in self._tokens:
            return None
        return self._elsewhere(receiver) or answers.WRONG_TOKEN

    def handle(
        self, event: Event, *, token: str, receiver: str | None, connection: object | None = None
    ) -> Answer:
        """Decide one event.

        Args:
            event: the event.
            token: the token it came with.
            receiver: the `receiver_id` its sender addressed; None when it named none.
            connection: what it came over, as `connection_lost` will name it.
        """
        kind = event_type(event)
        with self._lock:
            if self.closing:
                return answers.SHUTTING_DOWN
            run = self._ledger.runs.get(event.run_id)
            known = token in self._tokens if run is None else same_token(run.token, token)
            if not known:
                return self._elsewhere(receiver) or answers.WRONG_TOKEN
            now = self.last_contact_at = self._clock.monotonic()
            if run is None:
                ending = self._ledger.ending(event.run_id, now)
                if kind in TERMINAL:
                    self._ledger.was_told(event.run_id)
                if ending is None:
                    return self._elsewhere(receiver) or answers.UNKNOWN_RUN
                return self._rules.after_the_end(ending, event, kind)
            run.heard = True
            if run.state == ENDED:
                return self._rules.of_ended_run(run, event, kind, now)
            return self._rules.of_open_run(run, event, kind, now, connection)

    @property
    def has_batches(self) -> bool:
        """Events wait for `flush`."""
        return self._ledger.has_batches

    def flush(self) -> None:
        """Hand every sink the events accepted since the last time, as one batch."""
        with self._lock:
            batches = self._ledger.take_batches()
        for sink, batch in batches.items():
            _put(sink, batch)

    def connection_lost(self, connection: object) -> None:
        """The peer closed `connection`: noted in the runs whose heartbeats it carried."""
        with self._lock:
            now = self._clock.monotonic()
            for run in self._ledger.take_beats(connection):
                run.beat_closed_at = now

    def connection_dropped(self, connection: object) -> None:
        """The receiver itself closed `connection`: that says nothing about a worker."""
        with self._lock:
            self._ledger.take_beats(connection)

    @property
    def needs_ticks(self) -> bool:
        """Somebody's silence is being judged, so the receiver's own time must be watched."""
        return bool(self._ledger.contested)

    def tick(self) -> None:
        """To be called every `CHECK_SECONDS` while `needs_ticks`."""
        with self._lock:
            self._selfcheck.beat()
            if not self._ledger.contested:
                self._selfcheck.stop()

    def _elsewhere(self, receiver: str | None) -> Answer | None:
        """The answer to what is not ours, if it was addressed to somebody else."""
        if receiver is None or receiver == self.receiver_id:
            return None
        return answers.ANOTHER_RECEIVER


def _put(sink: Sink, batch: list[tuple[str, Event]]) -> None:
    try:
        sink.put(batch)
    except Exception:
        # One weave's failure must not take the events of the others.
        logger.exception("A weave's sink failed; %d events are lost to it", len(batch))
