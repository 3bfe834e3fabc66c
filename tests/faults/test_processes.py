"""Processes that come and go: forks, restarts, and two behind one address."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.adapters import tasks
from tests.adapters.backends.process import Process
from tests.faults.programs import WORKER, Job
from tests.faults.proxy import PASS, Action, Proxy, Request
from tests.services import free_port, wait_until
from wove import weave
from wove.errors import CallbackUnreachableError, ErrorCode

pytestmark = pytest.mark.xdist_group("faults-processes")

SCRIPTS = Path(__file__).parent / "scripts"
Use = Callable[..., None]
Programs = Callable[..., dict[str, Any]]


def test_a_fork_in_mid_weave(tmp_path: Path) -> None:
    """The weave goes on in the parent, and the child keeps nothing of it."""
    port = free_port()
    output = tmp_path / "output"
    with open(output, "wb") as stdout:  # a file, because the child holds on to it
        subprocess.run(
            [sys.executable, str(SCRIPTS / "forking.py"), str(port), str(tmp_path / "effects")],
            stdout=stdout,
            timeout=40,
            check=True,
        )
    child, right = output.read_text().split()
    try:
        assert right == "True"
        assert sorted(tasks.lines(tmp_path / "effects")) == [str(n) for n in range(6)]
        with pytest.raises(ConnectionRefusedError):  # the listening socket went with the parent
            socket.create_connection(("127.0.0.1", port), timeout=5)
        os.kill(int(child), 0)
    finally:
        os.kill(int(child), signal.SIGKILL)


def second_receiver(port: int, token: str) -> subprocess.Popen[str]:
    """Another process with a receiver on `port`."""
    process = subprocess.Popen(
        [sys.executable, str(SCRIPTS / "receiver.py"), str(port), token],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    assert process.stdout is not None
    assert process.stdout.readline() == "listening\n"
    return process


def stop(process: subprocess.Popen[str]) -> None:
    process.communicate(timeout=10)


def test_two_receivers_behind_one_address(
    use: Use, proxy: Proxy, port: int, tmp_path: Path
) -> None:
    """A balancer sends every second connection to the other process: 421, and a new connection."""
    other = free_port()
    sibling = second_receiver(other, "shared")
    connections: list[int] = []

    def rule(request: Request) -> Action:
        if not request.frame:
            return PASS  # who is there, asked at the start
        if request.connection not in connections:
            connections.append(request.connection)
        there = connections.index(request.connection) % 2 == 0
        return Action(upstream=other) if there else PASS

    proxy.rule = rule
    config = {"callback_port": port, "callback_token": "shared", "workers": 2}
    use(
        {
            "executor": "process",
            "executor_config": {**config, "callback_url": proxy.url("shared")},
        }
    )
    effects = tmp_path / "effects"
    try:
        with weave(effects=str(effects)) as w:

            @w.do(range(10), environment="remote")
            def once(n: int, effects: str) -> int:
                tasks.note(effects, str(n))
                return n

        assert w.result.once == list(range(10))
        assert sorted(tasks.lines(effects)) == sorted(str(n) for n in range(10))
        assert 421 in {request.status for request in proxy.seen}
    finally:
        stop(sibling)


def test_an_address_that_leads_to_another_process_is_refused_at_the_start(
    use: Use, proxy: Proxy, port: int
) -> None:
    other = free_port()
    sibling = second_receiver(other, "shared")
    proxy.upstream = other
    use(
        {
            "executor": "process",
            "executor_config": {
                "callback_port": port,
                "callback_token": "shared",
                "callback_url": proxy.url("shared"),
            },
        }
    )
    try:
        with pytest.raises(CallbackUnreachableError) as caught, weave() as w:

            @w.do(environment="remote")
            def never() -> None: ...

        assert caught.value.code is ErrorCode.CALLBACK_MISDIRECTED
        assert "{ip}" in str(caught.value)
        assert "{hostname}" in str(caught.value)
        assert "shared" not in str(caught.value)  # the token
    finally:
        stop(sibling)


def test_the_receivers_process_is_restarted(
    use: Use, tmp_path: Path, programs: Programs, jobs: list[Job]
) -> None:
    """The old run's worker finds another receiver on the port, and does not start the task."""
    port, token = free_port(), "restarted"
    payload_file, effect = tmp_path / "payload.json", tmp_path / "effect"
    old = subprocess.Popen(
        [
            sys.executable,
            str(SCRIPTS / "waiting.py"),
            *(str(port), token, str(payload_file), str(effect)),
        ]
    )
    wait_until(payload_file.exists, seconds=20, what="the old weave has submitted its job")
    old.kill()
    old.wait(5)

    use(programs({"callback_port": port, "callback_token": token}))
    with weave() as w:

        @w.do(environment="remote")
        def fresh() -> str:
            return "of the new weave"

        @w.do
        def stale_worker(fresh: str) -> str:
            done = subprocess.run(
                WORKER,
                input=payload_file.read_bytes(),
                capture_output=True,
                env={**os.environ, "WOVE_TEST_START_SECONDS": "4"},
                timeout=40,
                check=False,
            )
            return done.stderr.decode().splitlines()[-1]

    assert w.result.fresh == "of the new weave"
    assert w.result.stale_worker.startswith("wove.errors.CallbackUnreachableError: ")
    assert "421" in w.result.stale_worker
    assert tasks.lines(effect) == []


@pytest.mark.parametrize("wait", ["queued", "running"])
def test_a_detached_job_outlives_its_weave(
    tmp_path: Path, redis_url: str, celery_worker: Any, wait: str
) -> None:
    """The weave's process is gone; the job runs, or goes on, and ends in order."""
    queue = f"faults-detach-{wait}"
    started, effect = tmp_path / "started", tmp_path / "effect"
    environment = {
        "executor": "celery",
        "executor_config": {"broker_url": redis_url, "queue": queue},
    }
    arguments = (json.dumps(environment), str(started), str(effect), wait)

    def run_weave() -> None:
        done = subprocess.run(
            [sys.executable, str(SCRIPTS / "detached.py"), *arguments],
            capture_output=True,
            text=True,
            timeout=30,
            check=False,
        )
        assert done.stdout == "refused\n", done.stderr

    if wait == "queued":
        run_weave()
        assert tasks.lines(started) == []
        worker = celery_worker(redis_url, queue=queue, concurrency=1)
    else:
        worker = celery_worker(redis_url, queue=queue, concurrency=1)
        run_weave()
        assert tasks.lines(effect) == []
    tasks.wait_for(effect, seconds=20)
    worker.kill()  # it would try for minutes to deliver the result
    assert (len(tasks.lines(started)), len(tasks.lines(effect))) == (1, 1)


def test_a_detached_job_that_is_queued_when_its_weave_stops(use: Use, tmp_path: Path) -> None:
    """The same in one process: the receiver is there, and does not stop the job."""
    backend = Process()
    effect = tmp_path / "effect"
    with backend.stalled(tmp_path) as stalled:
        use(backend.environment(stalled.config, delivery_orphan_policy="detach"))
        with pytest.raises(tasks.Refused), weave(effect=str(effect)) as w:

            @w.do(environment="remote")
            def queued(effect: str) -> None:
                tasks.note(effect)

            @w.do
            def fail() -> None:
                while [run.state for run in w.runs if run.task == "queued"] != ["queued"]:
                    time.sleep(0.02)
                raise tasks.Refused("the weave stops")

        (run,) = [run for run in w.runs if run.task == "queued"]
        assert run.state == "queued"
        assert run.cancel is None
        assert tasks.lines(effect) == []
        stalled.resume()
        tasks.wait_for(effect, seconds=20)
