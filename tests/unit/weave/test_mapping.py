"""`@w.do(iterable)` and `@w.do("other")`."""

from __future__ import annotations

import asyncio
import contextlib
import enum
import threading
import time
from collections.abc import AsyncIterator, Iterator
from typing import Any

import pytest

from tests.unit.weave.forms import BOUND, Peak, as_kind, wait_async
from wove import merge, weave

pytestmark = pytest.mark.timeout(30)


class Colour(enum.Enum):
    RED = 1
    BLUE = 2


def test_once_per_item_in_input_order(run: Any, kind: str) -> None:
    def define(w: Any) -> None:
        def double(n: int) -> int:
            return n * 2

        w.do([3, 1, 2])(as_kind(kind, double))

    assert run(define).result.double == [6, 2, 4]


def test_input_order_when_items_end_in_reverse(run: Any) -> None:
    def define(w: Any) -> None:
        ended = [asyncio.Event() for _ in range(6)]
        ended[5].set()

        @w.do(range(5))
        async def item(n: int) -> int:
            await wait_async(ended[n + 1])
            ended[n].set()
            return n

    assert run(define).result.item == [0, 1, 2, 3, 4]


def test_items_run_concurrently(run: Any, kind: str) -> None:
    barrier = threading.Barrier(8)

    def define(w: Any) -> None:
        if kind == "sync":

            @w.do(range(8))
            def meet(n: int) -> None:
                barrier.wait(BOUND)
        else:
            inside, all_in = [], asyncio.Event()

            @w.do(range(8))
            async def meet(n: int) -> None:
                inside.append(n)
                if len(inside) == 8:
                    all_in.set()
                await wait_async(all_in)

    assert run(define).result.meet == [None] * 8


def test_over_another_tasks_result_and_over_a_keyword(run: Any, kind: str) -> None:
    def define(w: Any) -> None:
        @w.do
        def numbers() -> list[int]:
            return [1, 2, 3]

        w.do("numbers")(as_kind(kind, lambda n: n * 2))

        def from_keyword(n: int) -> int:
            return n + 1

        w.do("given")(as_kind(kind, from_keyword))

    w = run(define, given=(10, 20))
    assert w.result["<lambda>"] == [2, 4, 6]
    assert w.result.from_keyword == [11, 21]


def test_a_map_over_a_map_defined_later() -> None:
    with weave() as w:

        @w.do("first")
        def second(n: int) -> int:
            return n + 1

        @w.do(range(3))
        def first(n: int) -> int:
            return n * 10

    assert w.result.second == [1, 11, 21]


def test_the_item_is_the_one_parameter_that_is_no_dependency(run: Any, kind: str) -> None:
    def define(w: Any) -> None:
        @w.do
        def factor() -> int:
            return 10

        def scaled(key: int, n: int, factor: int, other: str = "default") -> tuple[Any, ...]:
            return key, n, factor, other

        w.do([1, 2])(as_kind(kind, scaled))

    assert run(define, key="k").result.scaled == [("k", 1, 10, "default"), ("k", 2, 10, "default")]


def test_the_source_itself_may_also_be_a_parameter() -> None:
    with weave() as w:

        @w.do
        def numbers() -> list[int]:
            return [1, 2, 3]

        @w.do("numbers")
        def share(n: int, numbers: list[int]) -> float:
            return n / sum(numbers)

    assert w.result.share == [1 / 6, 2 / 6, 3 / 6]


@pytest.mark.parametrize("parameters", ["", "a, b", "known", "a=1"])
@pytest.mark.parametrize("error_mode", ["raise", "defer", "return"])
def test_not_exactly_one_item_parameter_is_a_type_error(parameters: str, error_mode: str) -> None:
    namespace: dict[str, Any] = {"ran": []}
    exec(f"def mapped({parameters}): ran.append(1)", namespace)
    with (
        pytest.raises(
            TypeError, match="must have exactly one parameter that is not a dependency"
        ) as caught,
        weave(known=1, error_mode=error_mode) as w,
    ):
        w.do([1, 2])(namespace["mapped"])
    assert "mapped" in str(caught.value)
    assert namespace["ran"] == []


