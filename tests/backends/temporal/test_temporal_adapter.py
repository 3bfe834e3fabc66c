"""The Temporal adapter against a real server; what it starts is read from the history."""

from __future__ import annotations

import asyncio
import json
import socket
import subprocess
import sys
import threading
import time
import uuid
from datetime import timedelta
from typing import Any

import pytest
from temporalio.client import Client

from tests.backends.submitting import Submitting
from tests.backends.temporal import work
from tests.backends.temporal.weaves import ask, run_remote
from tests.services import free_port
from wove.errors import ErrorCode, PayloadTooLargeError, SubmissionError
from wove.executors.backend_state import BackendStatus
from wove.integrations import _service
from wove.integrations.temporal import TemporalAdapter

submitting = Submitting("temporal", TemporalAdapter)
payload_and_frame, with_adapter = submitting.payload_and_frame, submitting.with_adapter


def submit(config: dict[str, Any], **delivery: Any) -> tuple[str, dict[str, Any]]:
    payload, frame = payload_and_frame(**delivery)

    async def use(adapter: TemporalAdapter) -> str:
        job = await adapter.submit(payload, frame)
        assert adapter.job_id(job) == job.id
        return str(job.id)

    return with_adapter(config, use), payload


def started(host: str, job_id: str) -> tuple[Any, Any]:
    """The first event of a workflow's history, and its description."""

    async def question(client: Client) -> tuple[Any, Any]:
        job = client.get_workflow_handle(job_id)
        events = (await job.fetch_history()).events
        return events[0], await job.describe()

    event, job = ask(host, question)
    return event, job


def test_the_payload_arrives_unchanged_as_the_only_argument(temporal_host: str, queue: str) -> None:
    job_id, payload = submit({"target_host": temporal_host, "task_queue": queue})
    event, job = started(temporal_host, job_id)
    first = event.workflow_execution_started_event_attributes
    (argument,) = first.input.payloads
    assert json.loads(argument.data) == payload
    assert job_id == f"wove-report-{payload['run_id']}"
    assert (job.task_queue, job.workflow_type) == (queue, "WoveWorkflow")
    assert asyncio.run(job.static_summary()) == "report"
    assert asyncio.run(job.memo()) == {}
    assert first.workflow_execution_timeout.ToTimedelta() == timedelta(0)
    assert first.retry_policy.maximum_attempts == 0  # none is set: a workflow is not repeated


def test_timeouts_become_temporals_own_with_a_margin(temporal_host: str, queue: str) -> None:
    config = {"target_host": temporal_host, "task_queue": queue}
    job_id, _ = submit(config, start_timeout=20.0, delivery_timeout=60.0)
    event, job = started(temporal_host, job_id)
    first = event.workflow_execution_started_event_attributes
    assert first.workflow_execution_timeout.ToTimedelta() == timedelta(seconds=90)
    assert asyncio.run(job.memo()) == {"wove_start_timeout": 50.0}
    job_id, _ = submit(config, delivery_timeout=60.0, delivery_orphan_policy="detach")
    event, _ = started(temporal_host, job_id)
    first = event.workflow_execution_started_event_attributes
    assert first.workflow_execution_timeout.ToTimedelta() == timedelta(0)


def test_options_beat_ours_and_task_queue_beats_options(temporal_host: str, queue: str) -> None:
    config = {
        "target_host": temporal_host,
        "task_queue": queue,
        "workflow": "OwnFlow",
        "workflow_id_prefix": "mine",
        "start_options": {
            "id": f"chosen-{queue}",
            "task_queue": "elsewhere",
            "static_summary": "my own words",
            "run_timeout": timedelta(seconds=77),
        },
    }
    job_id, _ = submit(config, delivery_timeout=60.0)
    event, job = started(temporal_host, job_id)
    assert job_id == f"chosen-{queue}"
    assert (job.task_queue, job.workflow_type) == (queue, "OwnFlow")
    assert asyncio.run(job.static_summary()) == "my own words"
    first = event.workflow_execution_started_event_attributes
    assert first.workflow_run_timeout.ToTimedelta() == timedelta(seconds=77)
    del config["start_options"], config["task_queue"]
    job_id, payload = submit(config)
    assert job_id == f"mine-report-{payload['run_id']}"
    assert started(temporal_host, job_id)[1].task_queue == "wove"


def test_connect_options_beat_ours(temporal_host: str) -> None:
    config = {"target_host": temporal_host, "connect_options": {"namespace": "nowhere"}}
    with pytest.raises(SubmissionError, match="did not take the job") as caught:
        submit(config)
    assert caught.value.code is ErrorCode.SUBMIT_FAILED
    assert "nowhere" in str(caught.value.reason)


