"""What an event means: the rules of delivery, one method for each situation.

Called with the hub's lock held. Every method decides first, changing the
records, and only then answers.
"""

from __future__ import annotations

from wove.contract import TERMINAL
from wove.receiver import answers, redelivery
from wove.receiver.answers import Answer
from wove.receiver.endings import NO_EVENT, RunEnding, ending_of
from wove.receiver.ledger import Ledger
from wove.receiver.records import OPEN, RunEntry
from wove.receiver.selfcheck import SelfCheck
from wovepb.v1.ack_pb2 import EventAck
from wovepb.v1.event_pb2 import Event

__all__ = ["Rules"]


class Rules:
    """Decides events of runs; `Hub` has checked their tokens."""

    def __init__(self, ledger: Ledger, selfcheck: SelfCheck, receiver_id: str) -> None:
        self._ledger = ledger
        self._selfcheck = selfcheck
        self._receiver_id = receiver_id

    def of_open_run(
        self, run: RunEntry, event: Event, kind: str | None, now: float, connection: object | None
    ) -> Answer:
        """An event of a run that is open; `kind` is None for a frame that is not known."""
        if kind == "task_started":
            return self._start(run, event, now, connection)
        if kind in TERMINAL:
            return self._terminal(run, event, kind, now)
        if not run.is_current(event.execution_id):
            return self._stop(run, event)
        return self._sign_of_life(run, event, kind, now, connection)

    def of_ended_run(self, run: RunEntry, event: Event, kind: str | None, now: float) -> Answer:
        """An event of an ended run whose item is still in memory."""
        ending = run.ending or NO_EVENT
        if ending.by_event() or not run.item.open:
            return self.after_the_end(ending, event, kind)
        if kind == "task_result":
            return self._late_result(run, event, now)
        if kind in TERMINAL:
            # Acknowledged and recorded; the item's newer run decides.
            run.ending = ending_of(event, kind)
            return answers.ACCEPTED
        if kind == "task_started":
            return answers.ENDED_WITHOUT_EVENT
        return self._stop(run, event)

    def after_the_end(self, ending: RunEnding, event: Event, kind: str | None) -> Answer:
        """An event of a run that nobody waits for any more."""
        if not ending.by_event():
            return answers.ENDED_WITHOUT_EVENT
        if kind in TERMINAL:
            same = ending.is_same(event, kind)
            return answers.ACCEPTED if same else answers.ENDED_WITH_ANOTHER_EVENT
        if kind == "task_started" and ending.is_other_execution(event):
            # The backend delivered a finished job again: a 2xx would run it again.
            return answers.ANOTHER_EXECUTION
        return answers.ACCEPTED

    def _start(self, run: RunEntry, event: Event, now: float, connection: object | None) -> Answer:
        if not run.is_current(event.execution_id):
            return self._second_execution(run, event, now, connection)
        again = run.started_at is not None
        if run.cancel_requested and run.gated and not again:
            return self._keep_the_gate_shut(run, now)
        self._ledger.heard(run, event.execution_id, now)
        if not again:
            self._started(run, event, now, connection)
        return self._accepted(run, event, duplicate=again)

    def _keep_the_gate_shut(self, run: RunEntry, now: float) -> Answer:
        """Refuse the start of a cancelled run: the proof that its task never runs.

        Only before any start was accepted. A repeated `task_started` may be a
        copy made by the network of one whose answer the worker has, so that
        refusing it would prove nothing.
        """
        self._ledger.end(run, "cancelled", NO_EVENT)
        event = Event(run_id=run.run_id, task_id=run.task_id)
        event.task_cancelled.reason = "cancelled before it started"
        self._ledger.deliver(run, event)
        self._ledger.close(run.item, "cancelled", now)
        return answers.ENDED_WITHOUT_EVENT

    def _second_execution(
        self, run: RunEntry, event: Event, now: float, connection: object | None
    ) -> Answer:
        if run.cancel_requested:
            return answers.ANOTHER_EXECUTION
        self._selfcheck.start()
        silence_from = self._selfcheck.silence_from()
        permission = redelivery.ask(run, event.execution_id, now, silence_from)
        if permission is redelivery.Permission.NEVER:
            return answers.ANOTHER_EXECUTION
        if permission is redelivery.Permission.WAIT:
            self._ledger.contested.add(run)
            return answers.wait(redelivery.retry_after(run, event.execution_id, now, silence_from))
        self._ledger.drop_beats(run)
        redelivery.take_over(run, event.execution_id)
        self._ledger.heard(run, event.execution_id, now)
        self._started(run, event, now, connection)
        return self._accepted(run, event)

    def _started(self, run: RunEntry, event: Event, now: float, connection: object | None) -> None:
        frame = event.task_started
        run.started_at = now
        run.worker_id = frame.worker_id
        run.backend_job_id = frame.backend_job_id or run.backend_job_id
        run.heartbeat_seconds = frame.heartbeat_seconds if frame.heartbeat_seconds > 0 else None
        if run.heartbeat_seconds is not None and connection is not None:
            # Until the first heartbeat brings a connection of its own: a worker killed before
            # that is told by the end of this one.
            self._ledger.beats_over(run, connection)
        self._ledger.deliver(run, event)

    def _terminal(self, run: RunEntry, event: Event, kind: str, now: float) -> Answer:
        is_result = kind == "task_result"
        if not is_result and not run.is_current(event.execution_id):
            # A superseded or refused execution gives up; the current one goes on.
            return answers.ACCEPTED
        item = run.item
        self._ledger.end(run, kind, ending_of(event, kind))
        self._ledger.deliver(run, event)
        item.open &= not is_result and self._ledger.may_give_a_result(item)
        self._ledger.settle(item, now)
        return answers.ACCEPTED

    def _late_result(self, run: RunEntry, event: Event, now: float) -> Answer:
        """The result of a run that was given up for a newer one: it is a result."""
        run.cause, run.ending = "task_result", ending_of(event, "task_result")
        self._ledger.deliver(run, event)
        run.item.open = False
        for newer in run.item.runs:
            newer.cancel_requested |= newer.state == OPEN and not newer.detached
        self._ledger.settle(run.item, now)
        return answers.ACCEPTED

    def _sign_of_life(
        self, run: RunEntry, event: Event, kind: str | None, now: float, connection: object | None
    ) -> Answer:
        self._ledger.heard(run, event.execution_id, now)
        new = not event.sequence or run.window.add(event.sequence)
        if kind == "heartbeat" and connection is not None:
            self._ledger.beats_over(run, connection)
        if kind == "heartbeat" or (new and kind is not None):
            self._ledger.deliver(run, event)
        return self._accepted(run, event, duplicate=not new)

    def _accepted(self, run: RunEntry, event: Event, *, duplicate: bool = False) -> Answer:
        if run.cancel_requested:
            return self._cancel(event, duplicate=duplicate)
        return answers.ACCEPTED

    def _stop(self, run: RunEntry, event: Event) -> Answer:
        """Accept an event of an execution or a run that was superseded; tell it to stop."""
        return answers.ACCEPTED if run.detached else self._cancel(event)

    def _cancel(self, event: Event, *, duplicate: bool = False) -> Answer:
        ack = EventAck(event_id=event.event_id, duplicate=duplicate, receiver_id=self._receiver_id)
        ack.cancel.run_id = event.run_id
        ack.cancel.task_id = event.task_id
        return Answer(200, ack=ack)
