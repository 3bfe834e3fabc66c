"""Any graph, any mix of kinds, any failure: what a weave must always do."""

from __future__ import annotations

import asyncio
import threading
from typing import Any

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from tests.property.graphs import (
    ERROR_MODES,
    Graph,
    Injected,
    Node,
    Trace,
    declare,
    graphs,
    one_by_one,
)
from tests.unit.weave.forms import BOUND, FORMS, run_weave
from wove import merge, weave

pytestmark = pytest.mark.timeout(50)

forms = st.sampled_from(FORMS)
error_modes = st.sampled_from(ERROR_MODES)


def examples(number: int) -> Any:
    return settings(
        max_examples=number,
        phases=(Phase.explicit, Phase.reuse, Phase.generate),  # shrinking a hang takes for ever
        deadline=None,  # threads on a busy machine
        suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
    )


@examples(120)
@given(graphs(), forms, error_modes, st.sampled_from([1, 2, 256]))
def test_results_are_those_of_running_one_after_the_other(
    graph: Graph, form: str, error_mode: str, max_workers: int
) -> None:
    trace = Trace()
    w = run_weave(
        form, lambda w: declare(w, graph, trace), error_mode=error_mode, max_workers=max_workers
    )
    expected = one_by_one(graph)
    for node in graph.nodes:
        assert w.result[node.name] == expected[node.name]
    assert list(w.result) == [expected[node.name] for node in graph.declared]
    assert w.result.errors == {}
    assert set(w.result.cancelled) == set()
    assert set(w.result.timings) == {node.name for node in graph.nodes}
    # Each task ran exactly once, a mapped one once per item.
    for node in graph.nodes:
        value = expected[node.name]
        assert trace.called(node.name) == (1 if node.over is None else len(value))
    assert sorted(record.task for record in w.runs) == sorted(n.name for n in graph.nodes)


@examples(100)
@given(graphs(), forms)
def test_no_task_runs_before_its_dependencies_have_ended(graph: Graph, form: str) -> None:
    trace = Trace()
    run_weave(form, lambda w: declare(w, graph, trace))
    last_end: dict[str, int] = {}
    for position, (what, name, _) in enumerate(trace.events):
        if what == "end":
            last_end[name] = position
    for position, (what, name, _) in enumerate(trace.events):
        if what == "begin":
            for need in graph.parents(name):
                assert last_end.get(need, -1) < position


@examples(80)
@given(graphs(maps=False), st.data())
def test_a_task_waits_for_nothing_but_its_own_dependencies(graph: Graph, data: Any) -> None:
    """One task does not end before everything that does not need it has ended.

    With tiers, or any other barrier, the weave would stand still.
    """
    held = data.draw(st.sampled_from(graph.nodes)).name
    free = {n.name for n in graph.nodes} - graph.descendants(held) - {held}
    trace, others_done = Trace(), threading.Event()
    lock = threading.Lock()
    ended: set[str] = set()
    if not free:
        others_done.set()

    def ends(node: Node) -> None:
        with lock:
            ended.add(node.name)
            if ended >= free:
                others_done.set()

    def hold(node: Node, item: int | None) -> Any:
        if node.name != held:
            ends(node)
            return _nothing() if node.kind == "async" else None
        if node.kind == "async":
            return _until(others_done)
        assert others_done.wait(BOUND), "the other tasks waited for this one"
        return None

    with weave() as w:
        declare(w, graph, trace, hold)
    assert list(w.result) == [one_by_one(graph)[n.name] for n in graph.declared]


async def _nothing() -> None: ...


async def _until(event: threading.Event) -> None:
    for _ in range(int(BOUND / 0.002)):
        if event.is_set():
            return
        await asyncio.sleep(0.002)
    raise AssertionError("the other tasks waited for this one")


@examples(150)
@given(graphs(failures=True), forms, error_modes)
def test_any_failures_in_every_error_mode(graph: Graph, form: str, error_mode: str) -> None:
    trace = Trace()
    kept: list[Any] = []

    def define(w: Any) -> None:
        kept.append(w)
        declare(w, graph, trace)

    raised: BaseException | None = None
    try:
        run_weave(form, define, error_mode=error_mode)
    except Injected as failure:
        raised = failure
    (w,) = kept
    expected = one_by_one(graph)
    injected = [f for found in trace.failures.values() for f in found]

    first = w.result.exception
    if not injected:
        assert first is None
        assert raised is None
        assert {n: w.result[n] for n in expected} == expected
        return
    assert any(first is failure for failure in injected)
    assert raised is (first if error_mode == "raise" else None)

    for node in graph.nodes:
        name = node.name
        value = _read(w.result, name, error_mode)
        if not isinstance(value, BaseException):
            assert value == expected[name]
            assert name not in w.result.errors
            continue
        # It failed itself, or needs a task that failed, or was cancelled by the first failure.
        sources = {name} | graph.ancestors(name)
        own = [f for n in sources for f in trace.failures.get(n, [])]
        if isinstance(value, Injected):
            assert any(value is failure for failure in own)
            assert w.result.errors[name] is value
        else:
            assert name in w.result.cancelled
            assert str(first) in str(value) or "Injected" in str(value)
    for name in graph.descendants(str(first)):
        assert _read(w.result, name, error_mode) is first
        assert trace.called(name) == 0
    for node in graph.nodes:
        assert trace.called(node.name) <= (1 if node.over is None else len(expected[node.name]))