@pytest.mark.parametrize(
    ("config", "message"),
    [
        ({}, "'target_host' or 'client'"),
        ({"client": "localhost:7233"}, r"must be a temporalio\.client\.Client"),
        ({"target_host": "h:1", "start_options": {"args": []}}, "cannot set 'args'"),
        ({"target_host": "h:1", "start_options": ["id"]}, "must map arguments"),
        ({"target_host": "h:1", "connect_options": {"lazy": False}}, "cannot set 'lazy'"),
    ],
)
def test_settings_that_cannot_be_followed(config: dict[str, Any], message: str) -> None:
    async def use(adapter: TemporalAdapter) -> None:
        raise AssertionError("started")

    with pytest.raises(TypeError, match=message):
        with_adapter(config, use)


def test_a_server_that_is_down_is_named_with_its_setting() -> None:
    port = free_port()
    begun = time.monotonic()
    with pytest.raises(SubmissionError) as caught:
        submit({"target_host": f"127.0.0.1:{port}"})
    assert time.monotonic() - begun < 15  # 10, and the import of the library
    assert caught.value.code is ErrorCode.BACKEND_UNAVAILABLE
    assert f"127.0.0.1:{port}" in str(caught.value)
    assert "executor_config['target_host']" in str(caught.value)
    assert "refused" in str(caught.value.reason)


def test_many_submissions_to_a_server_that_is_down_fail_together() -> None:
    made = [payload_and_frame() for _ in range(100)]

    async def use(adapter: TemporalAdapter) -> list[Any]:
        submissions = (adapter.submit(*one) for one in made)
        failures: list[Any] = await asyncio.gather(*submissions, return_exceptions=True)
        return failures

    begun = time.monotonic()
    failures = with_adapter({"target_host": f"127.0.0.1:{free_port()}"}, use)
    assert time.monotonic() - begun < 25
    assert {failure.code for failure in failures} == {ErrorCode.BACKEND_UNAVAILABLE}


