"""Weaves that go on after their block: in a thread, or in a detached process."""

from __future__ import annotations

import inspect
import os
import signal
import subprocess
import sys
import tempfile
import threading
from collections.abc import Awaitable, Callable
from contextlib import suppress
from contextvars import copy_context
from functools import cache, partial
from typing import TYPE_CHECKING, Any

from wove.loops import run_to_end

if TYPE_CHECKING:
    from wove.context import weave
    from wove.result import WoveResult

__all__ = ["Background", "run_and_tell"]

OnDone = Callable[["WoveResult"], Any]


class Background:
    """One background run of a weave.

    Args:
        w: the weave, whose block has ended.
        on_done: called with the result at the end; sync or async.
        fork: run in a detached process.
    """

    def __init__(self, w: weave, on_done: OnDone | None, *, fork: bool) -> None:
        self._weave = w
        self._on_done = on_done
        self._stop: Callable[[], None] | None = None
        self._interrupted = False
        if fork:
            work, daemon = self._start_process(), True  # only waits for the process
        else:
            # Not a daemon: the interpreter's exit waits for background weaves.
            work, daemon = self._run, False
            _get_ready_for_exit()
        target = copy_context().run
        self._thread = threading.Thread(
            target=target, args=(work,), name="wove-background", daemon=daemon
        )
        if not fork:
            _live.add(self)
        try:
            self._thread.start()
        except BaseException:
            _live.discard(self)
            raise

    def interrupt(self) -> None:
        """What Ctrl-C does to a weave, from another thread: cancel it, then give it up."""
        self._interrupted = True
        if self._stop is not None:
            self._stop()

    def wait(self, timeout: float | None) -> bool:
        """Wait for the end, `on_done` included; whether it has come within `timeout` seconds."""
        self._thread.join(timeout)
        return not self._thread.is_alive()

    def _run(self) -> None:
        try:
            run_and_tell(self._weave, self._on_done, self._watch)
            error = self._weave.result.exception
            if self._on_done is None and error is not None and not self._interrupted:
                import logging

                logging.getLogger("wove.background").error(
                    "a background weave without on_done failed", exc_info=error
                )
        except KeyboardInterrupt:  # it was given up; the main thread says so
            if not self._interrupted:
                raise
        finally:
            _live.discard(self)

    def _watch(self, stop: Callable[[], None]) -> None:
        first, self._stop = self._stop is None, stop
        if first and self._interrupted:
            stop()

    def _start_process(self) -> Callable[[], None]:
        from wove.dispatch.requirements import require_dispatch

        require_dispatch("weave(fork=True)")
        work = _pickled(self._weave.to_fork(), self._on_done)
        # A file without a name: the child reads it as its standard input, whenever it is
        # ready to, and this process neither waits for it nor leaves anything behind.
        with tempfile.TemporaryFile() as file:
            file.write(work)
            file.seek(0)
            process = subprocess.Popen(  # noqa: S603 - this interpreter and a fixed command
                [sys.executable, "-c", _CHILD.format(path=sys.path)],
                stdin=file,
                start_new_session=True,
            )

        def reap() -> None:
            process.wait()

        return reap


def _pickled(restore: partial[weave], on_done: OnDone | None) -> bytes:
    from wove.dispatch.pickling import dumps

    try:
        return dumps((restore, on_done))
    except Exception as error:
        what = _culprit(restore, on_done)
        raise TypeError(
            f"weave(fork=True) cannot hand its work to another process: {what} "
            f"cannot be pickled: {type(error).__name__}: {error}. Make such an object inside the "
            "task that uses it, or leave fork out: the weave then runs in a thread"
        ) from error


