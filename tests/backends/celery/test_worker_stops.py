"""A Celery worker, or one process of its pool, is told to stop in the middle of a task."""

from __future__ import annotations

import os
import signal
from collections.abc import Callable
from pathlib import Path

from tests.backends.celery import work
from tests.backends.celery.weaves import in_background
from tests.services import CeleryWorker, wait_until
from wove import WoveResult
from wove.errors import DeliveryOrphanedError, WorkerLostError

StartWorker = Callable[..., CeleryWorker]


def process_of(pids: Path) -> int:
    """The process that runs the task, once it does."""
    wait_until(
        lambda: pids.exists() and pids.read_text().endswith("\n"), seconds=30, what="the job runs"
    )
    return int(pids.read_text().split()[0])


def told_to_stop(
    url: str, queue: str, pids: Path, stop: Callable[[int], None], **options: str
) -> WoveResult:
    """The result of a weave whose worker is told to stop by `stop(process)`."""
    config = {"broker_url": url, "queue": queue}
    with in_background(work.stay_once, config, options=dict(options), pids=str(pids)) as found:
        stop(process_of(pids))
    return found[0]


def terminate(process: int) -> None:
    os.kill(process, signal.SIGTERM)


def test_sigterm_of_a_pool_process_is_a_lost_worker(
    redis_url: str, celery_worker: StartWorker, queue: str, tmp_path: Path
) -> None:
    worker = celery_worker(redis_url, queue=queue)
    result = told_to_stop(redis_url, queue, tmp_path / "pids", terminate)
    assert isinstance(result.exception, WorkerLostError)
    assert result.exception.reason == "its worker was told to stop: SystemExit"
    assert [run.state for run in result.runs] == ["lost"]
    worker.stop()


def test_the_orphan_policy_decides_about_it(
    redis_url: str, celery_worker: StartWorker, queue: str, tmp_path: Path
) -> None:
    worker = celery_worker(redis_url, queue=queue)
    again = told_to_stop(
        redis_url, queue, tmp_path / "pids", terminate, delivery_orphan_policy="requeue"
    )
    assert again.stay_once == "from the second run"
    assert [run.state for run in again.runs] == ["lost", "succeeded"]
    given_up = told_to_stop(
        redis_url, queue, tmp_path / "others", terminate, delivery_orphan_policy="fail"
    )
    assert isinstance(given_up.exception, DeliveryOrphanedError)
    worker.stop()


def test_a_cold_shutdown_is_a_lost_worker(
    redis_url: str, celery_worker: StartWorker, queue: str, tmp_path: Path
) -> None:
    worker = celery_worker(redis_url, queue=queue)

    def quit_at_once(process: int) -> None:
        os.kill(worker.process.pid, signal.SIGQUIT)

    result = told_to_stop(redis_url, queue, tmp_path / "pids", quit_at_once)
    assert isinstance(result.exception, WorkerLostError), repr(result.exception)
    assert [run.state for run in result.runs] == ["lost"]
    worker.stop()
