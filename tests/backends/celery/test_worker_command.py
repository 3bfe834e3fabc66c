"""`wove worker celery` on a real broker."""

from __future__ import annotations

import textwrap
import time
import uuid
from collections.abc import Callable
from pathlib import Path

import celery
import pytest

from tests.services import CeleryWorker

StartWorker = Callable[..., CeleryWorker]


@pytest.mark.parametrize("pool", ["prefork", "threads", "solo"])
def test_a_worker_serves_its_queue_and_stops_on_sigterm(
    redis_url: str, celery_worker: StartWorker, pool: str
) -> None:
    queue = f"test-{uuid.uuid4().hex[:12]}"
    worker = celery_worker(redis_url, "--task-name", "app.wove", queue=queue, pool=pool)
    said = worker.log()
    assert f"wove: task app.wove, queue {queue}" in said
    assert redis_url.rpartition(":")[2].split("/")[0] in said
    assert worker.stop() == 0
    assert "wove: stopped" in worker.log()


def test_sigterm_lets_the_job_in_hand_finish(
    redis_url: str, celery_worker: StartWorker, tmp_path: Path
) -> None:
    (tmp_path / "slow_app.py").write_text(
        textwrap.dedent(
            """
            import pathlib, time
            from celery import Celery

            app = Celery("slow")

            @app.task(name="slow.touch")
            def touch(folder):
                (pathlib.Path(folder) / "started").touch()
                time.sleep(1)
                (pathlib.Path(folder) / "finished").touch()
            """
        )
    )
    queue = f"test-{uuid.uuid4().hex[:12]}"
    worker = celery_worker(
        redis_url,
        *("--app", "slow_app:app"),
        queue=queue,
        env={"PYTHONPATH": str(tmp_path)},
    )
    client = celery.Celery("client", broker=redis_url, set_as_current=False)
    with client.connection_for_write() as connection:
        client.send_task("slow.touch", args=(str(tmp_path),), queue=queue, connection=connection)
    deadline = time.monotonic() + 20
    while not (tmp_path / "started").exists():
        assert time.monotonic() < deadline, worker.log()
        time.sleep(0.02)
    assert worker.stop() == 0
    assert (tmp_path / "finished").exists()
