"""The rules of liveness, one by one, with a clock that the test moves."""

from __future__ import annotations

from dataclasses import dataclass

import pytest

from wove.executors.backend_state import BackendState, BackendStatus
from wove.executors.liveness import Liveness
from wove.executors.watch import Judge

LIVE = Liveness()
S = BackendStatus


@dataclass
class Facts:
    heard: bool = False
    started_at: float | None = None
    last_heard_at: float | None = None
    heartbeat_seconds: float | None = None
    beat_closed_at: float | None = None


def judge(*, heartbeat_seconds: float | None = None, knows_queued: bool = True) -> Judge:
    return Judge(LIVE, heartbeat_seconds=heartbeat_seconds, knows_queued=knows_queued, now=0.0)


def started(at: float = 0.0, **more: float) -> Facts:
    return Facts(heard=True, started_at=at, last_heard_at=at, heartbeat_seconds=5.0, **more)


def answer(of: Judge, now: float, status: S, facts: Facts, reason: str = "") -> None:
    of.asked(now)
    of.answer(now, BackendState(status, reason), facts)


def cause(of: Judge, now: float, facts: Facts, contact: float | None = None) -> str | None:
    verdict = of.verdict(now, facts, contact)
    return None if verdict is None else verdict.cause


# ---- what the backend says ------------------------------------------------------------


@pytest.mark.parametrize(
    ("status", "grace", "expected"),
    [
        (S.FAILED, 2.0, "backend_failed"),
        (S.CANCELLED, 2.0, "backend_cancelled"),
        (S.LOST, 0.25, "worker_lost"),
    ],
)
def test_an_end_told_by_the_backend_waits_for_events_in_flight(status, grace, expected):
    one, facts = judge(), started()
    answer(one, 10.0, status, facts, "its words")
    assert cause(one, 10.0 + grace - 0.01, facts) is None
    verdict = one.verdict(10.0 + grace, facts, None)
    assert verdict is not None
    assert (verdict.cause, verdict.reason) == (expected, "its words")


def test_an_end_told_twice_counts_from_the_first_time():
    one, facts = judge(), started()
    answer(one, 10.0, S.FAILED, facts)
    answer(one, 11.0, S.FAILED, facts)
    assert cause(one, 12.0, facts) == "backend_failed"


def test_an_end_that_the_backend_takes_back_is_none():
    one, facts = judge(), started(9.0)
    answer(one, 10.0, S.FAILED, facts)
    answer(one, 11.0, S.RUNNING, facts)
    assert cause(one, 13.0, facts) is None


def test_absent_counts_twice_and_fifteen_seconds_apart():
    one, facts = judge(), Facts()
    answer(one, 20.0, S.ABSENT, facts)
    assert not one.wants_poll(34.9, facts)
    assert one.wants_poll(35.0, facts)
    answer(one, 34.0, S.ABSENT, facts)
    assert cause(one, 34.0, facts) is None
    answer(one, 35.0, S.ABSENT, facts)
    assert cause(one, 35.0, facts) == "backend_forgot"


def test_absent_starts_again_when_the_backend_knew_the_job_in_between():
    one, facts = judge(), Facts()
    answer(one, 20.0, S.ABSENT, facts)
    answer(one, 30.0, S.QUEUED, facts)
    answer(one, 40.0, S.ABSENT, facts)
    assert cause(one, 40.0, facts) is None


def test_absent_means_nothing_from_a_backend_that_never_knew_the_job():
    one, facts = judge(knows_queued=False), Facts()
    for now in (20.0, 40.0, 60.0):
        answer(one, now, S.ABSENT, facts)
    assert cause(one, 60.0, facts) is None


def test_absent_counts_once_the_job_was_seen():
    one, facts = judge(knows_queued=False), Facts()
    answer(one, 10.0, S.QUEUED, facts)
    answer(one, 20.0, S.ABSENT, facts)
    answer(one, 40.0, S.ABSENT, facts)
    assert cause(one, 40.0, facts) == "backend_forgot"


def test_absent_does_not_count_while_the_worker_beats():
    one, facts = judge(), started()
    for now in (20.0, 40.0):
        facts.last_heard_at = now - 1.0
        answer(one, now, S.ABSENT, facts)
    assert cause(one, 40.0, facts) is None


def test_one_absent_is_proof_enough_for_a_cancellation():
    one, facts = judge(), Facts()
    one.cancel_asked()
    assert one.wants_poll(1.0, facts)
    answer(one, 1.0, S.ABSENT, facts)
    assert cause(one, 1.0, facts) == "backend_forgot"


def test_success_without_a_result_needs_ten_seconds_and_a_second_poll():
    one, facts = judge(), started()
    answer(one, 5.0, S.SUCCEEDED, facts)
    assert not one.wants_poll(14.9, facts)
    assert cause(one, 60.0, started(59.0)) is None
    assert one.wants_poll(15.0, facts)
    answer(one, 15.0, S.SUCCEEDED, facts)
    assert cause(one, 15.0, facts) == "result_missing"