def _read(result: Any, name: str, error_mode: str) -> Any:
    """The value, or the exception that reading raises (or gives, in `return`)."""
    try:
        value = result[name]
    except Exception as failure:
        assert error_mode != "return"
        return failure
    assert error_mode == "return" or not isinstance(value, BaseException)
    return value


@examples(60)
@given(
    st.lists(st.sampled_from(["plain", "items", "merge"]), min_size=1, max_size=6),
    st.sampled_from(["sync", "async"]),
    error_modes,
)
def test_the_first_failure_cancels_all_the_rest(
    waiting: list[str], failing: str, error_mode: str
) -> None:
    """Tasks that would wait for ever all see their cancellation, and the block ends."""
    started: list[str] = []
    cancelled: list[str] = []
    all_started = threading.Event()
    kept: list[Any] = []

    async def for_ever(name: str) -> None:
        started.append(name)
        if len(started) == len(waiting):
            all_started.set()
        try:
            await asyncio.Event().wait()
        except asyncio.CancelledError:
            cancelled.append(name)
            raise

    def define(w: Any) -> None:
        kept.append(w)
        for number, how in enumerate(waiting):
            name = f"waiting{number}"
            if how == "plain":

                async def task(name: str = name) -> None:
                    await for_ever(name)
            elif how == "items":

                async def task(item: int, name: str = name) -> None:
                    await for_ever(name)
            else:

                async def task(name: str = name) -> None:
                    await merge(for_ever, [name])

            task.__name__ = name
            w.do([1])(task) if how == "items" else w.do(task)

        if failing == "sync":

            @w.do
            def broken() -> None:
                assert all_started.wait(BOUND)
                raise Injected("broken")
        else:

            @w.do
            async def broken() -> None:
                await _until(all_started)
                raise Injected("broken")

    try:
        run_weave("with", define, error_mode=error_mode)
    except Injected:
        assert error_mode == "raise"
    else:
        assert error_mode != "raise"
    names = {f"waiting{number}" for number in range(len(waiting))}
    assert set(cancelled) == names
    assert set(kept[0].result.cancelled) == names
    assert isinstance(kept[0].result.exception, Injected)


@examples(80)
@given(
    st.lists(
        st.tuples(st.integers(0, 4), st.integers(0, 4), st.sampled_from(["sync", "async"])),
        min_size=1,
        max_size=6,
    )
)
def test_retries_count(tasks: list[tuple[int, int, str]]) -> None:
    """(failures, retries) per item of one chain: it goes on exactly while failures <= retries."""
    calls = [0] * len(tasks)
    raised: list[Injected] = []

    def attempt(number: int, failures: int) -> int:
        calls[number] += 1
        if calls[number] <= failures:
            raised.append(Injected(f"task {number} try {calls[number]}"))
            raise raised[-1]
        return number

    with weave(error_mode="defer") as w:
        for number, (failures, retries, kind) in enumerate(tasks):
            needs = "" if number == 0 else f"t{number - 1}"
            namespace: dict[str, Any] = {"attempt": attempt}
            exec(
                f"{'async ' if kind == 'async' else ''}def t{number}({needs}):\n"
                f"    return attempt({number}, {failures})\n",
                namespace,
            )
            w.do(retries=retries)(namespace[f"t{number}"])

    alive = True
    for number, (failures, retries, _) in enumerate(tasks):
        if not alive:
            assert calls[number] == 0
        elif failures <= retries:
            assert calls[number] == failures + 1
            assert w.result[f"t{number}"] == number
        else:
            assert calls[number] == retries + 1
            assert w.result.exception is raised[-1]
            alive = False
    records = list(w.runs)
    assert len(records) == sum(calls)
    for number in range(len(tasks)):
        attempts = [r.attempt for r in records if r.task == f"t{number}"]
        assert attempts == list(range(calls[number]))


@examples(60)
@given(
    st.integers(0, 30),
    st.sampled_from([None, 1, 2, 3, 50]),
    st.sampled_from(["sync", "async"]),
    st.sampled_from(["list", "generator", "async generator", "task"]),
    st.integers(1, 3),
)
def test_maps_keep_the_order_and_the_cap(
    count: int, workers: int | None, kind: str, source: str, max_workers: int
) -> None:
    lock = threading.Lock()
    inside = [0, 0]

    def enter() -> None:
        with lock:
            inside[0] += 1
            inside[1] = max(inside)

    def leave() -> None:
        with lock:
            inside[0] -= 1

    async def stream() -> Any:
        for n in range(count):
            yield n

    def sync_item(n: int) -> int:
        enter()
        leave()
        return n * n

    async def async_item(n: int) -> int:
        enter()
        for _ in range(n % 3):
            await asyncio.sleep(0)
        leave()
        return n * n

    item = sync_item if kind == "sync" else async_item
    with weave(max_workers=max_workers) as w:
        if source == "task":

            @w.do
            def given_by() -> list[int]:
                return list(range(count))

            over: Any = "given_by"
        elif source == "list":
            over = list(range(count))
        elif source == "generator":
            over = (n for n in range(count))
        else:
            over = stream()
        w.do(over, workers=workers)(item)

    assert w.result[item.__name__] == [n * n for n in range(count)]
    if workers is not None:
        assert inside[1] <= workers
    if kind == "sync":
        assert inside[1] <= max_workers
