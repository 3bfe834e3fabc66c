"""`wove worker temporal` on a real server."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from temporalio.client import Client, WorkflowExecutionStatus

from tests.backends.temporal import work
from tests.backends.temporal.conftest import StartWorker
from tests.backends.temporal.weaves import ask, in_background, run_remote
from tests.services import ROOT, free_port, wait_until


def test_it_says_what_it_serves_and_stops_on_sigterm(
    start: StartWorker, temporal_host: str, queue: str
) -> None:
    worker = start(temporal_host, queue, "-c", "3", "--max-concurrent-workflow-tasks", "9")
    said = worker.log()
    assert f"wove: Temporal worker on {temporal_host}, namespace default" in said
    assert f"workflow WoveWorkflow, activity wove_activity, task queue {queue}" in said
    assert worker.stop() == 0
    assert "wove: stopped" in worker.log()


def test_sigterm_lets_the_job_in_hand_finish_and_closes_its_workflow(
    start: StartWorker, temporal_host: str, queue: str, tmp_path: Path
) -> None:
    worker = start(temporal_host, queue)
    started = tmp_path / "started"
    config = {"target_host": temporal_host, "task_queue": queue}
    with in_background(work.stay_briefly, config, started=str(started)) as found:
        wait_until(started.exists, seconds=30, what="the job runs")
        assert worker.stop() == 0
    assert found[0].stay_briefly == "stayed"
    (run,) = found[0].runs

    async def status(client: Client) -> WorkflowExecutionStatus | None:
        return (await client.get_workflow_handle(str(run.backend_job_id)).describe()).status

    assert ask(temporal_host, status) is WorkflowExecutionStatus.COMPLETED


def test_a_second_signal_ends_it_at_once(
    start: StartWorker, temporal_host: str, queue: str, tmp_path: Path
) -> None:
    worker = start(temporal_host, queue)
    started = tmp_path / "started"
    config = {"target_host": temporal_host, "task_queue": queue}
    options = {"delivery_heartbeat_seconds": 1}
    with in_background(work.stay, config, options=options, started=str(started)) as found:
        wait_until(started.exists, seconds=30, what="the job runs")
        worker.ask_to_stop()
        time.sleep(0.5)
        assert worker.process.poll() is None
        worker.process.terminate()
        assert worker.process.wait(15) == -signal.SIGTERM
    assert [run.state for run in found[0].runs] == ["lost"]


CLIENT = """
import os
from temporalio.client import Client

async def connect():
    return await Client.connect(os.environ["MINE"], identity="my own worker")

async def other():
    return "not a client"

def plain():
    return None

def asks(address):
    return None

async def fails():
    raise KeyError("TEMPORAL_CERTIFICATE")
"""


def test_a_client_of_the_users(
    start: StartWorker, temporal_host: str, queue: str, tmp_path: Path
) -> None:
    (tmp_path / "my_client.py").write_text(CLIENT)
    env = {"PYTHONPATH": str(tmp_path), "MINE": temporal_host}
    worker = start(None, queue, "--client", "my_client", env=env)
    assert temporal_host in worker.log()
    config = {"target_host": temporal_host, "task_queue": queue}
    assert run_remote(work.where, config).where[0] == worker.process.pid


def test_it_connects_as_temporals_own_command_does(
    start: StartWorker, temporal_host: str, queue: str, tmp_path: Path
) -> None:
    env = {"TEMPORAL_ADDRESS": temporal_host, "HOME": str(tmp_path)}
    worker = start(None, queue, env=env)
    assert temporal_host in worker.log()
    assert worker.stop() == 0


def command(*arguments: str, **env: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "wove.cli", "worker", "temporal", *arguments],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
        env={**os.environ, **env},
        cwd=ROOT,
    )


def test_a_server_that_is_down() -> None:
    port = free_port()
    done = command("--target-host", f"127.0.0.1:{port}")
    assert done.returncode == 1
    assert done.stderr.startswith(f"wove: cannot reach the Temporal server at 127.0.0.1:{port}")
    assert "--target-host" in done.stderr
    assert "Traceback" not in done.stderr


@pytest.mark.parametrize(
    ("name", "value", "words"),
    [
        ("TEMPORAL_PROFILE", "nowhere", "Profile 'nowhere' not found"),
        ("TEMPORAL_TLS_CLIENT_CERT_PATH", "/no/such", "No such file or directory: '/no/such'"),
        ("TEMPORAL_CONFIG_FILE", "{file}", "TOML parse error at line 2"),
        ("TEMPORAL_ADDRESS", "not a host", "Temporal's SDK cannot use not a host: "),
    ],
)
def test_what_temporals_own_settings_say_is_no_use(
    tmp_path: Path, name: str, value: str, words: str
) -> None:
    file = tmp_path / "temporal.toml"
    file.write_text('[profile.default]\napi_key = "very-secret" here\n')
    done = command(**{name: value.format(file=file)})
    assert done.returncode == 1
    assert words in done.stderr
    assert "Traceback" not in done.stderr
    assert "very-secret" not in done.stderr


def test_a_namespace_that_is_not_there(temporal_host: str) -> None:
    done = command("--target-host", temporal_host, "--namespace", "nowhere")
    assert done.returncode == 1
    assert "wove: the worker cannot start" in done.stderr
    assert "nowhere" in done.stderr
    assert "Traceback" not in done.stderr


@pytest.mark.parametrize(
    ("reference", "message"),
    [
        ("no_such_module", "cannot import no_such_module"),
        ("my_client:absent", "my_client has no 'absent'"),
        ("my_client:other", "it gave a str"),
        ("my_client:plain", "it returned no awaitable"),
        ("my_client:asks", "my_client:asks raised TypeError: asks() missing"),
        ("my_client:fails", "my_client:fails raised KeyError: 'TEMPORAL_CERTIFICATE'"),
        ("my_client:Client", "is a type, not an async function"),
    ],
)
def test_a_client_that_is_none(tmp_path: Path, reference: str, message: str) -> None:
    (tmp_path / "my_client.py").write_text(CLIENT)
    path = os.pathsep.join([str(tmp_path), os.environ["PYTHONPATH"]])
    done = command("--client", reference, PYTHONPATH=path)
    assert done.returncode == 1
    assert message in done.stderr
    assert "Traceback" not in done.stderr


def test_temporal_that_is_not_installed_is_named(tmp_path: Path) -> None:
    (tmp_path / "temporalio.py").write_text("raise ImportError('no temporalio here')\n")
    path = os.pathsep.join([str(tmp_path), os.environ["PYTHONPATH"]])
    done = command(PYTHONPATH=path)
    assert done.returncode == 1
    assert "pip install 'wove[temporal]'" in done.stderr


def test_a_log_level_that_does_not_exist() -> None:
    done = command("--loglevel", "shouting")
    assert done.returncode == 2
    assert "argument --loglevel: invalid choice: 'SHOUTING'" in done.stderr
