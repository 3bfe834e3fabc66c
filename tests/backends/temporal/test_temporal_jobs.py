"""Jobs as Temporal sees them: its views, its operators, users' own workflows and workers."""

from __future__ import annotations

import asyncio
import sys
import time
from pathlib import Path
from typing import Any

import pytest
from temporalio.client import Client, WorkflowExecutionStatus, WorkflowHandle

import wove
from tests.backends.temporal import work
from tests.backends.temporal.conftest import StartWorker
from tests.backends.temporal.weaves import IMPATIENT, ask, in_background, only_job, run_remote
from tests.services import ROOT, free_port, start_worker, wait_until
from wove import WoveResult, weave
from wove.backend import build_backend_payload
from wove.errors import DeliveryError, ErrorCode, ResultNotPicklableError
from wove.executors.backend_state import BackendStatus
from wove.integrations._temporal_state import job_state

OWN_WORKER = Path(__file__).parent / "own_worker.py"


def job_of(result: WoveResult, host: str) -> tuple[Any, list[Any], list[Any]]:
    """The closed workflow of the weave's only run: its description, events, and activities."""
    (run,) = result.runs
    assert run.backend_job_id is not None

    async def question(client: Client) -> tuple[Any, list[Any], list[Any]]:
        job = client.get_workflow_handle(str(run.backend_job_id))
        for _ in range(200):
            if (await job.describe()).status is not WorkflowExecutionStatus.RUNNING:
                break
            await asyncio.sleep(0.05)
        events = list((await job.fetch_history()).events)
        tries = [e for e in events if e.HasField("activity_task_started_event_attributes")]
        return await job.describe(), events, tries

    description, events, tries = ask(host, question)
    return description, events, tries


def test_a_job_is_named_after_its_task_and_succeeds_with_a_summary(
    shared_queue: dict[str, Any], temporal_host: str
) -> None:
    result = run_remote(work.where, shared_queue)
    job, events, _ = job_of(result, temporal_host)
    assert job.status is WorkflowExecutionStatus.COMPLETED
    assert job.id == f"wove-where-{result.runs[0].run_id}"
    assert asyncio.run(job.static_summary()) == "where"
    (scheduled,) = [e for e in events if e.HasField("activity_task_scheduled_event_attributes")]
    assert scheduled.user_metadata.summary.data == b'"where"'
    summary = ask(temporal_host, lambda client: client.get_workflow_handle(job.id).result())
    assert (summary["outcome"], summary["delivered"]) == ("succeeded", True)
    assert summary["callback_url"].endswith("/wove/events/***")


def test_a_list_of_workflows_tells_the_tasks_apart(
    shared_queue: dict[str, Any], temporal_host: str
) -> None:
    """Temporal's own lists, of its web pages as well, show ids and types, and no summaries."""
    (run,) = run_remote(work.where, shared_queue).runs
    wanted = f"WorkflowId STARTS_WITH 'wove-where-' AND TaskQueue = '{shared_queue['task_queue']}'"

    async def listed(client: Client) -> list[str]:
        return [found.id async for found in client.list_workflows(wanted)]

    wait_until(
        lambda: str(run.backend_job_id) in ask(temporal_host, listed),
        seconds=30,
        what="Temporal lists the workflow by its task's name",
    )


def test_a_task_that_raises_is_a_failed_workflow_with_its_text_and_no_retry(
    shared_queue: dict[str, Any], temporal_host: str
) -> None:
    result = run_remote(work.refuse, shared_queue, error_mode="return")
    assert isinstance(result.refuse, LookupError)
    job, events, tries = job_of(result, temporal_host)
    assert job.status is WorkflowExecutionStatus.FAILED
    failure = events[-1].workflow_execution_failed_event_attributes.failure
    assert failure.cause.message == "no such account"
    assert failure.cause.application_failure_info.type.endswith("LookupError")
    assert len(tries) == 1


def test_a_result_that_json_cannot_carry_runs_the_task_once(
    shared_queue: dict[str, Any], temporal_host: str, tmp_path: Path
) -> None:
    tries = tmp_path / "tries"
    result = run_remote(work.unspeakable, shared_queue, error_mode="return", tries=str(tries))
    assert isinstance(result.unspeakable, ResultNotPicklableError)
    assert len(job_of(result, temporal_host)[2]) == 1
    assert tries.read_text() == "tried\n"


def test_a_job_whose_end_cannot_be_told_fails(
    shared_queue: dict[str, Any], temporal_host: str
) -> None:
    """A payload that is right in everything, but for where its weave listens: nowhere."""
    payload = build_backend_payload(
        {"run_id": "r", "task_id": "t", "callable": work.where, "args": {}},
        adapter="temporal",
        callback_url=f"http://127.0.0.1:{free_port()}/wove/events/token",
    )
    # The task runs: it is the end that cannot be told.
    payload["start_gate"], payload["delivery_retry_seconds"] = "none", 1.0

    async def question(client: Client) -> Any:
        queue = shared_queue["task_queue"]
        job = await client.start_workflow("WoveWorkflow", payload, id=queue, task_queue=queue)
        while (await job.describe()).status is WorkflowExecutionStatus.RUNNING:
            await asyncio.sleep(0.1)
        return await job_state(client, queue)

    state = ask(temporal_host, question)
    assert state.status is BackendStatus.FAILED
    assert "CallbackUnreachableError" in state.reason
    assert "could not report the end of task 't'" in state.reason


