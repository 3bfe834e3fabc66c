"""Where an async callable's coroutine runs while a worker's thread waits for it."""

from __future__ import annotations

import asyncio
import contextlib
import contextvars
import threading
from collections.abc import Callable, Coroutine
from typing import Any, NoReturn

from wove.worker.cancel import Stop
from wove.worker.forks import ending_forks

__all__ = ["RunCoroutine", "in_own_loop", "on_loop"]

RunCoroutine = Callable[[Coroutine[Any, Any, Any], Stop], Any]
"""Runs a coroutine to its end, stopped by `Stop`, and returns or raises what it does."""

LOOP_CHECK_SECONDS = 1.0


def in_own_loop(coroutine: Coroutine[Any, Any, Any], stop: Stop) -> Any:
    """Run it on an event loop of this thread's own."""

    async def main() -> Any:
        loop, task = asyncio.get_running_loop(), asyncio.current_task()
        assert task is not None  # noqa: S101 - inside a task by construction
        stop.awaiting(lambda: _from_any_thread(loop, task.cancel))
        try:
            return await ending_forks(coroutine)
        finally:
            stop.returned()

    return asyncio.run(main())


def on_loop(loop: asyncio.AbstractEventLoop) -> RunCoroutine:
    """Run it on `loop`, which runs in another thread than the one that waits."""

    def run(coroutine: Coroutine[Any, Any, Any], stop: Stop) -> Any:
        ended = threading.Event()
        tasks: list[asyncio.Task[Any]] = []
        exits: list[BaseException] = []

        async def main() -> Any:
            try:
                return await ending_forks(coroutine)
            except (SystemExit, KeyboardInterrupt) as error:
                exits.append(error)  # asyncio would let it end the loop, which is the worker's
                return None

        def begin() -> None:
            task = loop.create_task(main())
            tasks.append(task)
            task.add_done_callback(end)
            stop.awaiting(lambda: _from_any_thread(loop, task.cancel))

        def end(task: asyncio.Task[Any]) -> None:
            stop.returned()
            coroutine.close()  # it never began if its task was cancelled before
            if not task.cancelled():
                task.exception()  # asyncio need not complain that nobody asked for it
            ended.set()

        def give_up() -> NoReturn:
            stop.returned()
            if not tasks:
                coroutine.close()  # it never began
            raise RuntimeError("the worker's event loop was closed while the task ran")

        try:
            loop.call_soon_threadsafe(begin, context=contextvars.copy_context())
        except RuntimeError:  # it is closed already
            give_up()
        while not ended.wait(LOOP_CHECK_SECONDS):
            if loop.is_closed():
                give_up()
        if exits:
            raise exits[0]
        return tasks[0].result()

    return run


def _from_any_thread(loop: asyncio.AbstractEventLoop, function: Callable[[], object]) -> None:
    with contextlib.suppress(RuntimeError):  # the loop is closed: there is nothing left to stop
        loop.call_soon_threadsafe(function)
