"""`flatten`, `fold`, `batch`, `undict`, `redict`, `denone`, `sync_to_async`."""

from __future__ import annotations

import asyncio
import contextvars
import inspect
import math
import threading
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.unit.weave.forms import BOUND
from wove import batch, denone, flatten, fold, redict, sync_to_async, undict, weave

colour: contextvars.ContextVar[str] = contextvars.ContextVar("colour", default="none")


def test_flatten_takes_one_level() -> None:
    assert flatten([[1, 2], [], [[3], 4], (5,)]) == [1, 2, [3], 4, 5]
    assert flatten([]) == []
    assert flatten(range(n) for n in (1, 2)) == [0, 0, 1]


def test_fold() -> None:
    assert fold([1, 2, 3, 4, 5], 2) == [[1, 2], [3, 4], [5]]
    assert fold([], 3) == []
    assert fold([1], 3) == [[1]]


def test_batch() -> None:
    assert batch([1, 2, 3, 4, 5], 2) == [[1, 2, 3], [4, 5]]
    assert batch([1, 2, 3, 4, 5], 4) == [[1, 2], [3, 4], [5]]  # ceil(5 / 4) each: fewer parts
    assert batch([1, 2], 5) == [[1], [2]]


def test_fold_and_batch_slice_and_keep_the_type() -> None:
    assert fold("abcde", 2) == ["ab", "cd", "e"]
    assert fold((1, 2, 3), 2) == [(1, 2), (3,)]
    assert batch("abcd", 2) == ["ab", "cd"]
    assert batch(range(4), 2) == [range(2), range(2, 4)]


@pytest.mark.parametrize("helper", [fold, batch])
def test_fold_and_batch_need_a_len(helper: Any) -> None:
    with pytest.raises(TypeError):
        helper(iter([1, 2]), 1)


@pytest.mark.parametrize("number", [0, -1])
def test_sizes_and_counts_below_one_are_value_errors(number: int) -> None:
    with pytest.raises(ValueError, match="1"):
        fold([1], number)
    with pytest.raises(ValueError, match="1"):
        fold([], number)
    with pytest.raises(ValueError, match="1"):
        batch([1], number)
    assert batch([], number) == []


@given(st.lists(st.integers()), st.integers(1, 12))
def test_fold_and_batch_lose_nothing(values: list[int], number: int) -> None:
    assert flatten(fold(values, number)) == values
    assert flatten(batch(values, number)) == values
    assert all(len(part) == number for part in fold(values, number)[:-1])
    parts = batch(values, number)
    assert len(parts) <= number
    assert all(len(part) <= math.ceil(len(values) / number) for part in parts)


def test_undict_and_redict() -> None:
    assert undict({"a": 1, "b": 2}) == [("a", 1), ("b", 2)]
    assert redict([("a", 1), ("b", 2), ("a", 3)]) == {"a": 3, "b": 2}
    assert redict(undict({"x": None})) == {"x": None}
    assert redict([]) == {}
    assert undict({}) == []


def test_denone_keeps_other_falsy_values() -> None:
    assert denone([0, None, "", False, [], None, 1]) == [0, "", False, [], 1]


def test_sync_to_async_outside_a_weave() -> None:
    @sync_to_async
    def where(n: int, *, m: int) -> tuple[int, int]:
        """Docs."""
        return threading.get_ident(), n + m

    assert inspect.iscoroutinefunction(where)
    assert where.__name__ == "where"
    assert where.__doc__ == "Docs."
    thread, total = asyncio.run(where(1, m=2))
    assert thread != threading.get_ident()
    assert total == 3


def test_sync_to_async_raises_what_the_function_raises() -> None:
    @sync_to_async
    def broken() -> None:
        raise ValueError("boom")

    with pytest.raises(ValueError, match="boom"):
        asyncio.run(broken())


def test_sync_to_async_carries_the_context() -> None:
    @sync_to_async
    def seen() -> str:
        return colour.get()

    async def main() -> str:
        colour.set("red")
        return await seen()

    assert asyncio.run(main()) == "red"


def test_sync_to_async_uses_the_weaves_pool_inside_a_weave() -> None:
    """One thread in the pool: what it is asked for one by one happens on that thread."""
    threads = []

    @sync_to_async
    def where() -> None:
        threads.append(threading.current_thread())

    with weave(max_workers=1) as w:

        @w.do
        def pool() -> threading.Thread:
            return threading.current_thread()

        @w.do
        async def asks(pool: threading.Thread) -> None:
            await asyncio.gather(where(), where())

    assert threads == [w.result.pool] * 2


def test_sync_to_async_can_be_used_by_many_at_once() -> None:
    barrier = threading.Barrier(4)

    @sync_to_async
    def meet(n: int) -> int:
        barrier.wait(BOUND)
        return n

    with weave() as w:

        @w.do(range(4))
        async def item(n: int) -> int:
            return await meet(n)

    assert w.result.item == [0, 1, 2, 3]
