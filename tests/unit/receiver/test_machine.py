"""Any order of events, copies, supersessions and ends, against the simplest model there is."""

from __future__ import annotations

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import Bundle, RuleBasedStateMachine, invariant, rule

from tests.unit.receiver.events import TERMINAL_KINDS, Desk, make, started

KINDS = st.sampled_from(("task_started", "heartbeat", "progress", "log", "unknown"))
EXECUTIONS = st.sampled_from(("x1", "x2"))
IDS = st.sampled_from(("", "e1", "e2"))


class OneEnding(RuleBasedStateMachine):
    """Items of several runs. What the model knows is written down from the outside:
    who ended what, and what was answered to every terminal event."""

    runs = Bundle("runs")

    def __init__(self) -> None:
        super().__init__()
        self.desk = Desk()
        self.count = 0
        self.chain: dict[str, list[str]] = {}
        """Runs of the item of each run, oldest first; the list is shared by them."""
        self.records: dict[str, object] = {}
        self.causes: dict[str, list[str]] = {}
        """What won the right to end each run, by the hub's own word."""
        self.answers: dict[tuple[str, str, str], list[int]] = {}
        self.over: set[int] = set()
        """Items (by id of their chain) that the weave stopped waiting for."""

    def _open(self, older: str | None) -> str:
        run = f"run-{self.count}"
        self.count += 1
        chain = self.chain[older] if older else []
        chain.append(run)
        self.chain[run] = chain
        self.causes[run] = []
        self.records[run] = self.desk.open(run, supersedes=older)
        return run

    @rule(target=runs)
    def open(self) -> str:
        return self._open(None)

    @rule(target=runs, older=runs)
    def supersede(self, older: str) -> str:
        newest = self.chain[older][-1]
        if id(self.chain[older]) in self.over or self._results(older):
            return self._open(None)  # a weave does not go on with an item that is over
        was_open = self.desk.hub.run(newest) is not None and self.records[newest].state == "open"
        run = self._open(newest)
        if was_open:
            self.causes[newest].append("superseded")
        return run

    @rule(run=runs, kind=st.sampled_from(TERMINAL_KINDS), execution=EXECUTIONS, event_id=IDS)
    def terminal(self, run: str, kind: str, execution: str, event_id: str) -> None:
        status = self.desk.status(make(kind, run=run, execution=execution, event_id=event_id))
        assert status in (204, 409, 410)
        self.answers.setdefault((run, kind, event_id), []).append(status)

    @rule(run=runs, kind=KINDS, execution=EXECUTIONS, seq=st.integers(0, 4))
    def other(self, run: str, kind: str, execution: str, seq: int) -> None:
        event = (
            started(run=run, execution=execution)
            if kind == "task_started"
            else make(kind, run=run, execution=execution, seq=seq)
        )
        status = self.desk.status(event)
        allowed = (200, 204, 410, 409, 503) if kind == "task_started" else (200, 204, 410)
        assert status in allowed

    @rule(run=runs, goes_on=st.booleans())
    def verdict(self, run: str, goes_on: bool) -> None:
        if self.desk.hub.end_run(run, "verdict", item_goes_on=goes_on):
            self.causes[run].append("verdict")
            if not goes_on:
                self.over.add(id(self.chain[run]))

    @rule(run=runs)
    def cancel(self, run: str) -> None:
        asked = self.desk.hub.request_cancel(run)
        assert asked == (self.records[run].state == "open")

    @rule(run=runs)
    def close(self, run: str) -> None:
        self.desk.hub.close_item(run)
        if self.desk.hub.run(run) is None:
            self.over.add(id(self.chain[run]))

    @rule(seconds=st.sampled_from((1.0, 20.0)))
    def time(self, seconds: float) -> None:
        self.desk.pass_time(seconds)

    @rule(run=runs)
    def death(self, run: str) -> None:
        self.desk.hub.execution_dead(run)

    def _delivered(self, run: str) -> list[str]:
        return [kind for name, kind in self.desk.sink.kinds if name == run]

    def _results(self, run: str) -> list[str]:
        return [
            each
            for each in self.chain[run]
            for kind in self._delivered(each)
            if kind == "task_result"
        ]

    @invariant()
    def every_run_ends_at_most_once(self) -> None:
        for run, record in self.records.items():
            terminal = [kind for kind in self._delivered(run) if kind in TERMINAL_KINDS]
            assert len(terminal) <= 1
            assert len(self.causes[run]) <= 1
            if self.causes[run]:
                # Given up without an event: only a late result, taken, can follow.
                assert terminal in ([], ["task_result"])
            if terminal or self.causes[run]:
                assert record.state == "ended"

    @invariant()
    def an_item_has_at_most_one_result_and_nothing_after_it(self) -> None:
        for run in self.records:
            assert len(self._results(run)) <= 1
        for chain in {id(chain): chain for chain in self.chain.values()}.values():
            kinds = [kind for name, kind in self.desk.sink.kinds if name in chain]
            if "task_result" in kinds:
                after = kinds[kinds.index("task_result") + 1 :]
                assert not set(after) & {"task_error", "task_cancelled", "task_started"}

    @invariant()
    def only_the_newest_run_of_an_item_is_open(self) -> None:
        for run, record in self.records.items():
            assert record.state == "ended" or self.chain[run][-1] == run

    @invariant()
    def an_accepted_terminal_event_is_accepted_for_ever_by_an_ended_run(self) -> None:
        for (run, kind, event_id), statuses in self.answers.items():
            # Once a run ended with this very event, copies of it are 204.
            record = self.records[run]
            if record.cause == kind and record.state == "ended" and statuses[-1] == 409:
                ending = record.ending
                assert ending is not None
                event = make(kind, run=run, event_id=event_id)
                assert not ending.is_same(event, kind)

    @invariant()
    def nothing_is_kept_of_items_that_are_over(self) -> None:
        kept = self.desk.hub._ledger
        for run in kept.runs:
            assert self.records[run].state == "open" or any(
                self.desk.hub.run(each) is not None for each in self.chain[run]
            )
        assert kept.contested <= {record for record in kept.runs.values() if record.state == "open"}


TestOneEnding = OneEnding.TestCase
TestOneEnding.settings = settings(max_examples=60, stateful_step_count=30, deadline=None)