def test_a_job_that_runs_unheard_cannot_reach_us():
    one, facts = judge(), Facts()
    answer(one, 10.0, S.RUNNING, facts, "on node 7")
    assert cause(one, 54.0, facts) is None
    assert not one.wants_poll(54.9, facts)
    assert one.wants_poll(55.0, facts)
    answer(one, 55.0, S.RUNNING, facts, "on node 7")
    verdict = one.verdict(55.0, facts, None)
    assert verdict is not None
    assert verdict.cause == "callback_unreachable"
    assert verdict.reason == "running: on node 7"


def ended_unheard(status: S, *, ran: float, facts: Facts) -> Judge:
    """A judge of a job that was called running for `ran` seconds, and then `status`."""
    one = judge()
    for now in (10.0, 10.0 + ran / 2):
        answer(one, now, S.RUNNING, facts)
    over = 10.0 + ran
    for now in (over, over + LIVE.succeeded_grace, over + LIVE.absent_apart):
        answer(one, now, status, facts, "its words")
    return one


@pytest.mark.parametrize("status", [S.LOST, S.FAILED, S.SUCCEEDED, S.ABSENT])
def test_a_job_that_ran_unheard_for_long_could_not_reach_us_however_it_ended(status):
    verdict = ended_unheard(status, ran=30.0, facts=Facts()).verdict(60.0, Facts(), None)
    assert verdict is not None
    assert verdict.cause == "callback_unreachable"
    assert verdict.reason == f"running for 30 s, then {status.value}: its words"
    assert verdict.proof


@pytest.mark.parametrize(
    ("status", "expected"),
    [
        (S.LOST, "worker_lost"),
        (S.FAILED, "backend_failed"),
        (S.SUCCEEDED, "result_missing"),
        (S.ABSENT, "backend_forgot"),
    ],
)
def test_an_end_is_believed_of_a_job_that_ran_short_or_was_heard(status, expected):
    # Time in which it was already over does not count.
    assert cause(ended_unheard(status, ran=29.0, facts=Facts()), 60.0, Facts()) == expected
    heard = Facts(heard=True)
    assert cause(ended_unheard(status, ran=30.0, facts=heard), 60.0, heard) == expected


def test_an_event_in_flight_at_the_end_was_heard():
    one, facts = ended_unheard(S.FAILED, ran=40.0, facts=Facts()), Facts(heard=True)
    assert cause(one, 70.0, facts) == "backend_failed"


def test_a_cancelled_job_is_cancelled_though_it_was_never_heard():
    assert cause(ended_unheard(S.CANCELLED, ran=40.0, facts=Facts()), 70.0, Facts()) == (
        "backend_cancelled"
    )


def test_the_time_before_a_job_was_queued_again_does_not_count():
    one, facts = judge(), Facts()
    for now, status in ((10.0, S.RUNNING), (39.0, S.QUEUED), (40.0, S.RUNNING), (50.0, S.LOST)):
        answer(one, now, status, facts)
    assert cause(one, 51.0, facts) == "worker_lost"


def test_callback_grace_ends_with_the_first_event():
    one, facts = judge(), Facts()
    answer(one, 10.0, S.RUNNING, facts)
    facts.heard = True
    answer(one, 80.0, S.RUNNING, facts)
    assert cause(one, 80.0, facts) is None


def test_callback_grace_does_not_count_queued_time():
    one, facts = judge(), Facts()
    answer(one, 10.0, S.QUEUED, facts)
    answer(one, 80.0, S.QUEUED, facts)
    answer(one, 90.0, S.RUNNING, facts)
    assert cause(one, 140.0, facts) is None


# ---- beats and silence ----------------------------------------------------------------


def test_a_period_of_silence_asks_the_backend_once_per_period():
    one, facts = judge(), started(100.0)
    one.asked(100.0)
    assert not one.wants_poll(114.9, facts)
    assert one.wants_poll(115.0, facts)
    one.asked(115.0)
    assert not one.wants_poll(129.9, facts)
    assert one.wants_poll(130.0, facts)


def test_the_period_is_the_tasks_own_when_it_sets_one():
    one, facts = judge(heartbeat_seconds=3.0), started(100.0)
    facts.heartbeat_seconds = 1.0
    one.asked(100.0)
    assert one.wants_poll(103.0, facts)


def test_slower_beats_than_were_asked_for_stretch_the_period():
    one, facts = judge(heartbeat_seconds=3.0), started(100.0)
    facts.heartbeat_seconds = 10.0
    one.asked(100.0)
    assert not one.wants_poll(129.0, facts)
    assert one.wants_poll(130.0, facts)


def test_a_silent_worker_that_the_backend_says_is_running_is_believed():
    one, facts = judge(), started()
    for now in (20.0, 100.0, 1000.0):
        answer(one, now, S.RUNNING, facts)
        assert cause(one, now, facts, contact=now) is None


