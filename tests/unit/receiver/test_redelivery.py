"""A second execution of an open run, as a backend's redelivery makes it."""

from __future__ import annotations

import pytest

from tests.unit.receiver.events import RUN, Desk, make, started

PERIOD = 15.0  # three announced intervals of 5 s


@pytest.fixture
def first(desk: Desk) -> Desk:
    desk.open()
    assert desk.status(started(execution="x1")) == 204
    return desk


def second(desk: Desk) -> int:
    return desk.status(started(execution="x2"))


def test_it_waits_at_most_five_seconds_at_a_time(first: Desk) -> None:
    answer = first.answer(started(execution="x2"))
    assert (answer.status, answer.retry_after) == (503, 5.0)
    first.pass_time(13)
    answer = first.answer(started(execution="x2"))
    assert answer.status == 503
    assert answer.retry_after == pytest.approx(2.0)


@pytest.mark.parametrize("kind", ["heartbeat", "progress", "log", "unknown", "task_started"])
def test_it_never_starts_once_the_first_speaks(first: Desk, kind: str) -> None:
    second(first)
    assert first.status(make(kind)) == 204
    assert second(first) == 409
    first.pass_time(10 * PERIOD)
    assert second(first) == 409
    run = first.hub.run(RUN)
    assert run is not None
    assert run.execution_id == "x1"


def test_it_starts_when_the_first_is_silent_for_a_period(first: Desk) -> None:
    first.pass_time(60)  # silence before it asked does not count
    assert second(first) == 503
    first.pass_time(PERIOD - 1)
    assert second(first) == 503
    first.pass_time(1)
    assert second(first) == 204
    run = first.hub.run(RUN)
    assert run is not None
    assert (run.execution_id, run.worker_id) == ("x2", "worker-of-x2")
    assert (run.started_at, run.last_heard_at) == (first.clock.now, first.clock.now)
    assert first.sink.kinds == [(RUN, "task_started"), (RUN, "task_started")]


def test_it_starts_at_once_when_the_backend_says_that_the_first_is_dead(first: Desk) -> None:
    assert second(first) == 503
    assert first.hub.execution_dead(RUN)
    assert second(first) == 204


def test_a_verdict_counts_as_death_when_nobody_waits(first: Desk) -> None:
    assert not first.hub.execution_dead(RUN)  # nobody ever asked
    first.status(make("heartbeat"))
    second(first)
    first.status(make("heartbeat"))  # it lives: the second is refused for good
    assert not first.hub.execution_dead(RUN)


def test_who_waits_is_given_the_time_that_it_was_told_and_no_more(first: Desk) -> None:
    assert first.answer(started(execution="x2")).retry_after == 5.0
    assert first.hub.execution_dead(RUN)
    first.pass_time(5.5)
    assert first.hub.execution_dead(RUN)  # the backend was asked again, before the second was
    first.pass_time(1)
    assert not first.hub.execution_dead(RUN)


def test_the_second_is_lost_like_any_other(first: Desk) -> None:
    second(first)
    assert first.hub.execution_dead(RUN)
    assert second(first) == 204
    assert not first.hub.execution_dead(RUN)


def test_a_dead_execution_that_speaks_is_not_dead(first: Desk) -> None:
    first.hub.execution_dead(RUN)
    first.status(make("heartbeat"))
    assert second(first) == 503


def test_an_ended_run_has_no_execution_to_be_dead(first: Desk) -> None:
    first.hub.end_run(RUN, "timed_out", item_goes_on=True)
    assert first.hub.execution_dead(RUN) is False


def test_a_worker_that_promised_no_beats_is_not_judged_by_silence(desk: Desk) -> None:
    desk.open()
    desk.status(started(execution="x1", beats=None))
    assert second(desk) == 503
    desk.pass_time(3600)
    assert second(desk) == 503
    desk.hub.execution_dead(RUN)
    assert second(desk) == 204


def test_without_an_execution_id_it_is_the_published_package(desk: Desk) -> None:
    desk.open()
    assert desk.status(started(execution="", event_id="")) == 204
    assert desk.status(started(execution="", event_id="")) == 204
    assert desk.sink.kinds == [(RUN, "task_started")]


