"""The Temporal adapter's server. This module is imported in a thread: that takes seconds."""

from __future__ import annotations

import asyncio
import atexit
import contextlib
import threading
import time
import weakref
from collections.abc import Mapping
from datetime import timedelta
from typing import Any

from temporalio.client import Client, WorkflowHandle
from temporalio.common import WorkflowIDReusePolicy
from temporalio.exceptions import WorkflowAlreadyStartedError
from temporalio.service import RetryConfig, RPCError, RPCStatusCode, ServiceClient

from wove.dispatch.threads import in_thread
from wove.executors.backend_state import BackendState
from wove.executors.records import CancelOutcome
from wove.integrations._expiry import EXPIRY_MARGIN_SECONDS
from wove.integrations._service import Service
from wove.integrations._temporal_calls import note_call
from wove.integrations._temporal_names import (
    DEFAULT_TASK_QUEUE,
    DEFAULT_WORKFLOW,
    START_TIMEOUT,
)
from wove.integrations._temporal_state import has_begun, job_state

__all__ = ["TemporalServer"]

RETRY_MILLISECONDS = 7000
"""How long the client repeats a call to a server that does not answer. Less than the limit of a
submission, so that the reason can be told."""

NAME_CHARACTERS = 100
"""How much of the task's name goes into a workflow's id, which may have 1000 bytes."""

_START_FIXED = frozenset({"workflow", "arg", "args"})
_CONNECT_FIXED = frozenset({"target_host", "lazy"})
_UNREACHABLE = (RPCStatusCode.UNAVAILABLE, RPCStatusCode.DEADLINE_EXCEEDED)

_connected: weakref.WeakSet[ServiceClient] = weakref.WeakSet()
"""Lazy clients that have connected."""

_connecting = weakref.WeakKeyDictionary[ServiceClient, threading.Lock]()
"""Held while the client connects. One each: a server that is silent holds up nobody else's."""

_guard = threading.Lock()
"""Of `_connecting`."""

CLOSE_SECONDS = 1.0
"""How long the interpreter's end waits for those that connect, for the reason in
`_temporal_calls`."""


