"""The watcher: when it asks, in what batches, and that it suspects itself."""

from __future__ import annotations

import asyncio
import functools
from collections.abc import Mapping
from typing import Any

import pytest

from tests.unit.executors.scripted import until
from tests.unit.executors.test_watch import Facts
from wove.executors.backend_state import BackendState, BackendStatus
from wove.executors.liveness import Liveness
from wove.executors.watch import Verdict
from wove.executors.watcher import Watcher


class FakeClock:
    """Both clocks, moved by the test; a real tick comes every few milliseconds."""

    def __init__(self) -> None:
        self.now = 1000.0
        self.apart = 0.0

    def monotonic(self) -> float:
        return self.now

    def wall(self) -> float:
        return 1.7e9 + self.now + self.apart


class Watched:
    """A watcher on a backend that answers what the test sets."""

    def __init__(self, **delays: float) -> None:
        self.clock = FakeClock()
        self.status = BackendStatus.RUNNING
        self.polls: list[set[str]] = []
        self.verdicts: list[tuple[str, Verdict]] = []
        self.contact: float | None = None
        self.trouble: BaseException | None = None
        self.watcher = Watcher(
            poll=self.poll,
            report=lambda run_id, verdict: self.verdicts.append((run_id, verdict)),
            last_contact_at=lambda: self.contact,
            clock=self.clock,
            liveness=Liveness(**{"tick_seconds": 0.005, **delays}),
            knows_queued=True,
        )

    async def poll(self, submissions: Mapping[str, Any]) -> Mapping[str, BackendState]:
        self.polls.append(set(submissions))
        if self.trouble is not None:
            raise self.trouble
        return {run_id: BackendState(self.status) for run_id in submissions}

    async def pass_time(self, seconds: float, step: float = 1.0) -> None:
        """Move both clocks, with a tick after each step."""
        for _ in range(round(seconds / step)):
            self.clock.now += step
            await asyncio.sleep(0.02)


def in_loop(test):
    @functools.wraps(test)
    def run(**fixtures):
        asyncio.run(test(**fixtures))

    return run


@in_loop
async def test_one_batch_at_the_cadence_that_backs_off():
    one = Watched(tick_seconds=0.005)
    for name in ("a", "b"):
        one.watcher.add(name, name, Facts(heard=True, started_at=one.clock.now), None)
    await one.pass_time(13)
    assert one.polls == []
    await one.pass_time(3)
    assert one.polls == [{"a", "b"}]
    await one.pass_time(17)
    assert len(one.polls) == 1
    await one.pass_time(10)
    assert len(one.polls) == 2
    await one.watcher.stop()


@in_loop
async def test_the_cadence_does_not_back_off_while_a_job_waits_for_a_worker():
    one = Watched(tick_seconds=0.005)
    one.status = BackendStatus.QUEUED
    waiting = Facts()
    one.watcher.add("waits", 1, waiting, None)
    one.watcher.add("runs", 2, Facts(heard=True, started_at=one.clock.now), None)
    await one.pass_time(150)
    assert 10 <= len(one.polls) <= 11
    one.polls.clear()
    waiting.started_at = one.clock.now
    await one.pass_time(150)
    assert 3 <= len(one.polls) <= 6
    await one.watcher.stop()


@in_loop
async def test_a_queued_job_that_is_taken_away_is_over_within_one_pause():
    one = Watched(tick_seconds=0.005)
    one.status = BackendStatus.QUEUED
    one.watcher.add("waits", 1, Facts(), None)
    await one.pass_time(300)
    one.status = BackendStatus.CANCELLED
    await one.pass_time(15 + 2 + 1)
    assert [(run_id, verdict.cause) for run_id, verdict in one.verdicts] == [
        ("waits", "backend_cancelled")
    ]
    await one.watcher.stop()


@pytest.mark.parametrize("trouble", [ConnectionError("down"), asyncio.CancelledError()])
@in_loop
async def test_a_poll_that_raises_is_asked_again_and_harms_nobody(trouble):
    one = Watched()
    one.trouble = trouble
    one.watcher.add("a", "a", Facts(), None)
    await one.pass_time(120, 5)
    assert len(one.polls) >= 2
    assert one.verdicts == []
    one.trouble, one.status = None, BackendStatus.LOST
    await one.pass_time(70, 5)
    assert [(run_id, verdict.cause) for run_id, verdict in one.verdicts] == [("a", "worker_lost")]
    await one.watcher.stop()


