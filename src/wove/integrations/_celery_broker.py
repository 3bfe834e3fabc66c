"""The blocking half of the Celery adapter: what is done with an application's broker.

Everything here may block for seconds and is called in threads.
"""

from __future__ import annotations

import contextlib
import functools
import os
import threading
import weakref
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from wove.executors.backend_state import BackendState
from wove.integrations._celery_state import sent_words, state_from_result, state_from_workers

if TYPE_CHECKING:
    from celery.app.base import Celery
    from kombu.connection import Connection

INSPECT_SECONDS = 1.0
"""How long workers' answers are collected. Workers answer in milliseconds or are busy."""


@dataclass
class CeleryJob:
    """A submitted job. What `submit` returns and `cancel` and `poll` are given."""

    id: str
    """Celery's task id."""
    worker: str | None = field(default=None, compare=False)
    """Node name of the worker that was last seen with the job."""
    sent: str = field(default="", compare=False)
    """The task's name and the queue that the job was sent for, as text for people."""


class _Own:
    """A connection of ours, closed when neither its broker nor a call under way has it."""

    def __init__(self, connection: Connection) -> None:
        self.lock = threading.Lock()
        self.connection = connection
        weakref.finalize(self, _close_socket, connection, os.getpid()).atexit = False


def _close_socket(connection: Connection, owner: int) -> None:
    if os.getpid() != owner:  # a forked copy, whose closing would end it for its parent
        return
    # py-amqp's would stay open, and Python warns of that. Nothing is said to the broker: it may
    # have gone silent, and this may be any thread. (redis-py closes its own.)
    under: Any = connection._connection  # the public property would connect
    if hasattr(under, "collect"):
        with contextlib.suppress(Exception):
            under.collect()


class CeleryBroker:
    """An application and, unless it is the user's, a connection of our own.

    Args:
        app: the Celery application.
        url: the broker's URL; None for a user's application, whose own settings decide
            and whose own pool of connections is used.

    Raises:
        Exception: one of `UNUSABLE`: the transport that the URL names cannot be loaded.
    """

    def __init__(self, app: Celery, url: str | None) -> None:
        from kombu.utils.url import parse_url

        self.app = app
        self._url = url
        connection = self._new_connection()
        connection.connection_errors  # noqa: B018 - loads the transport, which takes a while
        for each in connection.alt:  # else read only when the one before it is down
            parse_url(each)
        self._own = None if url is None else _Own(connection)
        # Celery makes each thread a result backend of its own, with connections that stay until
        # Python's collector comes by. Polls are in ever new threads: they share one, in turn.
        self._results: Any = None
        self._asking_results = threading.Lock()

    def send(self, task_name: str, payload: dict[str, Any], options: dict[str, Any]) -> CeleryJob:
        """Publish the payload as the only argument of the worker's task."""
        with self._connected() as connection:
            job: CeleryJob = self.app.send_task(
                task_name,
                args=(payload,),
                connection=connection,
                result_cls=CeleryJob,
                add_to_parent=False,
                # With a result wanted, a result backend would subscribe to it, and nobody here
                # would read that. The header of this name is for the worker.
                ignore_result=True,
                **options,
            )
        job.sent = sent_words(task_name, options, self.app.conf)
        return job

    def revoke(self, job_id: str, *, terminate: bool, wait_for_answers: bool) -> Any:
        """Tell the workers to drop the job; their answers, if they are waited for."""
        # Collecting answers takes a second: on a connection of its own, so submissions go on.
        with self._new_connection() if wait_for_answers else self._connected() as connection:
            return self.app.control.revoke(
                job_id,
                terminate=terminate,
                connection=connection,
                reply=wait_for_answers,
                timeout=INSPECT_SECONDS,
            )

    def ask(self, jobs: Mapping[str, CeleryJob]) -> dict[str, BackendState]:
        """What the result backend, and then the workers, know of the jobs, by run id."""
        states = self._ask_result_backend(jobs) if self._keeps_results() else {}
        rest = {run_id: job for run_id, job in jobs.items() if run_id not in states}
        if rest:
            with self._new_connection() as connection:
                inspect = self.app.control.inspect(timeout=INSPECT_SECONDS, connection=connection)
                answers = inspect.query_task([job.id for job in rest.values()]) or {}
            for run_id, job in rest.items():
                states[run_id] = state_from_workers(job, answers)
        return states

    def leave_connection(self) -> None:
        """Have the next call make a new connection. A call that hangs keeps the old one."""
        if self._own is not None:
            self._own = _Own(self._new_connection())

    def is_connection_trouble(self, error: Exception) -> bool:
        """Whether the broker could not be reached, as against: it refused the message."""
        # kombu wraps what may be retried in an OperationalError, a refused message included.
        connection = self._new_connection()
        cause = error.__cause__ or error
        if type(cause).__name__ == "AuthenticationError":  # redis-py counts it among the others
            return False
        if isinstance(cause, connection.connection_errors):
            return True
        return isinstance(error, OSError) and not isinstance(cause, connection.channel_errors)

    def _ask_result_backend(self, jobs: Mapping[str, CeleryJob]) -> dict[str, BackendState]:
        states: dict[str, BackendState] = {}
        # One that is down, or keeps an earlier question waiting, leaves it to the workers.
        if not self._asking_results.acquire(timeout=INSPECT_SECONDS):
            return states
        try:
            with contextlib.suppress(Exception):
                if self._results is None:
                    self._results = self.app.backend
                for run_id, job in jobs.items():
                    state = state_from_result(self._results.get_task_meta(job.id, cache=False))
                    if state is not None:
                        states[run_id] = state
        finally:
            self._asking_results.release()
        return states

    def _keeps_results(self) -> bool:
        # rpc:// hands each result to one reader's queue; it keeps nothing that could be asked.
        backend = self.app.backend_cls or self.app.conf.result_backend
        return bool(backend) and not str(backend).startswith(("rpc", "disabled"))

    @contextlib.contextmanager
    def _connected(self) -> Iterator[Any]:
        # kombu's connections are not for several threads at once; the pool of a user's
        # application hands out one each (connection=None).
        if self._own is None:
            yield None
        else:
            own = self._own
            with own.lock:
                yield own.connection

    def _new_connection(self) -> Connection:
        # The URL is named each time: Celery prefers CELERY_BROKER_URL of the process's
        # environment, which may be another application's, to what it was configured with.
        connection: Connection = self.app.connection_for_write(url=self._url)
        return connection


