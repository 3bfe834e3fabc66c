"""When tasks start, where they run, and what context they see."""

from __future__ import annotations

import asyncio
import contextvars
import threading
import time
from typing import Any

import pytest

from tests.unit.weave.forms import BOUND, Peak, wait, wait_async
from wove import weave

colour: contextvars.ContextVar[str] = contextvars.ContextVar("colour", default="none")

pytestmark = pytest.mark.timeout(30)


def test_async_tasks_start_as_soon_as_their_own_dependencies_are_done(run: Any) -> None:
    """A chain of three ends while a task of its first tier still runs: no tiers."""
    order: list[str] = []

    def define(w: Any) -> None:
        chain_done = asyncio.Event()

        @w.do
        async def slow() -> None:
            await wait_async(chain_done)
            order.append("slow")

        @w.do
        async def a() -> None:
            order.append("a")

        @w.do
        async def b(a: None) -> None:
            order.append("b")

        @w.do
        async def c(b: None) -> None:
            order.append("c")
            chain_done.set()

    run(define)
    assert order == ["a", "b", "c", "slow"]


def test_sync_tasks_start_as_soon_as_their_own_dependencies_are_done(run: Any) -> None:
    chain_done = threading.Event()

    def define(w: Any) -> None:
        @w.do
        def slow() -> None:
            wait(chain_done)

        @w.do
        def a() -> int:
            return 1

        @w.do
        def b(a: int) -> int:
            return a + 1

        @w.do
        def c(b: int) -> int:
            chain_done.set()
            return b + 1

    assert run(define).result.c == 3


def test_independent_tasks_run_at_the_same_time(run: Any) -> None:
    """Four sync tasks and one async one all meet at a barrier."""
    barrier = threading.Barrier(4)
    met = threading.Event()

    def define(w: Any) -> None:
        def meet(name: str) -> None:
            def task() -> None:
                barrier.wait(BOUND)
                met.set()

            task.__name__ = name
            w.do(task)

        for name in ("a", "b", "c", "d"):
            meet(name)

    run(define)
    assert met.is_set()


def test_sync_tasks_run_in_at_most_max_workers_threads(run: Any) -> None:
    peak = Peak()
    two_inside = threading.Event()

    def define(w: Any) -> None:
        @w.do(range(12))
        def item(n: int) -> None:
            with peak:
                if peak.now == 2:
                    two_inside.set()
                wait(two_inside)

    run(define, max_workers=2)
    assert peak.most == 2


def test_plain_sync_tasks_share_the_max_workers_threads(run: Any) -> None:
    peak = Peak()
    two_inside = threading.Event()

    def define(w: Any) -> None:
        for number in range(8):

            def task() -> None:
                with peak:
                    if peak.now == 2:
                        two_inside.set()
                    wait(two_inside)
                    time.sleep(0.005)  # room for a third one to come in

            task.__name__ = f"task{number}"
            w.do(task)

    run(define, max_workers=2)
    assert peak.most == 2


def test_sync_tasks_do_not_run_on_the_thread_of_the_loop(run: Any) -> None:
    def define(w: Any) -> None:
        @w.do
        def worker() -> int:
            return threading.get_ident()

        @w.do
        async def loop() -> int:
            return threading.get_ident()

    w = run(define)
    assert w.result.worker != w.result.loop


def test_async_with_runs_its_async_tasks_on_the_callers_loop() -> None:
    async def main() -> bool:
        async with weave() as w:

            @w.do
            async def loop() -> asyncio.AbstractEventLoop:
                return asyncio.get_running_loop()

        return w.result.loop is asyncio.get_running_loop()

    assert asyncio.run(main())


def test_with_in_a_running_loop_runs_on_a_thread_of_its_own() -> None:
    async def main() -> Any:
        with weave() as w:

            @w.do
            async def where() -> tuple[int, asyncio.AbstractEventLoop]:
                return threading.get_ident(), asyncio.get_running_loop()

        thread, loop = w.result.where
        assert thread != threading.get_ident()
        assert loop is not asyncio.get_running_loop()
        # The loop around it is as alive as before.
        await asyncio.sleep(0)
        return "alive"

    assert asyncio.run(main()) == "alive"


