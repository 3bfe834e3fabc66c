"""What begins no more once a weave was stopped or cancelled, and how its tasks end."""

from __future__ import annotations

import asyncio
import threading
import time
from typing import Any

import pytest

from tests.unit.weave.forms import BOUND, as_kind, wait, wait_async
from wove import merge, weave

pytestmark = pytest.mark.timeout(30)


def stubborn(tries: list[int], started: asyncio.Event) -> Any:
    """An async task that makes an error of its own of its cancellation."""

    async def task(*_: Any) -> None:
        tries.append(1)
        started.set()
        try:
            if len(tries) == 1:  # else it would hang where this is tried again
                await asyncio.Event().wait()
        except asyncio.CancelledError:
            pass
        raise ValueError("not a cancellation")

    return task


def test_a_sync_task_whose_sibling_failed_is_not_tried_again() -> None:
    tries, started = [], threading.Event()
    with weave(error_mode="defer") as w:

        @w.do(retries=4)
        def slow() -> None:
            tries.append(1)
            started.set()
            wait(failed)
            raise ValueError("the slow one's own")

        @w.do
        async def broken() -> None:
            await asyncio.to_thread(wait, started)
            raise KeyError("first")

        failed = threading.Event()
        threading.Timer(0.3, failed.set).start()
    assert tries == [1]
    assert isinstance(w.errors["slow"], ValueError)


def test_a_task_that_turns_its_cancellation_into_an_error_is_not_tried_again() -> None:
    tries: list[int] = []
    with weave(error_mode="defer") as w:
        started = asyncio.Event()
        slow = stubborn(tries, started)

        @w.do(retries=4)
        async def task() -> None:
            await slow()

        @w.do
        async def broken() -> None:
            await wait_async(started)
            raise KeyError("first")

    assert tries == [1]


def test_an_item_whose_sibling_failed_is_not_tried_again() -> None:
    tries: list[int] = []
    with weave(error_mode="defer") as w:
        started = asyncio.Event()
        slow = stubborn(tries, started)

        @w.do(["slow", "broken"], retries=4)
        async def item(what: str) -> None:
            if what == "slow":
                await slow()
            await wait_async(started)
            raise KeyError("first")

    assert tries == [1]
    assert isinstance(w.result.exception, KeyError)


@pytest.mark.parametrize("source", [None, [1]])
def test_a_merge_whose_awaiting_was_given_up_is_not_tried_again(source: Any) -> None:
    tries: list[int] = []
    with weave() as w:
        slow = stubborn(tries, asyncio.Event())

        @w.do
        async def task() -> str:
            try:
                await asyncio.wait_for(merge(slow, source, retries=4), 0.1)
            except asyncio.TimeoutError:
                return "given up"
            return "?"

    assert w.result.task == "given up"
    assert tries == [1]


def test_a_cancelled_weave_tries_nothing_again() -> None:
    tries: list[int] = []

    async def main() -> None:
        async with weave() as w:

            @w.do(retries=4)
            def slow() -> None:
                tries.append(1)
                time.sleep(0.2)
                raise ValueError("again?")

    async def outer() -> None:
        with pytest.raises(asyncio.TimeoutError):
            await asyncio.wait_for(main(), 0.05)

    asyncio.run(outer())
    assert tries == [1]


@pytest.mark.parametrize("end", [SystemExit(3), KeyboardInterrupt()], ids=["exit", "interrupt"])
@pytest.mark.parametrize("error_mode", ["raise", "defer", "return"])
def test_exits_are_not_tried_again(error_mode: str, end: BaseException) -> None:
    """An interrupt of a task is one of the program, whatever the error mode."""
    tries = []
    w = weave(error_mode=error_mode)

    def run() -> None:
        with w:

            @w.do(retries=3)
            def task() -> None:
                tries.append(1)
                raise end

    if error_mode == "raise" or isinstance(end, KeyboardInterrupt):
        with pytest.raises(type(end)):
            run()
    else:
        run()
    assert w.result.exception is end
    assert tries == [1]


def test_stop_iteration_from_a_sync_task_is_a_runtime_error() -> None:
    with pytest.raises(RuntimeError, match="the task raised StopIteration") as caught, weave() as w:

        @w.do(timeout=BOUND)
        def task() -> None:
            raise StopIteration("end")

    assert isinstance(caught.value.__cause__, StopIteration)


