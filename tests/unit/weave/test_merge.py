"""`merge` inside running tasks."""

from __future__ import annotations

import asyncio
import threading
import time
from collections.abc import AsyncIterator, Iterator
from typing import Any

import pytest

from tests.unit.weave.forms import BOUND, Flaky, Peak, as_kind, wait_async
from wove import merge, weave
from wove.errors import TaskTimeoutError

pytestmark = pytest.mark.timeout(30)


def double(n: int) -> int:
    return n * 2


async def double_async(n: int) -> int:
    await asyncio.sleep(0)
    return n * 2


def merging(w: Any, kind: str, *args: Any, **options: Any) -> None:
    """A task named `task` of the given kind that merges and gives the result."""
    if kind == "sync":

        @w.do
        def task() -> Any:
            return merge(*args, **options)
    else:

        @w.do
        async def task() -> Any:
            return await merge(*args, **options)


@pytest.mark.parametrize("callable_", [double, double_async])
def test_merge_maps_when_given_an_iterable(run: Any, kind: str, callable_: Any) -> None:
    w = run(lambda w: merging(w, kind, callable_, [3, 1, 2]))
    assert w.result.task == [6, 2, 4]


@pytest.mark.parametrize("callable_kind", ["sync", "async"])
def test_merge_calls_once_without_an_iterable(run: Any, kind: str, callable_kind: str) -> None:
    callable_ = as_kind(callable_kind, lambda: "once")
    assert run(lambda w: merging(w, kind, callable_)).result.task == "once"


def test_merge_takes_both_arguments_by_name(kind: str) -> None:
    with weave() as w:
        merging(w, kind, callable=double, iterable=[1])
    assert w.result.task == [2]


@pytest.mark.parametrize("source", [[], (), "", {}])
def test_an_empty_iterable_is_an_iterable(kind: str, source: Any) -> None:
    with weave() as w:
        merging(w, kind, double, source)
    assert w.result.task == []


def test_text_is_iterated_by_character_never_taken_for_a_tasks_name(kind: str) -> None:
    with weave(ab=[1, 2]) as w:
        merging(w, kind, str.upper, "ab")
    assert w.result.task == ["A", "B"]


def test_generators_and_dicts(kind: str) -> None:
    def numbers() -> Iterator[int]:
        yield from range(3)

    with weave() as w:
        merging(w, kind, double, numbers())

        @w.do
        def keys() -> Any:
            return merge(str.upper, {"a": 1, "b": 2})

    assert w.result.task == [0, 2, 4]
    assert w.result["keys"] == ["A", "B"]


def test_async_iterables(kind: str) -> None:
    async def numbers() -> AsyncIterator[int]:
        for n in range(3):
            yield n

    with weave() as w:
        merging(w, kind, double, numbers())
    assert w.result.task == [0, 2, 4]


def test_a_coroutine_that_a_merged_callable_returns_is_awaited(kind: str) -> None:
    with weave() as w:
        merging(w, kind, lambda n: double_async(n), [1, 2])
    assert w.result.task == [2, 4]


def test_a_callable_without_a_name_can_be_merged(kind: str) -> None:
    class Adder:
        def __call__(self, n: int) -> int:
            return n + 1

    with weave() as w:
        merging(w, kind, Adder(), [1])
    assert w.result.task == [2]


def test_merged_items_run_concurrently(run: Any, kind: str) -> None:
    barrier = threading.Barrier(5)

    def meet(n: int) -> int:
        barrier.wait(BOUND)
        return n

    assert run(lambda w: merging(w, kind, meet, range(5))).result.task == list(range(5))


def test_two_merges_of_one_async_task_run_at_the_same_time() -> None:
    with weave() as w:
        first, second = asyncio.Event(), asyncio.Event()

        async def meet(pair: tuple[asyncio.Event, asyncio.Event]) -> None:
            pair[0].set()
            await wait_async(pair[1])

        @w.do
        async def task() -> Any:
            return await asyncio.gather(
                merge(meet, [(first, second)]), merge(meet, [(second, first)])
            )

    assert w.result.task == [[None], [None]]


def test_outside_a_weave_it_is_a_runtime_error() -> None:
    with pytest.raises(RuntimeError, match="merge"):
        merge(double, [1])
    with pytest.raises(RuntimeError, match="merge"), weave():
        merge(double, [1])  # in the block, not in a running task

    async def main() -> None:
        await merge(double, [1])

    with pytest.raises(RuntimeError, match="merge"):
        asyncio.run(main())


@pytest.mark.parametrize("inner", ["sync", "async"])
def test_merge_nests(run: Any, kind: str, inner: str) -> None:
    def leaves(n: int) -> Any:
        return merge(double, range(n))

    async def leaves_async(n: int) -> Any:
        return await merge(double, range(n))

    w = run(lambda w: merging(w, kind, leaves if inner == "sync" else leaves_async, [1, 3]))
    assert w.result.task == [[0], [0, 2, 4]]