def test_a_backend_that_only_noted_the_start_does_not_vouch_for_a_silent_worker():
    one, facts = judge(), started()
    one.answer(50.0, BackendState(S.RUNNING, "taken", sees_worker=False), facts)
    assert cause(one, 59.9, facts) is None
    assert cause(one, 60.0, facts) == "worker_lost"


def test_silence_with_a_backend_that_cannot_say_takes_four_periods_and_a_minute():
    one, facts = judge(), started()
    answer(one, 20.0, S.CANNOT_SAY, facts)
    assert cause(one, 59.9, facts) is None
    assert cause(one, 60.0, facts) == "worker_lost"
    long = judge(heartbeat_seconds=30.0)
    answer(long, 40.0, S.CANNOT_SAY, facts)
    assert cause(long, 119.0, facts) is None
    assert cause(long, 120.0, facts) == "worker_lost"


def test_silence_from_everybody_may_be_our_own_fault():
    one, facts = judge(), started()
    assert cause(one, 300.0, facts, contact=0.0) is None
    assert cause(one, 300.0, facts, contact=200.0) == "worker_lost"
    assert cause(one, 600.0, facts, contact=0.0) == "worker_lost"


def test_an_answer_from_before_the_silence_vouches_for_nothing():
    one, facts = judge(), started(50.0)
    answer(one, 49.0, S.RUNNING, facts)
    assert cause(one, 120.0, facts, contact=119.0) == "worker_lost"


def test_a_worker_that_announced_no_beats_is_not_judged_by_silence():
    one, facts = judge(), started()
    facts.heartbeat_seconds = None
    facts.beat_closed_at = 5.0
    assert not one.wants_poll(1.0, facts)
    assert cause(one, 5000.0, facts, contact=4999.0) is None


def test_queued_time_is_no_silence():
    one = judge()
    assert cause(one, 5000.0, Facts(), contact=4999.0) is None


def test_a_closed_beat_connection_asks_at_once_and_ends_after_a_period():
    one, facts = judge(), started()
    one.asked(9.0)
    facts.last_heard_at, facts.beat_closed_at = 9.5, 10.0
    assert one.wants_poll(10.0, facts)
    answer(one, 10.0, S.RUNNING, facts)
    assert not one.wants_poll(10.1, facts)
    assert not one.wants_poll(11.4, facts)
    assert one.wants_poll(11.5, facts)  # the backend may notice later than we do
    answer(one, 11.5, S.RUNNING, facts)
    assert not one.wants_poll(15.9, facts)
    assert one.wants_poll(16.0, facts)
    answer(one, 16.0, S.RUNNING, facts)
    assert not one.wants_poll(24.0, facts)
    assert cause(one, 24.9, facts) is None
    assert cause(one, 25.0, facts) == "worker_lost"


def test_a_closed_beat_connection_does_not_overtake_the_backends_word():
    one, facts = judge(heartbeat_seconds=1.0), started()
    facts.last_heard_at, facts.beat_closed_at, facts.heartbeat_seconds = 9.5, 10.0, 0.3
    answer(one, 10.5, S.CANCELLED, facts, "stopped by an operator")
    assert cause(one, 12.4, facts) is None
    verdict = one.verdict(12.5, facts, None)
    assert verdict is not None
    assert (verdict.cause, verdict.proof) == ("backend_cancelled", True)


def test_silence_is_no_proof_of_a_cancellation():
    one, facts = judge(heartbeat_seconds=1.0), started()
    facts.last_heard_at, facts.beat_closed_at, facts.heartbeat_seconds = 9.5, 10.0, 0.3
    one.cancel_asked()
    answer(one, 10.5, S.RUNNING, facts)
    assert cause(one, 100.0, facts, contact=99.0) is None
    answer(one, 100.0, S.CANCELLED, facts)
    assert cause(one, 102.0, facts) == "backend_cancelled"


def test_a_new_beat_after_a_closed_connection_clears_it():
    one, facts = judge(), started()
    facts.beat_closed_at = 10.0
    answer(one, 10.0, S.RUNNING, facts)
    facts.last_heard_at, facts.beat_closed_at = 12.0, None
    assert cause(one, 25.0, facts) is None


@pytest.mark.parametrize(("late", "apart"), [(5.0, 0.0), (0.0, 5.0)])
def test_a_pause_of_our_own_starts_all_silence_again(late, apart):
    one, facts = judge(), started()
    facts.beat_closed_at = 1.0
    answer(one, 20.0, S.CANNOT_SAY, facts)
    one.clocks(1000.0, late, apart)
    assert cause(one, 1000.0, facts, contact=1000.0) is None
    assert cause(one, 1014.9, facts, contact=1010.0) is None
    assert cause(one, 1015.0, facts, contact=1010.0) == "worker_lost"


def test_a_short_delay_of_our_own_changes_nothing():
    one, facts = judge(), started()
    answer(one, 20.0, S.CANNOT_SAY, facts)
    one.clocks(59.0, 4.9, 4.9)
    assert cause(one, 60.0, facts) == "worker_lost"
