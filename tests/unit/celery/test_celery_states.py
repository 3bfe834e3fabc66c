"""What Celery's answers are taken to mean."""

from __future__ import annotations

from typing import Any

import pytest
from celery import Celery
from kombu.entity import Queue

from wove.executors.backend_state import BackendStatus
from wove.integrations._celery_broker import kept_broker
from wove.integrations._celery_state import (
    sent_words,
    state_from_result,
    state_from_workers,
    was_terminated,
)
from wove.integrations.celery import CeleryJob

QUEUE: Any = Queue("invoices")  # type: ignore[no-untyped-call]


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


def test_nobody_has_it_and_where_it_was_sent_is_said() -> None:
    job = CeleryJob("j1", sent="in the queue 'invoices', for the task 'shop.wove_task'")
    answers: dict[str, Any]
    for answers in ({"w1": {}}, {}):
        reason = state_from_workers(job, answers).reason
        assert reason.endswith(
            "it may be queued, in the queue 'invoices', for the task 'shop.wove_task'"
        )
        assert ("w1" in reason) == bool(answers)


@pytest.mark.parametrize(
    ("options", "settings", "said"),
    [
        ({}, {}, "in the queue 'celery', for the task 't'"),
        ({}, {"task_default_queue": "mine"}, "in the queue 'mine', for the task 't'"),
        ({"queue": "invoices"}, {}, "in the queue 'invoices', for the task 't'"),
        ({"queue": QUEUE}, {}, "in the queue 'invoices', for the task 't'"),
        ({"routing_key": "x"}, {}, "for the task 't'"),
        ({}, {"task_routes": {"t": "elsewhere"}}, "for the task 't'"),
    ],
)
def test_where_a_job_was_sent(options: dict[str, Any], settings: dict[str, Any], said: str) -> None:
    app = Celery("x", broker="memory://", set_as_current=False)
    app.conf.update(settings)
    assert sent_words("t", options, app.conf) == said


def test_a_broker_tells_where_it_sent_a_job() -> None:
    broker = kept_broker({"broker_url": "memory://"})
    job = broker.send("shop.wove_task", {"run_id": "r"}, {"task_id": "j1", "queue": "invoices"})
    assert job.sent == "in the queue 'invoices', for the task 'shop.wove_task'"


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
