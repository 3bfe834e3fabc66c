"""What RQ's records are taken to mean."""

from __future__ import annotations

import pytest

from wove.executors.backend_state import BackendState, BackendStatus
from wove.integrations import _rq_state as state
from wove.integrations._reporting import TaskFailedError
from wove.integrations._rq_job import fail_like_the_task
from wove.integrations._rq_state import RQJob, Worker

BIRTH, SINCE, BEAT = "2026-11-26T10:00:00Z", "2026-11-26T10:05:00Z", "2026-11-26T10:06:00Z"


def worker(connections: int | None = 1, *, heartbeat: str = BEAT, death: str = "") -> Worker:
    return Worker(name="w", birth=BIRTH, heartbeat=heartbeat, death=death, connections=connections)


def ask(
    job: RQJob, record: Worker | None, *, since: str = SINCE, server: str = "s", now: float = 0.0
) -> BackendState:
    return state.started(job, "w", record, since=since, server=server, now=now)


def test_a_job_whose_worker_is_connected_runs() -> None:
    found = ask(RQJob("j"), worker())
    assert (found.status, found.reason) == (BackendStatus.RUNNING, "RQ's worker w has it")


@pytest.mark.parametrize(
    ("record", "since", "words"),
    [
        (None, SINCE, "no heartbeat"),
        (worker(death="2026-11-26T10:07:00Z"), SINCE, "stopped at 2026-11-26T10:07:00Z"),
        (worker(), "2026-11-26T09:00:00Z", "started again at 2026-11-26T10:00:00Z"),
    ],
)
def test_a_job_whose_worker_cannot_have_it_any_more_is_lost(
    record: Worker | None, since: str, words: str
) -> None:
    found = ask(RQJob("j"), record, since=since)
    assert found.status is BackendStatus.LOST
    assert words in found.reason


def test_a_connection_that_was_there_and_stays_away_is_a_loss() -> None:
    job = RQJob("j")
    ask(job, worker(1), now=0.0)
    assert ask(job, worker(0), now=20.0).status is BackendStatus.RUNNING
    assert job.ask_again
    assert ask(job, worker(0), now=29.9).status is BackendStatus.RUNNING
    found = ask(job, worker(0), now=30.0)
    assert found.status is BackendStatus.LOST
    assert BEAT in found.reason


def test_a_connection_that_comes_back_is_none() -> None:
    job = RQJob("j")
    ask(job, worker(1), now=0.0)
    ask(job, worker(0), now=20.0)
    ask(job, worker(1), now=25.0)
    assert ask(job, worker(0), now=40.0).status is BackendStatus.RUNNING


def test_a_worker_that_beats_without_a_command_channel_is_in_good_health() -> None:
    job = RQJob("j")
    ask(job, worker(1), now=0.0)
    ask(job, worker(0), now=20.0)
    beats = worker(0, heartbeat="2026-11-26T10:06:30Z")
    for now in (40.0, 400.0):
        assert ask(job, beats, now=now).status is BackendStatus.RUNNING


@pytest.mark.parametrize("server", ["s", "another"])
def test_a_connection_that_this_server_never_had_says_nothing(server: str) -> None:
    job = RQJob("j")
    if server != "s":  # Redis was restarted, or another one has taken over
        ask(job, worker(1), now=0.0)
    for now in (20.0, 400.0):
        assert ask(job, worker(0), server=server, now=now).status is BackendStatus.CANNOT_SAY


def test_a_redis_that_does_not_tell_connections_is_believed() -> None:
    job = RQJob("j")
    ask(job, worker(1), now=0.0)
    for now in (20.0, 400.0):
        assert ask(job, worker(None), now=now).status is BackendStatus.RUNNING


@pytest.mark.parametrize(
    ("error", "status"),
    [
        ("Traceback ...\nModuleNotFoundError: No module named 'wove'\n", BackendStatus.FAILED),
        ("Work-horse terminated unexpectedly; waitpid returned 9; ", BackendStatus.LOST),
        ("Moved to FailedJobRegistry, due to AbandonedJobError, at ...", BackendStatus.LOST),
        ("Job was stuck in intermediate queue.", BackendStatus.LOST),
        ("", BackendStatus.FAILED),
    ],
)
def test_a_failed_job(error: str, status: BackendStatus) -> None:
    found = state.failed(error)
    assert found.status is status
    assert (error.strip().splitlines() or ["no reason is kept"])[-1].strip() in found.reason


def test_a_queued_job_is_in_its_queue_or_taken_or_gone() -> None:
    assert state.queued("q", waits=True, taken=False).status is BackendStatus.QUEUED
    assert state.queued("q", waits=False, taken=True).status is BackendStatus.QUEUED
    assert state.queued("q", waits=False, taken=False).status is BackendStatus.ABSENT


def test_a_job_fails_in_rq_when_its_task_did() -> None:
    summary = {"outcome": "failed", "error": {"kind": "LookupError", "message": "no such"}}
    with pytest.raises(TaskFailedError, match=r"^LookupError: no such$"):
        fail_like_the_task(None, None, summary)
    for outcome in ("succeeded", "cancelled", "not_started"):
        fail_like_the_task(None, None, {"outcome": outcome})
    fail_like_the_task(None, None, None)  # a worker's own function
