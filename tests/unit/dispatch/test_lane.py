"""The threads of an adapter's blocking calls."""

from __future__ import annotations

import asyncio
import threading
import time
from collections.abc import Callable
from contextvars import ContextVar
from typing import Any

import pytest

from wove.dispatch import lane
from wove.dispatch.lane import Lane


def calls_threads() -> int:
    return sum(thread.name == "wove-call" for thread in threading.enumerate())


async def each(calls: list[Callable[[], Any]]) -> list[Any]:
    road = Lane()
    return await asyncio.gather(*map(road.call, calls))


def test_quick_calls_share_a_thread_and_keep_their_order() -> None:
    made: list[int] = []

    def call(number: int) -> int:
        made.append(number)
        return threading.get_ident()

    found = asyncio.run(each([lambda number=number: call(number) for number in range(200)]))
    assert made == list(range(200))
    assert len(set(found)) == 1


def test_a_call_that_hangs_holds_no_other_up() -> None:
    released = threading.Event()

    async def main() -> list[int]:
        road = Lane()
        hanging = [asyncio.ensure_future(road.call(released.wait)) for _ in range(20)]
        others = [road.call(lambda number=number: number) for number in range(20)]
        found = await asyncio.wait_for(asyncio.gather(*others), 30)
        assert not any(call.done() for call in hanging)
        released.set()
        await asyncio.wait_for(asyncio.gather(*hanging), 30)
        return found

    assert asyncio.run(main()) == list(range(20))


def test_a_call_that_hangs_holds_no_other_up_while_the_loop_is_busy() -> None:
    released = threading.Event()

    async def main() -> None:
        road = Lane()
        hanging = asyncio.ensure_future(road.call(released.wait))
        other = asyncio.ensure_future(road.call(lambda: 7))
        deadline = time.monotonic() + 30
        while not other.done() and time.monotonic() < deadline:
            time.sleep(0.03)  # every look comes late
            await asyncio.sleep(0)
        assert other.done()
        released.set()
        await hanging

    asyncio.run(main())


def test_without_threads_a_call_fails_and_is_not_made_later(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    made: list[int] = []

    def refuse(thread: threading.Thread) -> None:
        raise RuntimeError("can't start new thread")

    async def main() -> None:
        road = Lane()
        with monkeypatch.context() as full:
            full.setattr(threading.Thread, "start", refuse)
            with pytest.raises(RuntimeError, match="new thread"):
                await road.call(lambda: made.append(1))
        await road.call(lambda: made.append(2))

    asyncio.run(main())
    assert made == [2]


class Counted:
    """A call that waits, and how many of it there were at once."""

    def __init__(self, seconds: float) -> None:
        self.most = 0
        self._seconds = seconds
        self._at_once = 0
        self._guard = threading.Lock()

    def __call__(self) -> None:
        with self._guard:
            self._at_once += 1
            self.most = max(self.most, self._at_once)
        time.sleep(self._seconds)
        with self._guard:
            self._at_once -= 1


@pytest.mark.parametrize(
    ("seconds", "calls", "most"), [(0.1, 32, 8), (0.005, 300, 8), (0.001, 500, 2)]
)
def test_calls_that_wait_are_made_beside_each_other(seconds: float, calls: int, most: int) -> None:
    call = Counted(seconds)
    asyncio.run(each([call] * calls))
    assert call.most > most


def test_slow_calls_are_made_beside_each_other_while_the_loop_is_busy() -> None:
    call = Counted(0.03)

    async def main() -> None:
        road = Lane()
        calls = [asyncio.ensure_future(road.call(call)) for _ in range(50)]
        while not all(each.done() for each in calls):
            busy = time.monotonic() + 0.04
            while time.monotonic() < busy:
                pass
            await asyncio.sleep(0)

    asyncio.run(main())
    assert call.most > 4


class Odd(BaseException):
    """Not an Exception, and nothing to asyncio."""


def test_whatever_a_call_raises_is_its_callers() -> None:
    def fail(error: BaseException) -> None:
        raise error

    async def main() -> list[Any]:
        road = Lane()
        calls = [lambda: fail(Odd()), lambda: fail(StopIteration(1)), lambda: 7]
        return await asyncio.gather(*map(road.call, calls), return_exceptions=True)

    odd, stop, value = asyncio.run(main())
    assert isinstance(odd, Odd)
    assert isinstance(stop, RuntimeError)
    assert isinstance(stop.__cause__, StopIteration)
    assert value == 7


def test_a_call_that_nobody_waits_for_is_not_begun() -> None:
    begun, gate = threading.Event(), threading.Event()
    made: list[int] = []

    async def main() -> None:
        road = Lane()

        def first() -> None:
            begun.set()
            gate.wait(30)

        running = asyncio.ensure_future(road.call(first))
        waiting = asyncio.ensure_future(road.call(lambda: made.append(1)))
        await asyncio.sleep(0)
        waiting.cancel()  # before the loop could look whether more threads are needed
        gate.set()
        await asyncio.wait({running, waiting})
        await road.call(lambda: made.append(2))

    asyncio.run(main())
    assert begun.is_set()
    assert made == [2]


def test_a_call_has_the_context_of_its_caller() -> None:
    of: ContextVar[str] = ContextVar("of", default="nobody")

    async def main() -> list[str]:
        road = Lane()

        async def one(name: str) -> str:
            of.set(name)
            return await road.call(of.get)

        return await asyncio.gather(*map(one, ["a", "b", "c"]))

    assert asyncio.run(main()) == ["a", "b", "c"]


def test_idle_threads_end(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(lane, "IDLE_SECONDS", 0.05)
    before = calls_threads()

    async def main() -> None:
        road = Lane()
        assert await road.call(lambda: 1) == 1
        deadline = time.monotonic() + 30
        while calls_threads() > before and time.monotonic() < deadline:
            await asyncio.sleep(0.01)
        assert calls_threads() <= before
        assert await road.call(lambda: 2) == 2  # and another begins

    asyncio.run(main())
