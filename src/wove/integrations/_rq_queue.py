"""The blocking half of the RQ adapter: what is done with a queue and its Redis.

Everything here may block for seconds and is called in threads.
"""

from __future__ import annotations

import contextlib
import functools
import inspect
import time
from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any

import wove.integrations._rq_state as state
from wove.executors.backend_state import BackendState, BackendStatus
from wove.executors.records import CancelOutcome
from wove.integrations._rq_state import RQJob, Worker
from wove.integrations._url import masked

if TYPE_CHECKING:
    from rq import Queue

FUNCTION = "wove.integrations.worker.run"
"""What workers call, with the payload as its only argument."""

SUCCESS_CALLBACK = "wove.integrations._rq_job.fail_like_the_task"

SHOWN = ("task_name", "run_id")
"""Fields of the payload that come first in it."""

_CHOSEN_HERE = frozenset({"self", "func", "args", "kwargs", "pipeline", "timeout"})


class RQQueue:
    """A queue, which may serve several weaves and threads at once.

    Args:
        queue: RQ's queue.
        address: where its Redis is, without a password.
    """

    def __init__(self, queue: Queue, address: str) -> None:
        self.address = address
        self._queue = queue
        self._redis: Any = queue.connection  # redis-py's types are those of its async client, too

    @property
    def default_timeout(self) -> int | None:
        """The seconds that the queue's maker allows its jobs; None: RQ's own default."""
        chosen = self._queue._default_timeout
        return None if chosen == self._queue.DEFAULT_TIMEOUT else chosen

    def options(self) -> frozenset[str]:
        """The arguments of `enqueue` that are not the job's own."""
        taken = inspect.signature(type(self._queue).enqueue_call).parameters
        return frozenset(taken) - _CHOSEN_HERE | {"job_timeout"}

    def send(self, payload: dict[str, Any], options: dict[str, Any]) -> RQJob:
        """Enqueue the payload as the only argument of the worker's function."""
        from rq import Callback

        options = {"on_success": Callback(SUCCESS_CALLBACK), **options}
        # Of a running job monitors show the first 75 characters of its argument: names there,
        # and not the callback's URL.
        first = {key: payload[key] for key in SHOWN if key in payload}
        job = self._queue.enqueue(FUNCTION, args=({**first, **payload},), **options)
        return RQJob(job.id)

    def cancel(self, job: RQJob) -> CancelOutcome:
        """Take the job out of the queue, or have its worker end the process that runs it."""
        from rq.command import send_command

        if self._redis.lrem(self._queue.key, 1, job.id):  # then no worker has it, or will
            self._delete(job)
            return "stopped"
        status, worker, _ = self._records([job])[0]
        if status == "started" and worker:
            send_command(self._redis, worker, "stop-job", job_id=job.id)
            return "asked"
        if status in state.OVER:
            return "stopped"
        if status not in ("", "queued") and (found := self._queue.fetch_job(job.id)) is not None:
            found.cancel()  # RQ would have put it into the queue later
            return "stopped"
        return "asked"

    def ask(self, jobs: Mapping[str, RQJob]) -> dict[str, BackendState]:
        """What RQ knows of the jobs, by run id."""
        records = dict(zip(jobs, self._records(jobs.values()), strict=True))
        names = {name for status, name, _ in records.values() if status == "started" and name}
        workers, server = (self._workers(names), self._server()) if names else ({}, "")
        anyone_waits = any(status == "queued" for status, *_ in records.values())
        waits, taken = self._waiting() if anyone_waits else (frozenset(), frozenset())
        now = time.monotonic()
        states = {}
        for run_id, (status, worker, since) in records.items():
            job = jobs[run_id]
            if not status:
                found = BackendState(BackendStatus.ABSENT, f"RQ has no job {job.id}")
            elif status == "queued":
                found = state.queued(self._queue.name, waits=job.id in waits, taken=job.id in taken)
            elif status == "started":
                record = workers.get(worker)
                found = state.started(job, worker, record, since=since, server=server, now=now)
            elif status == "finished":
                found = BackendState(BackendStatus.SUCCEEDED, "RQ says finished")
            elif status == "failed":
                found = state.failed(self._error(job))
            elif status in state.OVER:
                found = state.stopped(status)
            else:
                found = state.waiting(status)
            states[run_id] = found
        return states

    def _records(self, jobs: Iterable[RQJob]) -> list[tuple[str, str, str]]:
        """Status, worker and start of each; empty where there is none. Nothing is unpickled."""
        with self._redis.pipeline(transaction=False) as pipeline:
            for job in jobs:
                key = self._queue.job_class.key_for(job.id)
                pipeline.hmget(key, "status", "worker_name", "started_at")
            return [(_text(s), _text(w), _text(t)) for s, w, t in pipeline.execute()]

    def _workers(self, names: set[str]) -> dict[str, Worker]:
        from rq import Worker as RQWorker
        from rq.command import PUBSUB_CHANNEL_TEMPLATE

        prefix = RQWorker.redis_worker_namespace_prefix
        ordered = sorted(names)
        with self._redis.pipeline(transaction=False) as pipeline:
            for name in ordered:
                pipeline.hmget(f"{prefix}{name}", "birth", "last_heartbeat", "death")
                pipeline.pubsub_numsub(PUBSUB_CHANNEL_TEMPLATE % name)
            answers = pipeline.execute(raise_on_error=False)
        found = {}
        for name, about, heard in zip(ordered, answers[::2], answers[1::2], strict=True):
            if isinstance(about, Exception):
                raise about
            birth, heartbeat, death = map(_text, about)
            if heartbeat:
                found[name] = Worker(
                    name=name,
                    birth=birth,
                    heartbeat=heartbeat,
                    death=death,
                    # A Redis may forbid the question to its users.
                    connections=None if isinstance(heard, Exception) else int(heard[0][1]),
                )
        return found

    def _server(self) -> str:
        from redis.exceptions import ResponseError

        with contextlib.suppress(ResponseError):  # as above
            return str(self._redis.info("server").get("run_id", ""))
        return ""

    def _waiting(self) -> tuple[frozenset[str], frozenset[str]]:
        """Ids in the queue, and those that workers have taken from it and not begun."""
        with self._redis.pipeline(transaction=True) as pipeline:
            pipeline.lrange(self._queue.key, 0, -1)
            pipeline.lrange(self._queue.intermediate_queue_key, 0, -1)
            waits, taken = pipeline.execute()
        return frozenset(map(_text, waits)), frozenset(map(_text, taken))

    def _error(self, job: RQJob) -> str:
        from rq.results import Result

        result = Result.fetch_latest(self._job(job), serializer=self._queue.serializer)
        return "" if result is None else result.exc_string or ""

    def _delete(self, job: RQJob) -> None:
        from rq.exceptions import InvalidJobOperation

        with contextlib.suppress(InvalidJobOperation):  # somebody else was quicker
            self._job(job).delete(remove_from_queue=False)

    def _job(self, job: RQJob) -> Any:
        found = self._queue.job_class(
            job.id, connection=self._redis, serializer=self._queue.serializer
        )
        found.origin = self._queue.name
        return found