def test_nearly_two_mebibytes_reach_the_worker(shared_queue: dict[str, Any]) -> None:
    block = bytes(1_550_000)  # as base64 in JSON, just under the limit
    result = run_remote(work.length, shared_queue, block=block)
    assert result.length == len(block)


@pytest.mark.parametrize("task", [work.one_second, work.one_blocking_second])
def test_tasks_that_block_run_beside_each_other(shared_queue: dict[str, Any], task: Any) -> None:
    wove.config(environments={"t": {"executor": "temporal", "executor_config": shared_queue}})
    try:
        run_remote(work.where, shared_queue)  # everything is imported
        begun = time.monotonic()
        with weave() as w:
            w.do(range(6), environment="t")(task)
        assert w.result[task.__name__] == list(range(6))
        assert time.monotonic() - begun < 4
    finally:
        wove.config(environments={"t": None})


async def cancel(job: WorkflowHandle[Any, Any]) -> None:
    await job.cancel()


async def terminate(job: WorkflowHandle[Any, Any]) -> None:
    await job.terminate(reason="the wrong customer")


@pytest.mark.parametrize(
    ("act", "words", "status"),
    [
        (cancel, "its workflow was cancelled in Temporal", WorkflowExecutionStatus.CANCELED),
        (terminate, "the wrong customer", WorkflowExecutionStatus.TERMINATED),
    ],
)
def test_an_operator_ends_a_running_job(
    start: StartWorker,
    temporal_host: str,
    queue: str,
    tmp_path: Path,
    act: Any,
    words: str,
    status: WorkflowExecutionStatus,
) -> None:
    start(temporal_host, queue)
    config, started = {"target_host": temporal_host, "task_queue": queue}, tmp_path / "started"
    with in_background(work.stay, config, started=str(started)) as found:
        wait_until(started.exists, seconds=30, what="the job runs")
        only_job(temporal_host, queue, act)
        begun = time.monotonic()
    assert time.monotonic() - begun < 20
    error = found[0].exception
    assert isinstance(error, DeliveryError)
    assert error.code in (ErrorCode.TASK_CANCELLED, ErrorCode.BACKEND_CANCELLED)
    assert words in str(error)
    assert job_of(found[0], temporal_host)[0].status is status


@pytest.mark.parametrize("runs", [True, False])
def test_an_operator_deletes_a_job(
    start: StartWorker, temporal_host: str, queue: str, tmp_path: Path, runs: bool
) -> None:
    if runs:
        start(temporal_host, queue)

    async def delete(job: WorkflowHandle[Any, Any]) -> None:
        from temporalio.api.common.v1 import WorkflowExecution
        from temporalio.api.workflowservice.v1 import DeleteWorkflowExecutionRequest

        await job._client.workflow_service.delete_workflow_execution(
            DeleteWorkflowExecutionRequest(
                namespace="default", workflow_execution=WorkflowExecution(workflow_id=job.id)
            )
        )

    config, started = {"target_host": temporal_host, "task_queue": queue}, tmp_path / "started"
    with in_background(work.stay, config, liveness=IMPATIENT, started=str(started)) as found:
        if runs:
            wait_until(started.exists, seconds=30, what="the job runs")
        only_job(temporal_host, queue, delete)
    error = found[0].exception
    assert isinstance(error, DeliveryError)
    expected = {ErrorCode.BACKEND_FORGOT, ErrorCode.TASK_CANCELLED, ErrorCode.BACKEND_CANCELLED}
    assert error.code in expected
    assert "Temporal" in str(error)


def test_a_workflow_that_its_weave_cancels_is_cancelled_in_temporal(
    shared_queue: dict[str, Any], temporal_host: str, tmp_path: Path
) -> None:
    started = tmp_path / "started"
    options = {"delivery_timeout": 4.0, "delivery_heartbeat_seconds": 1}
    result = run_remote(
        work.stay, shared_queue, error_mode="return", options=options, started=str(started)
    )
    assert [run.state for run in result.runs] == ["timed_out"]
    assert job_of(result, temporal_host)[0].status is WorkflowExecutionStatus.CANCELED


def test_a_users_own_workflow_and_worker(temporal_host: str, queue: str, tmp_path: Path) -> None:
    worker = start_worker(tmp_path, "own", [sys.executable, str(OWN_WORKER), temporal_host, queue])
    config = {"target_host": temporal_host, "task_queue": queue, "workflow": "OwnFlow"}
    try:
        result = run_remote(work.where, config)
        assert result.where[0] == worker.process.pid
        job, _, tries = job_of(result, temporal_host)
        assert (job.workflow_type, job.status) == ("OwnFlow", WorkflowExecutionStatus.COMPLETED)
        assert len(tries) == 1
        failed = run_remote(work.refuse, config, error_mode="return")
        assert isinstance(failed.refuse, LookupError)
        # Its policy retries for ever; what the activity raises is never retried.
        job, _, tries = job_of(failed, temporal_host)
        assert (job.status, len(tries)) == (WorkflowExecutionStatus.FAILED, 1)
    finally:
        assert worker.stop() == 0


def test_a_worker_that_lacks_the_workflow_is_named_as_what_the_job_waits_for(
    shared_queue: dict[str, Any],
) -> None:
    config = {**shared_queue, "workflow": "Unheard"}
    with pytest.raises(wove.DeliveryTimeoutError) as caught:
        run_remote(work.where, config, options={"start_timeout": 4.0})
    assert "Unheard" in str(caught.value)
    assert "not registered" in str(caught.value)
    assert str(ROOT) not in str(caught.value)
