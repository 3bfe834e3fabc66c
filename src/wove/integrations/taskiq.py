"""Taskiq: tasks of an environment run in Taskiq workers, reached through a broker of yours.

The weave's side is `TaskiqAdapter` (`"executor": "taskiq"`). The worker's side is one task,
added to your broker by `register(broker)`; `wove worker taskiq` starts a worker that has it.
"""

from __future__ import annotations

import importlib
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from wove.integrations._service import Service
from wove.integrations._taskiq_loop import on_own_loop
from wove.integrations._taskiq_task import DEFAULT_TASK_NAME, register
from wove.integrations.base import BackendAdapter, BackendState, CancelOutcome, Supports

if TYPE_CHECKING:
    from wove.integrations._taskiq_redis import TaskiqJob

__all__ = ["DEFAULT_TASK_NAME", "TaskiqAdapter", "register"]

CLIENT = "wove.integrations._taskiq_client"
"""The module that imports Taskiq."""

_imported: dict[str, Any] = {}

POLL_SECONDS = 20.0
"""Answers of the result backend are waited for so long; less than the watcher waits."""


class TaskiqAdapter(BackendAdapter):
    """Submits payloads to Taskiq with a task's `kiq`.

    Settings (`executor_config`), beside those of the callback; each object may be given
    as the text `module:name`, too:

    - `broker`: a broker of yours, or a function that makes one for Wove; with `task_name`
      ("wove.run_backend_payload"), the name of the worker's task.
    - `task`: instead, the worker's task itself, whose broker and labels are used.

    A broker stays yours: Wove has connections of its own, and closes none of yours.
    """

    settings = frozenset({"broker", "task", "task_name"})
    required_modules = ("taskiq",)
    install_hint = "pip install 'wove[taskiq]'"
    knows_queued = True  # "absent" is said of entries of streams only, and is true of them
    supports = Supports(cancel_queued=True, cancel_running="none", poll=True, idempotent=False)

    async def start(self) -> None:
        """Take the broker. Does not connect: the first submission does.

        Raises:
            TypeError: neither `broker` nor `task` is set, or one is nothing that can be used.
        """
        client: Any = _imported.get(CLIENT)
        named = self.config.get("broker"), self.config.get("task")
        if client is None or any(isinstance(each, str) for each in named):
            # In threads: Taskiq takes a while to import, and so may the user's modules.
            client = await self.in_thread(importlib.import_module, CLIENT)
            _imported[CLIENT] = client
            self._client = await self.in_thread(client.TaskiqClient, self.config)
        else:
            self._client = client.TaskiqClient(self.config)
        self._is_connection_trouble = client.is_connection_trouble
        address, setting = self._client.address, self._client.setting
        self._service = Service("taskiq", "its broker", address, setting, at_once=client.AT_ONCE)
        if self._client.is_redis:
            self.max_payload_bytes = 512 * 1024 * 1024  # of a value in Redis
        if "://" in address:
            self.warn_of_local_callback(address)

    async def submit(self, payload: dict[str, Any], frame: dict[str, Any]) -> TaskiqJob:
        """Send `payload` as the only argument of the worker's task.

        Raises:
            SubmissionError: the broker refused it (`SUBMIT_FAILED`), or could not be
                reached in 10 seconds (`BACKEND_UNAVAILABLE`).
        """
        job_id = self.job_id_for(payload, frame)
        return await self._service.call(lambda: self._send(payload, job_id))

    async def _send(self, payload: dict[str, Any], job_id: str) -> TaskiqJob:
        try:
            return await on_own_loop(self._client.send, payload, job_id)
        except Exception as error:
            # The text of a KeyError is the key, and says nothing alone.
            words = f"KeyError: {error}" if isinstance(error, KeyError) else str(error)
            reason = words or type(error).__name__
            if self._is_connection_trouble(error):
                raise self._service.unavailable(reason) from error
            raise self._service.refused(reason) from error

    async def cancel(
        self, run_id: str, submission: TaskiqJob, frame: dict[str, Any]
    ) -> CancelOutcome | None:
        """Take a job out of the list or stream where it waits; Taskiq itself cancels nothing.

        The start gate turns away any other that has not begun, and the answer to its next
        heartbeat stops one that runs.
        """
        taken = await self._service.ask(lambda: on_own_loop(self._client.take_out, submission))
        return "stopped" if taken else "asked"

    async def poll(self, submissions: Mapping[str, TaskiqJob]) -> Mapping[str, BackendState]:
        """What the broker's result backend, and then its list or stream, know of the jobs."""
        states: Mapping[str, BackendState] = await self._service.ask(
            lambda: on_own_loop(self._client.states, dict(submissions)), seconds=POLL_SECONDS
        )
        return states
