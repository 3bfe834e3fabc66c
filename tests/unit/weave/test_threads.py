"""Sync tasks and what they merge: threads that cannot start, places lent, work left behind."""

from __future__ import annotations

import asyncio
import contextvars
import gc
import os
import subprocess
import sys
import textwrap
import threading
import time
import warnings
from collections.abc import Callable, Coroutine
from pathlib import Path
from typing import Any

import pytest

from tests.unit.weave.forms import BOUND, Peak, wait
from wove import merge, sync_to_async, weave
from wove.scheduler import CURRENT

pytestmark = pytest.mark.timeout(30)


def bounded(main: Coroutine[Any, Any, Any]) -> Any:
    async def in_time() -> Any:
        return await asyncio.wait_for(main, BOUND)

    return asyncio.run(in_time())


def in_time(work: Callable[[], Any]) -> Any:
    """What `work()` gives, in a thread that a deadlock leaves behind."""
    answers: list[Any] = []
    thread = threading.Thread(target=lambda: answers.append(work()), daemon=True)
    thread.start()
    thread.join(BOUND)
    assert answers, "it hangs, or it failed"
    return answers[0]


@pytest.fixture
def only(monkeypatch: pytest.MonkeyPatch) -> Callable[[int], None]:
    """`only(n)`: after n threads of weaves the system has no more, as under a limit of pids."""
    start = threading.Thread.start
    left = [1000]

    def limited(thread: threading.Thread) -> None:
        if thread.name.startswith("wove-"):
            if not left[0]:
                raise RuntimeError("can't start new thread")
            left[0] -= 1
        start(thread)

    monkeypatch.setattr(threading.Thread, "start", limited)

    def allow(threads: int) -> None:
        left[0] = threads

    return allow


# ---- a thread that cannot start ----------------------------------------------------------


@pytest.mark.parametrize("options", [{}, {"timeout": 20.0}], ids=["plain", "timeout"])
def test_a_thread_that_cannot_start_fails_the_task(
    only: Callable[[int], None], options: dict[str, Any]
) -> None:
    only(0)

    async def main() -> None:
        async with weave(error_mode="defer") as w:

            @w.do(**options)
            def task() -> int:
                return 1

            @w.do
            def other() -> int:
                return 2

        assert "can't start new thread" in str(w.result.exception)

    bounded(main())


def test_a_thread_that_cannot_start_later_fails_the_task(only: Callable[[int], None]) -> None:
    """Once from the end of an async task, once from that of a sync one."""
    only(0)

    async def main() -> None:
        async with weave(error_mode="defer") as w:

            @w.do
            async def first() -> None: ...

            @w.do
            def after(first: None) -> None: ...

        assert "can't start new thread" in str(w.errors["after"])

    bounded(main())


def test_fewer_threads_do_the_same_work_more_slowly(only: Callable[[int], None]) -> None:
    only(2)

    async def main() -> list[Any]:
        async with weave() as w:

            @w.do(range(20))
            def item(n: int) -> int:
                time.sleep(0.002)
                return n

            @w.do
            def one() -> None: ...

            @w.do
            def after(one: None, item: list[int]) -> int:
                return sum(item)

        return list(w.result)

    assert bounded(main()) == [list(range(20)), None, 190]


def test_a_merge_that_gets_no_thread_fails(only: Callable[[int], None]) -> None:
    only(1)

    async def main() -> None:
        async with weave(error_mode="defer") as w:

            @w.do
            def task() -> str:
                try:
                    return merge(lambda: "?")
                except RuntimeError as error:
                    return str(error)

            @w.do
            def other() -> int:  # the only thread comes to it after all
                return 2

        assert "can't start new thread" in w.result.task
        assert w.result.other == 2

    bounded(main())


# ---- lending a place ---------------------------------------------------------------------


def test_a_thread_that_a_sync_task_starts_and_waits_for_may_merge() -> None:
    def work() -> Any:
        with weave(max_workers=1) as w:

            @w.do
            def task() -> list[int]:
                answers: list[int] = []
                context = contextvars.copy_context()
                thread = threading.Thread(
                    target=lambda: answers.append(context.run(merge, lambda: 7)), daemon=True
                )
                thread.start()
                thread.join()
                return answers

        return w.result.task

    assert in_time(work) == [7]


def test_a_thread_with_another_tasks_context_may_merge() -> None:
    def work() -> Any:
        with weave(max_workers=1) as w:

            @w.do
            async def context() -> contextvars.Context:
                return contextvars.copy_context()

            @w.do
            def task(context: contextvars.Context) -> list[int]:
                answers: list[int] = []
                thread = threading.Thread(
                    target=lambda: answers.append(context.run(merge, lambda: 7)), daemon=True
                )
                thread.start()
                thread.join()
                return answers

        return w.result.task

    assert in_time(work) == [7]


