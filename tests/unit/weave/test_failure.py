"""The first failure stops the weave; what each error mode does with it."""

from __future__ import annotations

import asyncio
import threading
import time
from typing import Any

import pytest

from tests.unit.weave.forms import as_kind, run_weave, wait, wait_async
from wove import weave

pytestmark = pytest.mark.timeout(30)


class Boom(Exception):
    """The failure of these tests, with an `__init__` that pickling would not like."""

    def __init__(self, a: int, b: str) -> None:
        super().__init__(f"{a}{b}")
        self.a = a


@pytest.mark.parametrize("error_mode", [None, "raise"])
def test_raise_is_the_default(run: Any, kind: str, error_mode: str | None) -> None:
    failure = Boom(1, "x")
    seen: list[Any] = []

    def define(w: Any) -> None:
        seen.append(w)

        def broken() -> None:
            raise failure

        w.do(as_kind(kind, broken))

        @w.do
        def after(broken: None) -> None: ...

    with pytest.raises(Boom) as caught:
        run(define, **({} if error_mode is None else {"error_mode": error_mode}))
    assert caught.value is failure
    w = seen[0]
    assert w.result.exception is failure
    for read in (lambda: w.result["broken"], lambda: w.result.broken, lambda: w.result.after):
        with pytest.raises(Boom) as again:
            read()
        assert again.value is failure


def test_defer_raises_when_a_failed_result_is_read(run: Any, kind: str) -> None:
    failure = Boom(1, "x")

    def define(w: Any) -> None:
        @w.do
        def fine() -> int:
            return 1

        def broken(fine: int) -> None:
            raise failure

        w.do(as_kind(kind, broken))

        @w.do
        async def after(broken: None) -> None: ...

    w = run(define, error_mode="defer")
    assert w.result.fine == 1
    for name in ("broken", "after"):
        with pytest.raises(Boom) as caught:
            w.result[name]
        assert caught.value is failure
        with pytest.raises(Boom):
            getattr(w.result, name)
    with pytest.raises(Boom):
        list(w.result)
    with pytest.raises(Boom):
        _fine, _broken, _after = w.result
    with pytest.raises(Boom):
        _ = w.result.final
    assert len(w.result) == 3
    assert w.result.exception is failure
    assert w.result.errors["broken"] is failure
    assert w.errors["after"] is failure


def test_return_gives_the_exception_object(run: Any, kind: str) -> None:
    failure = Boom(1, "x")

    def define(w: Any) -> None:
        @w.do
        def fine() -> int:
            return 1

        def broken(fine: int) -> None:
            raise failure

        w.do(as_kind(kind, broken))

        @w.do
        async def after(broken: None) -> None: ...

    w = run(define, error_mode="return")
    assert w.result.fine == 1
    assert w.result["broken"] is failure
    assert w.result.after is failure
    assert list(w.result) == [1, failure, failure]
    assert w.result.final is failure
    assert w.result.exception is failure


def test_a_task_after_a_failed_one_never_runs(run: Any) -> None:
    ran = []

    def define(w: Any) -> None:
        @w.do
        def broken() -> None:
            raise Boom(1, "x")

        @w.do
        def after(broken: None) -> None:
            ran.append("after")

        @w.do
        def much_later(after: None) -> None:
            ran.append("much_later")

    w = run(define, error_mode="defer")
    assert ran == []
    assert w.result.errors["much_later"] is w.result.errors["broken"]


def test_the_first_failure_cancels_running_async_tasks(run: Any) -> None:
    cancelled = []

    def define(w: Any) -> None:
        started = asyncio.Event()

        @w.do
        async def waiting() -> None:
            started.set()
            try:
                await asyncio.Event().wait()
            except asyncio.CancelledError:
                cancelled.append("waiting")
                raise

        @w.do
        async def broken() -> None:
            await wait_async(started)
            raise Boom(1, "x")

        @w.do
        def after_waiting(waiting: None) -> None:
            cancelled.append("ran after a cancelled task")

    w = run(define, error_mode="defer")
    assert cancelled == ["waiting"]
    assert "waiting" in w.result.cancelled
    assert "broken" not in w.result.cancelled


