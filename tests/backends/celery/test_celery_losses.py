"""What becomes of jobs that are deleted, and of those in a broker that restarts."""

from __future__ import annotations

import contextlib
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import celery
import pytest
import redis

from tests.backends.celery import work
from tests.backends.celery.weaves import in_background, run_remote
from tests.services import CeleryWorker, start_rabbitmq, stop_service, wait_until
from wove import WoveResult
from wove.errors import DeliveryError, DeliveryTimeoutError, ErrorCode, WorkerLostError
from wove.executors.backend_state import BackendStatus
from wove.executors.liveness import Liveness
from wove.integrations._celery_broker import CeleryBroker, CeleryJob, make_broker

StartWorker = Callable[..., CeleryWorker]


@pytest.fixture
def own_rabbitmq(tmp_path: Path) -> Iterator[tuple[str, Callable[[], None]]]:
    """URL of a RabbitMQ of the test's own, and what restarts it with what it holds."""
    running = start_rabbitmq(tmp_path)
    port = int(running.url.rpartition(":")[2].rstrip("/"))
    processes = list(running.pids)

    def stop() -> None:
        while processes:
            stop_service(processes.pop(0))

    def restart() -> None:
        stop()
        processes.extend(start_rabbitmq(tmp_path, port).pids)

    yield running.url, restart
    stop()


@contextlib.contextmanager
def busy(
    config: dict[str, Any], folder: Path
) -> Iterator[tuple[list[WoveResult], Callable[[], None]]]:
    """A worker of one slot is busy with a job until the second value is called."""
    started, gate = folder / "started", folder / "gate"
    with in_background(work.until, config, started=str(started), gate=str(gate)) as results:
        wait_until(started.exists, seconds=30, what="the worker is busy")
        try:
            yield results, gate.touch
        finally:
            gate.touch()


def wait_until_reserved(broker: CeleryBroker, job_id: str) -> None:
    """Return when a worker has the job in its hands, and no slot for it."""

    def reserved() -> bool:
        return broker.ask({"run": CeleryJob(job_id)})["run"].status is BackendStatus.QUEUED

    wait_until(reserved, seconds=30, what="a worker has reserved the job")


@pytest.mark.parametrize("results", [True, False], ids=["result backend", "none"])
def test_a_queued_job_that_an_operator_revokes_ends(
    redis_url: str, celery_worker: StartWorker, queue: str, tmp_path: Path, results: bool
) -> None:
    """Its worker tells the result backend, and nobody else: then the start timeout decides."""
    kept = ["--result-backend", redis_url] if results else []
    worker = celery_worker(redis_url, *kept, queue=queue, concurrency=1)
    config = {"broker_url": redis_url, "queue": queue}
    if results:
        config["result_backend"] = redis_url
    chosen = {**config, "send_task_options": {"task_id": queue}}
    often = Liveness(poll_seconds=1.0, poll_seconds_max=1.0)
    options = {} if results else {"start_timeout": 10.0}
    operator = make_broker(redis_url)
    with (
        busy(config, tmp_path) as (_, go_on),
        in_background(work.where, chosen, liveness=often, options=options) as found,
    ):
        with redis.Redis.from_url(redis_url) as client:  # no worker takes more than it can do
            wait_until(lambda: client.llen(queue) == 1, seconds=30, what="the job is queued")
        operator.revoke(queue, terminate=False, wait_for_answers=False)
        go_on()
    error = found[0].where
    assert isinstance(error, DeliveryError), repr(error)
    if results:
        assert error.code is ErrorCode.BACKEND_CANCELLED
        assert "Celery says REVOKED: TaskRevokedError: revoked" in str(error)
    else:
        assert error.code is ErrorCode.START_TIMEOUT
    assert [run.started_at for run in found[0].runs] == [None]
    worker.stop()


@pytest.mark.parametrize("results", [True, False], ids=["result backend", "none"])
def test_a_running_job_that_an_operator_terminates_is_lost(
    redis_url: str, celery_worker: StartWorker, queue: str, tmp_path: Path, results: bool
) -> None:
    kept = ["--result-backend", redis_url] if results else []
    worker = celery_worker(redis_url, *kept, queue=queue, concurrency=1)
    config = {"broker_url": redis_url, "queue": queue}
    if results:
        config["result_backend"] = redis_url
    chosen = {**config, "send_task_options": {"task_id": queue}}
    pids = tmp_path / "pids"
    with in_background(work.stay_once, chosen, pids=str(pids)) as found:
        wait_until(pids.exists, seconds=30, what="it runs")
        make_broker(redis_url).revoke(queue, terminate=True, wait_for_answers=False)
        begun = time.monotonic()
        wait_until(lambda: bool(found), seconds=40, what="the weave has ended")
    assert time.monotonic() - begun < 25
    assert isinstance(found[0].stay_once, WorkerLostError), repr(found[0].stay_once)
    assert [run.state for run in found[0].runs] == ["lost"]
    assert run_remote(work.where, config).where  # the pool goes on
    worker.stop()


def test_a_queue_that_was_purged_is_found_by_the_start_timeout(redis_url: str, queue: str) -> None:
    app = celery.Celery("operator", broker=redis_url, set_as_current=False)
    config = {"broker_url": redis_url, "queue": queue}
    with (
        in_background(work.where, config, options={"start_timeout": 6.0}) as results,
        app.connection_for_write() as connection,
    ):
        purge = connection.default_channel.queue_purge
        wait_until(lambda: purge(queue) == 1, seconds=5, what="the job was purged")
    error = results[0].where
    assert isinstance(error, DeliveryTimeoutError), repr(error)
    assert error.code is ErrorCode.START_TIMEOUT
    assert f"in the queue '{queue}'" in str(error)


def test_jobs_outlive_a_restart_of_rabbitmq(
    own_rabbitmq: tuple[str, Callable[[], None]],
    celery_worker: StartWorker,
    queue: str,
    tmp_path: Path,
) -> None:
    """One runs, one is in the queue; a weave after that finds the broker again."""
    url, restart = own_rabbitmq
    worker = celery_worker(url, queue=queue, concurrency=1)
    config = {"broker_url": url, "queue": queue}
    chosen = {**config, "send_task_options": {"task_id": queue}}
    second: list[WoveResult] = []
    with busy(config, tmp_path) as (first, go_on):
        waiting = threading.Thread(target=lambda: second.append(run_remote(work.where, chosen)))
        waiting.start()
        wait_until_reserved(make_broker(url), queue)
        restart()
        go_on()
        waiting.join(60)
    assert first[0].until == "went on"
    after = run_remote(work.where, config)
    assert second[0].where[0] == after.where[0]  # the one process of the pool
    worker.kill()