def test_a_job_that_merges_much_at_once_lends_its_place_once() -> None:
    peak = Peak()

    def item() -> None:
        with peak:
            time.sleep(0.01)

    with weave(max_workers=1) as w:

        @w.do
        def task() -> int:
            async def many() -> int:
                return len(await asyncio.gather(*[merge(item) for _ in range(8)]))

            return asyncio.run(many())

    assert w.result.task == 8
    assert peak.most == 1


def test_after_a_merge_an_idle_thread_takes_nothing() -> None:
    peak = Peak()
    goes_on, asked = threading.Event(), threading.Event()

    with weave(max_workers=1) as w:

        @w.do
        def merging() -> None:
            merge(lambda: None)
            with peak:
                goes_on.set()
                wait(asked)
                time.sleep(0.1)

        @w.do
        async def tick() -> None:
            await asyncio.to_thread(wait, goes_on)
            await asyncio.sleep(0.05)  # the lent thread is idle
            asyncio.get_running_loop().call_later(0.05, asked.set)

        @w.do
        def other(tick: None) -> None:
            with peak:
                pass

    assert peak.most == 1


def test_merging_again_and_again_starts_no_thread_each_time() -> None:
    names = set()

    def merged() -> None:
        names.add(threading.current_thread().name)

    with weave(max_workers=1) as w:

        @w.do
        def task() -> None:
            for _ in range(50):
                merge(merged)

    assert len(names) <= 2


def test_a_place_lent_by_a_job_that_ended_is_given_back() -> None:
    """A thread that a task leaves behind still merges when the task has ended."""
    peak = Peak()
    release = threading.Event()

    with weave(max_workers=1) as w:

        @w.do
        def task() -> threading.Thread:
            context = contextvars.copy_context()
            merging = threading.Event()

            async def slow() -> None:
                merging.set()
                await asyncio.to_thread(wait, release)

            thread = threading.Thread(target=context.run, args=(merge, slow))
            thread.start()
            wait(merging)
            return thread

        def item(task: threading.Thread) -> None:
            with peak:
                time.sleep(0.02)

        for n in range(4):  # a map would itself start one at a time
            item.__name__ = f"item_{n}"
            w.do(item)

        @w.do
        def end(item_0: None, item_1: None, item_2: None, item_3: None) -> None:
            release.set()

        @w.do
        def joined(task: threading.Thread, end: None) -> None:
            task.join()

    assert peak.most == 1


def test_a_merge_given_up_by_a_loop_of_its_own_is_told_to_nobody(
    caplog: pytest.LogCaptureFixture,
) -> None:
    with weave() as w:
        ended = asyncio.Event()

        async def slow() -> None:
            try:
                await asyncio.Event().wait()
            finally:
                await asyncio.sleep(0.1)  # the other loop is closed by now
                ended.set()

        @w.do
        def task() -> str:
            async def main() -> str:
                try:
                    await asyncio.wait_for(merge(slow), 0.05)
                except asyncio.TimeoutError:
                    return "given up"
                return "?"

            return asyncio.run(main())

        @w.do
        async def after() -> None:
            await asyncio.wait_for(ended.wait(), BOUND)

    assert w.result.task == "given up"
    assert caplog.records == []


# ---- what tasks leave behind -------------------------------------------------------------


def test_a_merge_that_nobody_awaits_is_cancelled_at_the_end() -> None:
    ended = []

    async def for_ever() -> None:
        try:
            await asyncio.Event().wait()
        finally:
            await asyncio.sleep(0.05)
            ended.append(1)

    async def main() -> None:
        left: list[Any] = []
        async with weave() as w:

            @w.do
            async def task() -> int:
                left.append(asyncio.ensure_future(merge(for_ever)))
                await asyncio.sleep(0.01)
                return 1

        assert ended == [1]
        assert w.result.task == 1
        with pytest.raises(asyncio.CancelledError):
            await left[0]

    bounded(main())


@pytest.mark.parametrize("pool", [False, True])
def test_a_merge_awaited_after_the_end_says_so(pool: bool) -> None:
    async def main() -> None:
        before = threading.active_count()
        left: list[Any] = []
        async with weave() as w:
            if pool:

                @w.do
                def first() -> None: ...

            @w.do
            async def task() -> None:
                merged = merge(lambda: 5)

                async def late() -> Any:
                    await asyncio.sleep(0.05)
                    return await merged

                left.append(asyncio.ensure_future(late()))

        with pytest.raises(RuntimeError, match="the weave has ended"):
            await asyncio.wait_for(left[0], 5)
        assert threading.active_count() <= before

    bounded(main())


