"""What `w.result` gives."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Mapping
from typing import Any

import pytest

from wove import WoveResult, merge, weave


def _three(w: Any) -> None:
    @w.do
    def one() -> int:
        return 1

    @w.do
    async def two(one: int) -> str:
        return "zwei"

    @w.do
    def three(two: str) -> list[str]:
        return [two]


def test_by_item_attribute_unpacking_and_final(run: Any) -> None:
    w = run(_three)
    one, two, three = w.result
    assert (one, two, three) == (1, "zwei", ["zwei"])
    assert w.result["two"] == w.result.two == "zwei"
    assert w.result.final == ["zwei"]
    assert len(w.result) == 3
    assert isinstance(w.result, WoveResult)


def test_final_is_the_last_task_defined_not_the_last_to_end() -> None:
    with weave() as w:

        @w.do
        def needs(last: int) -> int:
            return last + 1

        @w.do
        def last() -> int:
            return 1

    assert w.result.final == 1


def test_keywords_and_data_can_be_read_but_are_no_tasks() -> None:
    with weave(x=5, y=6) as w:

        @w.do
        def task(x: int) -> int:
            return x + 1

    assert w.result["x"] == w.result.x == 5
    assert w.result.y == 6
    assert w.result["data"] == w.result.data == {"x": 5, "y": 6}
    assert list(w.result) == [6]
    assert len(w.result) == 1


def test_in_looks_among_values() -> None:
    with weave() as w:

        @w.do
        def answer() -> int:
            return 42

    assert 42 in w.result
    assert 43 not in w.result
    assert "answer" not in w.result


def test_an_unknown_name_is_a_key_error_by_item_and_an_attribute_error_by_attribute() -> None:
    with weave() as w:

        @w.do
        def known() -> int:
            return 1

    with pytest.raises(KeyError, match="unknown"):
        w.result["unknown"]
    with pytest.raises(AttributeError, match="unknown"):
        _ = w.result.unknown
    assert not hasattr(w.result, "unknown")


def test_timings_are_seconds_per_task() -> None:
    with weave() as w:

        @w.do
        def slow() -> None:
            time.sleep(0.05)

        @w.do
        async def fast() -> None: ...

        @w.do([1, 2])
        def mapped(n: int) -> None: ...

    assert isinstance(w.result.timings, Mapping)
    assert set(w.result.timings) == {"slow", "fast", "mapped"}
    assert 0.045 <= w.result.timings["slow"] < 10
    assert all(isinstance(t, float) and t >= 0 for t in w.result.timings.values())


def test_the_facts_of_a_weave_without_failure() -> None:
    with weave() as w:
        _three(w)
    assert set(w.result.cancelled) == set()
    assert w.result.exception is None
    assert w.result.errors == {}
    assert w.errors == {}


def test_one_record_per_run() -> None:
    before = time.time()
    with weave() as w:

        @w.do
        def first() -> int:
            return 1

        @w.do
        async def second(first: int) -> int:
            return first

    after = time.time()
    records = w.result.runs
    assert [r.task for r in records] == ["first", "second"]
    assert w.runs == records
    for record in records:
        assert record.environment == "default"
        assert record.backend == "local"
        assert record.backend_job_id is None
        assert record.attempt == 0
        assert record.state == "succeeded"
        assert (
            before - 1 <= record.submitted_at <= record.started_at <= record.ended_at <= after + 1
        )
    assert len({r.run_id for r in records}) == 2


def test_a_task_mapped_here_has_one_record_however_many_its_items() -> None:
    """Items that are submitted nowhere are no runs: a large map must not cost a record each."""
    with weave() as w:

        @w.do(range(1000))
        def mapped(n: int) -> int:
            return n

    (record,) = w.runs
    assert (record.task, record.backend, record.state) == ("mapped", "local", "succeeded")


def test_records_tell_failures_and_attempts() -> None:
    calls = []
    with weave(error_mode="defer") as w:

        @w.do(retries=1)
        def failing() -> None:
            calls.append(1)
            raise ValueError("boom")

    assert [(r.task, r.attempt, r.state) for r in w.runs] == [
        ("failing", 0, "failed"),
        ("failing", 1, "failed"),
    ]


def test_a_readable_repr() -> None:
    with weave() as w:

        @w.do
        def answer() -> int:
            return 42

    text = repr(w.result)
    assert "WoveResult" in text
    assert "answer" in text
    assert "42" in text


def test_the_repr_of_failures_does_not_raise() -> None:
    with weave(error_mode="defer") as w:

        @w.do
        def broken() -> int:
            raise ValueError("what happened")

        @w.do
        def after(broken: int) -> int:
            return broken

    assert "what happened" in repr(w.result)
    assert "what happened" in w.result._repr_html_()


def test_the_repr_of_a_huge_value_is_cut() -> None:
    with weave() as w:

        @w.do
        def huge() -> list[int]:
            return list(range(1_000_000))

    assert len(repr(w.result)) < 10_000
    assert len(w.result._repr_html_()) < 20_000


def test_the_html_repr_of_notebooks_is_escaped() -> None:
    with weave() as w:
        w.do(lambda: "<script>alert(1)</script> & more")
    html = w.result._repr_html_()
    assert "<table" in html
    assert "&lt;lambda&gt;" in html
    assert "<script>" not in html
    assert "&lt;script&gt;" in html


def test_a_value_that_cannot_be_shown_does_not_break_the_repr() -> None:
    class Rude:
        def __repr__(self) -> str:
            raise RuntimeError("no")

    with weave() as w:

        @w.do
        def rude() -> Rude:
            return Rude()

    assert "rude" in repr(w.result)
    assert "rude" in w.result._repr_html_()


def test_the_result_has_no_public_methods_beyond_the_documented_names() -> None:
    with weave():
        pass
    public = {name for name in dir(WoveResult) if not name.startswith("_")}
    assert public <= {"final", "timings", "cancelled", "exception", "errors", "runs"}


@pytest.mark.parametrize("value", [None, False, 0, "", [], ValueError("returned, not raised")])
def test_any_value_is_a_result(value: Any, run: Any) -> None:
    def define(w: Any) -> None:
        @w.do
        def gives() -> Any:
            return value

        @w.do
        async def passes_on(gives: Any) -> Any:
            return gives

    w = run(define)
    assert w.result.gives is value
    assert w.result.passes_on is value
    assert w.result.errors == {}


def test_every_task_gets_the_same_object() -> None:
    with weave() as w:

        @w.do
        def made() -> object:
            return object()

        @w.do
        def seen(made: object) -> object:
            return made

    assert w.result.made is w.result.seen


def test_a_timeout_is_told_as_one_in_every_kind_of_run() -> None:
    async def for_ever(*_: int) -> None:
        await asyncio.Event().wait()

    with weave(error_mode="return") as w:

        @w.do([1, 2], timeout=0.05)
        async def mapped(n: int) -> None:
            await for_ever()

    assert [(run.task, run.state) for run in w.runs] == [("mapped", "timed_out")]
    assert w.result.cancelled == {"mapped"}

    with weave(error_mode="return") as w:

        @w.do(timeout=0.05)
        async def plain() -> None:
            await for_ever()

    assert [(run.task, run.state) for run in w.runs] == [("plain", "timed_out")]


@pytest.mark.parametrize("source", [None, [1]])
@pytest.mark.parametrize("caught", [True, False])
def test_a_merge_that_timed_out_is_no_cancelled_task(source: Any, caught: bool) -> None:
    async def slow(*_: int) -> None:
        await asyncio.Event().wait()

    with weave(error_mode="return") as w:

        @w.do
        async def task() -> str:
            try:
                await merge(slow, source, timeout=0.05)
            except TimeoutError:
                if not caught:
                    raise
            return "caught"

    assert w.result.cancelled == set()
    states = {run.task: run.state for run in w.runs}
    assert states == {"merge:slow": "timed_out", "task": "succeeded" if caught else "failed"}


def test_a_cancelled_task_is_told_as_one() -> None:
    with weave(error_mode="return") as w:

        @w.do
        async def broken() -> None:
            await asyncio.sleep(0.02)
            raise ValueError("boom")

        @w.do
        async def plain() -> None:
            await asyncio.Event().wait()

        @w.do(retries=1)
        async def tried() -> None:
            await asyncio.Event().wait()

        @w.do([1])
        async def mapped(n: int) -> None:
            await asyncio.Event().wait()

    states = {run.task: run.state for run in w.runs}
    assert states == {
        "broken": "failed",
        "plain": "cancelled",
        "tried": "cancelled",
        "mapped": "cancelled",
    }


def test_the_timings_of_a_callable_merged_more_than_once_are_summed() -> None:
    async def slow() -> None:
        await asyncio.sleep(0.05)

    with weave() as w:

        @w.do
        async def task() -> None:
            await merge(slow)
            await merge(slow)
            await merge(slow)

    assert w.result.timings["merge:slow"] >= 0.14
