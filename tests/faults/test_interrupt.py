"""Ctrl-C: the first one cancels and ends within seconds, the second abandons at once."""

from __future__ import annotations

import contextlib
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.adapters import tasks
from tests.services import wait_until

pytestmark = pytest.mark.xdist_group("faults-interrupt")

SCRIPTS = Path(__file__).parent / "scripts"


@contextlib.contextmanager
def script(name: str, *arguments: str, folder: Path) -> Iterator[subprocess.Popen[bytes]]:
    """A script in a session of its own; its output goes to files in `folder`."""
    with open(folder / "stdout", "wb") as stdout, open(folder / "stderr", "wb") as stderr:
        process = subprocess.Popen(
            [sys.executable, str(SCRIPTS / name), *arguments],
            stdout=stdout,
            stderr=stderr,
            start_new_session=True,
        )
    try:
        yield process
    finally:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        process.wait(5)


def assert_interrupted(process: subprocess.Popen[bytes], folder: Path, *, seconds: float) -> None:
    begun = time.monotonic()
    process.wait(seconds + 20)
    took = time.monotonic() - begun
    stderr = (folder / "stderr").read_text()
    assert took < seconds, f"it took {took:.1f} s\n{stderr}"
    assert "KeyboardInterrupt" in stderr
    assert process.returncode != 0


@pytest.mark.parametrize("whole_group", [False, True], ids=["the process", "the terminal's group"])
def test_once(tmp_path: Path, whole_group: bool) -> None:
    environment: dict[str, Any] = {"executor": "process"}
    started, effect = tmp_path / "started", tmp_path / "effect"
    arguments = (json.dumps(environment), "{}", str(started), str(effect))
    with script("interrupted.py", *arguments, folder=tmp_path) as process:
        tasks.wait_for(started)
        if whole_group:
            os.killpg(process.pid, signal.SIGINT)
        else:
            os.kill(process.pid, signal.SIGINT)
        assert_interrupted(process, tmp_path, seconds=8)
        time.sleep(4.5)
    assert tasks.lines(effect) == []


@pytest.mark.parametrize("terminate", [True, False], ids=["terminate", "by its heartbeat"])
def test_once_with_celery(
    tmp_path: Path, redis_url: str, celery_worker: Any, terminate: bool
) -> None:
    """The worker outlives the weave, and does not finish what nobody waits for."""
    celery_worker(redis_url, queue="faults-interrupt", concurrency=1)
    environment = {
        "executor": "celery",
        "executor_config": {
            "broker_url": redis_url,
            "queue": "faults-interrupt",
            "terminate_on_cancel": terminate,
        },
    }
    started, effect = tmp_path / "started", tmp_path / "effect"
    options = json.dumps({"delivery_heartbeat_seconds": 1.5})
    arguments = (json.dumps(environment), options, str(started), str(effect))
    with script("interrupted.py", *arguments, folder=tmp_path) as process:
        tasks.wait_for(started)
        os.kill(process.pid, signal.SIGINT)
        assert_interrupted(process, tmp_path, seconds=10)
        time.sleep(4.5)
    assert tasks.lines(effect) == []


def test_once_with_a_backend_that_does_not_answer(tmp_path: Path) -> None:
    started = tmp_path / "started"
    with script("stubborn.py", str(started), folder=tmp_path) as process:
        tasks.wait_for(started)
        os.kill(process.pid, signal.SIGINT)
        assert_interrupted(process, tmp_path, seconds=10)


def test_twice(tmp_path: Path) -> None:
    started = tmp_path / "started"
    with script("stubborn.py", str(started), folder=tmp_path) as process:
        tasks.wait_for(started)
        os.kill(process.pid, signal.SIGINT)
        stdout = tmp_path / "stdout"
        wait_until(lambda: b"cancelling" in stdout.read_bytes(), seconds=5, what="it cancels")
        os.kill(process.pid, signal.SIGINT)
        assert_interrupted(process, tmp_path, seconds=3)
