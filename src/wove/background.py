"""Weaves that go on after their block: in a thread, or in a detached process."""

from __future__ import annotations

import inspect
import subprocess
import sys
import tempfile
import threading
from collections.abc import Awaitable, Callable
from contextvars import copy_context
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
        if fork:
            work, daemon = self._start_process(), True  # only waits for the process
        else:
            # Not a daemon: the interpreter's exit waits for background weaves.
            work, daemon = self._run, False
        target = copy_context().run
        self._thread = threading.Thread(
            target=target, args=(work,), name="wove-background", daemon=daemon
        )
        self._thread.start()

    def wait(self, timeout: float | None) -> bool:
        """Wait for the end, `on_done` included; whether it has come within `timeout` seconds."""
        self._thread.join(timeout)
        return not self._thread.is_alive()

    def _run(self) -> None:
        run_and_tell(self._weave, self._on_done)

    def _start_process(self) -> Callable[[], None]:
        from wove.dispatch.requirements import require_dispatch

        require_dispatch("weave(fork=True)")
        from wove.dispatch.pickling import dumps

        work = dumps((self._weave.to_fork(), self._on_done))
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


_CHILD = "import sys; sys.path[:] = {path!r}; from wove.background import child; child()"


def run_and_tell(w: weave, on_done: OnDone | None) -> None:
    """Run a weave to its end and hand its result to `on_done`, whatever went wrong."""
    try:
        w.run_blocking()
    except BaseException as error:
        if w.result.exception is None:  # it is in the result, unless the run was given up
            raise error from None
    if on_done is None:
        return
    answer = on_done(w.result)
    if inspect.isawaitable(answer):
        run_to_end(lambda: _awaited(answer), lambda: None)


async def _awaited(answer: Awaitable[Any]) -> None:
    await answer


def child() -> None:
    """The detached process: read the weave, run it, and show a failure nobody is told of."""
    import pickle

    restore, on_done = pickle.load(sys.stdin.buffer)
    w = restore()
    run_and_tell(w, on_done)
    if on_done is None and w.result.exception is not None:
        raise w.result.exception
