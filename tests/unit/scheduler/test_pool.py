"""The threads of a weave: how many, when, in which context, and how jobs come back."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Awaitable, Callable
from contextvars import ContextVar, copy_context
from typing import Any

import pytest

from wove.pool import Job, ThreadPool

BOUND = 10.0
VALUE: ContextVar[str] = ContextVar("value", default="none")


def with_pool(most: int, use: Callable[[ThreadPool], Awaitable[Any]]) -> Any:
    async def main() -> Any:
        pool = ThreadPool(most, asyncio.get_running_loop())
        answer = await asyncio.wait_for(use(pool), BOUND)
        await asyncio.wait_for(pool.close(), BOUND)
        return answer

    return asyncio.run(main())


def call(pool: ThreadPool, function: Callable[..., Any], **arguments: Any) -> asyncio.Future[Job]:
    future: asyncio.Future[Job] = asyncio.get_running_loop().create_future()
    pool.submit(Job(copy_context(), function, arguments, future.set_result))
    return future


def test_values_and_errors_come_back_on_the_loop() -> None:
    async def use(pool: ThreadPool) -> None:
        loop_thread = threading.get_ident()
        seen: list[tuple[int, int]] = []

        def where(x: int) -> int:
            seen.append((x, threading.get_ident()))
            if x == 3:
                raise ValueError("three")
            return x * 2

        jobs = await asyncio.gather(*[call(pool, where, x=x) for x in range(5)])
        assert [job.value for job in jobs] == [0, 2, 4, None, 8]
        assert str(jobs[3].error) == "three"
        assert all(thread != loop_thread for _, thread in seen)

    with_pool(2, use)


def test_what_a_job_raises_is_kept_whatever_it_is() -> None:
    def leave() -> None:
        raise SystemExit(3)

    async def use(pool: ThreadPool) -> None:
        job = await call(pool, leave)
        assert isinstance(job.error, SystemExit)
        assert (await call(pool, int)).value == 0  # the thread goes on

    with_pool(1, use)


def test_each_job_has_the_context_it_was_given() -> None:
    async def use(pool: ThreadPool) -> None:
        def swap() -> str:
            seen = VALUE.get()
            VALUE.set("the job's")
            return seen

        VALUE.set("mine")
        assert (await call(pool, swap)).value == "mine"
        assert (await call(pool, swap)).value == "mine"
        assert VALUE.get() == "mine"

    with_pool(1, use)


@pytest.mark.parametrize("most", [1, 3])
def test_no_more_jobs_at_once_than_threads(most: int) -> None:
    running, highest, lock = 0, 0, threading.Lock()
    full = threading.Barrier(most)

    def job() -> None:
        nonlocal running, highest
        with lock:
            running += 1
            highest = max(highest, running)
        full.wait(BOUND)  # passes only when `most` jobs run at once
        with lock:
            running -= 1

    async def use(pool: ThreadPool) -> None:
        jobs = await asyncio.gather(*[call(pool, job) for _ in range(most * 4)])
        assert [job.error for job in jobs] == [None] * most * 4

    with_pool(most, use)
    assert highest == most


def test_threads_are_started_only_for_work() -> None:
    async def use(pool: ThreadPool) -> int:
        before = threading.active_count()
        for _ in range(20):
            await call(pool, int)  # one after the other: one thread is enough
        return threading.active_count() - before

    assert with_pool(50, use) == 1


def test_a_dropped_job_is_not_called_and_says_so() -> None:
    hold, called = threading.Event(), []

    async def use(pool: ThreadPool) -> None:
        first = call(pool, hold.wait, timeout=BOUND)
        over: asyncio.Future[Job] = asyncio.get_running_loop().create_future()
        job = Job(copy_context(), called.append, {}, over.set_result)
        pool.submit(job)
        job.dropped = True
        hold.set()
        assert not (await over).taken
        assert (await first).taken

    with_pool(1, use)
    assert called == []


def test_a_blocked_job_lends_its_place() -> None:
    resume = threading.Event()

    async def use(pool: ThreadPool) -> None:
        outer = call(pool, resume.wait, timeout=BOUND)
        pool.block()
        assert (await asyncio.wait_for(call(pool, int), BOUND)).value == 0
        pool.unblock()
        resume.set()
        assert (await outer).value is True

    with_pool(1, use)


def test_blocking_again_and_again_needs_no_more_threads() -> None:
    resume = threading.Event()

    async def use(pool: ThreadPool) -> int:
        before = threading.active_count()
        outer = call(pool, resume.wait, timeout=BOUND)
        for _ in range(30):
            pool.block()
            await call(pool, int)
            pool.unblock()
        more = threading.active_count() - before
        resume.set()
        await outer
        return more

    assert with_pool(1, use) == 2


def test_after_blocking_the_limit_holds_again() -> None:
    resume, lock = threading.Event(), threading.Lock()
    running = highest = 0

    def count() -> None:
        nonlocal running, highest
        with lock:
            running += 1
            highest = max(highest, running)
        threading.Event().wait(0.002)
        with lock:
            running -= 1

    async def use(pool: ThreadPool) -> None:
        nonlocal highest
        outer = call(pool, resume.wait, timeout=BOUND)
        pool.block()
        await call(pool, int)
        pool.unblock()
        resume.set()
        await outer
        await asyncio.gather(*[call(pool, count) for _ in range(2)])  # the surplus thread ends
        highest = 0
        await asyncio.gather(*[call(pool, count) for _ in range(20)])

    with_pool(1, use)
    assert highest == 1


def test_closing_waits_for_jobs_and_ends_the_threads() -> None:
    before = set(threading.enumerate())
    over = []

    def slow() -> None:
        threading.Event().wait(0.2)
        over.append(True)

    async def use(pool: ThreadPool) -> None:
        call(pool, slow)

    with_pool(4, use)
    assert over == [True]
    assert [t for t in threading.enumerate() if t not in before and t.name.startswith("wove")] == []
