"""`weave(background=True)` and `fork=True`."""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import queue
import subprocess
import sys
import textwrap
import threading
import time
from pathlib import Path
from typing import Any

import pytest

import wove
from tests.unit.weave.executors import Recorder
from tests.unit.weave.forms import BOUND, run_weave, wait
from wove import WoveResult, weave

pytestmark = pytest.mark.timeout(45)


def background(form: str, define: Any, *args: Any, **options: Any) -> tuple[Any, WoveResult]:
    """Run a background weave to its end; its `w` and what `on_done` was given."""
    done: queue.Queue[WoveResult] = queue.Queue()
    w = run_weave(form, define, *args, background=True, on_done=done.put, **options)
    result = done.get(timeout=BOUND)
    w.wait(BOUND)
    assert done.empty()
    return w, result


@pytest.fixture(params=["with", "async with", "with in a loop"])
def form(request: pytest.FixtureRequest) -> str:
    return str(request.param)


def test_the_block_ends_at_once_and_on_done_gets_the_result() -> None:
    release, done = threading.Event(), threading.Event()
    results: list[WoveResult] = []

    def on_done(result: WoveResult) -> None:
        results.append(result)
        done.set()

    with weave(background=True, on_done=on_done) as w:

        @w.do
        def slow() -> int:
            wait(release)
            return 1

        @w.do
        async def after(slow: int) -> int:
            return slow + 1

    assert not done.is_set()  # the block has ended and the task has not
    release.set()
    w.wait(BOUND)
    wait(done)
    assert list(results[0]) == [1, 2]
    assert list(w.result) == [1, 2]


def test_on_done_may_be_async(form: str) -> None:
    results: list[int] = []
    done = threading.Event()

    async def on_done(result: WoveResult) -> None:
        await asyncio.sleep(0)
        results.append(result.task)
        done.set()

    w = run_weave(form, lambda w: w.do(_task), background=True, on_done=on_done)
    wait(done)
    w.wait(BOUND)
    assert results == [7]


def _task() -> int:
    return 7


_task.__name__ = "task"


def test_a_background_weave_in_every_form(form: str) -> None:
    w, result = background(form, lambda w: w.do(_task))
    assert result.task == w.result.task == 7


def test_it_runs_on_a_non_daemon_thread() -> None:
    def define(w: Any) -> None:
        @w.do
        async def where() -> tuple[bool, int]:
            return threading.current_thread().daemon, threading.get_ident()

    daemon, thread = background("with", define)[1].where
    assert daemon is False
    assert thread != threading.get_ident()


@pytest.mark.parametrize("error_mode", ["raise", "defer", "return"])
def test_a_failure_is_in_the_results_exception(form: str, error_mode: str) -> None:
    failure = ValueError("boom")

    def define(w: Any) -> None:
        @w.do
        def broken() -> None:
            raise failure

    _, result = background(form, define, error_mode=error_mode)
    assert result.exception is failure
    assert result.errors["broken"] is failure


def test_wait_without_a_timeout_joins() -> None:
    with weave(background=True) as w:
        w.do(_task)
    w.wait()
    assert w.result.task == 7


def test_wait_with_a_timeout_does_not_wait_longer() -> None:
    release = threading.Event()
    with weave(background=True) as w:

        @w.do
        def slow() -> int:
            wait(release)
            return 1

    start = time.monotonic()
    with contextlib.suppress(TimeoutError):
        w.wait(0.05)
    assert time.monotonic() - start < 5
    release.set()
    w.wait(BOUND)
    assert w.result.slow == 1


def test_context_variables_are_carried_into_the_background() -> None:
    import contextvars

    colour: contextvars.ContextVar[str] = contextvars.ContextVar("colour", default="none")
    token = colour.set("red")
    try:

        def define(w: Any) -> None:
            @w.do
            def seen() -> str:
                return colour.get()

        assert background("with", define)[1].seen == "red"
    finally:
        colour.reset(token)


def test_on_done_is_called_when_an_executor_cannot_start() -> None:
    wove.config(environments={"away": {"executor": _CannotStart()}})

    def define(w: Any) -> None:
        w.do(environment="away")(_task)

    _, result = background("with", define)
    assert "cannot start" in str(result.exception)


class _CannotStart(wove.EnvironmentExecutor):
    async def start(self, **settings: Any) -> None:
        raise OSError("cannot start")

    async def send(self, frame: dict[str, Any]) -> None: ...

    async def recv(self) -> dict[str, Any]:
        await asyncio.Event().wait()
        raise AssertionError

    async def stop(self) -> None: ...


def test_if_the_block_raises_nothing_runs_in_the_background(form: str) -> None:
    called: list[Any] = []

    def define(w: Any) -> None:
        @w.do
        def task() -> None:
            called.append("task")

        raise KeyError("the block's own")

    before = threading.active_count()
    with pytest.raises(KeyError, match="the block's own"):
        run_weave(form, define, background=True, on_done=called.append)
    assert threading.active_count() <= before + 1
    assert called == []


