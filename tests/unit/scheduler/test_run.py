"""The scheduler itself, where it cannot be seen from outside or only by its cost."""

from __future__ import annotations

import asyncio
import gc
import sys
import threading
import time
import weakref
from collections.abc import Coroutine
from contextvars import ContextVar
from typing import Any

import pytest

from wove import merge, sync_to_async, weave
from wove.executors.records import RunRecord
from wove.scheduler import CURRENT

BOUND = 10.0
VALUE: ContextVar[str] = ContextVar("value", default="none")


def run(main: Coroutine[Any, Any, Any]) -> Any:
    async def bounded() -> Any:
        return await asyncio.wait_for(main, BOUND)

    return asyncio.run(bounded())


def test_a_context_variable_does_not_leak_into_dependents() -> None:
    async def main() -> None:
        VALUE.set("the caller's")
        async with weave() as w:

            @w.do
            async def first() -> None:
                VALUE.set("first's")

            @w.do
            async def second(first: None) -> str:
                return VALUE.get()

            @w.do(range(3), workers=1)
            async def each(item: int, first: None) -> str:
                seen = VALUE.get()
                VALUE.set(f"{item}'s")
                return seen

        assert w.result.second == "the caller's"
        assert w.result.each == ["the caller's"] * 3

    run(main())


def test_every_task_is_an_asyncio_task_of_its_own() -> None:
    async def main() -> None:
        async def own() -> int:
            return id(asyncio.current_task())

        tasks: list[Any] = []

        async def remember(item: int) -> None:
            tasks.append(asyncio.current_task())

        async with weave() as w:
            w.do(own)
            w.do(range(20), workers=2)(remember)
        assert w.result.own != id(asyncio.current_task())
        assert len({id(task) for task in tasks}) == 20

    run(main())


if sys.version_info >= (3, 12):  # eager tasks came with it

    def test_an_eager_task_factory_does_not_nest_a_long_chain() -> None:
        async def main() -> int:
            asyncio.get_running_loop().set_task_factory(asyncio.eager_task_factory)  # type: ignore[attr-defined]
            async with weave(step_0=0) as w:
                for number in range(1, 1500):
                    scope: dict[str, Any] = {}
                    exec(
                        f"async def step_{number}(step_{number - 1}): return step_{number - 1} + 1",
                        scope,
                    )
                    w.do(scope[f"step_{number}"])
            return w.result.final

        assert run(main()) == 1499


def test_a_mapped_task_with_workers_keeps_few_items_alive() -> None:
    async def main() -> int:
        highest = 0

        async def each(item: int) -> int:
            nonlocal highest
            highest = max(highest, len(asyncio.all_tasks()))
            await asyncio.sleep(0)
            return item

        async with weave() as w:
            w.do(range(2_000), workers=10)(each)
        assert w.result.each == list(range(2_000))
        return highest

    assert run(main()) <= 10 + 3  # the items, the map, the weave, the test


def test_a_generator_is_read_only_as_far_as_workers_need() -> None:
    ahead = []

    async def main() -> None:
        done = 0

        def source() -> Any:
            for number in range(50):
                ahead.append(number - done)
                yield number

        async def each(item: int) -> None:
            nonlocal done
            await asyncio.sleep(0)
            done += 1

        async with weave() as w:
            w.do(source(), workers=5)(each)

    run(main())
    assert len(ahead) == 50
    assert max(ahead) <= 5


def test_an_async_source_that_waits_hears_of_a_failing_item() -> None:
    closed = []

    async def source() -> Any:
        try:
            yield 1
            await asyncio.sleep(60)
            yield 2
        finally:
            closed.append(True)

    async def main() -> None:
        async with weave(error_mode="return") as w:

            @w.do(source())
            async def each(item: int) -> None:
                raise ValueError(item)

        assert repr(w.result.each) == "ValueError(1)"
        cancelling = getattr(asyncio.current_task(), "cancelling", int)  # since Python 3.11
        assert cancelling() == 0

    run(main())
    assert closed == [True]


def test_a_second_cancellation_does_not_leave_tasks_behind() -> None:
    ended = []

    async def main() -> None:
        started = asyncio.Event()

        async def block() -> None:
            async with weave() as w:

                @w.do
                async def slow_to_end() -> None:
                    started.set()
                    try:
                        await asyncio.sleep(60)
                    finally:
                        await asyncio.sleep(0.1)
                        ended.append(True)

        task = asyncio.ensure_future(block())
        await started.wait()
        task.cancel()
        await asyncio.sleep(0.02)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        assert ended == [True]

    run(main())


def test_a_task_that_is_cancelled_before_its_first_step_is_accounted_for() -> None:
    async def main() -> None:
        async def block() -> Any:
            w = weave()
            async with w:
                w.do([1, 2])(asyncio.sleep)
                w.do(never)
            return w

        async def never() -> None:
            raise AssertionError("must not start")

        task = asyncio.ensure_future(block())
        await asyncio.sleep(0)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task

    run(main())