def _culprit(restore: partial[weave], on_done: OnDone | None) -> str:
    """What of a weave cannot be pickled, and where it is."""
    from wove.dispatch.pickling import can_be_pickled, find_in_callable, find_unpicklable

    configuration, options, data, _, tasks = restore.args
    parts = [(f"keyword {name!r}", value) for name, value in data.items()]
    callables = [("on_done", on_done)]
    for name, function, source, given in tasks:
        callables.append((f"task {name!r}", function))
        parts.append((f"the source of task {name!r}", source))
        parts += [(f"{option} of task {name!r}", value) for option, value in (given or {}).items()]
    parts += [(f"option {name!r}", value) for name, value in options.items()]
    for name, settings in configuration["environments"].items():
        parts += [(f"{setting} of environment {name!r}", v) for setting, v in settings.items()]
    parts += [(f"default {name!r}", v) for name, v in configuration["global_defaults"].items()]
    for where, function in callables:
        if function is not None and not can_be_pickled(function):
            return f"{where}: {find_in_callable(function)}"
    for where, value in parts:
        if not can_be_pickled(value):
            path, kind = find_unpicklable(value)
            return f"{where} ({kind}{f', at {path}' if path else ''})"
    return "the weave"


_CHILD = "import sys; sys.path[:] = {path!r}; from wove.background import child; child()"


_live: set[Background] = set()
"""What runs in threads of this process."""


@cache
def _get_ready_for_exit() -> None:
    """Have the interpreter's exit wait for background weaves before it ends anything else."""
    # Nobody can import it first once the main thread has ended, when a backend's library
    # may want to. And what is registered after it is called before it: the pools of threads
    # that a weave may use are still there while it is waited for.
    import concurrent.futures.thread  # noqa: F401

    register = getattr(threading, "_register_atexit", None)  # CPython's own, for such pools
    if register is not None:
        with suppress(RuntimeError):  # it is ending: the thread is waited for all the same
            register(_wait_at_exit)


def _wait_at_exit() -> None:
    presses = 0

    def press(*_: object) -> None:
        nonlocal presses
        presses += 1
        for background in list(_live):
            background.interrupt()
        if presses > 1:
            raise KeyboardInterrupt

    if signal.getsignal(signal.SIGINT) is signal.default_int_handler:
        # It would raise wherever this thread is, and so past the lines that answer the first one.
        signal.signal(signal.SIGINT, press)
    while _live and presses < 2:
        try:
            for background in list(_live):
                background.wait(None)
        except KeyboardInterrupt:  # noqa: PERF203 - it is the point of the loop
            if presses < 2:  # raised by a handler of the program's own
                with suppress(KeyboardInterrupt):
                    press()
    if presses:
        signal.signal(signal.SIGINT, signal.SIG_DFL)
        sys.excepthook(KeyboardInterrupt, KeyboardInterrupt(), None)
        global _last
        _last = _EndBySignal()


class _EndBySignal:
    """Ends the process as an uncaught Ctrl-C does, when nothing is left to be done.

    The exit status of an interpreter that is ending cannot be changed any more, and
    an `atexit` function that ended it would keep others from being called. The
    variables of modules are let go after those.
    """

    def __init__(self) -> None:
        # Kept, because the variables that hold them may be gone by then.
        self._kill = partial(os.kill, os.getpid(), signal.SIGINT)

    def __del__(self) -> None:
        self._kill()


_last: _EndBySignal | None = None


def run_and_tell(
    w: weave, on_done: OnDone | None, watch: Callable[[Callable[[], None]], None] | None = None
) -> None:
    """Run a weave to its end and hand its result to `on_done`, whatever went wrong."""
    try:
        w.run_blocking(watch)
    except BaseException as error:
        if w.result.exception is None:  # it is in the result, unless the run was given up
            raise error from None
    if on_done is None:
        return
    answer = on_done(w.result)
    if inspect.isawaitable(answer):
        run_to_end(lambda: _awaited(answer), lambda: None, watch)


async def _awaited(answer: Awaitable[Any]) -> None:
    await answer


def child() -> None:
    """The detached process: read the weave, run it, and show a failure nobody is told of."""
    import pickle

    try:
        restore, on_done = pickle.load(sys.stdin.buffer)
    except Exception as error:
        raise RuntimeError(
            "the process of weave(fork=True) cannot load what it was sent: "
            f"{type(error).__name__}: {error}. Modules that the tasks use must be importable "
            "there, and objects that are pickled must load again"
        ) from error
    w = restore()
    run_and_tell(w, on_done)
    if on_done is None and w.result.exception is not None:
        raise w.result.exception