def test_a_cancelled_task_is_read_as_an_error_that_names_the_failure() -> None:
    with weave(error_mode="defer") as w:
        started = asyncio.Event()

        @w.do
        async def waiting() -> None:
            started.set()
            await asyncio.Event().wait()

        @w.do
        async def broken() -> None:
            await wait_async(started)
            raise Boom(77, "x")

    with pytest.raises(Exception, match=r"77x|Boom|broken") as caught:
        _ = w.result.waiting
    assert not isinstance(caught.value, asyncio.CancelledError)
    assert caught.value is not w.result.exception
    assert "waiting" in str(caught.value)


def test_a_cancelled_task_in_return_mode_gives_an_exception_object() -> None:
    with weave(error_mode="return") as w:
        started = asyncio.Event()

        @w.do
        async def waiting() -> None:
            started.set()
            await asyncio.Event().wait()

        @w.do
        async def broken() -> None:
            await wait_async(started)
            raise Boom(1, "x")

    assert isinstance(w.result.waiting, Exception)
    assert w.result.waiting is not w.result.broken


def test_queued_sync_tasks_do_not_start_after_the_first_failure(run: Any) -> None:
    ran = []

    def define(w: Any) -> None:
        @w.do
        def broken() -> None:
            raise Boom(1, "x")

        def queued(number: int) -> None:
            def task() -> None:
                ran.append(number)
                time.sleep(0.02)  # the loop hears of the failure long before the last of them

            task.__name__ = f"queued{number}"
            w.do(task)

        for number in range(50):
            queued(number)

    w = run(define, max_workers=1, error_mode="defer")
    assert len(ran) < 50
    assert len(w.result.cancelled) == 50 - len(ran)


def test_finished_results_are_kept(run: Any) -> None:
    def define(w: Any) -> None:
        @w.do
        def finished() -> int:
            return 1

        @w.do
        def broken(finished: int) -> None:
            raise Boom(1, "x")

    w = run(define, error_mode="defer")
    assert w.result.finished == 1
    assert "finished" not in w.result.errors
    assert "finished" not in w.result.cancelled


def test_finished_results_are_kept_in_raise_mode_too() -> None:
    w = weave()
    with pytest.raises(Boom), w as v:

        @v.do
        def finished() -> int:
            return 1

        @v.do
        def broken(finished: int) -> None:
            raise Boom(1, "x")

    assert v.result.finished == 1
    assert v.result["finished"] == 1


def test_the_first_failure_stays_the_first(run: Any) -> None:
    """A task that raises something else while it is cancelled does not replace the failure."""

    def define(w: Any) -> None:
        started = asyncio.Event()

        @w.do
        async def sore_loser() -> None:
            started.set()
            try:
                await asyncio.Event().wait()
            finally:
                raise KeyError("while being cancelled")

        @w.do
        async def broken() -> None:
            await wait_async(started)
            raise Boom(1, "x")

    w = run(define, error_mode="defer")
    assert isinstance(w.result.exception, Boom)
    with pytest.raises(Boom):
        _ = w.result.broken


def test_a_task_that_swallows_its_cancellation_keeps_its_result() -> None:
    with weave(error_mode="defer") as w:
        started = asyncio.Event()

        @w.do
        async def stubborn() -> str:
            started.set()
            try:
                await asyncio.Event().wait()
            except asyncio.CancelledError:
                return "finished anyway"
            return "?"

        @w.do
        async def broken() -> None:
            await wait_async(started)
            raise Boom(1, "x")

    assert w.result.stubborn == "finished anyway"


def test_a_sync_task_that_was_running_keeps_its_result_or_is_cancelled() -> None:
    """Its thread cannot be stopped; the block waits for it, and never loses the failure."""
    started, release = threading.Event(), threading.Event()
    with weave(error_mode="defer") as w:

        @w.do
        def running() -> int:
            started.set()
            wait(release)
            return 1

        @w.do
        async def broken() -> None:
            while not started.is_set():
                await asyncio.sleep(0.001)
            asyncio.get_running_loop().call_later(0.05, release.set)
            raise Boom(1, "x")

    assert isinstance(w.result.exception, Boom)
    assert release.is_set()
    if "running" in w.result.cancelled:
        with pytest.raises(Exception, match="running"):
            _ = w.result.running
    else:
        assert w.result.running == 1


