"""Several runs of one item: retries and requeues, and what comes late."""

from __future__ import annotations

import pytest

from tests.unit.receiver.events import RUN, Desk, make, started
from wove.receiver.ledger import Ledger


@pytest.fixture
def two(desk: Desk) -> Desk:
    """An item whose first run was given up while it ran, and whose second is open."""
    desk.open("a")
    desk.status(started(run="a"))
    assert desk.hub.end_run("a", "worker_lost", item_goes_on=True)
    desk.open("b", supersedes="a", attempt=1)
    desk.sink.batches.clear()
    return desk


def state(desk: Desk, run_id: str) -> tuple[str, str | None]:
    run = desk.hub.run(run_id)
    assert run is not None
    return run.state, run.cause


def test_a_new_run_ends_an_older_one_that_is_open(desk: Desk) -> None:
    older = desk.open("a")
    newer = desk.open("b", supersedes="a", attempt=1)
    assert (older.state, older.cause) == ("ended", "superseded")
    assert (newer.state, newer.attempt) == ("open", 1)


@pytest.mark.parametrize("kind", ["heartbeat", "progress", "log", "unknown"])
def test_the_older_runs_beats_are_answered_with_cancel(two: Desk, kind: str) -> None:
    answer = two.answer(make(kind, run="a"))
    assert answer.status == 200
    assert answer.ack.cancel.run_id == "a"
    assert two.sink.events == []


def test_the_older_run_does_not_start(two: Desk) -> None:
    assert two.status(started(run="a")) == 410
    assert two.sink.events == []


def test_the_older_runs_late_result_is_taken_and_the_newer_run_cancelled(two: Desk) -> None:
    two.status(started(run="b", execution="y"))
    assert two.status(make("task_result", run="a")) == 204
    assert two.sink.kinds[-1] == ("a", "task_result")
    assert state(two, "a") == ("ended", "task_result")
    newer = two.hub.run("b")
    assert newer is not None
    assert newer.cancel_requested
    answer = two.answer(make("heartbeat", run="b", execution="y"))
    assert (answer.status, answer.ack.cancel.run_id) == (200, "b")


@pytest.mark.parametrize("kind", ["task_result", "task_error", "task_cancelled"])
def test_after_that_the_newer_runs_ending_is_acknowledged_and_nothing_more(
    two: Desk, kind: str
) -> None:
    two.status(started(run="b", execution="y"))
    two.status(make("task_result", run="a"))
    two.sink.batches.clear()
    assert two.status(make(kind, run="b", execution="y")) == 204
    assert two.sink.events == []
    assert two.hub.run("a") is two.hub.run("b") is None  # nothing is left but tombstones
    assert two.status(make(kind, run="b", execution="y")) == 204
    assert two.status(make("task_result", run="a")) == 204
    assert two.status(make("task_error", run="a")) == 409


def test_after_that_a_newer_run_that_has_not_started_does_not(two: Desk) -> None:
    two.status(make("task_result", run="a"))
    two.sink.batches.clear()
    assert two.status(started(run="b", execution="y")) == 410
    assert two.sink.events == []
    assert two.hub.run("b") is None


def test_a_result_that_comes_between_two_runs_keeps_the_second_from_starting(desk: Desk) -> None:
    desk.open("a")
    desk.hub.end_run("a", "timed_out", item_goes_on=True)
    assert desk.status(make("task_result", run="a")) == 204
    desk.open("b", supersedes="a")
    assert desk.status(started(run="b")) == 410
    assert desk.sink.kinds == [("a", "task_result")]


@pytest.mark.parametrize("kind", ["task_error", "task_cancelled"])
def test_the_older_runs_late_failure_is_recorded_and_ends_nothing(two: Desk, kind: str) -> None:
    assert two.status(make(kind, run="a", event_id="e")) == 204
    assert two.sink.events == []
    assert state(two, "a") == ("ended", "worker_lost")
    assert state(two, "b") == ("open", None)
    assert two.status(make(kind, run="a", event_id="e")) == 204
    assert two.status(make("task_result", run="a", event_id="f")) == 409
    assert two.status(make("heartbeat", run="a")) == 204
    assert two.status(make("task_result", run="b")) == 204
    assert two.sink.kinds == [("b", "task_result")]


def test_a_late_result_wins_after_the_newer_run_failed_and_before_the_item_ends(two: Desk) -> None:
    assert two.status(make("task_error", run="b")) == 204
    assert two.status(make("task_result", run="a")) == 204
    assert two.sink.kinds == [("b", "task_error"), ("a", "task_result")]


def test_a_third_run_joins_the_item(two: Desk) -> None:
    two.hub.end_run("b", "timed_out", item_goes_on=True)
    two.open("c", supersedes="b", attempt=2)
    assert two.status(make("task_result", run="a")) == 204
    assert two.status(started(run="c")) == 410
    assert two.status(make("task_result", run="b")) == 410


