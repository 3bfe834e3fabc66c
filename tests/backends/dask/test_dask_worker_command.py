"""`wove worker dask` on a real scheduler."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import time
from collections.abc import Callable
from pathlib import Path

import pytest
from distributed import Client

from tests.adapters import tasks
from tests.backends.dask import work
from tests.backends.weaves import in_background, run_remote
from tests.services import (
    Worker,
    free_port,
    run_wove_worker,
    start_worker,
    wait_until,
    wove_worker,
)
from wove.errors import WorkerLostError

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


def test_what_a_stopped_worker_has_not_begun_is_not_lost_with_it(
    address: str, worker: StartWorker, tmp_path: Path
) -> None:
    """The scheduler allows no failures: a stop in order must not count as one."""
    started, config = worker(address), {"address": address}
    begun, gate = tmp_path / "begun", tmp_path / "gate"
    values = {"begun": str(begun), "gate": str(gate)}
    with in_background("dask", work.wait_at, config, **values) as in_hand:
        tasks.wait_for(begun)
        with in_background("dask", work.where, config) as waiting:
            with Client(address, set_as_default=False) as operator:
                wait_until(
                    lambda: sum(map(len, operator.processing().values())) == 2,
                    seconds=20,
                    what="the worker has both jobs",
                )
            started.process.terminate()
            time.sleep(1)
            tasks.note(gate)
            assert started.process.wait(20) == 0
            worker(address)
    assert in_hand[0].wait_at == "let through"
    assert waiting[0].exception is None
    assert waiting[0].where not in (os.getpid(), started.process.pid)


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ([], "give --address URL or --scheduler-file PATH"),
        (["--address", "tcp://127.0.0.1:{port}"], "cannot reach the Dask scheduler at tcp://"),
        (["--address", "scheduler"], "--address scheduler: missing port number"),
        (["--address", "http://scheduler:8786"], "Give tcp://HOST:PORT"),
        (["--address", "tcp://127.0.0.1:{port}", "--resource", "GPU"], "give NAME=AMOUNT"),
        (["--address", "nosuch://127.0.0.1:{port}"], "unknown address scheme 'nosuch'"),
        (
            ["--scheduler-file", "/no/such"],
            "--scheduler-file /no/such: no scheduler has written it",
        ),
    ],
)
def test_it_cannot_start(arguments: list[str], words: str) -> None:
    port = free_port()
    done = run_wove_worker("dask", *(argument.format(port=port) for argument in arguments))
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


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_second_signal_ends_it_at_once(
    address: str, worker: StartWorker, tmp_path: Path, number: signal.Signals
) -> None:
    started, begun = worker(address), tmp_path / "begun"
    values = {"begun": str(begun), "gate": str(tmp_path / "never")}
    options = {"delivery_heartbeat_seconds": 1}
    config = {"address": address}
    with in_background("dask", work.wait_at, config, options=options, **values) as found:
        tasks.wait_for(begun)
        started.process.send_signal(number)
        with pytest.raises(subprocess.TimeoutExpired):
            started.process.wait(1.5)
        started.process.send_signal(number)
        assert started.process.wait(15) == -number
    assert isinstance(found[0].exception, WorkerLostError)


def test_the_scheduler_is_found_in_its_file(
    address: str, worker: StartWorker, tmp_path: Path
) -> None:
    """By both sides."""
    file = tmp_path / "scheduler.json"
    file.write_text(json.dumps({"address": address}))
    argv = wove_worker("dask", "--scheduler-file", str(file))
    started = start_worker(tmp_path, "dask", argv)
    try:
        assert address in started.log()
        config = {"client_options": {"scheduler_file": str(file)}}
        assert run_remote("dask", work.where, config).where == started.process.pid
    finally:
        started.kill()


def test_dask_that_is_not_installed_is_named(tmp_path: Path) -> None:
    (tmp_path / "distributed.py").write_text("raise ImportError('no dask here')\n")
    done = run_wove_worker("dask", "--address", "tcp://127.0.0.1:1", modules=tmp_path)
    assert done.returncode == 1
    assert "pip install 'wove[dask]'" in done.stderr
    assert "Traceback" not in done.stderr
