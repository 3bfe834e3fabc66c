"""`wove worker dask` on a real scheduler."""

from __future__ import annotations

import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.adapters import tasks
from tests.backends.dask import work
from tests.backends.weaves import in_background
from tests.services import Worker, free_port, wait_until, wove_worker

StartWorker = Callable[..., Worker]


def test_it_says_where_it_is_and_stops_on_sigterm(address: str, worker: StartWorker) -> None:
    started = worker(address, "--name", "alice", "--concurrency", "2")
    assert f"wove: Dask worker alice on {address}" in started.log()
    assert "wove: 2 tasks at once" in started.log()
    assert started.stop() == 0
    assert "wove: stopped" in started.log()


def test_sigterm_lets_the_job_in_hand_finish(
    address: str, worker: StartWorker, tmp_path: Path
) -> None:
    started, begun, effect = worker(address), tmp_path / "begun", tmp_path / "effect"
    config = {"address": address}
    with in_background("dask", _begin_and_nap, config, begun=str(begun), effect=str(effect)):
        tasks.wait_for(begun)
        assert started.stop() == 0
    assert tasks.lines(effect) == ["slept"]


def _begin_and_nap(begun: str, effect: str) -> None:
    tasks.note(begun)
    work.nap(effect)


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ([], "give --address URL or --scheduler-file PATH"),
        (["--address", "tcp://127.0.0.1:{port}"], "cannot reach the Dask scheduler at tcp://"),
        (["--address", "scheduler"], "--address scheduler: missing port number"),
        (["--address", "http://scheduler:8786"], "Give tcp://HOST:PORT"),
        (["--address", "tcp://127.0.0.1:{port}", "--resource", "GPU"], "give NAME=AMOUNT"),
    ],
)
def test_it_cannot_start(arguments: list[str], words: str) -> None:
    port = free_port()
    argv = wove_worker("dask", *(argument.format(port=port) for argument in arguments))
    done = subprocess.run(argv, capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 1
    assert words in done.stderr
    assert "Traceback" not in done.stderr


def test_it_ends_with_its_scheduler(scheduler: Callable[..., object], worker: StartWorker) -> None:
    from tests.services import Started, stop_service

    started = scheduler()
    assert isinstance(started, Started)
    running = worker(started.url)
    for pid in started.pids:
        stop_service(pid)
    wait_until(lambda: running.process.poll() is not None, seconds=60, what="the worker has ended")
    assert running.process.returncode == 1
    assert "the scheduler is gone" in running.log()