def test_with_in_a_running_loop_raises_there() -> None:
    async def main() -> None:
        with weave() as w:

            @w.do
            async def broken() -> None:
                raise ValueError("from the other thread")

    with pytest.raises(ValueError, match="from the other thread"):
        asyncio.run(main())


def test_context_variables_are_carried_into_sync_and_async_tasks(run: Any, kind: str) -> None:
    def define(w: Any) -> None:
        if kind == "sync":

            @w.do
            def seen() -> str:
                return colour.get()

            @w.do([1, 2])
            def mapped(n: int) -> str:
                return colour.get()
        else:

            @w.do
            async def seen() -> str:
                return colour.get()

            @w.do([1, 2])
            async def mapped(n: int) -> str:
                return colour.get()

    def in_context() -> Any:
        colour.set("red")
        return run(define)

    w = contextvars.copy_context().run(in_context)
    assert w.result.seen == "red"
    assert w.result.mapped == ["red", "red"]


def test_what_a_task_sets_in_its_context_stays_with_it(kind: str) -> None:
    with weave() as w:
        if kind == "sync":

            @w.do
            def setter() -> None:
                colour.set("green")
        else:

            @w.do
            async def setter() -> None:
                colour.set("green")

        @w.do
        def reader(setter: None) -> str:
            return colour.get()

    assert w.result.reader == "none"
    assert colour.get() == "none"


def test_weaves_nest_in_tasks_of_both_kinds(kind: str) -> None:
    def inner(n: int) -> int:
        with weave(n=n) as w:

            @w.do
            async def doubled(n: int) -> int:
                return n * 2

        return w.result.doubled

    with weave(n=4) as w:
        if kind == "sync":

            @w.do
            def outer(n: int) -> int:
                return inner(n)
        else:

            @w.do
            async def outer(n: int) -> int:
                async with weave(n=n) as v:

                    @v.do
                    def doubled(n: int) -> int:
                        return n * 2

                return v.result.doubled

    assert w.result.outer == 8


def test_a_sync_weave_inside_a_sync_task_does_not_need_the_outer_pool() -> None:
    with weave(max_workers=1) as w:

        @w.do
        def outer() -> int:
            with weave() as v:

                @v.do
                def inner() -> int:
                    return 5

            return v.result.inner

    assert w.result.outer == 5


def test_two_weaves_on_one_loop_at_once() -> None:
    async def one(n: int, mine: asyncio.Event, other: asyncio.Event) -> int:
        async with weave() as w:

            @w.do
            async def meet() -> int:
                mine.set()
                await wait_async(other)
                return n

        return w.result.meet

    async def main() -> list[int]:
        a, b = asyncio.Event(), asyncio.Event()
        return await asyncio.gather(one(1, a, b), one(2, b, a))

    assert asyncio.run(main()) == [1, 2]


def test_a_block_ends_only_when_its_sync_threads_have_ended(run: Any) -> None:
    started = threading.Event()
    ended = []

    def define(w: Any) -> None:
        @w.do
        def slow() -> None:
            started.set()
            threading.Event().wait(0.2)
            ended.append("slow")

        @w.do
        async def failing() -> None:
            while not started.is_set():
                await asyncio.sleep(0.001)
            raise ValueError("boom")

    with pytest.raises(ValueError, match="boom"):
        run(define)
    assert ended == ["slow"]


def test_hundreds_of_blocked_threads_are_no_limit_below_max_workers() -> None:
    """The default is 256 threads: 200 tasks that wait for each other all run."""
    barrier = threading.Barrier(200)
    with weave() as w:

        @w.do(range(200))
        def meet(n: int) -> int:
            barrier.wait(BOUND)
            return n

    assert w.result.meet == list(range(200))
