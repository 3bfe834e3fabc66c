"""`retries` and `timeout`."""

from __future__ import annotations

import asyncio
import time
from typing import Any

import pytest

from tests.unit.weave.forms import Flaky, as_kind
from wove import weave
from wove.errors import TaskTimeoutError

pytestmark = pytest.mark.timeout(30)


@pytest.mark.parametrize("failures", [0, 1, 2])
def test_retries_is_the_number_of_more_tries(run: Any, kind: str, failures: int) -> None:
    flaky = Flaky(failures)

    def define(w: Any) -> None:
        def task() -> Any:
            return flaky()

        w.do(retries=2)(as_kind(kind, task))

    w = run(define)
    assert w.result.task == "ok"
    assert flaky.calls == failures + 1
    assert w.result.errors == {}


def test_the_last_exception_is_kept(run: Any, kind: str) -> None:
    flaky = Flaky(10)

    def define(w: Any) -> None:
        def task() -> Any:
            return flaky()

        w.do(retries=2)(as_kind(kind, task))

    with pytest.raises(ValueError, match="failure 3") as caught:
        run(define)
    assert flaky.calls == 3
    assert caught.value is flaky.raised[2]


def test_without_retries_a_task_is_tried_once(kind: str) -> None:
    flaky = Flaky(1)
    with pytest.raises(ValueError, match="failure 1"), weave() as w:

        def task() -> Any:
            return flaky()

        w.do(as_kind(kind, task))
    assert flaky.calls == 1


def test_there_is_no_pause_between_tries(kind: str) -> None:
    flaky = Flaky(300)
    start = time.monotonic()
    with weave() as w:

        def task() -> Any:
            return flaky()

        w.do(retries=300)(as_kind(kind, task))
    assert flaky.calls == 301
    assert time.monotonic() - start < 10


def test_each_item_of_a_map_has_its_own_tries(run: Any, kind: str) -> None:
    flaky = {0: Flaky(2, "a"), 1: Flaky(0, "b"), 2: Flaky(1, "c")}

    def define(w: Any) -> None:
        def task(n: int) -> Any:
            return flaky[n]()

        w.do([0, 1, 2], retries=2)(as_kind(kind, task))

    assert run(define).result.task == ["a", "b", "c"]
    assert [f.calls for f in flaky.values()] == [3, 1, 2]


def test_a_task_over_its_timeout(run: Any) -> None:
    ended = []

    def define(w: Any) -> None:
        @w.do(timeout=0.05)
        async def slow() -> None:
            try:
                await asyncio.Event().wait()
            finally:
                ended.append("slow")

    with pytest.raises(TaskTimeoutError, match=r"slow.*0\.05"):
        run(define)
    assert ended == ["slow"]


def test_a_timeout_is_a_timeout_error_and_in_cancelled(run: Any, kind: str) -> None:
    def define(w: Any) -> None:
        if kind == "sync":

            @w.do(timeout=0.05)
            def slow() -> None:
                time.sleep(0.15)
        else:

            @w.do(timeout=0.05)
            async def slow() -> None:
                await asyncio.Event().wait()

    w = run(define, error_mode="defer")
    assert isinstance(w.result.exception, TaskTimeoutError)
    assert isinstance(w.result.exception, TimeoutError)
    assert set(w.result.cancelled) == {"slow"}
    with pytest.raises(TimeoutError):
        _ = w.result.slow


def test_a_task_within_its_timeout(kind: str) -> None:
    with weave() as w:

        def quick() -> int:
            return 1

        w.do(timeout=20)(as_kind(kind, quick))
    assert w.result.quick == 1


def test_timeout_bounds_each_try_and_a_timed_out_try_is_a_failed_try(run: Any, kind: str) -> None:
    tries = []

    def define(w: Any) -> None:
        if kind == "sync":

            @w.do(timeout=0.1, retries=2)
            def task() -> str:
                tries.append(1)
                if len(tries) < 3:
                    time.sleep(0.2)
                return "third time lucky"
        else:

            @w.do(timeout=0.05, retries=2)
            async def task() -> str:
                tries.append(1)
                if len(tries) < 3:
                    await asyncio.Event().wait()
                return "third time lucky"

    w = run(define)
    assert w.result.task == "third time lucky"
    assert len(tries) == 3
    assert set(w.result.cancelled) == set()


def test_a_timeout_that_the_task_raises_itself_is_its_own(kind: str) -> None:
    with weave(error_mode="defer") as w:

        def task() -> None:
            raise TimeoutError("a socket's")

        w.do(timeout=20)(as_kind(kind, task))
    assert type(w.result.exception) is TimeoutError
    assert set(w.result.cancelled) == set()


def test_a_timeout_of_one_item_fails_the_map() -> None:
    with pytest.raises(TaskTimeoutError), weave() as w:

        @w.do([0, 1], timeout=0.05)
        async def item(n: int) -> int:
            if n:
                await asyncio.Event().wait()
            return n


def test_a_timeout_bounds_an_item_not_the_map() -> None:
    with weave() as w:

        @w.do(range(6), timeout=0.3, workers=1)
        async def item(n: int) -> int:
            await asyncio.sleep(0.08)
            return n

    assert w.result.item == list(range(6))


def test_waiting_for_a_thread_does_not_count_as_running() -> None:
    """The pool has one thread: the second task waits longer than its timeout for it."""
    with weave(max_workers=1) as w:

        @w.do
        def first() -> None:
            time.sleep(0.3)

        @w.do(timeout=0.15)
        def second() -> int:
            return 2

    assert w.result.second == 2


def test_a_coroutine_returned_by_a_sync_task_counts_for_its_timeout() -> None:
    async def for_ever() -> None:
        await asyncio.Event().wait()

    with pytest.raises(TaskTimeoutError), weave() as w:

        @w.do(timeout=0.05)
        def task() -> Any:
            return for_ever()


def test_an_async_task_that_ignores_its_cancellation_still_timed_out() -> None:
    with weave(error_mode="defer") as w:

        @w.do(timeout=0.05)
        async def stubborn() -> str:
            try:
                await asyncio.Event().wait()
            except asyncio.CancelledError:
                return "too late"
            return "?"

    assert isinstance(w.result.exception, TaskTimeoutError)


def test_a_cancelled_weave_does_not_retry() -> None:
    tries = []
    with weave(error_mode="defer") as w:
        started = asyncio.Event()

        @w.do(retries=5)
        async def waiting() -> None:
            tries.append(1)
            started.set()
            await asyncio.Event().wait()

        @w.do
        async def broken() -> None:
            await asyncio.wait_for(started.wait(), 10)
            raise ValueError("boom")

    assert tries == [1]
    assert "waiting" in w.result.cancelled
