"""The Taskiq adapter's half that knows Taskiq. Importing it takes a moment."""

from __future__ import annotations

import asyncio
import importlib
from collections.abc import Mapping
from typing import Any

from taskiq import AsyncBroker, AsyncTaskiqDecoratedTask, InMemoryBroker
from taskiq.brokers.shared_broker import AsyncSharedBroker
from taskiq.exceptions import SendTaskError
from taskiq.kicker import AsyncKicker

from wove.executors.backend_state import BackendState, BackendStatus
from wove.integrations._service import ask_each
from wove.integrations._taskiq_connections import Connections
from wove.integrations._taskiq_redis import TaskiqJob, ask, note_place, take_out
from wove.integrations._taskiq_task import DEFAULT_TASK_NAME
from wove.integrations._url import masked

__all__ = ["AT_ONCE", "TaskiqClient", "address_of", "is_connection_trouble"]

AT_ONCE = 8
"""Calls at once: each has a connection, and they stay open."""

LABELS: Mapping[str, Any] = {
    "retry_on_error": False,  # retries are the weave's
    "ack_type": "when_received",  # and so is what follows when a worker is lost
}
"""What Wove asks of Taskiq for its jobs; labels of the user's task beat it."""

TASK_LABEL = "wove_task"
"""The label that holds the name of the weave's task, for Taskiq's views."""

_WITH_A_CLIENT = ("taskiq_nats", "taskiq_redis", "taskiq.brokers.zmq_broker")
"""Modules of brokers whose constructor makes a client, which serves one event loop only."""

_REFUSALS = {
    "AuthenticationError",
    "AuthorizationError",
    "ConnectionNotAllowed",  # to that virtual host of RabbitMQ
    "ProbableAuthenticationError",
}
"""Exceptions of a server that is there, by name, whatever they are derived from."""


class TaskiqClient:
    """A broker, the name of the worker's task, and what is asked of them.

    Args:
        config: the settings of the adapter.

    Raises:
        TypeError: settings are missing or wrong.
    """

    def __init__(self, config: Mapping[str, Any]) -> None:
        self._task, self._task_name = None, str(config.get("task_name") or DEFAULT_TASK_NAME)
        if config.get("task") is not None:
            self._task = _checked_task(_resolved(config["task"], "task"))
            self._task_name = self._task.task_name
        if config.get("broker") is not None:
            self._source = _resolved(config["broker"], "broker")
            self.setting = "executor_config['broker']"
        elif self._task is not None:
            self._source = self._task.kicker().broker
            self.setting = "the broker of executor_config['task']"
        else:
            raise TypeError(
                "the taskiq executor needs 'broker' or 'task' in executor_config: a Taskiq "
                "broker, or a task of one that awaits wove.integrations.worker.arun(payload)"
            )
        _check_source(self._source, self.setting)
        self.address = address_of(self._source)
        self.is_redis = self.address.startswith(("redis", "unix"))
        self._connections = Connections.of(self._source)

    async def send(self, payload: dict[str, Any], job_id: str) -> TaskiqJob:
        """Send `payload` as the only argument of the worker's task. On Wove's own loop.

        Raises:
            Exception: what the broker raised.
        """
        broker = await self._connections.broker(self._source)
        task: Any = self._task or broker.find_task(self._task_name)
        kicker = AsyncKicker(self._task_name, broker, {}) if task is None else task.kicker()
        # Not with_labels: a kicker may share the labels of its task.
        name = payload.get("task_name") or payload["task_id"]
        kicker.labels = {**LABELS, TASK_LABEL: name, **kicker.labels}
        job = TaskiqJob(job_id)
        note_place(broker, job)
        try:
            await kicker.with_broker(broker).with_task_id(job_id).kiq(payload)
        except SendTaskError as error:
            raise error.__cause__ or error from None
        return job

    async def take_out(self, job: TaskiqJob) -> bool:
        """Delete a job that waits, where that can be done; whether no worker has it, or will.

        On Wove's own loop.
        """
        return await take_out(await self._connections.broker(self._source), job)

    async def states(self, jobs: Mapping[str, TaskiqJob]) -> dict[str, BackendState]:
        """What the result backend and the queue know of jobs, by run id. On Wove's own loop.

        Raises:
            Exception: they could not be asked about any.
        """
        broker = await self._connections.broker(self._source)
        results = self._connections.results(broker, self._source)
        turns = asyncio.Semaphore(AT_ONCE)

        async def ask_in_turn(job: TaskiqJob) -> BackendState:
            async with turns:
                return await _state(broker, results, job)

        return await ask_each(jobs, ask_in_turn)


