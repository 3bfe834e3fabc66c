"""What is lost: a worker, the server, all that the server held."""

from __future__ import annotations

import contextlib
import json
import os
import signal
import sys
import uuid
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from temporalio.client import Client

from tests.backends.temporal import work
from tests.backends.temporal.conftest import StartWorker
from tests.backends.temporal.weaves import IMPATIENT, ask, in_background, only_job
from tests.services import (
    FOLDER_VARIABLE,
    Worker,
    free_port,
    start_temporal,
    start_worker,
    stop_service,
    wait_until,
)
from wove.errors import DeliveryError, ErrorCode, WorkerLostError
from wove.executors.backend_state import BackendStatus
from wove.integrations._temporal_state import job_state

OWN_WORKER = Path(__file__).parent / "own_worker.py"


class Server:
    """A server of the test's own, which can be restarted on its port."""

    def __init__(self, folder: Path, *, keep: bool) -> None:
        self._folder, self._keep = folder, keep
        self._port = free_port()
        self._state = Path(os.environ[FOLDER_VARIABLE]) / f"temporal-{uuid.uuid4().hex}.json"
        self.host = f"127.0.0.1:{self._port}"

    def start(self) -> None:
        started = start_temporal(self._folder, self._port, keep=self._keep)
        # Should this process die, the run's end stops it.
        self._state.write_text(json.dumps({"pids": started.pids}))

    def stop(self) -> None:
        if self._state.exists():
            for pid in json.loads(self._state.read_text())["pids"]:
                stop_service(pid)
            self._state.unlink()


@pytest.fixture
def server(tmp_path: Path) -> Iterator[Callable[[bool], Server]]:
    """`server(keep)`: a running server; what it holds outlives a restart with `keep`."""
    with contextlib.ExitStack() as stack:

        def make(keep: bool) -> Server:
            folder = tmp_path / "server"
            folder.mkdir()
            made = Server(folder, keep=keep)
            stack.callback(made.stop)
            made.start()
            return made

        yield make


def test_a_queued_job_outlives_a_restart_of_the_server(
    server: Callable[[bool], Server], start: StartWorker, queue: str, tmp_path: Path
) -> None:
    temporal = server(True)
    config = {"target_host": temporal.host, "task_queue": queue}
    with in_background(work.where, config) as found:

        async def nothing(job: object) -> None: ...

        only_job(temporal.host, queue, nothing)
        temporal.stop()
        temporal.start()
        worker = start(temporal.host, queue)
    assert found[0].where[0] == worker.process.pid
    assert [run.state for run in found[0].runs] == ["succeeded"]


def test_a_running_job_outlives_a_restart_of_the_server(
    server: Callable[[bool], Server], start: StartWorker, queue: str, tmp_path: Path
) -> None:
    temporal = server(True)
    worker = start(temporal.host, queue)
    config = {"target_host": temporal.host, "task_queue": queue}
    started = tmp_path / "started"
    with in_background(work.stay_a_while, config, started=str(started)) as found:
        wait_until(started.exists, seconds=30, what="the job runs")
        temporal.stop()
        temporal.start()
    assert found[0].stay_a_while == "stayed"
    assert worker.stop() == 0


def test_a_server_that_forgot_everything(
    server: Callable[[bool], Server], queue: str, tmp_path: Path
) -> None:
    temporal = server(False)
    config = {"target_host": temporal.host, "task_queue": queue}
    with in_background(work.where, config, liveness=IMPATIENT) as found:

        async def nothing(job: object) -> None: ...

        only_job(temporal.host, queue, nothing)
        temporal.stop()
        temporal.start()
    error = found[0].exception
    assert isinstance(error, DeliveryError)
    assert error.code is ErrorCode.BACKEND_FORGOT
    assert "Temporal says" in str(error)


def test_a_worker_that_hangs_is_lost_in_temporals_words(
    temporal_host: str, queue: str, tmp_path: Path
) -> None:
    """Its connections stay open: only the activity's heartbeat timeout (2 s there) tells."""
    workers: list[Worker] = []

    def own_worker() -> Worker:
        argv = [sys.executable, str(OWN_WORKER), temporal_host, queue]
        workers.append(start_worker(tmp_path, "own", argv, seconds=60))
        return workers[-1]

    started = tmp_path / "started"
    config = {
        "target_host": temporal_host,
        "task_queue": queue,
        "workflow": "OwnFlow",
        "start_options": {"memo": {"once": True}},
    }
    first = own_worker()
    try:
        with in_background(work.stay, config, liveness=IMPATIENT, started=str(started)) as found:
            wait_until(started.exists, seconds=30, what="the job runs")
            first.process.send_signal(signal.SIGSTOP)
            own_worker()  # somebody must take the workflow's next step
        error = found[0].exception
        assert isinstance(error, WorkerLostError)
        assert "Heartbeat timeout" in str(error.reason)
        (run,) = found[0].runs

        async def question(client: Client) -> object:
            return await job_state(client, str(run.backend_job_id))

        assert ask(temporal_host, question).status is BackendStatus.LOST
    finally:
        for worker in workers:
            worker.kill()