def test_on_done_that_is_no_callable_is_refused() -> None:
    with pytest.raises((TypeError, ValueError), match="on_done"):
        weave(background=True, on_done=5)


def test_on_done_is_only_for_background() -> None:
    called: list[Any] = []
    with weave(on_done=called.append) as w:
        w.do(_task)
    assert w.result.task == 7
    assert called == []


def test_fork_needs_background() -> None:
    with pytest.raises(ValueError, match=r"fork.*background"):
        weave(fork=True)


def test_background_as_a_configured_default() -> None:
    wove.config(background=True)
    done: queue.Queue[WoveResult] = queue.Queue()
    with weave(on_done=done.put) as w:
        w.do(_task)
    assert done.get(timeout=BOUND).task == 7
    w.wait(BOUND)


def _python(script: str, folder: Path, **environment: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-W", "error", "-c", textwrap.dedent(script)],
        cwd=folder,
        env={**os.environ, **environment},
        capture_output=True,
        text=True,
        timeout=30,
        check=False,
    )


def test_the_interpreters_exit_waits_for_background_weaves(tmp_path: Path) -> None:
    ran = _python(
        """
        import threading, time
        from wove import merge, weave

        def on_done(result):
            print("done", result.total)

        with weave(background=True, on_done=on_done) as w:
            @w.do
            def slow():
                time.sleep(0.3)
                return 1

            @w.do
            async def total(slow):
                return slow + sum(await merge(lambda n: n, [1, 2]))

        print("block ended")
        """,
        tmp_path,
    )
    assert ran.stdout.split("\n") == ["block ended", "done 4", ""]
    assert ran.stderr == ""
    assert ran.returncode == 0


def _read_when_written(path: Path) -> Any:
    deadline = time.monotonic() + 20
    while not path.exists():
        if time.monotonic() > deadline:
            raise AssertionError(f"{path.name} was not written")
        time.sleep(0.02)
    return json.loads(path.read_text())


def test_a_forked_weave_runs_detached(tmp_path: Path) -> None:
    """The starting process is long gone when its forked weave ends; nothing else stops it."""
    (tmp_path / "mymodule.py").write_text("def value():\n    return 40\n")
    ran = _python(
        """
        import json, os, sys, time
        import wove
        from wove import weave

        wove.config(retries=1)
        tries = []

        def on_done(result):
            report = {
                "pid": os.getpid(), "session": os.getsid(0), "folder": os.getcwd(),
                "value": result.total, "executable": sys.executable,
            }
            with open("report.tmp", "w") as file:
                json.dump(report, file)
            os.rename("report.tmp", "report.json")

        with weave(background=True, fork=True, on_done=on_done, base=1) as w:
            @w.do
            def part(base):
                import mymodule  # found through the working folder on the import path
                return mymodule.value() + base

            @w.do
            async def total(part):
                tries.append(1)
                if len(tries) == 1:
                    raise ValueError("the configured retry is needed")
                time.sleep(0.3)
                return part + 1

        print(os.getpid(), os.getsid(0))
        """,
        tmp_path,
    )
    assert ran.returncode == 0, ran.stderr
    parent, session = map(int, ran.stdout.split())
    report = _read_when_written(tmp_path / "report.json")
    assert report["value"] == 42
    assert report["pid"] != parent
    assert report["session"] not in (session, os.getsid(0))
    assert report["folder"] == str(tmp_path)
    assert report["executable"] == sys.executable


def test_a_forked_weave_tells_its_failure_to_on_done(tmp_path: Path) -> None:
    target = tmp_path / "report.json"

    def on_done(result: WoveResult) -> None:
        temporary = target.with_suffix(".tmp")
        temporary.write_text(json.dumps(repr(result.exception)))
        temporary.rename(target)

    with weave(background=True, fork=True, on_done=on_done) as w:

        @w.do
        def broken() -> None:
            raise ValueError("in the child")

    assert _read_when_written(target) == "ValueError('in the child')"
    w.wait(BOUND)


def _with_a_lock(lock: Any) -> dict[str, tuple[dict[str, Any], Any, Any, str]]:
    """By what holds the lock: options and data, a source, a task, and what the error says."""

    def task() -> Any: ...

    def uses() -> Any:
        return lock

    held = "_thread.lock"
    return {
        "task": ({}, None, uses, f"task 'uses': its callable uses 'lock', and that {held}"),
        "on_done": (
            {"on_done": lambda result: lock},
            None,
            task,
            f"on_done: its callable uses 'lock', and that {held}",
        ),
        "keyword": (
            {"rows": {"a": [1, lock]}},
            None,
            task,
            f"keyword 'rows' ({held}, at ['a'][1])",
        ),
        "source": ({}, [1, lock], lambda n: n, f"the source of task '<lambda>' ({held}, at [1])"),
        "option": (
            {"delivery_idempotency_key": lambda arguments: str(lock)},
            None,
            task,
            "option 'delivery_idempotency_key' (function)",
        ),
    }