@pytest.mark.parametrize("error_mode", ["raise", "defer", "return"])
def test_an_unknown_source_is_a_name_error(run: Any, error_mode: str) -> None:
    def define(w: Any) -> None:
        @w.do("nowhere")
        def mapped(n: int) -> int:
            return n

    with pytest.raises(NameError, match=r"'mapped'.*depends on 'nowhere'"):
        run(define, error_mode=error_mode)


def test_a_result_that_cannot_be_iterated_is_a_type_error(run: Any, kind: str) -> None:
    ran = []

    def define(w: Any) -> None:
        @w.do
        def number() -> int:
            return 5

        def mapped(n: int) -> None:
            ran.append(n)

        w.do("number")(as_kind(kind, mapped))

    with pytest.raises(TypeError, match="result of type 'int' is not iterable"):
        run(define)
    assert ran == []


def test_a_result_that_cannot_be_iterated_is_the_tasks_failure() -> None:
    with weave(error_mode="defer") as w:

        @w.do
        def number() -> int:
            return 5

        @w.do("number")
        def mapped(n: int) -> int:
            return n

    assert w.result.number == 5
    with pytest.raises(TypeError, match="is not iterable"):
        _ = w.result.mapped


def test_a_source_that_is_neither_iterable_nor_a_name_is_a_type_error() -> None:
    with weave() as w, pytest.raises(TypeError):

        @w.do(5)
        def mapped(n: int) -> int:
            return n


@pytest.mark.parametrize("source", [[], (), {}, range(0), iter(())])
def test_empty_gives_an_empty_list_and_calls_nothing(source: Any, kind: str) -> None:
    ran = []
    with weave() as w:

        def mapped(n: int) -> None:
            ran.append(n)

        w.do(source)(as_kind(kind, mapped))

        @w.do
        def after(mapped: list[None]) -> int:
            return len(mapped)

    assert w.result.mapped == []
    assert w.result.after == 0
    assert ran == []


def test_an_empty_result_of_another_task(run: Any) -> None:
    def define(w: Any) -> None:
        @w.do
        def nothing() -> list[int]:
            return []

        @w.do("nothing", workers=2)
        async def mapped(n: int) -> int:
            raise AssertionError("called")

    assert run(define).result.mapped == []


async def _arange(stop: int) -> AsyncIterator[int]:
    for n in range(stop):
        await asyncio.sleep(0)
        yield n


@pytest.mark.parametrize("workers", [None, 2])
def test_async_iterables_work(run: Any, kind: str, workers: int | None) -> None:
    def define(w: Any) -> None:
        def double(n: int) -> int:
            return n * 2

        w.do(_arange(5), workers=workers)(as_kind(kind, double))

        @w.do
        def stream() -> AsyncIterator[int]:
            return _arange(3)

        w.do("stream", workers=workers)(as_kind(kind, lambda n: n + 1))

    w = run(define)
    assert w.result.double == [0, 2, 4, 6, 8]
    assert w.result["<lambda>"] == [1, 2, 3]


def test_a_dict_gives_its_keys_an_enum_its_members() -> None:
    with weave() as w:

        @w.do({"a": 1, "b": 2})
        def key(k: str) -> str:
            return k

        @w.do(Colour)
        def colour(c: Colour) -> str:
            return c.name

        @w.do
        def table() -> dict[str, int]:
            return {"x": 1}

        @w.do("table")
        def key_of_result(k: str) -> str:
            return k

    assert w.result.key == ["a", "b"]
    assert w.result.colour == ["RED", "BLUE"]
    assert w.result.key_of_result == ["x"]


def test_a_generator_is_read_when_the_task_starts() -> None:
    read = []

    def numbers() -> Iterator[int]:
        for n in range(3):
            read.append(n)
            yield n

    with weave() as w:

        @w.do
        def before() -> list[int]:
            return list(read)

        @w.do(numbers())
        def mapped(n: int, before: list[int]) -> int:
            return n

        assert read == []
    assert w.result.before == []
    assert w.result.mapped == [0, 1, 2]


