"""Jobs as arq sees them: plain workers, results, operators' views."""

from __future__ import annotations

import json
import os
import time
import uuid
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import redis
from arq.jobs import Job, JobResult
from arq.worker import JobExecutionFailed

import wove
from tests.backends.arq import views, work
from tests.backends.arq.plain_json import as_json
from tests.backends.arq.weaves import in_background, run_remote
from tests.services import Worker, free_port, wait_until
from wove import WoveResult, weave
from wove.backend import build_backend_payload
from wove.errors import CallbackUnreachableError, DeliveryError, ErrorCode
from wove.integrations._reporting import TaskFailedError

StartWorker = Callable[..., Worker]


def end_of(result: WoveResult, url: str, queue: str) -> JobResult:
    """The end of the weave's only job, as arq has written it down."""
    (run,) = result.runs
    assert run.backend_job_id is not None
    return views.end_of(url, queue, run.backend_job_id)


def test_arqs_own_command_with_the_ready_settings(
    redis_url: str, plain_worker: StartWorker, queue: str
) -> None:
    worker = plain_worker(redis_url, queue)
    token = uuid.uuid4().hex
    config = {"redis_settings": redis_url, "queue_name": queue, "callback_token": token}
    result = run_remote(work.where, config)
    assert result.where == worker.process.pid
    end = end_of(result, redis_url, queue)
    assert (end.success, end.job_try, end.job_id) == (True, 1, result.runs[0].run_id)
    assert (end.result["outcome"], end.result["delivered"]) == ("succeeded", True)
    assert end.result["callback_url"].endswith("/wove/events/***")
    assert worker.stop() == 0
    said = worker.log()
    assert f"{end.job_id}:wove_run_backend_payload({{'task_name': 'where'" in said
    assert token not in said


def test_a_function_of_the_users_own_on_a_worker_with_arqs_defaults(
    redis_url: str, plain_worker: StartWorker, queue: str
) -> None:
    worker = plain_worker(redis_url, queue, "OwnFunction")
    config = {"redis_settings": redis_url, "queue_name": queue}
    result = run_remote(work.refuse, config, error_mode="return")
    assert isinstance(result.refuse, LookupError)
    assert end_of(result, redis_url, queue).success  # it has told its weave, which is its job
    assert run_remote(work.where, config).where == worker.process.pid


def test_a_function_of_the_users_own_may_have_arq_try_it_again(
    redis_url: str, plain_worker: StartWorker, queue: str
) -> None:
    worker = plain_worker(redis_url, queue, "ONCE_MORE")
    config = {"redis_settings": redis_url, "queue_name": queue, "function_name": "once_more"}
    result = run_remote(work.where, config)
    assert result.where == worker.process.pid
    assert [run.state for run in result.runs] == ["succeeded"]


def test_a_job_whose_task_raised_has_failed_with_its_errors_text_and_is_not_tried_again(
    redis_url: str, arq_worker: StartWorker, queue: str
) -> None:
    worker = arq_worker(redis_url, queue)
    token = uuid.uuid4().hex
    config = {"redis_settings": redis_url, "queue_name": queue, "callback_token": token}
    result = run_remote(work.refuse, config, error_mode="return")
    assert isinstance(result.refuse, LookupError)
    end = end_of(result, redis_url, queue)
    assert (end.success, end.job_try) == (False, 1)
    assert isinstance(end.result, TaskFailedError)
    assert str(end.result) == "LookupError: no such account"
    assert views.queued(redis_url, queue) == []
    assert worker.stop() == 0
    assert "LookupError: no such account" in worker.log()
    assert token not in worker.log()


def test_the_job_fails_when_its_events_cannot_be_delivered(
    redis_url: str, arq_worker: StartWorker, queue: str
) -> None:
    """A payload that is right in everything, but for where its weave listens: nowhere."""
    arq_worker(redis_url, queue)
    payload = build_backend_payload(
        {"run_id": "r", "task_id": "t", "callable": work.where, "args": {}},
        adapter="arq",
        callback_url=f"http://127.0.0.1:{free_port()}/wove/events/token",
    )
    # The task runs: it is the end that cannot be told.
    payload["start_gate"], payload["delivery_retry_seconds"] = "none", 1.0
    job_id = uuid.uuid4().hex
    views.asked(
        redis_url,
        lambda client: client.enqueue_job(
            "wove_run_backend_payload", payload, _job_id=job_id, _queue_name=queue
        ),
    )
    end = views.end_of(redis_url, queue, job_id)
    assert isinstance(end.result, CallbackUnreachableError)
    assert "could not report the end of task 't'" in str(end.result)


def test_a_worker_without_the_function_fails_the_job_in_arqs_words(
    redis_url: str, arq_worker: StartWorker, queue: str
) -> None:
    arq_worker(redis_url, queue, "--function-name", "other")
    config = {"redis_settings": redis_url, "queue_name": queue}
    result = run_remote(work.where, config, error_mode="return")
    assert "arq says that the job failed" in str(result.exception)
    assert "function 'wove_run_backend_payload' not found" in str(result.exception)
    end = end_of(result, redis_url, queue)
    assert isinstance(end.result, JobExecutionFailed)
    assert run_remote(work.where, {**config, "function_name": "other"}).where