class TemporalServer:
    """A client, and what is asked of its server.

    Args:
        config: the settings of the adapter.

    Raises:
        TypeError: settings are missing or wrong.
    """

    def __init__(self, config: Mapping[str, Any]) -> None:
        self._workflow = config.get("workflow") or DEFAULT_WORKFLOW
        self._is_ours = _type_name(self._workflow) == DEFAULT_WORKFLOW
        self._prefix = str(config.get("workflow_id_prefix", "wove"))
        self._chosen = _options(config, "start_options", _START_FIXED)
        if config.get("task_queue"):
            self._chosen["task_queue"] = str(config["task_queue"])
        self._connect = _options(config, "connect_options", _CONNECT_FIXED)
        self._client: Client | None = config.get("client")
        if self._client is not None:
            if not isinstance(self._client, Client):
                raise TypeError(
                    "executor_config['client'] must be a temporalio.client.Client, the object "
                    f"itself, not a {type(self._client).__name__}; without one, set 'target_host'"
                )
            address = self._client.service_client.config.target_host
            setting = "the target_host of executor_config['client']"
        elif config.get("target_host"):
            address, setting = str(config["target_host"]), "executor_config['target_host']"
        else:
            raise TypeError(
                "the temporal executor needs 'target_host' or 'client' in executor_config, "
                "such as 'target_host': 'localhost:7233'"
            )
        self.service = Service("temporal", "its server", address, setting)

    async def start(
        self, payload: dict[str, Any], frame: Mapping[str, Any], job_id: str
    ) -> WorkflowHandle[Any, Any]:
        """Start the workflow.

        Raises:
            SubmissionError: Temporal cannot be reached, refused, or has a workflow of that id.
        """
        options = self._start_options(payload, frame, job_id)
        try:
            client = await self._connected_client()
            return await client.start_workflow(self._workflow, payload, **options)
        except WorkflowAlreadyStartedError as error:
            raise self.service.duplicate(error.workflow_id, str(error)) from error
        except RPCError as error:
            if error.status in _UNREACHABLE:
                raise self.service.unavailable(error.message) from error
            raise self.service.refused(f"{error.status.name}: {error.message}") from error
        except ConnectionError as error:
            raise self.service.unavailable(str(error)) from error

    async def cancel(self, job: WorkflowHandle[Any, Any]) -> CancelOutcome:
        """Terminate a workflow that no worker has taken; cancel any other.

        Raises:
            RPCError: Temporal could not be asked.
        """
        try:
            if not has_begun(await job.describe()):
                # Nobody runs its code yet, so nobody would act on a cancellation. If somebody
                # takes it this moment, the start gate is shut.
                await job.terminate(reason="cancelled by its weave before it began")
                return "stopped"
            await job.cancel()
        except RPCError as error:
            if error.status is not RPCStatusCode.NOT_FOUND:  # it has ended
                raise
        return "asked"

    async def state(self, workflow_id: str) -> BackendState:
        """What Temporal knows of one workflow.

        Raises:
            RPCError: Temporal could not be asked.
        """
        return await job_state(await self._connected_client(), workflow_id)

    async def _connected_client(self) -> Client:
        if self._client is None:
            # Lazy: calls connect it, and each names what went wrong then.
            self._client = await Client.connect(
                self.service.address,
                lazy=True,
                **{
                    "retry_config": RetryConfig(max_elapsed_time_millis=RETRY_MILLISECONDS),
                    **self._connect,
                },
            )
        service = self._client.service_client
        if service.config.lazy and service not in _connected:
            await self.service.connect(lambda: in_thread(_connect, service))
        return self._client

    def _start_options(
        self, payload: Mapping[str, Any], frame: Mapping[str, Any], job_id: str
    ) -> dict[str, Any]:
        task = str(payload.get("task_name") or payload["task_id"])
        # Lists of workflows show ids, and no summaries. Under an idempotency key the id is that
        # of the key alone, whatever the task is called.
        named = "" if frame.get("job_id") else task[:NAME_CHARACTERS]
        options: dict[str, Any] = {
            "id": "-".join(part for part in (self._prefix, named, job_id) if part),
            "task_queue": DEFAULT_TASK_QUEUE,
            "id_reuse_policy": WorkflowIDReusePolicy.REJECT_DUPLICATE,
            "static_summary": task,
        }
        delivery = payload.get("delivery") or {}
        # How long a workflow of yours may take is yours to say: it may do more than the task.
        if self._is_ours and delivery.get("delivery_orphan_policy") != "detach":
            seconds = delivery.get("delivery_timeout")
            if seconds:
                options["execution_timeout"] = timedelta(seconds=seconds + EXPIRY_MARGIN_SECONDS)
        memo = dict(self._chosen.get("memo") or {})
        if self._is_ours and frame.get("start_timeout"):
            memo = {START_TIMEOUT: frame["start_timeout"] + EXPIRY_MARGIN_SECONDS, **memo}
        return {**options, **self._chosen, **({"memo": memo} if memo else {})}


def _connect(service: ServiceClient) -> None:
    """Connect a lazy client, which several threads may have.

    A client that has connected may be used from any event loop. While it connects, it holds an
    asyncio lock, which may not be waited for from two loops.

    Raises:
        ConnectionError: the server cannot be reached.
    """
    with _guard:
        lock = _connecting.setdefault(service, threading.Lock())
    with lock:
        if service in _connected:
            return
        try:
            with contextlib.suppress(RPCError):  # that is an answer
                asyncio.run(service.check_health())
        except RuntimeError as error:
            raise ConnectionError(str(error)) from error
        finally:
            note_call()
        _connected.add(service)


def _end() -> None:
    """No client begins to connect any more; wait for those that do."""
    deadline = time.monotonic() + CLOSE_SECONDS
    _guard.acquire(timeout=CLOSE_SECONDS)
    for lock in list(_connecting.values()):
        lock.acquire(timeout=max(0.0, deadline - time.monotonic()))


atexit.register(_end)


def _options(config: Mapping[str, Any], name: str, fixed: frozenset[str]) -> dict[str, Any]:
    options = config.get(name)
    if options is None:
        return {}
    if not isinstance(options, Mapping):
        raise TypeError(
            f"executor_config[{name!r}] must map arguments to their values, "
            f"not {type(options).__name__}"
        )
    chosen = sorted(fixed.intersection(options))
    if chosen:
        raise TypeError(
            f"executor_config[{name!r}] cannot set {', '.join(map(repr, chosen))}: "
            "Wove chooses that itself"
        )
    return dict(options)


def _type_name(workflow: Any) -> str:
    return workflow if isinstance(workflow, str) else getattr(workflow, "__name__", "")
