"""`wove worker ray` on a real cluster."""

from __future__ import annotations

import contextlib
import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.adapters import tasks
from tests.backends.ray import work
from tests.backends.weaves import in_background
from tests.services import (
    Worker,
    free_port,
    run_wove_worker,
    start_ray,
    start_worker,
    stop_service,
    wait_until,
    wove_worker,
)
from wove.errors import WorkerLostError

pytestmark = [pytest.mark.xdist_group("adapters-ray"), pytest.mark.timeout(240)]


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_lets_the_job_in_hand_finish(
    cluster: str, node: Callable[..., Worker], mark: str, tmp_path: Path, number: signal.Signals
) -> None:
    started = node("--num-cpus", "1")
    assert f" of {cluster}" in started.log()
    begun, gate = tmp_path / "begun", tmp_path / "gate"
    config = {"address": cluster, "remote_options": {"resources": {mark: 1}}}
    values = {"begun": str(begun), "gate": str(gate)}
    with in_background("ray", work.wait_at, config, **values) as found:
        tasks.wait_for(begun, seconds=60)
        started.process.send_signal(number)
        with pytest.raises(subprocess.TimeoutExpired):
            started.process.wait(3)
        tasks.note(gate)
    assert found[0].wait_at == "let through"
    assert started.process.wait(60) == 0, started.log()
    assert "wove: stopped" in started.log()


def test_a_second_sigterm_waits_for_no_job(
    cluster: str, node: Callable[..., Worker], mark: str, tmp_path: Path
) -> None:
    started = node("--num-cpus", "1")
    begun, gate = tmp_path / "begun", tmp_path / "gate"
    config = {"address": cluster, "remote_options": {"resources": {mark: 1}}}
    values = {"begun": str(begun), "gate": str(gate)}
    options = {"delivery_heartbeat_seconds": 1}
    with in_background("ray", work.wait_at, config, options=options, **values) as found:
        tasks.wait_for(begun, seconds=60)
        for _ in range(2):
            started.process.terminate()
            with contextlib.suppress(subprocess.TimeoutExpired):
                started.process.wait(3)
        assert started.process.wait(40) == 0, started.log()
    assert isinstance(found[0].exception, WorkerLostError)


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["--address", "127.0.0.1:{port}"], "cannot reach the Ray cluster at 127.0.0.1:"),
        (["--address", "somewhere"], "give HOST:PORT"),
        (["--address", "127.0.0.1:{port}", "--resource", "GPU"], "give NAME=AMOUNT"),
    ],
)
def test_it_cannot_start(arguments: list[str], words: str) -> None:
    port = free_port()
    done = run_wove_worker("ray", *(argument.format(port=port) for argument in arguments))
    assert done.returncode == 1
    assert words in done.stderr
    assert "Traceback" not in done.stderr


WEAVE = """
import sys
import wove
from wove.errors import SubmissionError

settings = {"executor": "ray", "executor_config": {"address": sys.argv[1]}}
wove.config(environments={"cluster": settings})
try:
    with wove.weave() as w:
        @w.do(environment="cluster")
        def work():
            return "done"
except SubmissionError as error:
    print(error.code.value, error)
else:
    print(w.result.work)
"""


def test_a_cluster_that_wants_a_token_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    """What `ray start --head` of Ray 2.60 begins wants one; "Failed to connect" helps nobody."""
    token = "0123456789abcdef" * 4
    holder = {**os.environ, "RAY_AUTH_MODE": "token", "RAY_AUTH_TOKEN": token}
    folder = Path(tempfile.mkdtemp())  # Ray's sockets need a short path
    try:
        with monkeypatch.context() as there:
            there.setenv("RAY_AUTH_MODE", "token")
            there.setenv("RAY_AUTH_TOKEN", token)
            started = start_ray(folder)
    except BaseException:
        shutil.rmtree(folder, ignore_errors=True)
        raise
    try:
        commands = {
            "weave": ([sys.executable, "-c", WEAVE, started.url], None),
            "node": (wove_worker("ray", "--address", started.url), None),
            "token": ([sys.executable, "-c", WEAVE, started.url], holder),
        }
        processes = {
            name: subprocess.Popen(
                argv, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=env
            )
            for name, (argv, env) in commands.items()
        }
        said = {name: process.communicate(timeout=120) for name, process in processes.items()}
    finally:
        for pid in started.pids:
            stop_service(pid)
        shutil.rmtree(folder, ignore_errors=True)
    refused, error = said["weave"][0], said["node"][1]
    assert refused.startswith(f"submit_failed ray reached its cluster at {started.url}, and")
    assert f"wove: the Ray cluster at {started.url} refuses this node: " in error
    for words in (refused, error):
        assert "Authentication token is missing or incorrect" in words
        assert "RAY_AUTH_TOKEN" in words
        assert token not in words
    assert processes["node"].returncode == 1
    assert "Traceback" not in error
    assert said["token"][0] == "done\n"


def test_a_head_that_says_nothing() -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        done = run_wove_worker("ray", "--address", f"127.0.0.1:{silent.getsockname()[1]}")
    assert done.returncode == 1
    assert "it accepts connections and does not answer" in done.stderr
    assert len(done.stderr.splitlines()) == 1


def test_a_second_sigterm_does_not_wait_for_a_start_that_fails(tmp_path: Path) -> None:
    """Ray looks for its cluster for most of a minute, and hears no signal meanwhile."""
    connections: list[socket.socket] = []

    def greet(head: socket.socket) -> None:
        with contextlib.suppress(OSError):  # it is closed
            while True:
                connections.append(head.accept()[0])
                with contextlib.suppress(OSError):
                    connections[-1].sendall(bytes([0, 0, 0, 4, 0, 0, 0, 0, 0]))

    def has_begun(pid: int) -> bool:
        return any(path.read_text() for path in Path(f"/proc/{pid}/task").glob("*/children"))

    with socket.create_server(("127.0.0.1", 0)) as head:
        threading.Thread(target=greet, args=(head,), daemon=True).start()
        argv = wove_worker("ray", "--address", f"127.0.0.1:{head.getsockname()[1]}")
        command = start_worker(tmp_path, "ray", argv, ready="")
        try:
            wait_until(lambda: has_begun(command.process.pid), seconds=60, what="Ray starts")
            for _ in range(2):
                time.sleep(1)
                command.process.terminate()
            assert command.process.wait(25) == 1
        finally:
            command.kill()
            for each in connections:
                each.close()
    assert command.log() == "wove: stopped before the node was there\n"


def test_a_second_sigterm_does_not_wait_for_a_head_that_is_gone(tmp_path: Path) -> None:
    folder = Path(tempfile.mkdtemp())  # Ray's sockets need a short path
    try:
        head = start_ray(folder)
        argv = wove_worker("ray", "--address", head.url, "--num-cpus", "1")
        command = start_worker(tmp_path, "ray", argv, seconds=120)
        try:
            for pid in head.pids:
                stop_service(pid)
            for _ in range(2):
                command.process.terminate()
                time.sleep(2)
            command.process.wait(25)
        finally:
            command.kill()
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def test_ray_that_is_not_installed_is_named(tmp_path: Path) -> None:
    (tmp_path / "ray.py").write_text("raise ImportError('no ray here')\n")
    done = run_wove_worker("ray", "--address", "127.0.0.1:1", modules=tmp_path)
    assert done.returncode == 1
    assert "pip install 'wove[ray]'" in done.stderr
    assert "Traceback" not in done.stderr
