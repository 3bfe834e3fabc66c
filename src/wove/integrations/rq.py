"""RQ: tasks of an environment run in RQ workers, reached through Redis.

The weave's side is `RQAdapter` (`"executor": "rq"`). The worker's side is any RQ worker
that can import `wove`: `rq worker`, or `wove worker rq`, which imports it once and not
for each job.
"""

from __future__ import annotations

import asyncio
import math
import time
from collections.abc import Callable, Mapping
from typing import Any, TypeVar

from wove.errors import ErrorCode, SubmissionError
from wove.integrations._celery_url import masked
from wove.integrations._rq_options import check_enqueue_options, enqueue_options
from wove.integrations._rq_queue import adopt, connect
from wove.integrations._rq_state import CONFIRM_SECONDS, RQJob
from wove.integrations.base import BackendAdapter, BackendState, CancelOutcome, Supports

__all__ = ["RQAdapter", "RQJob"]

T = TypeVar("T")

CALL_SECONDS = 9.0
"""A submission that Redis has not taken after this long has failed."""

CALLS = 8
"""Submissions and cancellations at once, each in a thread; more wait."""


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
        self._calling = asyncio.Semaphore(CALLS)
        self._outage: tuple[float, str] = (0.0, "")
        if queue is None and not url:
            raise TypeError(
                "the rq executor needs 'redis_url' or 'queue' in executor_config, "
                "such as 'redis_url': 'redis://localhost:6379/0'"
            )
        # In threads: RQ and redis-py take a while to import.
        if queue is not None:
            self._setting = "the connection of executor_config['queue']"
            self._queue = await self.in_thread(adopt, queue)
        else:
            self._setting = "executor_config['redis_url']"
            name = str(config.get("queue_name") or "default")
            try:
                self._queue = await self.in_thread(connect, url, name)
            except ValueError as error:  # whose text may quote a part of the password
                raise ValueError(f"{self._setting} is no URL of a Redis: {masked(url)}") from error
        self._chosen = check_enqueue_options(config.get("enqueue_options"), self._queue.options())
        self.warn_of_local_callback(self._queue.address)

    async def submit(self, payload: dict[str, Any], frame: dict[str, Any]) -> RQJob:
        """Enqueue `payload` as the only argument of `wove.integrations.worker.run`.

        Raises:
            SubmissionError: Redis refused it (`SUBMIT_FAILED`), could not be reached in 10
                seconds (`BACKEND_UNAVAILABLE`), or RQ has a job under the same
                `delivery_idempotency_key` (`DUPLICATE_KEY`).
        """
        import redis.exceptions as redis
        from rq.exceptions import DuplicateJobError

        options = enqueue_options(
            payload,
            frame,
            job_id=self.job_id_for(payload, frame),
            chosen=self._chosen,
            queue_timeout=self._queue.default_timeout,
        )
        begun = time.monotonic()
        try:
            return await self._call(begun, self._queue.send, payload, options)
        except asyncio.TimeoutError:
            # The thread may still enqueue it later. The start gate turns such a job away.
            raise self._unavailable(f"no answer in {CALL_SECONDS:g} s") from None
        except redis.AuthenticationError as error:
            raise self._refused(str(error)) from error
        except (redis.ConnectionError, redis.TimeoutError) as error:
            raise self._unavailable(str(error) or type(error).__name__) from error
        except DuplicateJobError as error:
            raise SubmissionError(
                f"RQ has a job {options['job_id']} already, and that one reports to somebody "
                "else. The task has not run.",
                code=ErrorCode.DUPLICATE_KEY,
                backend="rq",
                backend_job_id=options["job_id"],
                reason=str(error),
            ) from error
        except Exception as error:
            if isinstance(error, SubmissionError):
                raise
            raise self._refused(str(error) or type(error).__name__) from error

    async def cancel(
        self, run_id: str, submission: RQJob, frame: dict[str, Any]
    ) -> CancelOutcome | None:
        """Delete a queued job; have a running one's process killed by its worker."""
        return await self._call(math.inf, self._queue.cancel, submission)

    async def poll(self, submissions: Mapping[str, RQJob]) -> Mapping[str, BackendState]:
        """What RQ's records say of the jobs, and of their workers' connections."""
        states = await self.in_thread(self._queue.ask, dict(submissions))
        for run_id, job in submissions.items():
            if job.ask_again:
                job.ask_again = False
                loop = asyncio.get_running_loop()
                loop.call_later(CONFIRM_SECONDS, self.changed, run_id)
        return states

    async def _call(self, begun: float, function: Callable[..., T], *args: Any) -> T:
        async with self._calling:
            down_since, reason = self._outage
            if down_since > begun:  # those that waited meanwhile need not find out one by one
                raise self._unavailable(reason)
            return await asyncio.wait_for(self.in_thread(function, *args), CALL_SECONDS)

    def _unavailable(self, reason: str) -> SubmissionError:
        self._outage = (time.monotonic(), reason)
        return SubmissionError(
            f"rq cannot reach Redis at {self._queue.address}, which is {self._setting}: "
            f"{reason.rstrip('.')}. The task has not run. Check that it runs and that this "
            "process can reach that address.",
            code=ErrorCode.BACKEND_UNAVAILABLE,
            backend="rq",
            reason=reason,
        )

    def _refused(self, reason: str) -> SubmissionError:
        return SubmissionError(
            f"the Redis at {self._queue.address} did not take the job: {reason.rstrip('.')}. "
            "The task has not run.",
            code=ErrorCode.SUBMIT_FAILED,
            backend="rq",
            reason=reason,
        )
