"""Ctrl-C during a weave, once and twice, in every form."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import sys
import textwrap
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.unit.weave.forms import FORMS

pytestmark = pytest.mark.timeout(40)

_SCRIPT = """
import asyncio, sys, threading, time
from wove import weave

def define(w):
    @w.do
    async def waiting():
        print("started", flush=True)
        try:
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
    folder: Path, form: str, *, blocked: bool, options: str = ""
) -> Iterator[subprocess.Popen[str]]:
    script = textwrap.dedent(_SCRIPT).format(form=form, blocked=blocked, options=options)
    process = subprocess.Popen(
        [sys.executable, "-W", "error", "-c", script],
        cwd=folder,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )
    try:
        assert _line(process) == "started\n"
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
