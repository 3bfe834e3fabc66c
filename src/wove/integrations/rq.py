"""RQ: tasks of an environment run in RQ workers, reached through Redis.

The weave's side is `RQAdapter` (`"executor": "rq"`). The worker's side is any RQ worker
that can import `wove`: `rq worker`, or `wove worker rq`, which imports it once and not
for each job.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from typing import Any

from wove.integrations._rq_options import check_enqueue_options, enqueue_options
from wove.integrations._rq_queue import adopt, connect
from wove.integrations._rq_state import CONFIRM_SECONDS, RQJob
from wove.integrations._service import Service
from wove.integrations._url import masked
from wove.integrations.base import BackendAdapter, BackendState, CancelOutcome, Supports

__all__ = ["RQAdapter", "RQJob"]

AT_ONCE = 8
"""Submissions and cancellations at once, each in a thread."""


class RQAdapter(BackendAdapter):
    """Submits payloads to RQ with `Queue.enqueue`.

    Settings (`executor_config`), beside those of the callback:

    - `queue`: an `rq.Queue` of yours; or `redis_url`, with `queue_name` ("default"). A
      `queue` stays yours and is never closed here.
    - `enqueue_options`: further arguments of `Queue.enqueue`; they beat ours.
    """

    settings = frozenset({"queue", "redis_url", "queue_name", "enqueue_options"})
    required_modules = ("rq", "redis")
    install_hint = "pip install 'wove[rq]'"
    max_payload_bytes = 512 * 1024 * 1024  # of a value in Redis
    knows_queued = True
    supports = Supports(cancel_queued=True, cancel_running="stops", poll=True, idempotent=True)

    async def start(self) -> None:
        """Make or take the queue. Does not connect: the first submission does.

        Raises:
            TypeError: neither `queue` nor `redis_url` is set, `queue` is no queue that
                workers serve, or `enqueue_options` has what Wove must choose.
            ValueError: `redis_url` is no URL of a Redis.
        """
        config = self.config
        queue, url = config.get("queue"), str(config.get("redis_url") or "")
        if queue is None and not url:
            raise TypeError(
                "the rq executor needs 'redis_url' or 'queue' in executor_config, "
                "such as 'redis_url': 'redis://localhost:6379/0'"
            )
        # In threads: RQ and redis-py take a while to import.
        if queue is not None:
            setting = "the connection of executor_config['queue']"
            self._queue = await self.in_thread(adopt, queue)
        else:
            setting = "executor_config['redis_url']"
            name = str(config.get("queue_name") or "default")
            try:
                self._queue = await self.in_thread(connect, url, name)
            except ValueError:  # whose text may quote a part of the password
                raise ValueError(f"{setting} is no URL of a Redis: {masked(url)}") from None
        self._chosen = check_enqueue_options(config.get("enqueue_options"), self._queue.options())
        address = self._queue.address
        self._service = Service("rq", "Redis", address, setting, at_once=AT_ONCE)
        self.warn_of_local_callback(address)

    async def submit(self, payload: dict[str, Any], frame: dict[str, Any]) -> RQJob:
        """Enqueue `payload` as the only argument of `wove.integrations.worker.run`.

        Raises:
            SubmissionError: Redis refused it (`SUBMIT_FAILED`), could not be reached in 10
                seconds (`BACKEND_UNAVAILABLE`), or RQ has a job under the same
                `delivery_idempotency_key` (`DUPLICATE_KEY`).
        """
        options = enqueue_options(
            payload,
            frame,
            job_id=self.job_id_for(payload, frame),
            chosen=self._chosen,
            queue_timeout=self._queue.default_timeout,
        )
        return await self._service.call(lambda: self._send(payload, options))

    async def _send(self, payload: dict[str, Any], options: dict[str, Any]) -> RQJob:
        import redis.exceptions as redis
        from rq.exceptions import DuplicateJobError

        try:
            return await self.in_thread(self._queue.send, payload, options)
        except DuplicateJobError as error:
            raise self._service.duplicate(options["job_id"], str(error)) from error
        except Exception as error:
            reason = str(error) or type(error).__name__
            if isinstance(error, (redis.ConnectionError, redis.TimeoutError)) and not isinstance(
                error, redis.AuthenticationError
            ):
                raise self._service.unavailable(reason) from error
            raise self._service.refused(reason) from error

    async def cancel(
        self, run_id: str, submission: RQJob, frame: dict[str, Any]
    ) -> CancelOutcome | None:
        """Delete a queued job; have a running one's process killed by its worker."""
        return await self._service.ask(lambda: self.in_thread(self._queue.cancel, submission))

    async def poll(self, submissions: Mapping[str, RQJob]) -> Mapping[str, BackendState]:
        """What RQ's records say of the jobs, and of their workers' connections."""
        states = await self.in_thread(self._queue.ask, dict(submissions))
        for run_id, job in submissions.items():
            if job.ask_again:
                job.ask_again = False
                loop = asyncio.get_running_loop()
                loop.call_later(CONFIRM_SECONDS, self.changed, run_id)
        return states