def test_cancelling_the_coroutine_around_a_weave_cancels_everything() -> None:
    cancelled = []

    async def main() -> None:
        started = asyncio.Event()
        second = asyncio.Event()

        async def around() -> None:
            async with weave() as w:

                @w.do
                async def first() -> None:
                    started.set()
                    try:
                        await asyncio.Event().wait()
                    finally:
                        cancelled.append("first")

                @w.do([1, 2, 3])
                async def items(n: int) -> None:
                    if n == 3:
                        second.set()
                    try:
                        await asyncio.Event().wait()
                    finally:
                        cancelled.append(n)

        task = asyncio.create_task(around())
        await wait_async(started)
        await wait_async(second)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        assert len(asyncio.all_tasks()) == 1

    asyncio.run(main())
    assert sorted(map(str, cancelled)) == ["1", "2", "3", "first"]


@pytest.mark.parametrize("error_mode", ["raise", "defer", "return"])
def test_cancelling_the_coroutine_is_no_failure_to_be_deferred(error_mode: str) -> None:
    async def main() -> None:
        started = asyncio.Event()

        async def around() -> None:
            async with weave(error_mode=error_mode) as w:

                @w.do
                async def first() -> None:
                    started.set()
                    await asyncio.Event().wait()

            raise AssertionError("the block went on after its cancellation")

        task = asyncio.create_task(around())
        await wait_async(started)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task

    asyncio.run(main())


def test_wait_for_around_a_weave_times_out() -> None:
    async def around() -> None:
        async with weave() as w:

            @w.do
            async def for_ever() -> None:
                await asyncio.Event().wait()

    with pytest.raises(asyncio.TimeoutError):
        asyncio.run(asyncio.wait_for(around(), 0.05))


def test_a_task_that_raises_cancelled_error_itself_fails_the_weave(kind: str) -> None:
    """Nobody cancelled the weave: it must not end silently, nor hang."""

    def broken() -> None:
        raise asyncio.CancelledError("the task's own")

    with pytest.raises(BaseException) as caught, weave() as w:  # noqa: PT011 - any, but not none
        w.do(as_kind(kind, broken))

        @w.do
        def after(broken: None) -> None: ...

    assert not isinstance(caught.value, AssertionError)


@pytest.mark.parametrize("exception", [SystemExit(3), KeyboardInterrupt()])
def test_system_exit_and_interrupt_in_a_task_leave_the_block(
    exception: BaseException, run: Any, kind: str
) -> None:
    def define(w: Any) -> None:
        def leave() -> None:
            raise exception

        w.do(as_kind(kind, leave))

    with pytest.raises(type(exception)):
        run(define)


def test_stop_iteration_in_a_task_is_a_failure(kind: str) -> None:
    """It cannot be raised into a Future; the weave must not hang on it."""

    def stops() -> None:
        raise StopIteration("odd")

    with pytest.raises((StopIteration, RuntimeError)), weave() as w:
        w.do(as_kind(kind, stops))


def test_the_traceback_leads_to_the_users_line(run: Any, kind: str) -> None:
    def define(w: Any) -> None:
        def broken() -> None:
            raise Boom(1, "x")

        w.do(as_kind(kind, broken))

    with pytest.raises(Boom) as caught:
        run(define)
    assert caught.traceback[-1].name == "broken"


def test_reading_a_failure_often_does_not_grow_its_traceback() -> None:
    with weave(error_mode="defer") as w:

        @w.do
        def broken() -> None:
            raise Boom(1, "x")

    def depth() -> int:
        try:
            _ = w.result.broken
        except Boom as failure:
            traceback, n = failure.__traceback__, 0
            while traceback is not None:
                traceback, n = traceback.tb_next, n + 1
            return n
        raise AssertionError("did not raise")

    first = depth()
    for _ in range(20):
        last = depth()
    assert last <= first + 2


@pytest.mark.parametrize("form", ["with", "async with"])
def test_error_mode_return_of_an_exception_value_is_no_failure(form: str) -> None:
    def define(w: Any) -> None:
        @w.do
        def gives() -> Exception:
            return Boom(1, "x")

        @w.do
        def after(gives: Exception) -> str:
            return type(gives).__name__

    w = run_weave(form, define, error_mode="return")
    assert w.result.after == "Boom"
    assert w.result.errors == {}