def test_a_source_that_raises_is_the_tasks_failure(run: Any) -> None:
    def numbers() -> Iterator[int]:
        yield 1
        raise KeyError("the source's own")

    def define(w: Any) -> None:
        @w.do(numbers())
        async def mapped(n: int) -> int:
            return n

    with pytest.raises(KeyError, match="the source's own"):
        run(define)


@pytest.mark.parametrize("workers", [1, 3])
def test_workers_caps_concurrency_and_reaches_the_cap(run: Any, kind: str, workers: int) -> None:
    peak = Peak()
    full = threading.Event()

    def define(w: Any) -> None:
        if kind == "sync":

            @w.do(range(12), workers=workers)
            def item(n: int) -> int:
                with peak:
                    if peak.now == workers:
                        full.set()
                    assert full.wait(BOUND)
                return n
        else:

            @w.do(range(12), workers=workers)
            async def item(n: int) -> int:
                with peak:
                    if peak.now == workers:
                        full.set()
                    while not full.is_set():
                        await asyncio.sleep(0)
                    await asyncio.sleep(0)
                return n

    assert run(define).result.item == list(range(12))
    assert peak.most == workers


@pytest.mark.parametrize("kind", ["sync", "async"])
def test_limit_per_minute_spaces_starts_evenly_the_first_at_once(kind: str) -> None:
    """1,200 a minute is one every 50 ms: five items take 200 ms, none starts too early."""
    starts: list[float] = []
    with weave() as w:

        def item(n: int) -> None:
            starts.append(time.monotonic())

        begin = time.monotonic()
        w.do(range(5), limit_per_minute=1200)(as_kind(kind, item))
    starts.sort()
    assert starts[0] - begin < 1
    for number, start in enumerate(starts):
        assert start - starts[0] >= 0.05 * number - 0.02


@pytest.mark.parametrize("option", [{"workers": 2}, {"limit_per_minute": 60}])
def test_workers_and_limit_per_minute_only_on_mapped_tasks(option: dict[str, int]) -> None:
    with weave() as w, pytest.raises(ValueError, match=next(iter(option))):

        @w.do(**option)
        def task() -> None: ...


def test_max_pending_refuses_more_items(run: Any, kind: str) -> None:
    ran = []

    def define(w: Any) -> None:
        def x(n: int) -> None:
            ran.append(n)

        w.do([1, 2, 3])(as_kind(kind, x))

    with pytest.raises(
        RuntimeError, match=r"Mapped task 'x' has 3 items, which exceeds max_pending=2\."
    ):
        run(define, max_pending=2)
    assert ran == []


def test_max_pending_counts_the_result_of_another_task() -> None:
    with pytest.raises(RuntimeError, match="exceeds max_pending=2"), weave(max_pending=2) as w:

        @w.do
        def numbers() -> list[int]:
            return [1, 2, 3]

        @w.do("numbers")
        async def mapped(n: int) -> int:
            return n


def test_max_pending_takes_as_many_as_it_says() -> None:
    with weave(max_pending=3) as w:

        @w.do([1, 2, 3])
        def mapped(n: int) -> int:
            return n

    assert w.result.mapped == [1, 2, 3]


@pytest.mark.parametrize("workers", [None, 1])
def test_max_pending_does_not_read_an_endless_source(workers: int | None) -> None:
    def endless() -> Iterator[int]:
        n = 0
        while n < 1_000_000:
            yield n
            n += 1
        raise AssertionError("read on and on")

    with pytest.raises(RuntimeError, match="exceeds max_pending=10"), weave(max_pending=10) as w:

        @w.do(endless(), workers=workers)
        async def mapped(n: int) -> int:
            return n


def test_a_large_map_with_workers_does_not_create_a_task_per_item() -> None:
    most = [0]
    with weave() as w:

        @w.do(range(100_000), workers=10)
        async def item(n: int) -> int:
            if n % 5_000 == 0:
                most[0] = max(most[0], len(asyncio.all_tasks()))
            return n

    assert w.result.item == list(range(100_000))
    assert 10 <= most[0] <= 30


