"""`wove worker arq` on a real Redis."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.backends.arq import work
from tests.backends.arq.weaves import in_background, run_remote
from tests.services import Worker, free_port, wait_until, wove_worker

StartWorker = Callable[..., Worker]


@pytest.mark.parametrize("arguments", [[], ["-c", "1", "--job-timeout", "60"]])
def test_a_worker_serves_its_queue_and_stops_on_sigterm(
    redis_url: str, arq_worker: StartWorker, queue: str, arguments: list[str]
) -> None:
    worker = arq_worker(redis_url, queue, *arguments)
    said = worker.log()
    assert f"wove: arq worker on {redis_url}" in said
    at_once = "one job at a time" if arguments else "10 jobs at once"
    assert f"wove: queue {queue}, {at_once}, function wove_run_backend_payload" in said
    for _ in range(3):
        result = run_remote(work.where, {"redis_settings": redis_url, "queue_name": queue})
        assert result.where == worker.process.pid
    assert worker.stop() == 0
    assert "wove: stopped" in worker.log()
    assert worker.log().count("wove: ready") == 1
    assert "Traceback" not in worker.log()


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_lets_the_job_in_hand_finish_and_takes_no_other(
    redis_url: str, arq_worker: StartWorker, queue: str, tmp_path: Path, number: signal.Signals
) -> None:
    worker = arq_worker(redis_url, queue)
    started, gate = tmp_path / "started", tmp_path / "gate"
    config = {"redis_settings": redis_url, "queue_name": queue}
    with in_background(work.until, config, started=str(started), gate=str(gate)) as results:
        wait_until(started.exists, seconds=30, what="it began")
        os.kill(worker.process.pid, number)
        with in_background(work.where, config) as others:
            with pytest.raises(subprocess.TimeoutExpired):
                worker.process.wait(1.5)
            gate.touch()
            assert worker.process.wait(30) == 0
            assert others == []
            another = arq_worker(redis_url, queue)
    assert results[0].until == "went on"
    assert others[0].where == another.process.pid


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["--redis-url", "redis://someone:hunter2@127.0.0.1:{port}/0"], "cannot reach Redis at"),
        (["--redis-url", "http://someone:hunter2@127.0.0.1/"], "no URL of a Redis"),
        (["--redis-url", "redis://:hunter2@127.0.0.1/0?pasword=hunter2"], "'pasword'"),
    ],
)
def test_a_worker_that_cannot_start_says_why(arguments: list[str], says: str) -> None:
    filled = [each.format(port=free_port()) for each in arguments]
    done = subprocess.run(
        wove_worker("arq", *filled), capture_output=True, text=True, timeout=60, check=False
    )
    assert done.returncode == 1
    assert done.stderr.startswith("wove: ")
    assert says in done.stderr
    assert len(done.stderr.splitlines()) == 1
    assert "hunter2" not in done.stderr


def test_a_worker_without_arq_names_the_command_that_installs_it() -> None:
    code = (
        "import sys; sys.modules['arq'] = None; from wove.cli import main; "
        "sys.exit(main(['worker', 'arq', '--redis-url', 'redis://localhost']))"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, timeout=60, check=False
    )
    assert done.returncode == 1
    assert "pip install 'wove[arq]'" in done.stderr