@pytest.mark.parametrize("answer", [None, ["a"], {"a": "lost"}, {"a": {"status": "lost"}}])
@in_loop
async def test_an_answer_of_another_type_is_none_and_is_told_of(answer, caplog):
    one = Watched()

    async def poll(submissions: Mapping[str, Any]) -> Any:
        one.polls.append(set(submissions))
        return answer

    one.watcher._poll = poll
    one.watcher.add("a", "a", Facts(), None, named="task 'one' in environment 'reports'")
    one.watcher.hurry("a")
    await until(lambda: one.polls)
    one.watcher.hurry("a")
    await until(lambda: len(one.polls) == 2)
    await one.watcher.stop()
    assert one.verdicts == []
    assert "the backend could not be asked about its jobs, such as task 'one' in" in caplog.text


def ask_in_vain(one: Watched) -> None:
    """Have a question asked that is never answered."""

    async def poll(submissions: Mapping[str, Any]) -> Any:
        one.polls.append(set(submissions))
        await asyncio.Event().wait()

    one.watcher._poll = poll
    one.watcher.add("a", "a", Facts(), None)
    one.watcher.hurry("a")


@in_loop
async def test_a_question_without_an_answer_in_time_is_told_of_as_such(caplog):
    one = Watched(poll_timeout=0.02)
    ask_in_vain(one)
    await until(lambda: bool(caplog.text))
    await one.watcher.stop()
    assert "no answer in 0.02 s" in caplog.text


@in_loop
async def test_a_question_that_nobody_waits_for_is_dropped_in_silence(caplog):
    one = Watched()
    ask_in_vain(one)
    await until(lambda: one.polls)
    await one.watcher.stop()
    assert caplog.text == ""


@in_loop
async def test_hurry_asks_about_that_run_alone():
    one = Watched()
    for name in ("a", "b"):
        one.watcher.add(name, name, Facts(), None)
    one.watcher.hurry("b")
    one.watcher.hurry("unknown")
    await until(lambda: one.polls)
    assert one.polls == [{"b"}]
    await one.watcher.stop()


@in_loop
async def test_a_removed_run_is_not_judged():
    one = Watched()
    one.status = BackendStatus.LOST
    one.watcher.add("a", "a", Facts(), None)
    one.watcher.hurry("a")
    one.watcher.remove("a")
    await one.pass_time(5)
    assert one.verdicts == []
    await one.watcher.stop()


@in_loop
async def test_a_slept_laptop_blames_nobody():
    """Suspend: the wall clock goes on, the monotonic clock stands still, and no beat came."""
    one = Watched()
    one.status = BackendStatus.CANNOT_SAY
    facts = Facts(heard=True, started_at=1000.0, last_heard_at=1000.0, heartbeat_seconds=5.0)
    one.watcher.add("a", "a", facts, None)
    await one.pass_time(40)
    one.contact = one.clock.now
    one.clock.apart += 8 * 3600.0
    await one.pass_time(30)
    assert one.verdicts == []  # 70 s of silence, 30 of them after waking
    one.contact = one.clock.now
    await one.pass_time(40)
    assert [verdict.cause for _, verdict in one.verdicts] == ["worker_lost"]
    await one.watcher.stop()


@in_loop
async def test_a_stopped_process_blames_nobody():
    """SIGSTOP, or a loop that was blocked: both clocks jump, and our timer is late."""
    one = Watched()
    one.status = BackendStatus.CANNOT_SAY
    facts = Facts(heard=True, started_at=1000.0, last_heard_at=1000.0, heartbeat_seconds=5.0)
    one.watcher.add("a", "a", facts, None)
    await one.pass_time(10)
    one.clock.now += 500.0
    one.contact = one.clock.now
    await asyncio.sleep(0.05)
    await one.pass_time(30)
    assert one.verdicts == []
    await one.watcher.stop()


@in_loop
async def test_a_poll_that_hangs_is_no_answer():
    one = Watched(poll_timeout=0.05)
    hung = asyncio.Event()

    async def hang(submissions: Mapping[str, Any]) -> Mapping[str, BackendState]:
        one.polls.append(set(submissions))
        try:
            await asyncio.sleep(3600)
        finally:
            hung.set()
        return {}

    one.watcher._poll = hang
    one.watcher.add("a", "a", Facts(), None)
    one.watcher.hurry("a")
    await asyncio.wait_for(hung.wait(), 10)
    one.watcher.hurry("a")
    await until(lambda: len(one.polls) == 2)
    await one.watcher.stop()