async def _state(broker: AsyncBroker, results: Any, job: TaskiqJob) -> BackendState:
    if results is None or not await results.is_result_ready(job.id):
        return await ask(broker, job)
    result = await results.get_result(job.id)
    if result.is_err:
        error = result.error
        words = f"{type(error).__name__}: {error}" if error is not None else "no error is kept"
        return BackendState(BackendStatus.FAILED, f"Taskiq says: {words}")
    return BackendState(BackendStatus.SUCCEEDED, "Taskiq has its result")


def address_of(source: Any) -> str:
    """Where a broker sends to, for people: without a password, and only if it says so."""
    known: Any = getattr(getattr(source, "connection_pool", None), "connection_kwargs", None)
    if isinstance(known, Mapping):
        if known.get("path"):
            return f"unix://{known['path']}"
        scheme = "rediss" if _has_tls(source.connection_pool) else "redis"
        return f"{scheme}://{known.get('host')}:{known.get('port', 6379)}/{known.get('db') or 0}"
    url = getattr(source, "url", None)
    if isinstance(url, str):
        return masked(url)
    if isinstance(source, AsyncBroker):
        return f"the address of the {type(source).__name__}"
    return f"the address that {getattr(source, '__name__', 'the function')} chooses"


def _has_tls(pool: Any) -> bool:
    return "SSL" in getattr(getattr(pool, "connection_class", None), "__name__", "")


def is_connection_trouble(error: BaseException) -> bool:
    """Whether a broker's exception says that its server could not be reached."""
    names = {kind.__name__ for kind in type(error).__mro__}
    if names & _REFUSALS:
        return False
    if isinstance(error, (OSError, asyncio.TimeoutError)):
        return True
    # The last is aio-pika's, of a connection that it lost and does not have again yet.
    words = ("Connection", "Timeout", "ChannelInvalidState")
    return any(word in name for name in names for word in words)


def _resolved(given: Any, setting: str) -> Any:
    """An object, or what the text `module:name` leads to."""
    if not isinstance(given, str):
        return given
    module, _, name = given.partition(":")
    if not (module and name) or "//" in given:
        raise TypeError(
            f"executor_config[{setting!r}] must be the object itself, or 'module:name' of it, "
            f"not {masked(given)!r}"
        )
    try:
        found = importlib.import_module(module)
        for part in name.split("."):
            found = getattr(found, part)
    except (ImportError, AttributeError) as error:
        raise TypeError(f"executor_config[{setting!r}] is {given!r}, and {error}") from error
    return found


def _checked_task(task: Any) -> AsyncTaskiqDecoratedTask[Any, Any]:
    if isinstance(task, AsyncTaskiqDecoratedTask):
        return task
    raise TypeError(
        "executor_config['task'] must be a task of a Taskiq broker, such as "
        f"wove.integrations.taskiq.register(broker) returns, not a {type(task).__name__}"
    )


def _check_source(source: Any, setting: str) -> None:
    if isinstance(source, InMemoryBroker):
        raise TypeError(
            f"{setting} is an InMemoryBroker, which runs tasks in the weave's own process; for "
            "that there is the executor 'local'"
        )
    if isinstance(source, AsyncSharedBroker):
        raise TypeError(
            f"{setting} is Taskiq's shared broker, and it has no default_broker: set 'broker', too"
        )
    if not isinstance(source, AsyncBroker):
        if callable(source) and not isinstance(source, type):
            return
        raise TypeError(
            f"{setting} must be a Taskiq broker, or a function that makes one, not of the type "
            f"{type(source).__name__}"
        )
    modules = {kind.__module__.partition(".")[0] for kind in type(source).__mro__}
    modules |= {kind.__module__ for kind in type(source).__mro__}
    if not hasattr(source, "connection_pool") and modules.intersection(_WITH_A_CLIENT):
        raise TypeError(
            f"{setting} is a {type(source).__name__}, whose client serves one event loop, and "
            "that is yours: give a function that makes such a broker for Wove, "
            f"'broker': lambda: {type(source).__name__}(...)"
        )
