"""Weaves inside tasks: they are stopped together with the weave around them."""

from __future__ import annotations

import asyncio
import os
import signal
import subprocess
import sys
import textwrap
import threading
from pathlib import Path
from typing import Any

import pytest

from tests.unit.weave.forms import BOUND, FORMS, wait
from wove import merge, weave
from wove.errors import TaskTimeoutError

pytestmark = pytest.mark.timeout(40)

INNER = ("with", "async with", "with in a loop")
"""How a sync task runs a weave: each of the forms, on a loop of its own."""


class Waiting:
    """A weave with a task that waits for ever, and what became of it."""

    def __init__(self) -> None:
        self.started = threading.Event()
        self.cancelled = threading.Event()
        self.raised: list[BaseException] = []

    def run(self, form: str) -> None:
        """Run it to its end, in a sync task."""
        try:
            if form == "with":
                with weave() as w:
                    self.define(w)
            else:
                asyncio.run(self._async(form))
        except BaseException as error:
            self.raised.append(error)
            raise

    async def _async(self, form: str) -> None:
        if form == "async with":
            async with weave() as w:
                self.define(w)
        else:
            with weave() as w:
                self.define(w)

    def define(self, w: Any) -> None:
        @w.do
        async def waiting() -> None:
            try:
                self.started.set()
                await asyncio.sleep(BOUND)
            except asyncio.CancelledError:
                self.cancelled.set()
                raise


@pytest.mark.parametrize("form", INNER)
def test_a_failure_stops_the_weave_inside_a_sync_task(run: Any, form: str) -> None:
    inner = Waiting()

    def define(w: Any) -> None:
        @w.do
        def task() -> None:
            inner.run(form)

        @w.do
        async def broken() -> None:
            await asyncio.to_thread(wait, inner.started)
            raise ValueError("boom")

    with pytest.raises(ValueError, match="boom"):
        run(define)
    assert inner.cancelled.is_set()
    assert [type(error) for error in inner.raised] == [asyncio.CancelledError]


@pytest.mark.parametrize("form", INNER)
def test_cancelling_the_coroutine_stops_the_weave_inside_a_sync_task(form: str) -> None:
    inner = Waiting()

    async def around() -> None:
        async with weave() as w:

            @w.do
            def task() -> None:
                inner.run(form)

    async def main() -> None:
        task = asyncio.create_task(around())
        await asyncio.to_thread(wait, inner.started)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task

    asyncio.run(main())
    assert inner.cancelled.is_set()


@pytest.mark.parametrize("depth", [2, 3])
def test_weaves_inside_weaves_are_stopped_at_every_depth(depth: int) -> None:
    inner = Waiting()

    def nested(depth: int) -> None:
        if not depth:
            inner.run("with")
            return
        with weave() as w:

            @w.do
            def task() -> None:
                nested(depth - 1)

    with pytest.raises(ValueError, match="boom"), weave() as w:

        @w.do
        def task() -> None:
            nested(depth)

        @w.do
        def broken() -> None:
            wait(inner.started)
            raise ValueError("boom")

    assert inner.cancelled.is_set()


@pytest.mark.parametrize("form", INNER)
def test_a_timeout_stops_the_weave_inside_the_task(form: str) -> None:
    inner, other = Waiting(), Waiting()
    other_goes_on: list[bool] = []
    with pytest.raises(TaskTimeoutError), weave() as w:

        @w.do
        def task() -> None:
            def inside() -> None:
                inner.run(form)

            try:
                merge(inside, timeout=0.3)
            finally:
                wait(inner.cancelled)
                other_goes_on.append(not other.cancelled.is_set())

        @w.do
        def another() -> None:
            other.run("with")

    assert inner.cancelled.is_set()
    assert other_goes_on == [True]


def test_a_failing_item_stops_the_weaves_of_the_others() -> None:
    inner = Waiting()
    with pytest.raises(ValueError, match="boom"), weave() as w:

        @w.do([0, 1])
        def task(n: int) -> None:
            if n:
                wait(inner.started)
                raise ValueError("boom")
            inner.run("with")

    assert inner.cancelled.is_set()


def test_a_background_weave_inside_a_task_goes_on_by_itself() -> None:
    go_on = threading.Event()
    inside: list[Any] = []
    with pytest.raises(ValueError, match="boom"), weave() as w:

        @w.do
        def task() -> None:
            with weave(background=True) as inner:

                @inner.do
                def later() -> str:
                    wait(go_on)
                    return "done"

            inside.append(inner)
            raise ValueError("boom")

    go_on.set()
    (inner,) = inside
    assert inner.wait(BOUND)
    assert inner.result.later == "done"


_SCRIPT = """
import asyncio
from wove import weave

def define_inner(w):
    @w.do
    async def waiting():
        try:
            print("started", flush=True)
            await asyncio.sleep(60)
        finally:
            print("cancelled", flush=True)

def plainly(define):
    with weave() as w:
        define(w)

async def with_async(define):
    async with weave() as w:
        define(w)

async def inside_a_loop(define):
    plainly(define)

RUN = {{
    "with": plainly,
    "async with": lambda define: asyncio.run(with_async(define)),
    "with in a loop": lambda define: asyncio.run(inside_a_loop(define)),
}}

def define(w):
    if {kind!r} == "sync":
        @w.do
        def task():
            RUN[{inner!r}](define_inner)
    elif {inner!r} == "async with":
        @w.do
        async def task():
            await with_async(define_inner)
    else:
        @w.do
        async def task():
            plainly(define_inner)

try:
    RUN[{outer!r}](define)
except KeyboardInterrupt:
    print("interrupted", flush=True)
else:
    print("went on", flush=True)
"""


@pytest.mark.parametrize(
    ("kind", "inner"),
    [*(("sync", form) for form in INNER), ("async", "with"), ("async", "async with")],
)
@pytest.mark.parametrize("outer", FORMS)
def test_one_interrupt_stops_the_weave_and_the_one_inside(
    tmp_path: Path, outer: str, kind: str, inner: str
) -> None:
    script = textwrap.dedent(_SCRIPT).format(outer=outer, kind=kind, inner=inner)
    with subprocess.Popen(
        [sys.executable, "-W", "error", "-c", script],
        cwd=tmp_path,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    ) as process:
        try:
            assert process.stdout is not None
            assert process.stdout.readline() == "started\n"
            process.send_signal(signal.SIGINT)
            out, error = process.communicate(timeout=30)
            assert out.splitlines() == ["cancelled", "interrupted"]
            assert error == ""
        finally:
            if process.poll() is None:
                os.killpg(process.pid, signal.SIGKILL)