def test_a_server_that_never_answers_ends_in_time(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(_service, "SUBMIT_SECONDS", 1.0)
    with (
        socket.create_server(("127.0.0.1", 0)) as silent,
        pytest.raises(SubmissionError, match="no answer in 1 s") as caught,
    ):
        submit({"target_host": f"127.0.0.1:{silent.getsockname()[1]}"})
    assert caught.value.code is ErrorCode.BACKEND_UNAVAILABLE


def test_a_silent_server_holds_up_nobody_elses(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(_service, "SUBMIT_SECONDS", 2.0)
    others = {"target_host": f"127.0.0.1:{free_port()}"}
    with socket.create_server(("127.0.0.1", 0)) as silent:
        mine = {"target_host": f"127.0.0.1:{silent.getsockname()[1]}"}
        with pytest.raises(SubmissionError, match="no answer in 2 s"):
            submit(mine)  # and its client connects still
        with pytest.raises(SubmissionError) as caught:
            submit(others)
    assert "refused" in str(caught.value.reason)


def test_one_silent_server_is_knocked_at_once_for_all(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(_service, "SUBMIT_SECONDS", 1.0)
    made = [payload_and_frame() for _ in range(20)]

    async def use(adapter: TemporalAdapter) -> int:
        submissions = (adapter.submit(*one) for one in made)
        await asyncio.gather(*submissions, return_exceptions=True)
        return sum(thread.name == "wove-call" for thread in threading.enumerate())

    before = sum(thread.name == "wove-call" for thread in threading.enumerate())
    with socket.create_server(("127.0.0.1", 0)) as silent:
        config = {"target_host": f"127.0.0.1:{silent.getsockname()[1]}"}
        # One that connects, and one of the import's that may idle still.
        assert with_adapter(config, use) - before <= 2


def test_a_second_workflow_of_one_key_is_refused(temporal_host: str, queue: str) -> None:
    config = {"target_host": temporal_host, "task_queue": queue}
    payload, frame = payload_and_frame()
    frame["job_id"] = f"{uuid.uuid4().hex}-0"

    async def twice(adapter: TemporalAdapter) -> None:
        await adapter.submit(payload, frame)
        await adapter.submit(payload, frame)

    with pytest.raises(SubmissionError) as caught:
        with_adapter(config, twice)
    assert caught.value.code is ErrorCode.DUPLICATE_KEY
    # Of the key alone: a task that is renamed meanwhile must not run a second time.
    assert caught.value.backend_job_id == f"wove-{frame['job_id']}"


def test_the_largest_payload_is_taken_and_one_byte_more_is_refused_here(
    temporal_host: str, queue: str
) -> None:
    payload, frame = payload_and_frame()

    async def use(adapter: TemporalAdapter) -> None:
        limit = adapter.max_payload_bytes
        assert limit is not None
        payload["args_pickle"] += "x" * (limit - adapter.payload_size(payload))
        assert adapter.payload_size(payload) == limit
        await adapter.submit(payload, frame)

    config = {"target_host": temporal_host, "task_queue": queue}
    with_adapter(config, use)
    with pytest.raises(PayloadTooLargeError) as caught:
        run_remote(len, config, obj=bytes(2 * 1024 * 1024))
    assert caught.value.limit == TemporalAdapter.max_payload_bytes


@pytest.mark.parametrize("lazy", [False, True])
def test_a_users_client_serves_threads_and_loops_and_stays_open(
    temporal_host: str, queue: str, lazy: bool
) -> None:
    client = asyncio.run(Client.connect(temporal_host, lazy=lazy))
    config = {"client": client, "task_queue": queue}
    jobs: list[str] = []
    threads = [threading.Thread(target=lambda: jobs.append(submit(config)[0])) for _ in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
    jobs.append(submit(config)[0])
    assert len(set(jobs)) == 7
    assert asyncio.run(client.service_client.check_health())


def test_a_users_lazy_client_whose_server_is_down() -> None:
    client = asyncio.run(Client.connect(f"127.0.0.1:{free_port()}", lazy=True))
    with pytest.raises(SubmissionError, match=r"executor_config\['client'\]") as caught:
        submit({"client": client})
    assert caught.value.code is ErrorCode.BACKEND_UNAVAILABLE


def test_what_temporal_says_of_a_job_that_no_worker_takes(temporal_host: str, queue: str) -> None:
    payload, frame = payload_and_frame()

    async def use(adapter: TemporalAdapter) -> list[Any]:
        job = await adapter.submit(payload, frame)
        queued = await adapter.poll({"run": job})
        outcome = await adapter.cancel("run", job, {"type": "cancel_task"})
        ended = await adapter.poll({"run": job})
        again = await adapter.cancel("run", job, {"type": "cancel_task"})
        nobody = await adapter.poll({"run": job._client.get_workflow_handle("never-was")})
        return [queued["run"], outcome, ended["run"], again, nobody["run"]]

    config = {"target_host": temporal_host, "task_queue": queue}
    queued, outcome, ended, again, nobody = with_adapter(config, use)
    assert queued.status is BackendStatus.QUEUED
    assert queue in queued.reason
    assert outcome == "stopped"
    assert ended.status is BackendStatus.CANCELLED
    assert "cancelled by its weave before it began" in ended.reason
    assert again == "asked"  # it has ended, which is for the poll to say
    assert nobody.status is BackendStatus.ABSENT


def test_a_poll_without_an_answer_raises(temporal_host: str) -> None:
    async def use(adapter: TemporalAdapter) -> None:
        client = await Client.connect(temporal_host)
        await adapter.poll({"run": client.get_workflow_handle("some")})

    with pytest.raises(ConnectionError):
        with_adapter({"target_host": f"127.0.0.1:{free_port()}"}, use)


def test_settings_that_are_missing_are_named_by_the_weave() -> None:
    with pytest.raises(TypeError, match="'target_host' or 'client'"):
        run_remote(work.where, {})


ENDS_AT_ONCE = """
import asyncio, sys
from wove.integrations.temporal import TemporalAdapter

async def main():
    config = {"target_host": sys.argv[1]}
    adapter = TemporalAdapter(name="temporal", config=config, callback_url="", run_config={})
    await adapter.start()
    client = await adapter._server._connected_client()
    job = client.get_workflow_handle("nobody")
    await adapter.poll({"first": job})
    polls = [asyncio.ensure_future(adapter.poll({str(n): job})) for n in range(30)]
    await asyncio.sleep(0)
    await asyncio.sleep(0)
    for poll in polls:
        poll.cancel()
    await adapter.close()

asyncio.run(main())
"""


def test_a_program_ends_while_temporal_is_still_answering(temporal_host: str) -> None:
    """The SDK's threads hang or abort an interpreter that ends before they have answered."""
    for _ in range(3):
        done = subprocess.run(
            [sys.executable, "-c", ENDS_AT_ONCE, temporal_host],
            capture_output=True,
            timeout=40,
            check=False,
        )
        assert (done.returncode, done.stderr) == (0, b"")
