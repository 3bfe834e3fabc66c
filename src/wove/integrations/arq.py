"""arq: tasks of an environment run in arq's async workers, reached through Redis.

The weave's side is `ARQAdapter` (`"executor": "arq"`). The worker's side is the function
`wove_run_backend_payload`, for the `functions` of a worker of yours; `worker_settings` gives
those of a worker that has it, and `wove worker arq` starts one.
"""

from __future__ import annotations

import importlib
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from wove.dispatch.requirements import require_dispatch
from wove.integrations._arq_names import DEFAULT_FUNCTION, DEFAULT_QUEUE
from wove.integrations._arq_state import ArqJob
from wove.integrations._service import Service
from wove.integrations.base import BackendAdapter, BackendState, CancelOutcome, Supports

if TYPE_CHECKING:
    from wove.integrations._arq_worker import worker_settings, wove_run_backend_payload

__all__ = ["ARQAdapter", "ArqJob", "worker_settings", "wove_run_backend_payload"]

AT_ONCE = 16
"""Calls to Redis at once, each over a connection of its own; more wait."""

POLL_SECONDS = 20.0
"""An answer about all jobs is waited for so long; less than the watcher waits."""


class ARQAdapter(BackendAdapter):
    """Submits payloads to arq with `enqueue_job`.

    Settings (`executor_config`), beside those of the callback:

    - `pool`: an `arq.ArqRedis` of yours, from any event loop; it tells the address, the
      serializers and the queue. Its connections are not used, and never closed.
    - `redis_settings`: instead of `pool`, a URL, an `arq.connections.RedisSettings`, or a
      mapping of its fields.
    - `function_name` ("wove_run_backend_payload"): the worker's function.
    - `queue_name`: the queue; without it the `pool`'s, or "arq:queue".
    - `enqueue_options`: further options of `enqueue_job`; they beat ours, and `queue_name`
      beats them.
    """

    settings = frozenset(
        {"pool", "redis_settings", "function_name", "queue_name", "enqueue_options"}
    )
    required_modules = ("arq",)
    install_hint = "pip install 'wove[arq]'"
    max_payload_bytes = 512 * 1024 * 1024  # of a value in Redis
    knows_queued = True
    supports = Supports(cancel_queued=True, cancel_running="asks", poll=True, idempotent=True)

    async def start(self) -> None:
        """Read the settings. Does not connect: the first submission does.

        Raises:
            TypeError: neither `pool` nor `redis_settings` is set, one is of another kind, or
                `enqueue_options` has what arq does not take.
            ValueError: `redis_settings` is no URL of a Redis, or the name of a host is one.
        """
        # In a thread: arq takes a while to import.
        self._clients, self._jobs, sources = await self.in_thread(_load)
        config = self.config
        self._source = sources.source_of(config)
        self._chosen = self._jobs.check_enqueue_options(config.get("enqueue_options"))
        self._function = str(config.get("function_name") or DEFAULT_FUNCTION)
        self._queue = str(
            config.get("queue_name")
            or self._chosen.get("_queue_name")
            or self._source.queue
            or DEFAULT_QUEUE
        )
        address, at_once = self._source.address, min(AT_ONCE, self._source.connections or AT_ONCE)
        self._service = Service("arq", "Redis", address, self._source.setting, at_once=at_once)
        self._client: Any = None
        self.warn_of_local_callback(address)

    async def submit(self, payload: dict[str, Any], frame: dict[str, Any]) -> ArqJob:
        """Enqueue `payload` as the only argument of the worker's function.

        Raises:
            SubmissionError: Redis refused it (`SUBMIT_FAILED`), could not be reached in 10
                seconds (`BACKEND_UNAVAILABLE`), or arq has a job of that id
                (`DUPLICATE_KEY`).
        """
        options = self._jobs.enqueue_options(
            payload,
            frame,
            job_id=self.job_id_for(payload, frame),
            queue=self._queue,
            chosen=self._chosen,
        )
        return await self._service.call(lambda: self._send(payload, options))

    async def _send(self, payload: dict[str, Any], options: dict[str, Any]) -> ArqJob:
        from redis.exceptions import RedisError

        if self._client is None:
            self._client = self._source.client()
        try:
            # A run's own id is new; others may have been used before.
            fresh = options["_job_id"] == payload["run_id"]
            job: ArqJob | None = await self._jobs.enqueue(
                self._client, self._function, payload, options, fresh=fresh
            )
        except (RedisError, OSError) as error:
            reason = str(self._clients.without_command(error)) or type(error).__name__
            if self._clients.is_connection_trouble(error):
                raise self._service.unavailable(reason) from error
            raise self._service.refused(reason) from error
        if job is None:
            raise self._service.duplicate(options["_job_id"])
        return job

    async def cancel(
        self, run_id: str, submission: ArqJob, frame: dict[str, Any]
    ) -> CancelOutcome | None:
        """Take a queued job out of its queue; have arq abort a running one.

        Only workers with `allow_abort_jobs` do that. The others' jobs are told by the answer
        to their next event.
        """
        outcome: CancelOutcome = await self._service.ask(
            lambda: self._jobs.cancel(self._client, submission)
        )
        return outcome

    async def poll(self, submissions: Mapping[str, ArqJob]) -> Mapping[str, BackendState]:
        """What arq's keys in Redis say of the jobs."""
        states: Mapping[str, BackendState] = await self._service.ask(
            lambda: self._jobs.ask(self._client, dict(submissions)), seconds=POLL_SECONDS
        )
        return states

    async def close(self) -> None:
        """Close this weave's connections; a `pool` of yours stays as it is."""
        if getattr(self, "_client", None) is not None:
            await self._clients.disconnect(self._client)


def _load() -> list[Any]:
    modules = ("_arq_client", "_arq_jobs", "_arq_source")
    return [importlib.import_module(f"wove.integrations.{name}") for name in modules]


def __getattr__(name: str) -> object:
    # The worker's side needs arq to be imported; the weave's side may lack it.
    if name in ("worker_settings", "wove_run_backend_payload"):
        require_dispatch("a worker that runs Wove's payloads")
        found: object = getattr(importlib.import_module("wove.integrations._arq_worker"), name)
        return found
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