@pytest.mark.parametrize("inner", ["sync", "async"])
def test_depth_over_100_is_a_recursion_error(kind: str, inner: str) -> None:
    deepest = []

    def down(n: int) -> Any:
        deepest.append(n)
        return merge(down, [n + 1])

    async def down_async(n: int) -> Any:
        deepest.append(n)
        return await merge(down_async, [n + 1])

    with pytest.raises(RecursionError, match="Merge call depth exceeded 100"), weave() as w:
        merging(w, kind, down if inner == "sync" else down_async, [1])
    assert max(deepest) == 100


def test_a_depth_of_100_is_fine(kind: str) -> None:
    def down(n: int) -> Any:
        return n if n == 100 else merge(down, [n + 1])[0]

    with weave() as w:
        merging(w, kind, down, [1])
    assert w.result.task == [100]


def test_depth_is_nesting_not_concurrency() -> None:
    with weave() as w:

        @w.do
        async def task() -> int:
            many = [merge(double_async, [n]) for n in range(150)]
            results = await asyncio.gather(*many)
            for n in range(150):
                await merge(double_async, [n])
            return len(results)

    assert w.result.task == 150


def test_one_thread_and_a_sync_task_that_merges_do_not_deadlock(run: Any) -> None:
    def nested(n: int) -> Any:
        return merge(double, [n, n])

    def define(w: Any) -> None:
        @w.do
        def task() -> Any:
            return merge(nested, [1, 2])

        @w.do
        def other() -> Any:
            return merge(double, [5])

    w = run(define, max_workers=1)
    assert w.result.task == [[2, 2], [4, 4]]
    assert w.result.other == [10]


def test_merge_in_a_mapped_task(kind: str) -> None:
    with weave(max_workers=2) as w:
        if kind == "sync":

            @w.do(range(4))
            def task(n: int) -> Any:
                return merge(double, [n])
        else:

            @w.do(range(4))
            async def task(n: int) -> Any:
                return await merge(double, [n])

    assert w.result.task == [[0], [2], [4], [6]]


def test_a_failure_is_raised_to_the_merging_task(run: Any, kind: str) -> None:
    def broken(n: int) -> None:
        raise ValueError(f"item {n}")

    def define(w: Any) -> None:
        if kind == "sync":

            @w.do
            def task() -> str:
                try:
                    merge(broken, [7])
                except ValueError as failure:
                    return f"caught {failure}"
                return "?"
        else:

            @w.do
            async def task() -> str:
                try:
                    await merge(broken, [7])
                except ValueError as failure:
                    return f"caught {failure}"
                return "?"

    w = run(define)
    assert w.result.task == "caught item 7"
    assert w.result.exception is None


def test_a_failure_that_is_not_caught_fails_the_task(run: Any, kind: str) -> None:
    def broken(n: int) -> None:
        raise ValueError(f"item {n}")

    with pytest.raises(ValueError, match="item 7"):
        run(lambda w: merging(w, kind, broken, [7]))


@pytest.mark.parametrize("end", [SystemExit(3), KeyboardInterrupt()], ids=["exit", "interrupt"])
@pytest.mark.parametrize("callable_kind", ["sync", "async"])
@pytest.mark.parametrize("items", [(), ([1, 2],)], ids=["once", "mapped"])
def test_an_exit_is_raised_to_the_merging_task_like_any_failure(
    run: Any, kind: str, end: BaseException, callable_kind: str, items: tuple[Any, ...]
) -> None:
    """It does not stop the event loop, which is the user's own with `async with`."""

    def leave(*item: int) -> None:
        raise end

    leaving = as_kind(callable_kind, leave)

    def define(w: Any) -> None:
        if kind == "sync":

            @w.do
            def task() -> str:
                with pytest.raises(type(end)) as caught:
                    merge(leaving, *items)
                return "went on" if caught.value is end else "?"
        else:

            @w.do
            async def task() -> str:
                with pytest.raises(type(end)) as caught:
                    await merge(leaving, *items)
                return "went on" if caught.value is end else "?"

        @w.do
        async def sibling() -> str:
            await asyncio.sleep(0.05)
            return "not cancelled"

    w = run(define)
    assert w.result.task == "went on"
    assert w.result.sibling == "not cancelled"


@pytest.mark.parametrize("error_mode", ["raise", "return"])
def test_an_exit_that_is_not_caught_fails_the_task(run: Any, kind: str, error_mode: str) -> None:
    end = SystemExit(3)
    seen: list[Any] = []

    def leave() -> None:
        raise end

    def define(w: Any) -> None:
        seen.append(w)
        merging(w, kind, leave)

        @w.do
        async def sibling() -> None:
            await asyncio.Event().wait()

    if error_mode == "raise":
        with pytest.raises(SystemExit) as raised:
            run(define)
        assert raised.value is end
    else:
        run(define, error_mode=error_mode)
    (w,) = seen
    assert w.errors["task"] is end
    assert w.result.exception is end
    assert "sibling" in w.result.cancelled


