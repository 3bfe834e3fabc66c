"""What the log of `wove worker celery` says of jobs that do not run."""

from __future__ import annotations

import threading
import time
import uuid
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.backends.celery import work
from tests.backends.celery.weaves import run_remote
from tests.services import CeleryWorker, wait_until

StartWorker = Callable[..., CeleryWorker]


@pytest.mark.parametrize("serializer", ["json", "pickle"])
def test_an_unknown_task_is_named_without_its_payload(
    redis_url: str, celery_worker: StartWorker, queue: str, serializer: str
) -> None:
    worker = celery_worker(redis_url, "--task-name", "app.wove", "--loglevel", "DEBUG", queue=queue)
    token = uuid.uuid4().hex
    config = {
        "broker_url": redis_url,
        "queue": queue,
        "task_name": "app.wave",
        "callback_token": token,
        "send_task_options": {"serializer": serializer},
    }
    options = {"start_timeout": 2.0}
    run_remote(work.where, config, error_mode="return", options=options)
    wait_until(lambda: "A job of Wove came" in worker.log(), seconds=20, what="the worker says so")
    run_remote(work.where, {**config, "task_name": "app.wove", "send_task_options": {}})
    worker.stop()
    log = worker.log()
    assert "'app.wave'" in log
    assert "Wove's tasks here: 'app.wove'" in log
    assert token not in log  # at level DEBUG, of the job that ran neither
    assert "callable_pickle" not in log


def test_a_cancelled_job_leaves_no_warning(
    redis_url: str, celery_worker: StartWorker, queue: str, tmp_path: Path
) -> None:
    worker = celery_worker(redis_url, queue=queue, concurrency=1)
    config = {"broker_url": redis_url, "queue": queue}
    first = threading.Thread(
        target=run_remote,
        args=(work.stay_once, config),
        kwargs={
            "error_mode": "return",
            "options": {"timeout": 4.0, "delivery_heartbeat_seconds": 1.0},
            "pids": str(tmp_path / "pids"),
        },
    )
    first.start()
    wait_until((tmp_path / "pids").exists, seconds=30, what="the first job runs")
    # The second waits behind it, and is revoked: "Failed to mark task" would be said of it.
    result = run_remote(work.where, config, error_mode="return", options={"delivery_timeout": 2.0})
    assert result.exception is not None
    first.join(30)
    time.sleep(0.5)
    worker.stop()
    assert "Failed to mark task" not in worker.log()
