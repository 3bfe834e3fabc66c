"""A backend's server as its adapter sees it."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

import pytest

from wove.errors import ErrorCode, SubmissionError
from wove.executors.backend_state import BackendState, BackendStatus
from wove.integrations import _service
from wove.integrations._service import Service, ask_each


def run(use: Callable[[Service], Awaitable[Any]], *, at_once: int = 2) -> Any:
    async def main() -> Any:
        where = "redis://queue:6379/0"
        return await use(Service("rq", "Redis", where, "the setting", at_once=at_once))

    return asyncio.run(main())


def test_no_more_calls_at_once_than_allowed() -> None:
    now, most = 0, 0

    async def call() -> None:
        nonlocal now, most
        now += 1
        most = max(most, now)
        await asyncio.sleep(0.01)
        now -= 1

    async def many(service: Service) -> None:
        await asyncio.gather(*(service.call(call) for _ in range(5)))
        await asyncio.gather(*(service.ask(call) for _ in range(5)))

    run(many, at_once=2)
    assert most == 2


def test_a_cancellation_does_not_wait_for_submissions_that_wait() -> None:
    made: list[str] = []

    async def call(what: str) -> None:
        await asyncio.sleep(0.01)
        made.append(what)

    async def many(service: Service) -> None:
        jobs = [asyncio.create_task(service.call(lambda: call("job"))) for _ in range(5)]
        await asyncio.sleep(0)
        await service.ask(lambda: call("cancel"))
        await asyncio.gather(*jobs)

    run(many, at_once=1)
    assert made == ["job", "cancel", "job", "job", "job", "job"]


def test_no_answer_in_time(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(_service, "SUBMIT_SECONDS", 0.05)

    async def never() -> None:
        await asyncio.Event().wait()

    with pytest.raises(SubmissionError) as caught:
        run(lambda service: service.call(never))
    assert caught.value.code is ErrorCode.BACKEND_UNAVAILABLE
    assert str(caught.value).startswith(
        "rq cannot reach Redis at redis://queue:6379/0, which is the setting: no answer in 0.05 s."
    )
    words = r"rq had no answer of Redis at redis://queue:6379/0 in"
    with pytest.raises(asyncio.TimeoutError, match=rf"{words} 0\.05 s"):
        run(lambda service: service.ask(never))
    with pytest.raises(asyncio.TimeoutError, match=rf"{words} 0\.01 s"):
        run(lambda service: service.ask(never, seconds=0.01))


def test_an_outage_fails_those_that_wait_and_nobody_else() -> None:
    tried: list[int] = []

    async def use(service: Service) -> list[Any]:
        async def fail(number: int) -> None:
            tried.append(number)
            await asyncio.sleep(0)
            raise service.unavailable("refused.")

        async def succeed() -> str:
            return "sent"

        waiting = [service.call(lambda n=number: fail(n)) for number in range(5)]
        failures = await asyncio.gather(*waiting, return_exceptions=True)
        return [*failures, await service.call(succeed)]

    *failures, later = run(use, at_once=1)
    assert tried == [0]
    assert {failure.code for failure in failures} == {ErrorCode.BACKEND_UNAVAILABLE}
    assert {failure.reason for failure in failures} == {"refused."}
    assert later == "sent"


def test_connecting_is_shared_and_outlives_who_waits_for_it() -> None:
    connections = 0

    async def use(service: Service) -> None:
        may_end = asyncio.Event()

        async def connect() -> None:
            nonlocal connections
            connections += 1
            await may_end.wait()

        waiting = [asyncio.create_task(service.connect(connect)) for _ in range(3)]
        await asyncio.sleep(0)
        waiting[0].cancel()
        await asyncio.sleep(0)
        may_end.set()
        outcomes = await asyncio.gather(*waiting, return_exceptions=True)
        assert [type(outcome) for outcome in outcomes[1:]] == [type(None)] * 2
        assert isinstance(outcomes[0], asyncio.CancelledError)

    run(use)
    assert connections == 1


def test_a_failed_connection_is_tried_again() -> None:
    async def fail() -> None:
        raise ConnectionRefusedError("refused")

    async def succeed() -> None: ...

    async def use(service: Service) -> None:
        with pytest.raises(ConnectionRefusedError):
            await service.connect(fail)
        await service.connect(succeed)

    run(use)


def test_what_was_refused_says_by_whom() -> None:
    async def use(service: Service) -> tuple[SubmissionError, SubmissionError]:
        return service.refused("out of memory."), service.duplicate("job-1")

    refused, duplicate = run(use)
    assert refused.code is ErrorCode.SUBMIT_FAILED
    assert str(refused).startswith(
        "rq reached Redis at redis://queue:6379/0, and that did not take the job: out of memory. "
        "The task has not run."
    )
    assert (duplicate.code, duplicate.backend_job_id) == (ErrorCode.DUPLICATE_KEY, "job-1")


def test_states_of_jobs_of_which_some_cannot_be_asked_about() -> None:
    running = BackendState(BackendStatus.RUNNING, "it runs")

    async def ask(job: str) -> BackendState:
        if job == "lost":
            raise ConnectionResetError("gone")
        return running

    assert asyncio.run(ask_each({"a": "here", "b": "lost"}, ask)) == {"a": running}
    assert asyncio.run(ask_each({}, ask)) == {}
    with pytest.raises(ConnectionResetError, match="gone"):
        asyncio.run(ask_each({"b": "lost"}, ask))