@pytest.mark.parametrize("place", ["task", "on_done", "keyword", "source", "option"])
def test_fork_says_what_cannot_be_pickled_where_and_what_to_do(place: str) -> None:
    given, source, function, told = _with_a_lock(threading.Lock())[place]
    with pytest.raises(TypeError) as caught, weave(background=True, fork=True, **given) as w:
        (w.do if source is None else w.do(source))(function)
    message = str(caught.value)
    assert f"{told} cannot be pickled: TypeError: cannot pickle" in message
    assert message.startswith("weave(fork=True)")
    assert "inside the task" in message
    assert "leave fork out" in message
    assert caught.value.__cause__ is not None


def test_fork_says_which_setting_cannot_be_pickled() -> None:
    executor = Recorder()
    executor.held = threading.Lock()  # type: ignore[attr-defined]
    wove.config(environments={"away": {"executor": executor}})
    with (
        pytest.raises(TypeError, match=r"executor of environment 'away' .*, at .held"),
        weave(background=True, fork=True) as w,
    ):
        w.do(lambda: 1)


def test_a_forked_weave_that_cannot_be_loaded_says_so(tmp_path: Path) -> None:
    ran = _python(
        """
        from wove import weave

        class Broken:
            def __reduce__(self):
                return int, ("no number",)

        with weave(background=True, fork=True, broken=Broken()) as w:
            w.do(lambda broken: broken)
        w.wait(20)
        """,
        tmp_path,
    )
    last = ran.stderr.rstrip().splitlines()[-1]
    assert last.startswith("RuntimeError: the process of weave(fork=True) cannot load")
    assert "no number" in last


def test_fork_without_the_dispatch_extra_says_what_to_install(tmp_path: Path) -> None:
    ran = _python(
        """
        import sys
        sys.modules["cloudpickle"] = None  # as if it were not installed
        from wove import MissingDispatchFeatureError, weave

        try:
            with weave(background=True, fork=True) as w:
                @w.do
                def task():
                    print("ran")
        except MissingDispatchFeatureError as error:
            assert error.reason
            assert isinstance(error, RuntimeError)
            print(error)
        """,
        tmp_path,
    )
    assert ran.returncode == 0, ran.stderr
    assert "pip install 'wove[dispatch]'" in ran.stdout
    assert "ran" not in ran.stdout.split()


def test_a_failure_that_nobody_is_told_of_is_logged(caplog: pytest.LogCaptureFixture) -> None:
    failure = ValueError("boom")
    for on_done in (None, lambda result: None):
        with weave(background=True, on_done=on_done) as w:

            @w.do
            def broken() -> None:
                raise failure

        w.wait(BOUND)
    (record,) = caplog.records  # the second one has somebody to tell
    assert (record.name, record.levelname) == ("wove.background", "ERROR")
    assert record.exc_info is not None
    assert record.exc_info[1] is failure


@pytest.mark.parametrize("submits", [False, True])
def test_a_backend_that_needs_a_pool_of_threads_works_after_the_scripts_end(
    tmp_path: Path, submits: bool
) -> None:
    """`concurrent.futures.thread` cannot be imported first after the main thread's end, and
    its pools take nothing once the interpreter ends them."""
    ran = _python(
        f"""
        import asyncio, sys
        import wove
        from wove import EnvironmentExecutor, weave

        class Late(EnvironmentExecutor):
            async def start(self, **settings):
                self.events = asyncio.Queue()
                await asyncio.sleep(0.3)  # the script has ended
                from concurrent.futures.thread import ThreadPoolExecutor
                self.pool = ThreadPoolExecutor(1)

            async def send(self, frame):
                if frame["type"] != "run_task":
                    return
                value = frame["callable"](**frame["args"])
                if {submits} and sys.version_info[:3] not in ((3, 12, 0), (3, 12, 1)):
                    value = await asyncio.wrap_future(self.pool.submit(lambda: value))
                self.events.put_nowait(
                    {{"type": "task_result", "run_id": frame["run_id"], "result": value}}
                )

            async def recv(self):
                return await self.events.get()

            async def stop(self):
                self.pool.shutdown()

        wove.config(environments={{"late": {{"executor": Late()}}}})
        assert "concurrent.futures.thread" not in sys.modules

        def on_done(result):
            print("done", result.exception or result.task)

        with weave(background=True, on_done=on_done, environment="late") as w:
            @w.do
            def task():
                return 7
        """,
        tmp_path,
    )
    assert (ran.stdout, ran.stderr, ran.returncode) == ("done 7\n", "", 0)