def broker_url(config: Mapping[str, Any]) -> str:
    """The setting `broker_url`, one or several; several are joined as Celery does."""
    url = config["broker_url"]
    return ";".join(map(str, url)) if isinstance(url, (list, tuple)) else str(url)


def kept_broker(config: Mapping[str, Any]) -> CeleryBroker:
    """A broker for the settings `broker_url`, `result_backend` or `backend_url`, `app_name`.

    The process keeps it, connected, for the next weave: an application and a connection take
    several times as long as a submission.
    """
    results = config.get("result_backend") or config.get("backend_url")
    return _kept(broker_url(config), results, str(config.get("app_name") or "wove"))


def make_broker(url: str, results: str | None = None, app_name: str = "wove") -> CeleryBroker:
    """A broker with an application and a connection of its own."""
    from celery import Celery

    app = Celery(app_name, broker=url, backend=results, set_as_current=False)
    # Redis: give up on an address that swallows packets. RabbitMQ: confirm each message, so
    # that a submission that returned has arrived.
    if url.startswith(("redis", "rediss", "sentinel")):
        app.conf.broker_transport_options = {"socket_connect_timeout": 4, "socket_timeout": 8}
    elif url.startswith(("amqp", "pyamqp")):
        app.conf.broker_transport_options = {"confirm_publish": True}
    app.conf.broker_connection_timeout = 4
    # Control commands go over the connection that they are given, too, and not through
    # kombu's process-wide pools, which others may close or carry through a fork.
    app.control.mailbox.producer_pool = None
    return CeleryBroker(app, url)


_kept = functools.lru_cache(maxsize=16)(make_broker)
_of_parents: list[object] = []


def _forget() -> None:
    """In a forked copy: connections are the parent's, and closing them would end them there."""
    global _kept
    _of_parents.append(_kept)
    _kept = functools.lru_cache(maxsize=16)(make_broker)


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_forget)