@pytest.mark.parametrize("workers", [None, 2])
@pytest.mark.parametrize("kind", ["sync", "async"])
def test_a_failing_item_fails_the_task_and_cancels_the_rest(kind: str, workers: int | None) -> None:
    ran = []
    with pytest.raises(ValueError, match="item 1"), weave(max_workers=2) as w:

        def item(n: int) -> int:
            ran.append(n)
            if n == 1:
                raise ValueError(f"item {n}")
            time.sleep(0.001)
            return n

        w.do(range(2000), workers=workers)(as_kind(kind, item))

    if not (kind == "async" and workers is None):  # there, all items have started at once
        assert len(ran) < 2000


def test_waiting_items_are_cancelled_by_a_failing_one(run: Any) -> None:
    cancelled = []

    def define(w: Any) -> None:
        @w.do(range(4))
        async def item(n: int) -> None:
            if n == 3:
                raise ValueError("item 3")
            try:
                await asyncio.Event().wait()
            except asyncio.CancelledError:
                cancelled.append(n)
                raise

    w = run(define, error_mode="defer")
    assert sorted(cancelled) == [0, 1, 2]
    with pytest.raises(ValueError, match="item 3"):
        _ = w.result.item


def test_a_mapped_task_can_be_a_dependency() -> None:
    with weave() as w:

        @w.do(range(4))
        def squares(n: int) -> int:
            return n * n

        @w.do
        def total(squares: list[int]) -> int:
            return sum(squares)

    assert w.result.total == 14


def test_text_names_a_task_and_is_never_iterated() -> None:
    with pytest.raises(NameError, match="depends on 'abc'"), weave() as w:

        @w.do("abc")
        def mapped(c: str) -> str:
            return c


def test_items_that_are_coroutine_results_of_sync_tasks_are_awaited() -> None:
    async def later(n: int) -> int:
        return n + 1

    with weave() as w:
        w.do([1, 2])(lambda n: later(n))
    assert w.result["<lambda>"] == [2, 3]


def test_mapping_over_a_cycle_is_a_cycle() -> None:
    with pytest.raises(RuntimeError, match="Circular dependency detected"), weave() as w:

        @w.do("b")
        def a(n: int) -> int:
            return n

        @w.do("a")
        def b(n: int) -> int:
            return n


def test_an_iterable_is_asked_for_its_iterator_once() -> None:
    asked = []

    class Once:
        def __iter__(self) -> Iterator[int]:
            asked.append(1)
            return iter([1, 2])

    with weave() as w:
        w.do(Once())(lambda n: n)
    assert list(w.result) == [[1, 2]]
    assert asked == [1]


def test_a_sequence_of_the_old_kind_is_a_source() -> None:
    class Old:
        def __getitem__(self, index: int) -> int:
            return [1, 2][index]

    with weave() as w:
        w.do(Old())(lambda n: n)
    assert list(w.result) == [[1, 2]]


@pytest.mark.parametrize("kind_of_source", ["sync", "async"])
def test_a_source_is_not_read_on_after_a_failing_item(kind_of_source: str) -> None:
    read = []

    def numbers() -> Iterator[int]:
        for n in range(1000):
            read.append(n)
            yield n

    async def numbers_async() -> AsyncIterator[int]:
        for n in numbers():
            yield n

    source = numbers() if kind_of_source == "sync" else numbers_async()
    with pytest.raises(ValueError, match="item 3"), weave() as w:

        @w.do(source, workers=1)
        async def item(n: int) -> None:
            if n == 3:
                raise ValueError("item 3")

    assert len(read) <= 5


def test_an_async_source_that_ignores_its_cancellation_is_not_read_on() -> None:
    read: list[int] = []
    counts: list[int] = []

    async def stubborn() -> AsyncIterator[int]:
        for n in range(20):
            with contextlib.suppress(asyncio.CancelledError):
                read.append(n)
                yield n
                await asyncio.sleep(0.02)

    with weave(error_mode="defer") as w:

        @w.do
        async def task() -> str:
            async def broken(n: int) -> None:
                raise ValueError(f"item {n}")

            try:
                await merge(broken, stubborn())
            except ValueError as error:
                return str(error)
            return "?"

        @w.do(stubborn())
        async def mapped(n: int, task: str) -> None:
            counts.append(n)
            if n == 0:
                raise ValueError("first")

    assert w.result.task == "item 0"
    assert counts == [0]
    assert read.count(0) == 2
    assert len(read) <= 6


