"""Jobs as RQ sees them: plain workers, results, operators' views."""

from __future__ import annotations

import os
import time
import uuid
from collections.abc import Callable
from typing import Any

import redis
import rq
from rq.job import Job
from rq.registry import FailedJobRegistry, FinishedJobRegistry
from rq.serializers import JSONSerializer

import wove
from tests.backends.rq import work
from tests.backends.rq.weaves import run_remote
from tests.services import Worker, free_port, wait_until
from wove import WoveResult, weave
from wove.backend import build_backend_payload

StartWorker = Callable[..., Worker]


def job_of(result: WoveResult, connection: redis.Redis) -> Any:
    """The weave's only job, when RQ has written down how it ended."""
    (run,) = result.runs
    assert run.backend_job_id is not None
    return ended(Job.fetch(run.backend_job_id, connection=connection))


def ended(job: Any) -> Any:
    over = ("finished", "failed", "stopped")
    wait_until(lambda: job.get_status() in over, seconds=60, what="RQ has the job's end")
    job.refresh()
    return job


def test_a_plain_worker_needs_nothing_but_wove(
    redis_url: str, plain_worker: StartWorker, connection: redis.Redis, queue: str
) -> None:
    worker = plain_worker(redis_url, queue)
    result = run_remote(work.where, {"redis_url": redis_url, "queue_name": queue})
    assert result.where[0] not in (os.getpid(), worker.process.pid)
    assert result.where[1] == worker.process.pid
    job = job_of(result, connection)
    assert job.get_status() == "finished"
    assert "where" in worker.log()  # what RQ calls the job: the task's name


def test_a_job_whose_task_returned_is_finished(
    redis_url: str, rq_worker: StartWorker, connection: redis.Redis, queue: str
) -> None:
    rq_worker(redis_url, queue)
    result = run_remote(work.where, {"redis_url": redis_url, "queue_name": queue})
    job = job_of(result, connection)
    assert job.description == "where"
    assert job.id == result.runs[0].run_id
    assert job.get_status() == "finished"
    summary = job.return_value()
    assert (summary["outcome"], summary["delivered"]) == ("succeeded", True)
    assert summary["callback_url"].endswith("/wove/events/***")
    assert job.id in FinishedJobRegistry(queue, connection=connection).get_job_ids()


def test_a_job_whose_task_raised_has_failed_with_its_errors_text_and_is_not_tried_again(
    redis_url: str, rq_worker: StartWorker, connection: redis.Redis, queue: str
) -> None:
    worker = rq_worker(redis_url, queue)
    token = uuid.uuid4().hex
    config = {"redis_url": redis_url, "queue_name": queue, "callback_token": token}
    result = run_remote(work.refuse, config, error_mode="return")
    assert isinstance(result.refuse, LookupError)
    job = job_of(result, connection)
    assert job.get_status() == "failed"
    latest = job.latest_result()
    assert latest is not None
    assert "LookupError: no such account" in str(latest.exc_string)
    assert job.id in FailedJobRegistry(queue, connection=connection).get_job_ids()
    assert rq.Queue(queue, connection=connection).count == 0
    assert len(job.results()) == 1
    assert worker.stop() == 0
    assert "LookupError: no such account" in worker.log()
    assert token not in worker.log()


def test_an_operator_who_requeues_a_failed_job_does_not_run_its_task_again(
    redis_url: str, rq_worker: StartWorker, connection: redis.Redis, queue: str
) -> None:
    rq_worker(redis_url, queue)
    config = {"redis_url": redis_url, "queue_name": queue}
    job = job_of(run_remote(work.refuse, config, error_mode="return"), connection)
    job.requeue()
    job = ended(job)
    assert job.get_status() == "finished"
    assert job.return_value()["outcome"] == "not_started"


def test_the_job_fails_when_its_events_cannot_be_delivered(
    redis_url: str, rq_worker: StartWorker, connection: redis.Redis, queue: str
) -> None:
    """A payload that is right in everything, but for where its weave listens: nowhere."""
    rq_worker(redis_url, queue)
    payload = build_backend_payload(
        {"run_id": "r", "task_id": "t", "callable": work.where, "args": {}},
        adapter="rq",
        callback_url=f"http://127.0.0.1:{free_port()}/wove/events/token",
    )
    # The task runs: it is the end that cannot be told.
    payload["start_gate"], payload["delivery_retry_seconds"] = "none", 1.0
    jobs = rq.Queue(queue, connection=connection)
    job = ended(jobs.enqueue("wove.integrations.worker.run", payload))
    assert job.get_status() == "failed"
    latest = job.latest_result()
    assert latest is not None
    assert "CallbackUnreachableError" in str(latest.exc_string)
    assert "could not report the end of task 't'" in str(latest.exc_string)


def test_a_job_that_its_worker_cannot_read_fails_in_rqs_words(
    redis_url: str, plain_worker: StartWorker, queue: str
) -> None:
    plain_worker(redis_url, queue, "--serializer", "json")
    config = {"redis_url": redis_url, "queue_name": queue}  # pickled
    result = run_remote(work.where, config, error_mode="return")
    text = str(result.exception)
    assert "rq says that the job failed" in text
    assert "DeserializationError" in text


def test_a_users_queue_with_a_serializer_of_its_own(
    redis_url: str, plain_worker: StartWorker, connection: redis.Redis, queue: str
) -> None:
    plain_worker(redis_url, queue, "--serializer", "json")
    mine = rq.Queue(queue, connection=connection, serializer=JSONSerializer)
    assert run_remote(work.where, {"queue": mine}).where[0] != os.getpid()


def test_six_tasks_of_a_second_each_run_at_once(
    redis_url: str, rq_worker: StartWorker, queue: str
) -> None:
    rq_worker(redis_url, queue, "--concurrency", "6", "--preload", work.__name__)
    settings: dict[str, Any] = {"redis_url": redis_url, "queue_name": queue}
    wove.config(environments={"six": {"executor": "rq", "executor_config": settings}})
    try:
        with weave() as w:
            w.do(range(6), environment="six")(work.one_second)
    finally:
        wove.config(environments={"six": None})
    assert w.result.one_second == list(range(6))
    begun = [run.started_at for run in w.result.runs]
    over = [run.ended_at for run in w.result.runs]
    assert max(t for t in begun if t) < min(t for t in over if t)  # none waited for another


def test_a_job_that_takes_longer_than_rqs_timeout_of_it(
    redis_url: str, rq_worker: StartWorker, queue: str
) -> None:
    rq_worker(redis_url, queue)
    options = {"job_timeout": 2}
    config = {"redis_url": redis_url, "queue_name": queue, "enqueue_options": options}
    begun = time.monotonic()
    result = run_remote(lambda: time.sleep(30), config, error_mode="return")
    assert time.monotonic() - begun < 25
    assert type(result.exception).__name__ == "JobTimeoutException"
