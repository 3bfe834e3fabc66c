"""Ctrl-C during a weave, once and twice, in every form."""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
import subprocess
import sys
import textwrap
import types
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

import wove
from tests.unit.weave.executors import Recorder
from tests.unit.weave.forms import FORMS, run_weave
from wove import weave

pytestmark = pytest.mark.timeout(40)

_SCRIPT = """
import asyncio, sys, threading, time
from wove import weave

def define(w):
    @w.do
    async def waiting():
        try:
            print("started", flush=True)
            await asyncio.Event().wait()
        finally:
            print("cancelled", flush=True)

    if {blocked}:
        @w.do
        def blocked():
            time.sleep(60)

def plainly():
    with weave({options}) as w:
        define(w)

async def with_async():
    async with weave({options}) as w:
        define(w)

async def inside_a_loop():
    plainly()

try:
    {{"with": plainly, "async with": lambda: asyncio.run(with_async()),
      "with in a loop": lambda: asyncio.run(inside_a_loop())}}[{form!r}]()
except KeyboardInterrupt:
    print("interrupted", flush=True)
else:
    print("went on", flush=True)
"""


@pytest.fixture
def start(tmp_path: Path) -> Iterator[Callable[..., subprocess.Popen[str]]]:
    """Starts a process whose weave is running; none outlives the test."""
    with contextlib.ExitStack() as stack:
        yield lambda form, **options: stack.enter_context(_started(tmp_path, form, **options))


@contextlib.contextmanager
def _started(
    folder: Path,
    form: str,
    *,
    blocked: bool,
    options: str = "",
    script: str = _SCRIPT,
    first: str = "started\n",
) -> Iterator[subprocess.Popen[str]]:
    script = textwrap.dedent(script).format(form=form, blocked=blocked, options=options)
    process = subprocess.Popen(
        [sys.executable, "-W", "error", "-c", script],
        cwd=folder,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )
    try:
        assert _line(process) == first
        yield process
    finally:
        if process.poll() is None:
            os.killpg(process.pid, signal.SIGKILL)
        process.communicate()


def _line(process: subprocess.Popen[str]) -> str:
    assert process.stdout is not None
    return process.stdout.readline()


def _end(process: subprocess.Popen[str]) -> list[str]:
    """The rest of its output, when it has ended."""
    return process.communicate(timeout=20)[0].splitlines()


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("options", ["", "error_mode='return'"])
def test_one_interrupt_cancels_the_tasks_and_leaves_the_block(
    start: Callable[..., subprocess.Popen[str]], form: str, options: str
) -> None:
    process = start(form, blocked=False, options=options)
    process.send_signal(signal.SIGINT)
    assert _end(process) == ["cancelled", "interrupted"]
    assert process.returncode == 0


@pytest.mark.parametrize("form", ["with", "with in a loop"])
def test_a_second_interrupt_waits_for_no_thread(
    start: Callable[..., subprocess.Popen[str]], form: str
) -> None:
    process = start(form, blocked=True)
    process.send_signal(signal.SIGINT)
    assert _line(process) == "cancelled\n"
    process.send_signal(signal.SIGINT)
    assert _end(process) == ["interrupted"]


_AT_EXIT = """
import asyncio, atexit, threading, time
import wove
from wove import weave

class Elsewhere(wove.EnvironmentExecutor):
    async def start(self, **settings):
        self.events = asyncio.Queue()
    async def send(self, frame):
        print(frame["type"], frame.get("delivery_orphan_policy", ""), flush=True)
        if frame["type"] == "cancel_task":
            self.events.put_nowait({{"type": "task_cancelled", "run_id": frame["run_id"]}})
    async def recv(self):
        return await self.events.get()
    async def stop(self):
        print("stop", flush=True)

wove.config(environments={{"away": {{"executor": Elsewhere()}}}})
atexit.register(print, "the program's own end", flush=True)

def on_done(result):
    print("done", type(result.exception).__name__, flush=True)

running = threading.Event()

with weave(background=True, on_done=on_done) as w:
    if {blocked}:
        @w.do
        def blocked():
            running.set()
            time.sleep(60)

    @w.do(environment="away")
    def there():
        pass

    @w.do
    async def ready():
        await asyncio.sleep(0.3)
        print("started", flush=True)

if {blocked}:
    running.wait()  # some versions of Python start no thread any more after this
"""