def test_an_async_generator_is_closed_when_an_item_fails() -> None:
    """In the map, and not by the collector or at the end of the loop."""
    closed: list[str] = []

    async def numbers() -> AsyncIterator[int]:
        try:
            for n in range(1000):
                yield n
                await asyncio.sleep(0.001)
        finally:
            closed.append("closed")

    with weave() as w:

        @w.do
        async def task() -> list[str]:
            source = numbers()  # held here: nothing collects it

            async def broken(n: int) -> None:
                await asyncio.sleep(0.02)  # the source waits for its next turn meanwhile
                raise ValueError("boom")

            try:
                await merge(broken, source, workers=1)
            except ValueError:
                return list(closed)
            return ["?"]

    assert w.result.task == ["closed"]


def test_a_map_of_sync_items_keeps_no_more_alive_than_there_are_threads() -> None:
    most = 0

    with weave(max_workers=2) as w:

        @w.do
        async def watch() -> None:
            nonlocal most
            while not over:
                most = max(most, len(asyncio.all_tasks()))
                await asyncio.sleep(0)

        @w.do(range(200))
        def item(n: int) -> int:
            return n

        @w.do
        async def end(item: list[int]) -> None:
            over.append(True)

        over: list[bool] = []
    assert w.result.item == list(range(200))
    assert most <= 8  # the weave, its tasks, two items


@pytest.mark.parametrize("max_pending", [None, 5])
def test_what_merge_cannot_iterate_is_called_by_its_name(max_pending: int | None) -> None:
    def double(n: int) -> int:
        return n * 2

    message = r"^merge\(double, ...\) cannot run over 'int': it is not iterable"
    with pytest.raises(TypeError, match=message), weave(max_pending=max_pending) as w:

        @w.do
        def task() -> Any:
            return merge(double, 5)


@pytest.mark.parametrize("option", ["retries", "workers"])
def test_a_mapped_task_that_asks_for_an_option_by_name_is_told(option: str) -> None:
    told = f"'{option}' was given to weave"
    with pytest.raises(TypeError, match=told), weave(**{option: 2}) as w:
        w.do([1, 2])(eval(f"lambda x, {option}: x"))
    with pytest.raises(NameError, match=told), weave(**{option: 2}) as w:
        w.do(option)(lambda x: x)


@pytest.mark.parametrize("options", [{}, {"workers": 5}], ids=str)
@pytest.mark.parametrize("kind", ["generator", "async generator"])
def test_a_slow_source_lets_its_first_items_run(kind: str, options: dict[str, Any]) -> None:
    ran: list[int] = []

    def numbers() -> Iterator[int]:
        for n in range(3):
            yield n
            time.sleep(0.02)
        yield len(ran)

    async def async_numbers() -> AsyncIterator[int]:
        for n in numbers():
            yield n

    with weave() as w:

        @w.do(numbers() if kind == "generator" else async_numbers(), **options)
        async def item(n: int) -> int:
            ran.append(n)
            return n

    assert w.result.item[-1] >= 2


def test_a_slow_generator_lets_a_failure_cancel_what_runs_and_is_closed() -> None:
    closed: list[int] = []

    def endless() -> Iterator[int]:
        n = 0
        try:
            while True:
                yield n
                n += 1
                assert n < 1000, "read on and on"
                time.sleep(0.006)
        finally:
            closed.append(n)

    with pytest.raises(ValueError, match="boom"), weave() as w:

        @w.do(endless())
        async def item(n: int) -> None:
            if n == 2:
                raise ValueError("boom")
            await asyncio.Event().wait()

    assert len(closed) == 1


def test_a_generator_is_closed_when_an_item_fails() -> None:
    closed: list[str] = []

    def numbers() -> Iterator[int]:
        try:
            yield from range(100_000)
        finally:
            closed.append("closed")

    with weave() as w:

        @w.do
        async def task() -> list[str]:
            source = numbers()  # held here: nothing collects it

            async def broken(n: int) -> None:
                raise ValueError("boom")

            with pytest.raises(ValueError, match="boom"):
                await merge(broken, source, workers=3)
            return list(closed)

    assert w.result.task == ["closed"]