def test_a_failing_item_cancels_the_rest(kind: str) -> None:
    cancelled = []

    async def item(n: int) -> None:
        if n == 2:
            raise ValueError("item 2")
        try:
            await asyncio.Event().wait()
        except asyncio.CancelledError:
            cancelled.append(n)
            raise

    with pytest.raises(ValueError, match="item 2"), weave() as w:
        merging(w, kind, item, range(4))
    assert sorted(cancelled) in ([0, 1], [0, 1, 3])


def test_the_weaves_first_failure_cancels_merged_runs(kind: str) -> None:
    ended = []
    with pytest.raises(ValueError, match="boom"), weave() as w:
        started = asyncio.Event()

        async def for_ever(n: int) -> None:
            started.set()
            try:
                await asyncio.Event().wait()
            finally:
                ended.append(n)

        merging(w, kind, for_ever, [1])

        @w.do
        async def broken() -> None:
            await wait_async(started)
            raise ValueError("boom")

    assert ended == [1]


@pytest.mark.parametrize("mapped", [False, True])
def test_retries(kind: str, mapped: bool) -> None:
    flaky = Flaky(2)
    with weave() as w:
        if mapped:
            merging(w, kind, lambda n: flaky(), [1], retries=2)
        else:
            merging(w, kind, lambda: flaky(), retries=2)
    assert w.result.task == (["ok"] if mapped else "ok")
    assert flaky.calls == 3


def test_options_of_the_weave_are_defaults_of_merge(kind: str) -> None:
    flaky = Flaky(2)
    with weave(retries=2) as w:
        merging(w, kind, lambda n: flaky(), [1])
    assert w.result.task == ["ok"]


def test_timeout_bounds_awaiting_too(kind: str) -> None:
    async def for_ever(n: int) -> None:
        await asyncio.Event().wait()

    with pytest.raises(TaskTimeoutError), weave() as w:
        merging(w, kind, for_ever, [1], timeout=0.05)


def test_timeout_bounds_a_returned_coroutine(kind: str) -> None:
    async def for_ever() -> None:
        await asyncio.Event().wait()

    with pytest.raises(TaskTimeoutError), weave() as w:
        merging(w, kind, lambda: for_ever(), timeout=0.05)


def test_workers_cap_concurrency(kind: str) -> None:
    peak = Peak()

    def item(n: int) -> int:
        with peak:
            time.sleep(0.002)
        return n

    with weave() as w:
        merging(w, kind, item, range(10), workers=2)
    assert w.result.task == list(range(10))
    assert peak.most <= 2


def test_limit_per_minute_paces(kind: str) -> None:
    starts: list[float] = []

    def item(n: int) -> None:
        starts.append(time.monotonic())

    with weave() as w:
        merging(w, kind, item, range(3), limit_per_minute=1200)
    starts.sort()
    assert starts[2] - starts[0] >= 0.08


@pytest.mark.parametrize("option", [{"workers": 2}, {"limit_per_minute": 60}])
def test_workers_without_an_iterable_is_a_value_error(option: dict[str, int]) -> None:
    with pytest.raises(ValueError, match=next(iter(option))), weave() as w:
        merging(w, "sync", lambda: 1, **option)


def test_max_pending_counts_for_merge(kind: str) -> None:
    with pytest.raises(RuntimeError, match="exceeds max_pending=2"), weave(max_pending=2) as w:
        merging(w, kind, double, [1, 2, 3])


def test_an_iterable_that_is_none_is_a_type_error_or_a_plain_call(kind: str) -> None:
    with pytest.raises(TypeError), weave() as w:
        merging(w, kind, double, 5)


def test_runs_and_timings_name_the_callable(run: Any, kind: str) -> None:
    w = run(lambda w: merging(w, kind, double, [1, 2]))
    assert set(w.result.timings) == {"task", "merge:double"}
    assert {record.task for record in w.runs} == {"merge:double", "task"}
    assert len(w.result) == 1


def test_merged_callables_see_the_context_of_the_task() -> None:
    import contextvars

    colour: contextvars.ContextVar[str] = contextvars.ContextVar("colour", default="none")
    with weave() as w:

        @w.do
        def sync_task() -> Any:
            colour.set("red")
            return merge(lambda n: colour.get(), [1])

        @w.do
        async def async_task() -> Any:
            colour.set("blue")
            return await merge(lambda n: colour.get(), [1])

    assert list(w.result) == [["red"], ["blue"]]


def test_merge_from_a_helper_function_of_a_sync_task() -> None:
    def helper() -> Any:
        return merge(double, [4])

    with weave() as w:

        @w.do
        def task() -> Any:
            return helper()

    assert w.result.task == [8]


def test_an_unknown_environment_is_a_name_error(kind: str) -> None:
    with pytest.raises(NameError, match="Environment 'x' is not configured"), weave() as w:
        merging(w, kind, double, [1], environment="x")