@pytest.fixture
def at_exit(tmp_path: Path) -> Iterator[Callable[..., subprocess.Popen[str]]]:
    """Starts a process that has come to its end and waits for its background weave."""
    with contextlib.ExitStack() as stack:
        yield lambda **options: stack.enter_context(
            _started(tmp_path, "", script=_AT_EXIT, first="run_task \n", **options)
        )


def test_an_interrupt_at_exit_cancels_what_runs_in_the_background(
    at_exit: Callable[..., subprocess.Popen[str]],
) -> None:
    process = at_exit(blocked=False)
    assert _line(process) == "started\n"
    process.send_signal(signal.SIGINT)
    out, error = process.communicate(timeout=20)
    assert out.splitlines() == [
        "cancel_task cancel",
        "shutdown ",
        "stop",
        "done CancelledError",
        "the program's own end",
    ]
    assert error.rstrip().endswith("KeyboardInterrupt")
    assert "ignored" not in error
    assert process.returncode == -signal.SIGINT


def test_a_second_interrupt_at_exit_waits_for_no_thread(
    at_exit: Callable[..., subprocess.Popen[str]],
) -> None:
    process = at_exit(blocked=True)
    assert _line(process) == "started\n"
    process.send_signal(signal.SIGINT)
    assert _line(process) == "cancel_task cancel\n"
    process.send_signal(signal.SIGINT)
    out, error = process.communicate(timeout=20)
    assert out.splitlines() == ["the program's own end"]
    assert "Exception in thread" not in error
    assert process.returncode == -signal.SIGINT


@pytest.mark.parametrize("form", ["with", "with in a loop"])
@pytest.mark.parametrize("times", [1, 2, 3])
def test_an_interrupt_as_the_block_is_being_left_is_not_lost(
    form: str, times: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """And the handler of before is in its place again, however often the user pressed."""
    place = signal.signal
    present = signal.getsignal(signal.SIGINT)

    def interrupted(number: int, handler: Any) -> Any:
        if signal.getsignal(number).__class__ is types.MethodType:  # ours: it is put back
            monkeypatch.undo()
            for _ in range(times):
                signal.raise_signal(signal.SIGINT)
        return place(number, handler)

    monkeypatch.setattr(signal, "signal", interrupted)
    results: list[int] = []
    with pytest.raises(KeyboardInterrupt):
        run_weave(form, lambda w: w.do(lambda: results.append(1)))
    assert signal.getsignal(signal.SIGINT) is present
    assert results == [1]


class _Unavailable(Recorder):
    async def start(self, **settings: Any) -> None:
        raise RuntimeError("no such place")


@pytest.mark.parametrize("form", ["with", "with in a loop"])
def test_an_interrupt_is_not_lost_to_a_weave_that_is_wrong(form: str) -> None:
    wove.config(environments={"away": {"executor": _Unavailable()}})
    left: list[Any] = []

    async def press_at_the_end() -> None:
        try:
            await asyncio.Event().wait()
        finally:
            signal.raise_signal(signal.SIGINT)

    def define(w: Any) -> None:
        @w.do
        async def leaving() -> None:
            left.append(asyncio.ensure_future(press_at_the_end()))
            await asyncio.sleep(0)

        @w.do(environment="away")
        def there(leaving: None) -> None: ...

    with pytest.raises(KeyboardInterrupt) as raised:
        run_weave(form, define)
    assert str(raised.value.__cause__) == "no such place"


def test_what_a_task_left_behind_raises_at_the_end_is_reported(
    caplog: pytest.LogCaptureFixture,
) -> None:
    """As `asyncio.run` does."""

    async def broken() -> None:
        try:
            await asyncio.Event().wait()
        finally:
            raise ValueError("lost")

    with weave() as w:

        @w.do
        async def task() -> asyncio.Task[None]:
            left = asyncio.ensure_future(broken())
            await asyncio.sleep(0)
            return left

    (record,) = caplog.records
    assert "left behind" in record.message
    assert record.exc_info is not None
    assert str(record.exc_info[1]) == "lost"
