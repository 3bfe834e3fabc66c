"""A task that forks, and whose copy comes back from it."""

from __future__ import annotations

import asyncio
import os
import sys
import threading
import time
from collections.abc import Callable
from typing import Any

import pytest

from tests.unit.worker.receiver import Receiver, as_dict, value_of
from wove.integrations.worker import arun, run
from wove.worker.cancel import Stop
from wove.worker.coroutines import on_loop
from wove.worker.entrypoint import run_here


def by_arun(payload: dict[str, Any]) -> dict[str, Any]:
    return asyncio.run(arun(payload))


# Python 3.12 says it of every fork beside threads; here that is the point.
pytestmark = pytest.mark.filterwarnings("ignore:.*multi-threaded.*fork:DeprecationWarning")

RUNNERS = pytest.mark.parametrize("runner", [run, run_here, by_arun])


def exit_code(pid: int) -> int:
    """How a child ended; -1 if it had to be killed, because it went on."""
    deadline = time.monotonic() + 10
    while time.monotonic() < deadline:
        found, status = os.waitpid(pid, os.WNOHANG)
        if found:
            return os.waitstatus_to_exitcode(status)
        time.sleep(0.01)
    os.kill(pid, 9)
    os.waitpid(pid, 0)
    return -1


def way_out(how: str) -> Any:
    """What the copy does."""
    if how == "raise":
        raise ValueError("raised by the copy")
    if how == "return":
        return "copy"
    return sys.exit(eval(how))


@RUNNERS
@pytest.mark.parametrize("kind", ["sync", "async"])
@pytest.mark.parametrize(
    ("how", "code"),
    [("return", 0), ("raise", 1), ("None", 0), ("7", 7), ("-1", 255), ("'words'", 1)],
)
def test_the_copy_ends_without_a_word(
    receiver: Receiver,
    runner: Callable[[dict[str, Any]], dict[str, Any]],
    kind: str,
    how: str,
    code: int,
) -> None:
    origin = os.getpid()

    def task() -> Any:
        child = os.fork()
        return way_out(how) if child == 0 else child

    async def task_async() -> Any:
        return task()

    payload = as_dict(receiver.payload(task if kind == "sync" else task_async))
    try:
        runner(payload)
    finally:
        if os.getpid() != origin:  # without the fix it comes here, and would run the tests again
            os._exit(99)
    child = value_of(receiver.wait_for("task_result"))
    assert exit_code(child) == code
    assert receiver.names() == ["task_started", "task_result"]


def test_its_traceback_and_unfinished_output_are_written(
    receiver: Receiver, capfd: pytest.CaptureFixture[str]
) -> None:
    origin = os.getpid()

    def task(how: str) -> Any:
        child = os.fork()
        if child == 0:
            sys.stdout = open(1, "w", closefd=False)  # noqa: SIM115 - buffered, as a file's is
            print("unfinished", end="")
            return way_out(how)
        return child

    for how in ("raise", "'words'"):
        try:
            run_here(as_dict(receiver.payload(task, how=how)))
        finally:
            if os.getpid() != origin:
                os._exit(99)
    children = [value_of(seen) for seen in receiver.frames("task_result")]
    assert [exit_code(child) for child in children] == [1, 1]
    out, err = capfd.readouterr()
    assert out == "unfinished" * 2
    assert "ValueError: raised by the copy\n" in err
    assert err.endswith("words\n")


class ForksWhenPickled:
    def __reduce__(self) -> Any:
        self.child = os.fork()
        return (int, (self.child,))


def test_a_result_that_forks_when_it_is_pickled(receiver: Receiver) -> None:
    origin = os.getpid()
    try:
        run_here(as_dict(receiver.payload(ForksWhenPickled)))
    finally:
        if os.getpid() != origin:
            os._exit(99)
    assert exit_code(value_of(receiver.wait_for("task_result"))) == 0
    assert receiver.names() == ["task_started", "task_result"]


def test_a_copy_made_while_another_thread_asks_to_stop_does_not_hang() -> None:
    stop = Stop()
    held, done = threading.Event(), threading.Event()

    def hold() -> None:
        with stop._lock:
            held.set()
            done.wait(10)

    holder = threading.Thread(target=hold)
    children: list[int] = []

    def task() -> None:
        holder.start()
        held.wait(10)
        child = os.fork()
        if child:
            children.append(child)
            done.set()

    stop.call(task, {})
    holder.join()
    assert exit_code(children[0]) == 0


def test_a_coroutine_that_is_cancelled_before_it_begins(receiver: Receiver) -> None:
    """Nothing complains that it was never awaited: here a warning is an error."""

    async def task() -> None:
        await asyncio.sleep(60)

    async def main() -> None:
        class AllAtOnce(Stop):
            def awaiting(self, cancel: Callable[[], object]) -> None:
                for new in asyncio.all_tasks() - before:
                    new.cancel()

        runner = on_loop(asyncio.get_running_loop())
        running = asyncio.ensure_future(asyncio.to_thread(runner, task(), AllAtOnce()))
        before = asyncio.all_tasks()
        with pytest.raises(asyncio.CancelledError):
            await asyncio.wait_for(running, 10)

    asyncio.run(main())