class TestSuperseded:
    @pytest.fixture
    def both(self, first: Desk) -> Desk:
        """The second execution has the run; the first was not dead after all."""
        first.status(make("progress", seq=1))
        first.hub.execution_dead(RUN)
        assert second(first) == 204
        first.sink.batches.clear()
        return first

    def test_its_beats_are_answered_with_cancel_and_are_no_life_sign(self, both: Desk) -> None:
        run = both.hub.run(RUN)
        assert run is not None
        heard = run.last_heard_at
        both.clock.move(3)
        answer = both.answer(make("heartbeat"))
        assert answer.status == 200
        assert answer.ack.HasField("cancel")
        assert run.last_heard_at == heard

    def test_it_does_not_start_again(self, both: Desk) -> None:
        assert both.status(started(execution="x1")) == 409

    @pytest.mark.parametrize("kind", ["task_error", "task_cancelled"])
    def test_its_failure_ends_nothing(self, both: Desk, kind: str) -> None:
        assert both.status(make(kind)) == 204
        run = both.hub.run(RUN)
        assert run is not None
        assert run.state == "open"
        assert both.sink.events == []

    def test_its_result_is_a_result(self, both: Desk) -> None:
        assert both.status(make("task_result")) == 204
        assert both.sink.kinds == [(RUN, "task_result")]
        assert both.status(make("task_result", execution="x2")) == 409

    def test_the_second_counts_its_own_sequence(self, both: Desk) -> None:
        both.status(make("progress", execution="x2", seq=1))
        assert both.sink.kinds == [(RUN, "progress")]

    def test_a_third_must_wait_for_the_second(self, both: Desk) -> None:
        assert both.status(started(execution="x3")) == 503


def test_a_failure_of_one_that_never_started_does_not_end_a_running_one(first: Desk) -> None:
    second(first)
    assert first.status(make("task_error", execution="x2")) == 204
    run = first.hub.run(RUN)
    assert run is not None
    assert run.state == "open"
    assert first.status(make("task_result", execution="x1")) == 204


def test_the_firsts_end_is_the_seconds_refusal(first: Desk) -> None:
    second(first)
    first.status(make("task_result"))
    assert second(first) == 409


def test_a_cancelled_run_takes_no_second_execution(first: Desk) -> None:
    first.hub.request_cancel(RUN)
    assert second(first) == 409
    run = first.hub.run(RUN)
    assert run is not None
    assert run.state == "open"


class TestTheReceiverSuspectsItself:
    def test_a_stopped_process_starts_all_silence_again(self, first: Desk) -> None:
        second(first)
        first.clock.move(PERIOD + 60)  # no tick: the process did not run
        assert second(first) == 503
        first.hub.tick()
        first.pass_time(PERIOD - 1)
        assert second(first) == 503
        first.pass_time(1)
        assert second(first) == 204

    def test_a_machine_that_slept_starts_all_silence_again(self, first: Desk) -> None:
        second(first)
        first.pass_time(PERIOD - 1)
        first.clock.unix += 3600  # the monotonic clock stood still
        first.hub.tick()
        first.pass_time(1)
        assert second(first) == 503
        first.pass_time(PERIOD)
        assert second(first) == 204

    def test_time_is_watched_only_while_somebody_waits(self, first: Desk) -> None:
        assert not first.hub.needs_ticks
        second(first)
        assert first.hub.needs_ticks
        first.status(make("heartbeat"))
        assert not first.hub.needs_ticks
        first.hub.tick()
        first.clock.move(3600)  # nobody watched: this is no gap
        first.status(started(execution="x3"))
        first.pass_time(PERIOD)
        assert first.status(started(execution="x3")) == 204

    @pytest.mark.parametrize("end", ["event", "verdict"])
    def test_an_ended_run_is_not_watched(self, first: Desk, end: str) -> None:
        second(first)
        if end == "event":
            first.status(make("task_result"))
        else:
            first.hub.end_run(RUN, "timed_out")
        assert not first.hub.needs_ticks


def test_rivals_are_bounded(first: Desk) -> None:
    for number in range(100):
        assert first.status(started(execution=f"y{number}")) == 503
    run = first.hub.run(RUN)
    assert run is not None
    assert len(run.rivals) <= 16
