"""What Celery's answers are taken to mean."""

from __future__ import annotations

from typing import Any

import pytest

from wove.executors.backend_state import BackendStatus
from wove.integrations._celery_state import (
    state_from_result,
    state_from_workers,
    was_terminated,
)
from wove.integrations.celery import CeleryJob


class WorkerLostError(Exception):
    """Named like billiard's, which is what a result backend gives back."""


@pytest.mark.parametrize(
    ("meta", "status", "word"),
    [
        ({"status": "SUCCESS", "result": {}}, BackendStatus.SUCCEEDED, "SUCCESS"),
        ({"status": "REVOKED", "result": "terminated"}, BackendStatus.CANCELLED, "terminated"),
        ({"status": "FAILURE", "result": ValueError("no")}, BackendStatus.FAILED, "ValueError: no"),
        (
            {"status": "FAILURE", "result": WorkerLostError("signal 9")},
            BackendStatus.LOST,
            "signal 9",
        ),
    ],
)
def test_a_result_that_settles_it(meta: dict[str, Any], status: BackendStatus, word: str) -> None:
    state = state_from_result(meta)
    assert state is not None
    assert state.status is status
    assert word in state.reason


@pytest.mark.parametrize("status", ["PENDING", "STARTED", "RETRY", "RECEIVED", "made up"])
def test_a_result_that_settles_nothing(status: str) -> None:
    assert state_from_result({"status": status, "result": None}) is None


@pytest.mark.parametrize(
    ("said", "status"),
    [
        ("active", BackendStatus.RUNNING),
        ("reserved", BackendStatus.QUEUED),
        ("scheduled", BackendStatus.QUEUED),
        ("ready", BackendStatus.CANNOT_SAY),
    ],
)
def test_a_worker_that_has_it(said: str, status: BackendStatus) -> None:
    job = CeleryJob("j1")
    state = state_from_workers(job, {"w1": {"other": ["active", {}]}, "w2": {"j1": [said, {}]}})
    assert state.status is status
    assert "w2" in state.reason
    assert job.worker == ("w2" if said == "active" else None)


def test_nobody_has_it_and_nobody_had_it() -> None:
    state = state_from_workers(CeleryJob("j1"), {"w1": {}})
    assert state.status is BackendStatus.CANNOT_SAY
    assert "w1" in state.reason


def test_the_worker_that_ran_it_answers_without_it() -> None:
    job = CeleryJob("j1", worker="w1")
    assert state_from_workers(job, {"w1": {}}).status is BackendStatus.LOST


def test_a_worker_that_gave_a_reserved_job_back_has_not_lost_it() -> None:
    job = CeleryJob("j1")
    state_from_workers(job, {"w1": {"j1": ["reserved", {}]}})
    assert state_from_workers(job, {"w1": {}}).status is BackendStatus.CANNOT_SAY


def test_the_worker_that_ran_it_does_not_answer() -> None:
    job = CeleryJob("j1", worker="w1")
    assert state_from_workers(job, {"w2": {}}).status is BackendStatus.CANNOT_SAY
    assert state_from_workers(job, {}).status is BackendStatus.CANNOT_SAY


def test_a_worker_that_answers_with_an_error_says_nothing_of_its_jobs() -> None:
    state = state_from_workers(CeleryJob("j1"), {"w1": {"error": "broken"}})
    assert state.status is BackendStatus.CANNOT_SAY


@pytest.mark.parametrize(
    ("answers", "expected"),
    [
        ([{"w1": {"ok": "terminate: j1"}}], True),
        ([{"w1": {"ok": "terminate: tasks unknown"}}, {"w2": {"ok": "terminate: j1"}}], True),
        ([{"w1": {"ok": "terminate: tasks unknown"}}], False),
        ([{"w1": {"ok": "tasks {'j1'} flagged as revoked"}}], False),
        ([{"w1": {"error": "NotImplementedError"}}], False),
        ([], False),
        (None, False),
    ],
)
def test_proof_that_a_worker_ended_the_job(answers: Any, expected: bool) -> None:
    assert was_terminated(CeleryJob("j1"), answers) is expected