def test_a_users_pool_with_a_serializer_of_its_own(
    redis_url: str, plain_worker: StartWorker, queue: str
) -> None:
    worker = plain_worker(redis_url, queue, "JSON")
    mine = views.pool(
        redis_url, job_serializer=as_json, job_deserializer=json.loads, default_queue_name=queue
    )
    assert run_remote(work.where, {"pool": mine}).where == worker.process.pid


def test_a_job_that_its_worker_cannot_read_fails_in_arqs_words(
    redis_url: str, plain_worker: StartWorker, queue: str
) -> None:
    plain_worker(redis_url, queue, "JSON")
    config = {"redis_settings": redis_url, "queue_name": queue}  # pickled
    result = run_remote(work.where, config, error_mode="return")
    assert "arq says that the job failed" in str(result.exception)


def test_six_sync_tasks_of_a_second_each_run_at_once_in_one_worker(
    redis_url: str, arq_worker: StartWorker, queue: str
) -> None:
    arq_worker(redis_url, queue)
    settings: dict[str, Any] = {"redis_settings": redis_url, "queue_name": queue}
    wove.config(environments={"six": {"executor": "arq", "executor_config": settings}})
    try:
        with weave() as w:
            w.do(range(6), environment="six")(work.one_second)
    finally:
        wove.config(environments={"six": None})
    assert w.result.one_second == list(range(6))
    begun = [run.started_at for run in w.result.runs]
    over = [run.ended_at for run in w.result.runs]
    assert max(t for t in begun if t) < min(t for t in over if t)  # none waited for another


def test_a_job_that_takes_longer_than_the_workers_timeout(
    redis_url: str, plain_worker: StartWorker, queue: str
) -> None:
    plain_worker(redis_url, queue, "SHORT")
    config = {"redis_settings": redis_url, "queue_name": queue}
    begun = time.monotonic()
    result = run_remote(lambda: _sleep(30), config, error_mode="return")
    assert time.monotonic() - begun < 25
    assert isinstance(result.exception, DeliveryError)
    assert result.exception.code is ErrorCode.TASK_CANCELLED
    assert "its job_timeout has passed" in str(result.exception)
    end = end_of(result, redis_url, queue)
    assert (end.success, end.job_try) == (False, 1)
    assert isinstance(end.result, TimeoutError)


def _sleep(seconds: float) -> None:
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        time.sleep(0.01)


@pytest.mark.parametrize("settings", ["READY", "OwnFunction"])
def test_a_running_job_is_cancelled_through_arq_or_the_answer_to_its_events(
    redis_url: str,
    plain_worker: StartWorker,
    connection: redis.Redis,
    queue: str,
    tmp_path: Path,
    settings: str,
) -> None:
    worker = plain_worker(redis_url, queue, settings)
    pids = tmp_path / "pids"
    config = {"redis_settings": redis_url, "queue_name": queue}
    aborts = settings == "READY"
    options = {"delivery_timeout": 3.0, "delivery_heartbeat_seconds": 60.0 if aborts else 1.5}
    result = run_remote(work.stay, config, error_mode="return", options=options, pids=str(pids))
    assert result.runs[0].state == "timed_out"
    assert pids.read_text() == f"{worker.process.pid}\n"
    job_id = result.runs[0].backend_job_id
    over = "aborted" if aborts else "←"
    wait_until(lambda: f"{job_id}:" in _last(worker, over), seconds=20, what="it has ended")
    forgotten = lambda: connection.zscore("arq:abort", str(job_id)) is None  # noqa: E731
    wait_until(forgotten, seconds=20, what="arq forgets that")


def _last(worker: Worker, word: str) -> str:
    return "".join(line for line in worker.log().splitlines() if word in line)


def test_a_job_that_an_operator_aborts_is_cancelled(
    redis_url: str, arq_worker: StartWorker, queue: str, tmp_path: Path
) -> None:
    arq_worker(redis_url, queue)
    pids = tmp_path / "pids"
    config = {"redis_settings": redis_url, "queue_name": queue}
    with in_background(work.stay, config, pids=str(pids)) as results:
        wait_until(lambda: pids.exists() and bool(pids.read_text()), seconds=30, what="it began")
        (job,) = views.queued(redis_url, queue)
        job_id = job.job_id or ""
        assert views.asked(redis_url, lambda client: Job(job_id, client, queue).abort(timeout=30))
    error = results[0]["stay"]
    assert isinstance(error, DeliveryError)
    assert error.code is ErrorCode.TASK_CANCELLED
    assert results[0].runs[0].backend_job_id == job_id
    assert os.getpid() != int(pids.read_text())
