"""A backend's server as its adapter sees it: called in turn, in bounded time, down for all."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable, Mapping
from typing import Any, TypeVar

from wove.errors import ErrorCode, SubmissionError
from wove.executors.backend_state import BackendState

__all__ = ["Service", "ask_each"]

J = TypeVar("J")
T = TypeVar("T")

SUBMIT_SECONDS = 9.0
"""A submission that the backend has not taken after this long has failed. Below ten: by then
one to a backend that is down must have failed, whatever its client library would wait."""


class Service:
    """Calls of one adapter to its backend's server, and the errors that say what became of them.

    Args:
        backend: the executor's name, such as "celery".
        what: the server, for people: "its broker", "Redis".
        address: where it is, without a password.
        setting: where that address comes from, such as "executor_config['broker_url']".
        at_once: calls at once; more wait, and the wait is not counted as theirs.
    """

    def __init__(
        self,
        backend: str,
        what: str,
        address: str,
        setting: str,
        *,
        at_once: int = 32,
    ) -> None:
        self.address = address
        self._backend = backend
        self._what = what
        self._setting = setting
        self._turns = asyncio.Semaphore(at_once)
        self._submissions = asyncio.Semaphore(at_once)
        """Those that wait for it are not in front of the cancellations that wait for a turn."""
        self._down_since = 0.0
        self._reason = ""
        self._connecting: asyncio.Future[Any] | None = None

    async def call(self, make: Callable[[], Awaitable[T]]) -> T:
        """Await one submission's call.

        Args:
            make: begins the call, when it is its turn. A call in a thread may go on after
                the time limit and still submit: the start gate turns such a job away.

        Raises:
            SubmissionError: `BACKEND_UNAVAILABLE`: there was no answer in time, or another
                call found the server down while this one waited for its turn.
        """
        begun = time.monotonic()
        async with self._submissions, self._turns:
            if self._down_since > begun:  # those that waited need not find out one by one
                raise self._unreachable(self._reason)
            try:
                return await asyncio.wait_for(make(), SUBMIT_SECONDS)
            except asyncio.TimeoutError:
                raise self.unavailable(f"no answer in {SUBMIT_SECONDS:g} s") from None

    async def ask(self, make: Callable[[], Awaitable[T]], *, seconds: float | None = None) -> T:
        """Await any other call, a cancellation or a question. Submissions that wait let it pass.

        Args:
            make: begins the call, when it is its turn.
            seconds: how long its answer is waited for; those of a submission without it.

        Raises:
            TimeoutError: asyncio's: there was no answer in time; it names the server.
        """
        limit = seconds or SUBMIT_SECONDS
        async with self._turns:
            try:
                return await asyncio.wait_for(make(), limit)
            except asyncio.TimeoutError as error:
                if str(error):
                    raise
                whom = f"{self._what} at {self.address}"
                words = f"{self._backend} had no answer of {whom} in {limit:g} s"
                raise asyncio.TimeoutError(words) from error

    async def connect(self, make: Callable[[], Awaitable[None]]) -> None:
        """Await one call that all submissions of the moment share, such as connecting.

        Args:
            make: begins the call, if none is under way.
        """
        if self._connecting is None or self._connecting.done():
            self._connecting = asyncio.ensure_future(make())
            # Those who wait for it may be cancelled before it fails.
            self._connecting.add_done_callback(lambda made: made.cancelled() or made.exception())
        await asyncio.shield(self._connecting)

    def unavailable(self, reason: str) -> SubmissionError:
        """The error for a server that cannot be reached; calls that wait fail with it, too."""
        self._down_since, self._reason = time.monotonic(), reason
        return self._unreachable(reason)

    def refused(self, reason: str) -> SubmissionError:
        """The error for a server that answers, and does not take the job."""
        return SubmissionError(
            f"{self._backend} reached {self._what} at {self.address}, and that did not take the "
            f"job: {reason.rstrip('.')}. The task has not run.",
            code=ErrorCode.SUBMIT_FAILED,
            backend=self._backend,
            reason=reason,
        )

    def duplicate(self, job_id: str, reason: str = "") -> SubmissionError:
        """The error for a backend that has had a job of this id before."""
        return SubmissionError(
            f"{self._backend} has had a job of the id {job_id!r} already (was the same "
            "delivery_idempotency_key submitted before?), and that one reports to somebody "
            "else. The task was not submitted again.",
            code=ErrorCode.DUPLICATE_KEY,
            backend=self._backend,
            backend_job_id=job_id,
            reason=reason or None,
        )

    def _unreachable(self, reason: str) -> SubmissionError:
        return SubmissionError(
            f"{self._backend} cannot reach {self._what} at {self.address}, which is "
            f"{self._setting}: {reason.rstrip('.')}. The task has not run. Check that it runs "
            "and that this process can reach that address.",
            code=ErrorCode.BACKEND_UNAVAILABLE,
            backend=self._backend,
            reason=reason,
        )


async def ask_each(
    jobs: Mapping[str, J], ask: Callable[[J], Awaitable[BackendState]]
) -> dict[str, BackendState]:
    """The states of jobs by run id, of a backend that is asked about one at a time.

    Args:
        jobs: by run id.
        ask: about one job.

    Raises:
        Exception: of one, if there is no answer about any.
    """
    answers = await asyncio.gather(*map(ask, jobs.values()), return_exceptions=True)
    states: dict[str, BackendState] = {}
    failures: list[BaseException] = []
    for run_id, answer in zip(jobs, answers, strict=True):
        if isinstance(answer, BaseException):
            failures.append(answer)
        else:
            states[run_id] = answer
    if failures and not states:
        raise failures[0]
    return states