def test_only_one_late_result_of_an_item_is_taken(two: Desk) -> None:
    two.hub.end_run("b", "timed_out", item_goes_on=True)
    two.open("c", supersedes="b", attempt=2)
    two.status(started(run="c"))
    assert two.status(make("task_result", run="a")) == 204
    assert two.status(make("task_result", run="b")) == 410
    assert two.status(make("heartbeat", run="b")) == 410
    assert two.status(make("heartbeat", run="c")) == 200
    assert two.sink.kinds == [("c", "task_started"), ("a", "task_result")]


def test_when_the_newer_run_gave_the_result_the_older_one_is_gone(two: Desk) -> None:
    assert two.status(make("task_result", run="b")) == 204
    assert two.status(make("task_result", run="a")) == 410
    assert two.status(make("heartbeat", run="a")) == 410


@pytest.mark.parametrize("by", ["a", "b"])
def test_closing_the_item_by_any_of_its_runs_ends_them_all(two: Desk, by: str) -> None:
    two.hub.close_item(by)
    assert two.hub.run("a") is two.hub.run("b") is None
    for run in ("a", "b"):
        assert two.status(make("task_result", run=run)) == 410
    assert two.sink.events == []


def test_a_cause_that_ends_the_item_ends_all_its_runs(two: Desk) -> None:
    assert two.hub.end_run("b", "timed_out")
    assert two.status(make("task_result", run="a")) == 410


def test_a_verdict_on_a_run_given_up_changes_nothing(two: Desk) -> None:
    assert two.hub.end_run("a", "timed_out") is False
    assert state(two, "b") == ("open", None)
    assert two.status(make("task_result", run="a")) == 204


def test_a_retry_after_a_failure_is_an_item_of_its_own(desk: Desk) -> None:
    desk.open("a")
    desk.status(make("task_error", run="a"))
    run = desk.open("b", supersedes="a", attempt=1)
    assert not run.cancel_requested
    assert desk.status(started(run="b")) == 204
    assert desk.status(make("task_result", run="a", event_id="late")) == 409
    assert desk.status(make("task_result", run="b")) == 204


def test_the_older_run_of_a_detached_item_is_not_told_to_stop(desk: Desk) -> None:
    desk.open("a", detached=True, gated=False)
    desk.hub.end_run("a", "timed_out", item_goes_on=True)
    assert desk.status(make("heartbeat", run="a")) == 204


class TestGivenUp:
    """A process that ends must first tell the workers of what it gave up."""

    def test_nothing_was_given_up(self, desk: Desk) -> None:
        desk.open()
        desk.status(started())
        desk.status(make("task_result"))
        desk.hub.close_item(RUN)
        assert not desk.hub.must_tell()

    @pytest.mark.parametrize("cause", ["timed_out", None])
    def test_a_worker_that_beats_is_waited_for(self, desk: Desk, cause: str | None) -> None:
        desk.open()
        desk.status(started(beats=2.0))
        if cause is not None:
            desk.hub.end_run(RUN, cause)
        desk.hub.close_item(RUN)
        assert desk.hub.must_tell()
        assert desk.status(make("heartbeat")) == 410
        assert desk.hub.must_tell()  # it stops the task now, and will say so
        assert desk.status(make("task_cancelled")) == 410
        assert not desk.hub.must_tell()

    @pytest.mark.parametrize("beats", [2.0, 5.0])  # 5 s: what workers announce by default
    def test_until_its_next_beat_though_it_is_late(self, desk: Desk, beats: float) -> None:
        desk.open()
        desk.status(started(beats=beats))
        desk.hub.close_item(RUN)
        desk.pass_time(beats + 0.9)
        assert desk.hub.must_tell()
        desk.pass_time(0.2)
        assert not desk.hub.must_tell()

    def test_slow_beats_are_not_waited_for(self, desk: Desk) -> None:
        desk.open()
        desk.status(started(beats=60.0))
        desk.hub.close_item(RUN)
        desk.pass_time(6.1)
        assert not desk.hub.must_tell()

    def test_many_given_up_at_once_are_not_looked_through_with_each(
        self, desk: Desk, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        looked: list[float] = []
        look = Ledger.must_tell

        def counted(ledger: Ledger, now: float) -> bool:
            looked.append(now)
            return look(ledger, now)

        monkeypatch.setattr(Ledger, "must_tell", counted)
        for count in range(3000):
            desk.open(f"r{count}")
            desk.status(started(run=f"r{count}"))
        for count in range(3000):
            desk.hub.close_item(f"r{count}")
        assert len(looked) < 10

    @pytest.mark.parametrize("options", [{"gone": True}, {}])
    def test_nobody_runs_it(self, desk: Desk, options: dict[str, bool]) -> None:
        desk.open()
        if options:
            desk.status(started())
        desk.hub.close_item(RUN, **options)
        assert not desk.hub.must_tell()

    def test_a_lost_worker_will_not_ask(self, desk: Desk) -> None:
        desk.open()
        desk.status(started())
        desk.hub.end_run(RUN, "worker_lost")
        desk.hub.close_item(RUN)
        assert not desk.hub.must_tell()

    def test_a_detached_run_is_not_told(self, desk: Desk) -> None:
        desk.open(detached=True)
        desk.status(started())
        desk.hub.close_item(RUN)
        assert not desk.hub.must_tell()