@functools.lru_cache(maxsize=16)
def connect(url: str, name: str) -> RQQueue:
    """A queue on the Redis at `url`, which is not asked anything yet.

    The process keeps it, and so its connections, for the next weave: a new one takes Redis
    and RQ longer than a submission, and RQ itself remembers each client that it has seen.
    (redis-py's clients are safe for threads, and for a process that forks.)

    Raises:
        ValueError: it cannot be read as a URL of a Redis.
    """
    from redis import Redis
    from redis.backoff import ExponentialBackoff
    from redis.retry import Retry
    from rq import Queue

    client = Redis.from_url(
        url,
        # Give up on an address that swallows packets.
        socket_connect_timeout=4,
        socket_timeout=8,
        retry=Retry(ExponentialBackoff(cap=0.5, base=0.1), 2),
    )
    return RQQueue(Queue(name, connection=client), masked(url))


def adopt(queue: Any) -> RQQueue:
    """A user's queue.

    Raises:
        TypeError: it is none, or runs its jobs itself.
    """
    from rq import Queue

    if not isinstance(queue, Queue):
        got = f"the str {masked(queue)!r}" if isinstance(queue, str) else type(queue).__name__
        raise TypeError(
            "executor_config['queue'] must be an rq.Queue, the object itself, not "
            f"{got}; without one, set 'redis_url' and 'queue_name'"
        )
    if not queue.is_async:
        raise TypeError(
            "executor_config['queue'] has is_async=False, which runs jobs in the weave's own "
            "process; for that there is the executor 'local'"
        )
    return RQQueue(queue, _address(queue))


def _address(queue: Queue) -> str:
    known = queue.connection.connection_pool.connection_kwargs
    if known.get("path"):
        return f"unix://{known['path']}"
    if not known.get("host"):
        return "the Redis of the queue"
    return f"redis://{known['host']}:{known.get('port', 6379)}/{known.get('db') or 0}"


def _text(value: bytes | str | None) -> str:
    return value.decode() if isinstance(value, bytes) else value or ""