def test_sync_to_async_goes_on_after_the_end() -> None:
    async def main() -> Any:
        left: list[Any] = []

        async def late() -> list[int]:
            answers = []
            for n in range(4):
                await sync_to_async(time.sleep)(0.03)
                answers.append(n)
            return answers

        async with weave() as w:

            @w.do
            async def task() -> None:
                left.append(asyncio.ensure_future(late()))

        return await asyncio.wait_for(left[0], 5)

    assert bounded(main()) == [0, 1, 2, 3]


def test_jobs_for_a_weave_that_has_ended_are_refused() -> None:
    async def main() -> None:
        runs: list[Any] = []
        for sync in (False, True):
            async with weave() as w:

                @w.do
                async def task() -> None:
                    runs.append(CURRENT.get())

                if sync:

                    @w.do
                    def other() -> None: ...

        for run in runs:
            with pytest.raises(RuntimeError, match="the weave has ended"):
                run.pool()

    bounded(main())


def test_a_thread_left_behind_that_merges_is_told() -> None:
    told: list[BaseException] = []
    context: list[contextvars.Context] = []
    began, go = threading.Event(), threading.Event()

    def left_behind() -> None:
        began.set()
        try:
            merge(late)
        except BaseException as error:
            told.append(error)

    async def late() -> None:
        await asyncio.Event().wait()

    with weave() as w:

        @w.do
        async def task() -> threading.Thread:
            context.append(contextvars.copy_context())
            thread = threading.Thread(target=context[0].run, args=(left_behind,), daemon=True)
            thread.start()
            await asyncio.to_thread(wait, began)
            return thread

    w.result.task.join(BOUND)
    assert [type(error) for error in told] in ([asyncio.CancelledError], [RuntimeError])
    go.set()
    with pytest.raises(RuntimeError, match="merge"):
        context[0].run(merge, late)


def test_a_thread_whose_loop_is_gone_does_not_wait_for_its_merge() -> None:
    """As after the second Ctrl-C, in a program that goes on."""
    merging = threading.Event()
    threads: list[threading.Thread] = []

    async def for_ever() -> None:
        merging.set()
        await asyncio.Event().wait()

    async def main() -> None:
        async with weave() as w:

            @w.do
            def task() -> None:
                threads.append(threading.current_thread())
                merge(for_ever)

    loop = asyncio.new_event_loop()
    main_task = loop.create_task(main())
    while not merging.is_set():
        loop.run_until_complete(asyncio.sleep(0.01))
    left = asyncio.all_tasks(loop)
    loop.close()
    threads[0].join(BOUND)
    assert not threads[0].is_alive()
    for task in {main_task, *left}:
        task._log_destroy_pending = False  # type: ignore[attr-defined]


# ---- coroutines and warnings -------------------------------------------------------------


@pytest.mark.parametrize("options", [{}, {"timeout": 20.0}], ids=["plain", "timeout"])
def test_a_coroutine_that_comes_after_the_stop_is_closed(options: dict[str, Any]) -> None:
    async def late() -> None:
        raise AssertionError("it must not run")

    with warnings.catch_warnings(record=True) as seen:
        warnings.simplefilter("always")
        with weave(error_mode="defer") as w:
            started = threading.Event()

            @w.do(**options)
            def slow() -> Any:
                started.set()
                time.sleep(1.0)
                return late()

            @w.do
            async def broken() -> None:
                await asyncio.to_thread(wait, started)
                raise KeyError("first")

        gc.collect()
    assert [str(warning.message) for warning in seen] == []
    assert "slow" in w.result.cancelled
    assert w.result.timings["slow"] >= 0.2


def test_a_merge_that_is_forgotten_is_called_merge_in_the_warning() -> None:
    with warnings.catch_warnings(record=True) as seen:
        warnings.simplefilter("always")
        with weave() as w:

            @w.do
            async def task() -> None:
                merge(lambda: 1)

        gc.collect()
    assert [str(w.message) for w in seen] == ["coroutine 'merge' was never awaited"]


def test_a_merge_elsewhere_says_that_such_tasks_cannot() -> None:
    with pytest.raises(RuntimeError, match="tasks that run elsewhere cannot merge"):
        merge(lambda: 1)


def test_the_exit_of_an_interpreter_that_starts_no_more_threads_ends_the_weave(
    tmp_path: Path,
) -> None:
    """Python 3.12.0 and .1 start none once the main thread has ended; the later ones do."""
    ran = subprocess.run(
        [
            sys.executable,
            "-c",
            textwrap.dedent(
                """
                import asyncio
                from wove import weave

                def on_done(result):
                    print("done", result.exception or result.slow)

                with weave(background=True, on_done=on_done) as w:
                    @w.do
                    async def first():
                        await asyncio.sleep(0.3)
                    @w.do
                    def slow(first):
                        return 1
                """
            ),
        ],
        cwd=tmp_path,
        env=dict(os.environ),
        capture_output=True,
        text=True,
        timeout=20,
        check=False,
    )
    assert ran.stdout in ("done 1\n", "done can't create new thread at interpreter shutdown\n")