@pytest.mark.parametrize("options", [{}, {"timeout": BOUND}], ids=["plain", "with tries"])
def test_a_sync_task_that_ends_after_the_failure_keeps_its_result(options: Any) -> None:
    started = threading.Event()
    with weave(error_mode="return", **options) as w:

        @w.do
        def slow() -> str:
            started.set()
            time.sleep(0.2)
            return "done"

        @w.do
        def broken() -> None:
            started.wait(BOUND)
            raise ValueError

    assert w.result.slow == "done"
    assert w.result.cancelled == set()


def test_a_sync_task_that_ends_just_before_the_failure_is_not_waited_for_twice() -> None:
    """Its end is on its way to the loop while the failure cancels the one that waits for it."""
    with weave(error_mode="return", timeout=BOUND) as w:

        @w.do
        def quick() -> str:
            return "done"

        @w.do
        async def broken() -> None:
            time.sleep(0.1)  # holds the loop until `quick` has ended
            raise ValueError

    assert w.result.quick == "done"


def test_a_sync_task_that_waits_for_a_thread_is_not_out_of_time() -> None:
    with weave(max_workers=1, timeout=0.3) as w:
        for name in "abc":

            def task() -> None:
                time.sleep(0.15)

            task.__name__ = name
            w.do(task)
    assert len(w.result) == 3
    assert w.result.cancelled == set()


def test_a_timeout_inside_leaves_nothing_of_its_cancellation() -> None:
    async def slow() -> None:
        await asyncio.sleep(60)

    async def main() -> Any:
        async with weave() as w:

            @w.do
            async def task() -> str:
                try:
                    await merge(slow, timeout=0.05)
                except TimeoutError:
                    await asyncio.sleep(0)  # raises, if a cancellation is still pending
                    return "went on"
                return "did not time out"

        return w.result.task

    assert run(main()) == "went on"


def test_a_sync_task_that_ran_out_of_time_in_a_merge_takes_the_merge_along() -> None:
    cancelled = threading.Event()

    async def endless() -> None:
        try:
            await asyncio.sleep(60)
        except asyncio.CancelledError:
            cancelled.set()
            raise

    begin = time.monotonic()
    with weave(error_mode="return") as w:

        @w.do(timeout=0.1)
        def task() -> None:
            merge(endless)

    assert isinstance(w.result.task, TimeoutError)
    assert cancelled.is_set()
    assert time.monotonic() - begin < BOUND


def test_a_merge_from_a_loop_of_a_sync_tasks_own() -> None:
    async def ten() -> int:
        return 10

    with weave() as w:

        @w.do
        def task() -> int:
            async def inside() -> Any:
                return await merge(ten)

            return asyncio.run(inside())

    assert w.result.task == 10


def test_a_finished_weave_takes_no_more_merges() -> None:
    kept = []
    with weave() as w:

        @w.do
        async def task() -> None:
            kept.append(CURRENT.get())

    assert kept[0].closed
    token = CURRENT.set(kept[0])
    with pytest.raises(RuntimeError, match="inside a running task"):
        merge(int)
    CURRENT.reset(token)


def test_sync_to_async_uses_the_weaves_threads() -> None:
    name = sync_to_async(lambda: threading.current_thread().name)

    async def main() -> tuple[str, str]:
        async with weave() as w:

            @w.do
            async def inside() -> str:
                return await name()

        return w.result.inside, await name()

    inside, outside = run(main())
    assert inside.startswith("wove")
    assert outside.startswith("asyncio")


def test_a_weave_does_not_wait_for_the_collector() -> None:
    class Value:
        pass

    async def main() -> weakref.ref[Value]:
        async with weave() as w:

            @w.do
            async def task() -> Value:
                return Value()

        return weakref.ref(w.result.task)

    gc.disable()
    try:
        assert run(main())() is None
    finally:
        gc.enable()


def test_records_of_local_runs() -> None:
    calls = []
    with weave(error_mode="return") as w:

        @w.do(retries=2)
        async def flaky() -> int:
            calls.append(1)
            if len(calls) < 3:
                raise ValueError(len(calls))
            return 7

        @w.do([1, 2, 3])
        def each(item: int) -> int:
            return item

    flaky_runs = [r for r in w.runs if r.task == "flaky"]
    assert [(r.attempt, r.state, repr(r.error)) for r in flaky_runs] == [
        (0, "failed", "ValueError(1)"),
        (1, "failed", "ValueError(2)"),
        (2, "succeeded", "None"),
    ]
    (mapped,) = [r for r in w.runs if r.task == "each"]
    assert isinstance(mapped, RunRecord)
    assert (mapped.environment, mapped.backend, mapped.state) == ("default", "local", "succeeded")
    assert mapped.submitted_at is not None
    assert mapped.ended_at is not None
    assert abs(mapped.ended_at - time.time()) < BOUND
    assert mapped.submitted_at <= mapped.ended_at
    assert len({r.run_id for r in w.runs}) == len(w.runs)
