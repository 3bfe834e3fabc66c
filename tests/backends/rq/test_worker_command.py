"""`wove worker rq` on a real Redis."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
import redis

from tests.backends.rq import work
from tests.backends.rq.weaves import in_background, run_remote
from tests.services import Worker, free_port, wait_until, wove_worker

StartWorker = Callable[..., Worker]


@pytest.mark.parametrize("concurrency", ["1", "3"])
def test_a_worker_serves_its_queues_and_stops_on_sigterm(
    redis_url: str, rq_worker: StartWorker, connection: redis.Redis, queue: str, concurrency: str
) -> None:
    other = f"{queue}-other"
    worker = rq_worker(redis_url, queue, "--queue", other, "--concurrency", concurrency)
    said = worker.log()
    assert f"wove: RQ worker on {redis_url}" in said
    assert f"wove: queue {queue}, {other}, " in said
    assert int(connection.scard(f"rq:workers:{queue}")) == int(concurrency)
    for name in (queue, other):
        result = run_remote(work.where, {"redis_url": redis_url, "queue_name": name})
        assert result.where[0] != worker.process.pid
        assert (result.where[1] == worker.process.pid) is (concurrency == "1")
    assert worker.stop() == 0
    assert "wove: stopped" in worker.log()
    assert worker.log().count("wove: ready") == 1
    assert not connection.scard(f"rq:workers:{queue}")


@pytest.mark.parametrize("concurrency", ["1", "2"])
@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_lets_the_job_in_hand_finish(
    redis_url: str,
    rq_worker: StartWorker,
    queue: str,
    tmp_path: Path,
    concurrency: str,
    number: signal.Signals,
) -> None:
    worker = rq_worker(redis_url, queue, "--concurrency", concurrency)
    started, gate = tmp_path / "started", tmp_path / "gate"
    config = {"redis_url": redis_url, "queue_name": queue}
    with in_background(work.until, config, started=str(started), gate=str(gate)) as results:
        wait_until(started.exists, seconds=30, what="it began")
        os.kill(worker.process.pid, number)
        with pytest.raises(subprocess.TimeoutExpired):
            worker.process.wait(1.5)
        gate.touch()
    assert results[0].until == "went on"
    assert worker.process.wait(30) == 0


def test_a_worker_of_the_pool_that_dies_is_started_again(
    redis_url: str, rq_worker: StartWorker, connection: redis.Redis, queue: str
) -> None:
    rq_worker(redis_url, queue, "--concurrency", "2")
    workers = f"rq:workers:{queue}"
    before = connection.smembers(workers)
    config = {"redis_url": redis_url, "queue_name": queue}
    os.kill(run_remote(work.where, config).where[1], signal.SIGKILL)
    started = lambda: len(connection.smembers(workers) - before) == 1  # noqa: E731
    wait_until(started, seconds=30, what="another worker is there")
    assert run_remote(work.where, config).where


def test_what_is_preloaded_is_imported_once(
    redis_url: str, rq_worker: StartWorker, queue: str
) -> None:
    worker = rq_worker(redis_url, queue, "--preload", "colorsys")

    def loaded() -> bool:
        return "colorsys" in sys.modules

    assert run_remote(loaded, {"redis_url": redis_url, "queue_name": queue}).loaded
    assert worker.stop() == 0


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["--redis-url", "redis://someone:hunter2@127.0.0.1:{port}/0"], "cannot reach Redis at"),
        (["--redis-url", "http://someone:hunter2@127.0.0.1/"], "no URL of a Redis"),
        (["--redis-url", "{url}", "--preload", "no.such"], "--preload no.such: cannot import"),
    ],
)
def test_a_worker_that_cannot_start_says_why(
    redis_url: str, arguments: list[str], says: str
) -> None:
    filled = [each.format(port=free_port(), url=redis_url) for each in arguments]
    done = subprocess.run(
        wove_worker("rq", *filled), capture_output=True, text=True, timeout=60, check=False
    )
    assert done.returncode == 1
    assert done.stderr.startswith("wove: ")
    assert says in done.stderr
    assert len(done.stderr.splitlines()) == 1
    assert "hunter2" not in done.stderr


def test_a_worker_without_rq_names_the_command_that_installs_it() -> None:
    code = (
        "import sys; sys.modules['rq'] = None; from wove.cli import main; "
        "sys.exit(main(['worker', 'rq', '--redis-url', 'redis://localhost']))"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, timeout=60, check=False
    )
    assert done.returncode == 1
    assert "pip install 'wove[rq]'" in done.stderr
