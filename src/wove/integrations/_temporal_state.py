"""What Temporal knows of a workflow, in Wove's words."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from temporalio.api.common.v1 import WorkflowExecution
from temporalio.api.enums.v1 import EventType, PendingActivityState, TimeoutType
from temporalio.api.workflowservice.v1 import GetWorkflowExecutionHistoryReverseRequest
from temporalio.client import WorkflowExecutionStatus
from temporalio.service import RPCError, RPCStatusCode

from wove.executors.backend_state import BackendState, BackendStatus
from wove.integrations._temporal_names import DEFAULT_WORKFLOW

if TYPE_CHECKING:
    from temporalio.client import Client, WorkflowExecutionDescription

__all__ = ["has_begun", "job_state"]

UNTOUCHED_EVENTS = 2
"""Events in the history of a workflow that no worker has taken: started, task scheduled."""

LAST_EVENTS = 10
"""Events at the end of a history in which its last word is looked for."""

_ENDS = {
    WorkflowExecutionStatus.COMPLETED: BackendStatus.SUCCEEDED,
    WorkflowExecutionStatus.FAILED: BackendStatus.FAILED,
    WorkflowExecutionStatus.CANCELED: BackendStatus.CANCELLED,
    WorkflowExecutionStatus.TERMINATED: BackendStatus.CANCELLED,
    WorkflowExecutionStatus.TIMED_OUT: BackendStatus.FAILED,
}

_STARTED = (
    PendingActivityState.PENDING_ACTIVITY_STATE_STARTED,
    PendingActivityState.PENDING_ACTIVITY_STATE_CANCEL_REQUESTED,
    PendingActivityState.PENDING_ACTIVITY_STATE_PAUSE_REQUESTED,
)


async def job_state(client: Client, workflow_id: str) -> BackendState:
    """Ask Temporal about one workflow; one call, and a second one where something went wrong.

    Raises:
        RPCError: Temporal could not be asked.
    """
    try:
        job = await client.get_workflow_handle(workflow_id).describe()
        if job.status is not None and job.status in _ENDS:
            return await _ended(client, job)
        return await _open(client, job)
    except RPCError as error:
        if error.status is RPCStatusCode.NOT_FOUND:
            return BackendState(BackendStatus.ABSENT, f"Temporal says: {error.message}")
        raise


def has_begun(job: WorkflowExecutionDescription) -> bool:
    """A worker has taken the workflow, so that code of it may have run."""
    return job.history_length > UNTOUCHED_EVENTS


async def _ended(client: Client, job: WorkflowExecutionDescription) -> BackendState:
    assert job.status is not None  # noqa: S101 - the caller has looked
    name, status = job.status.name, _ENDS[job.status]
    if status is BackendStatus.SUCCEEDED:
        return BackendState(status, f"Temporal says {name}")
    words = ""
    for event in await _last_events(client, job, 1):
        attribute = event.WhichOneof("attributes")
        details: Any = getattr(event, attribute) if attribute else None
        if event.event_type == EventType.EVENT_TYPE_WORKFLOW_EXECUTION_TERMINATED:
            words = f"by {details.identity}: {details.reason}"
        elif event.event_type == EventType.EVENT_TYPE_WORKFLOW_EXECUTION_FAILED:
            words = _words(details.failure)
            status = BackendStatus.LOST if _is_loss(details.failure) else status
    return BackendState(status, f"Temporal says {name}{words and ' '}{words}")


async def _open(client: Client, job: WorkflowExecutionDescription) -> BackendState:
    raw = job.raw_description
    for activity in raw.pending_activities:
        kind = f"activity {activity.activity_type.name}"
        if activity.state in _STARTED:
            worker = activity.last_worker_identity or "a worker"
            return BackendState(BackendStatus.RUNNING, f"{worker} runs {kind}")
        words = f"{kind} waits for a worker, since {_time(activity.scheduled_time)}"
        if activity.paused:
            words = f"{kind} is paused"
        if activity.HasField("last_failure"):
            words += f"; last failure: {_words(activity.last_failure)}"
        return BackendState(BackendStatus.QUEUED, words)
    if not has_begun(job):
        return BackendState(
            BackendStatus.QUEUED, f"no worker has taken it from task queue {job.task_queue!r}"
        )
    if raw.HasField("pending_workflow_task"):
        return await _between(client, job)
    return BackendState(BackendStatus.CANNOT_SAY, "the workflow runs, and no activity of it")


async def _between(client: Client, job: WorkflowExecutionDescription) -> BackendState:
    """State of a workflow whose next step waits for a worker: its last event tells."""
    for event in await _last_events(client, job, LAST_EVENTS):
        if event.HasField("workflow_task_failed_event_attributes"):
            failed = event.workflow_task_failed_event_attributes
            words = f"{failed.identity} cannot run the workflow: {_words(failed.failure)}"
            return BackendState(BackendStatus.QUEUED, words)
        if job.workflow_type != DEFAULT_WORKFLOW:
            continue  # what an activity's end means there is the workflow's to say
        if event.HasField("activity_task_timed_out_event_attributes"):
            failure = event.activity_task_timed_out_event_attributes.failure
            status = BackendStatus.LOST if _is_loss(failure) else BackendStatus.FAILED
            return BackendState(status, f"Temporal says: {_words(failure)}")
        if event.HasField("activity_task_failed_event_attributes"):
            failure = event.activity_task_failed_event_attributes.failure
            return BackendState(BackendStatus.FAILED, f"Temporal says: {_words(failure)}")
    return BackendState(
        BackendStatus.CANNOT_SAY, f"the workflow waits for a worker of {job.task_queue!r}"
    )


async def _last_events(client: Client, job: WorkflowExecutionDescription, count: int) -> list[Any]:
    """The newest events of the workflow's history, the last one first."""
    request = GetWorkflowExecutionHistoryReverseRequest(
        namespace=client.namespace,
        execution=WorkflowExecution(workflow_id=job.id, run_id=job.run_id),
        maximum_page_size=count,
    )
    service = client.workflow_service
    answer = await service.get_workflow_execution_history_reverse(request, retry=True)
    return list(answer.history.events)


def _causes(failure: Any) -> list[Any]:
    found = [failure]
    while found[-1].HasField("cause"):
        found.append(found[-1].cause)
    return found


def _words(failure: Any) -> str:
    """The innermost of a failure's causes: the outer ones say only that something failed."""
    last = _causes(failure)[-1]
    kind: str = last.application_failure_info.type
    return f"{kind}: {last.message}" if kind else str(last.message)


def _is_loss(failure: Any) -> bool:
    """Temporal gave an activity up because its worker was silent."""
    return any(
        cause.HasField("timeout_failure_info")
        and cause.timeout_failure_info.timeout_type == TimeoutType.TIMEOUT_TYPE_HEARTBEAT
        for cause in _causes(failure)
    )


def _time(stamp: Any) -> str:
    return f"{stamp.ToDatetime():%H:%M:%S} UTC"
