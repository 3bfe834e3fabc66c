"""The worker's side of Temporal: the workflow and the activity that run Wove's payloads."""

from __future__ import annotations

import asyncio
import contextlib
from datetime import timedelta
from typing import Any

from temporalio import activity, workflow
from temporalio.common import RetryPolicy
from temporalio.exceptions import ActivityError, ApplicationError, is_cancelled_exception

from wove.integrations._temporal_names import DEFAULT_ACTIVITY, DEFAULT_WORKFLOW, START_TIMEOUT

__all__ = ["WoveWorkflow", "in_hand", "wove_activity"]

in_hand: set[str] = set()
"""Ids of the ready workflows whose activity runs in this process."""

HEARTBEAT_SECONDS = 5.0
"""Pause between two heartbeats to Temporal. Their answers carry its own cancellations."""

HEARTBEAT_TIMEOUT_SECONDS = 60.0
"""Silence after which Temporal gives an activity up; four periods of the weave's own
heartbeats where those are slower. It is long, because a C extension may hold the interpreter;
the weave itself learns sooner, by the connection of its heartbeats."""

WORDS_SECONDS = 3.0
"""How long Temporal is asked why it has ended a workflow whose task still runs."""


@workflow.defn(name=DEFAULT_WORKFLOW, sandboxed=False)  # it holds nothing to be guarded against
class WoveWorkflow:
    """Runs one payload in one activity, once. Wove's retries are new workflows."""

    @workflow.run
    async def run(self, payload: dict[str, Any]) -> dict[str, Any]:
        """Schedule the activity and wait for its end, also when cancelled.

        Returns:
            The summary of `wove.integrations.worker.run`.
        """
        delivery = payload.get("delivery") or {}
        period = delivery.get("delivery_heartbeat_seconds") or 0.0
        seconds = workflow.memo_value(START_TIMEOUT, default=None)
        running = workflow.start_activity(
            DEFAULT_ACTIVITY,
            payload,
            result_type=dict,
            summary=str(payload.get("task_name") or payload.get("task_id") or ""),
            start_to_close_timeout=timedelta(days=365),  # one is required; the weave keeps its own
            schedule_to_start_timeout=None if seconds is None else timedelta(seconds=seconds),
            heartbeat_timeout=timedelta(seconds=max(HEARTBEAT_TIMEOUT_SECONDS, 4 * period)),
            retry_policy=RetryPolicy(maximum_attempts=1),
            # A workflow that counts as cancelled is proof that its task has stopped.
            cancellation_type=workflow.ActivityCancellationType.WAIT_CANCELLATION_COMPLETED,
        )
        try:
            return await asyncio.shield(running)
        except asyncio.CancelledError:
            running.cancel()
            try:
                summary: dict[str, Any] = await running
            except ActivityError as error:
                if not is_cancelled_exception(error):
                    raise
            else:
                if summary.get("outcome") != "cancelled":
                    return summary  # it was over before it heard of the cancellation
            raise


@activity.defn(name=DEFAULT_ACTIVITY)
async def wove_activity(payload: dict[str, Any]) -> dict[str, Any]:
    """Run one payload beside the worker's event loop, and report to its weave.

    Returns:
        The summary of `wove.integrations.worker.run`.

    Raises:
        ApplicationError: never retried. The task raised; its text is the error's. Or its end
            could not be reported (type `CallbackUnreachableError`).
    """
    info = activity.info()
    workflow_id = str(info.workflow_id)
    if info.workflow_type == DEFAULT_WORKFLOW:
        in_hand.add(workflow_id)
    try:
        return await _run(payload, info.heartbeat_timeout)
    finally:
        in_hand.discard(workflow_id)


async def _run(payload: dict[str, Any], timeout: timedelta | None) -> dict[str, Any]:
    from wove.worker.entrypoint import arun_beside_loop  # not at import: a sandbox may import this

    pause = HEARTBEAT_SECONDS
    if timeout is not None:
        pause = min(pause, timeout.total_seconds() / 3)
    running = asyncio.ensure_future(arun_beside_loop(payload))
    try:
        while not (await asyncio.wait({running}, timeout=pause))[0]:
            activity.heartbeat()
    except asyncio.CancelledError:
        running.cancel(await _why())
        await asyncio.wait({running})  # bounded: a task that does not stop is left behind
        if not running.cancelled():
            running.exception()  # asyncio need not complain that nobody asked for it
        raise
    try:
        summary = running.result()
    except Exception as error:
        raise ApplicationError(str(error), type=type(error).__name__, non_retryable=True) from error
    if summary.get("outcome") == "failed":
        told = summary.get("error") or {}
        raise ApplicationError(
            str(told.get("message") or "the task failed"),
            summary,
            type=str(told.get("kind") or "") or None,
            non_retryable=True,
        )
    return summary


async def _why() -> str:
    """Why Temporal, or the worker, has cancelled this activity."""
    details = getattr(activity, "cancellation_details", lambda: None)()
    if details is None or details.cancel_requested:
        return "its workflow was cancelled in Temporal"
    if details.worker_shutdown:
        return "its worker is shutting down"
    if details.not_found:
        return await _why_ended()
    if details.timed_out:
        return "its activity timed out in Temporal"
    return "its activity was paused or reset in Temporal"


async def _why_ended() -> str:
    from wove.integrations._temporal_state import job_state

    words = "its workflow was ended in Temporal"
    workflow_id = activity.info().workflow_id
    with contextlib.suppress(Exception):  # only for words
        asked = job_state(activity.client(), str(workflow_id))
        words += f": {(await asyncio.wait_for(asked, WORDS_SECONDS)).reason}"
    return words
