"""Temporal: each task is a workflow of one activity, run by Temporal workers.

The weave's side is `TemporalAdapter` (`"executor": "temporal"`). The worker's side is
the workflow `WoveWorkflow` and the activity `wove_activity`, to be given to a worker of
yours; `wove worker temporal` starts one that has them.
"""

from __future__ import annotations

import functools
import importlib
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from wove.integrations._service import ask_each
from wove.integrations._temporal_calls import Calls
from wove.integrations._temporal_names import (
    DEFAULT_ACTIVITY,
    DEFAULT_TASK_QUEUE,
    DEFAULT_WORKFLOW,
)
from wove.integrations.base import BackendAdapter, BackendState, CancelOutcome, Supports

if TYPE_CHECKING:
    from temporalio.client import WorkflowHandle

    from wove.integrations._temporal_worker import WoveWorkflow, wove_activity

__all__ = [
    "DEFAULT_ACTIVITY",
    "DEFAULT_TASK_QUEUE",
    "DEFAULT_WORKFLOW",
    "TemporalAdapter",
    "WoveWorkflow",
    "wove_activity",
]

POLL_SECONDS = 20.0
"""An answer about one workflow is waited for so long; less than the watcher waits for all."""


class TemporalAdapter(BackendAdapter):
    """Submits payloads to Temporal with `start_workflow`.

    Settings (`executor_config`), beside those of the callback:

    - `client`: a Temporal client of yours, from any event loop; or `target_host`
      ("localhost:7233"), with `connect_options`: further arguments of `Client.connect`.
    - `workflow` ("WoveWorkflow"): the workflow's type, or its class.
    - `task_queue` ("wove").
    - `workflow_id_prefix` ("wove"): before the task's name and the run's id.
    - `start_options`: further arguments of `start_workflow`; they beat ours, and
      `task_queue` beats them.
    """

    settings = frozenset(
        {
            "client",
            "connect_options",
            "start_options",
            "target_host",
            "task_queue",
            "workflow",
            "workflow_id_prefix",
        }
    )
    required_modules = ("temporalio",)
    install_hint = "pip install temporalio"
    # Temporal's server takes 2 MiB of a workflow's or an activity's arguments.
    max_payload_bytes = 2 * 1024 * 1024 - 1024
    knows_queued = True
    supports = Supports(cancel_queued=True, cancel_running="asks", poll=True, idempotent=True)

    async def start(self) -> None:
        """Take or make the client. Does not connect: the first submission does.

        Raises:
            TypeError: neither `client` nor `target_host` is set, `client` is no Temporal
                client, or an option has what Wove must choose.
        """
        # In a thread: the import takes seconds.
        client = await self.in_thread(importlib.import_module, "wove.integrations._temporal_client")
        self._server = client.TemporalServer(self.config)
        self._calls = Calls()
        self.warn_of_local_callback(f"temporal://{self._server.service.address}")

    async def submit(
        self, payload: dict[str, Any], frame: dict[str, Any]
    ) -> WorkflowHandle[Any, Any]:
        """Start a workflow with `payload` as its only argument.

        Raises:
            SubmissionError: Temporal refused it (`SUBMIT_FAILED`), has one of that id
                (`DUPLICATE_KEY`), or did not answer in 10 seconds (`BACKEND_UNAVAILABLE`).
        """
        start = functools.partial(
            self._server.start, payload, frame, self.job_id_for(payload, frame)
        )
        job: WorkflowHandle[Any, Any]
        job = await self._server.service.call(lambda: self._calls.wait(start))
        return job

    async def cancel(
        self, run_id: str, submission: WorkflowHandle[Any, Any], frame: dict[str, Any]
    ) -> CancelOutcome | None:
        """End a workflow that no worker has taken; ask the activity of any other to stop.

        The activity hears of it with its next heartbeat, and the workflow counts as
        cancelled when the task has stopped.
        """
        cancel = functools.partial(self._server.cancel, submission)
        outcome: CancelOutcome
        outcome = await self._server.service.ask(lambda: self._calls.wait(cancel))
        return outcome

    async def poll(
        self, submissions: Mapping[str, WorkflowHandle[Any, Any]]
    ) -> Mapping[str, BackendState]:
        """What Temporal knows of the workflows and their activities."""

        async def ask(job: WorkflowHandle[Any, Any]) -> BackendState:
            state: BackendState = await self._server.service.ask(
                lambda: self._calls.wait(self._server.state, job.id), seconds=POLL_SECONDS
            )
            return state

        return await ask_each(submissions, ask)

    async def close(self) -> None:
        """Wait for calls that are under way. A client of yours stays as it is."""
        if hasattr(self, "_calls"):
            await self._calls.close()


def __getattr__(name: str) -> object:
    # The worker's side needs temporalio to be imported; the weave's side may lack it.
    if name in ("WoveWorkflow", "wove_activity"):
        found: object = getattr(importlib.import_module("wove.integrations._temporal_worker"), name)
        return found
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