@pytest.mark.parametrize("options", [{}, {"timeout": 20.0}], ids=["plain", "timeout"])
def test_the_coroutine_of_a_sync_task_is_cancelled_when_the_weave_stops(
    options: dict[str, Any],
) -> None:
    ended = []

    async def main() -> None:
        async with weave(error_mode="defer") as w:
            running = asyncio.Event()

            async def returned() -> None:
                running.set()
                try:
                    await asyncio.Event().wait()
                finally:
                    await asyncio.sleep(0.02)
                    ended.append(1)

            @w.do(**options)
            def slow() -> Any:
                return returned()

            @w.do
            async def broken() -> None:
                await wait_async(running)
                raise KeyError("first")

        assert ended == [1]  # by the end of the block, not by that of the loop
        assert "slow" in w.result.cancelled

    asyncio.run(main())


def test_a_sync_task_that_timed_out_cancels_what_it_merges() -> None:
    """Each try its own: the weave goes on."""
    ended = threading.Event()
    tries = []

    async def for_ever() -> None:
        try:
            await asyncio.Event().wait()
        finally:
            ended.set()

    with weave() as w:

        @w.do(timeout=0.2, retries=1)
        def task() -> bool:
            tries.append(1)
            if len(tries) == 1:
                merge(for_ever)
            return ended.wait(0.1)

    assert w.result.task is True


@pytest.mark.parametrize("why", ["timeout", "stop"])
def test_a_merge_begun_too_late_is_cancelled(why: str) -> None:
    called, seen = [], []

    async def merged() -> None:
        called.append(1)

    with weave(error_mode="defer") as w:
        started = threading.Event()

        @w.do(timeout=0.05 if why == "timeout" else None)
        def task() -> None:
            started.set()
            time.sleep(0.3)  # past the timeout, or the stop
            try:
                merge(merged)
            except asyncio.CancelledError:
                seen.append("cancelled")
                raise

        if why == "stop":

            @w.do
            async def broken() -> None:
                await asyncio.to_thread(wait, started)
                raise KeyError("first")

    assert called == []
    assert seen == ["cancelled"]


def test_a_task_cancelled_from_outside_just_as_it_times_out_is_cancelled() -> None:
    """Both come in one step of the loop, while the task cannot run."""
    tries = []

    weaves = []

    async def main() -> None:
        task = asyncio.current_task()

        async with weave() as w:
            weaves.append(w)

            @w.do(timeout=0.1, retries=3)
            async def slow() -> None:
                tries.append(1)
                asyncio.get_running_loop().call_later(0.05, block)
                await asyncio.Event().wait()

            def block() -> None:
                time.sleep(0.1)  # the timer is due when this ends, and so is the cancellation
                task.cancel()

    async def outer() -> None:
        with pytest.raises(asyncio.CancelledError):
            await asyncio.ensure_future(main())

    asyncio.run(outer())
    assert tries == [1]
    assert [run.state for run in weaves[0].runs] == ["cancelled"]


def test_a_cancelled_item_that_times_out_is_not_tried_again() -> None:
    """`run.stopping` does not say so here: only the merge was cancelled."""
    tries = []
    with weave() as w:

        async def slow() -> None:
            tries.append(1)
            inner = asyncio.current_task()
            loop = asyncio.get_running_loop()
            loop.call_later(0.05, lambda: (time.sleep(0.1), waiter.cancel()))
            assert inner is not waiter
            await asyncio.Event().wait()

        @w.do
        async def task() -> str:
            nonlocal waiter
            waiter = asyncio.ensure_future(merge(slow, timeout=0.1, retries=3))
            try:
                await waiter
            except asyncio.CancelledError:
                return "cancelled"
            return "?"

        waiter: Any = None
    assert w.result.task == "cancelled"
    assert tries == [1]
    assert {run.task: run.state for run in w.runs}["merge:slow"] == "cancelled"


def test_a_cancellation_while_waiting_for_the_pool_is_passed_on() -> None:
    started, release = threading.Event(), threading.Event()

    async def main() -> None:
        async with weave(error_mode="defer") as w:

            @w.do
            def slow() -> None:
                started.set()
                wait(release)

            @w.do
            async def broken() -> None:
                await asyncio.to_thread(wait, started)
                raise KeyError("first")

    async def outer() -> None:
        task = asyncio.ensure_future(main())
        await asyncio.to_thread(wait, started)
        await asyncio.sleep(0.2)  # the weave has stopped and waits for its thread
        task.cancel()
        await asyncio.sleep(0.1)
        assert not task.done()
        release.set()
        with pytest.raises(asyncio.CancelledError):
            await task

    asyncio.run(outer())


@pytest.mark.parametrize("kind", ["sync", "async"])
def test_the_first_of_a_chain_that_failed_keeps_the_rest_from_starting(kind: str) -> None:
    called = []
    with weave(error_mode="defer") as w:

        def broken() -> None:
            raise ValueError("first")

        w.do(as_kind(kind, broken))

        @w.do
        def after(broken: None) -> None:
            called.append(1)

    assert called == []
    assert w.errors["after"] is w.errors["broken"]
