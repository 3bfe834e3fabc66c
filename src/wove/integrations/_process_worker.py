"""The weave's end of one warm worker process: its pipes."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from collections.abc import Mapping
from contextlib import ExitStack, suppress
from pathlib import Path
from typing import Any

from wove.integrations._process_end import ProcessEnd
from wove.integrations._process_job import Job
from wove.integrations._process_pipe import Inbox, Outbox

__all__ = ["WarmWorker", "worker_environment"]

KILLED_SECONDS = 5.0
"""A killed process that is still there after this is not waited for any longer."""

_MAIN = "wove.worker.process_worker"


def worker_environment(extra: Mapping[str, str]) -> dict[str, str]:
    """The environment variables of a worker: ours, `extra`, and Wove importable."""
    import wove
    import wovepb

    environment = {**os.environ, **extra}
    roots = [str(Path(path).parent) for path in (*wove.__path__, *wovepb.__path__)]
    # What is installed is found anyway; named here it would come before the standard library.
    roots = [root for root in roots if not root.endswith(("site-packages", "dist-packages"))]
    if roots:
        before = environment.get("PYTHONPATH")
        environment["PYTHONPATH"] = os.pathsep.join([*roots, *([before] if before else [])])
    return environment


class WarmWorker:
    """A process that runs one payload after the other.

    It reads length-framed JSON on its standard input and answers the same way; a third
    pipe carries the requests to stop. When its input ends, it ends; a fourth pipe, which
    carries nothing, ends with this process and takes the worker along. It leads a session
    of its own: Ctrl-C in a terminal is the weave's affair, and killing the group takes
    the task's children along.

    Args:
        hello: the first message.
        environment: environment variables.
        cwd: working folder.

    Raises:
        OSError: the process could not be started.
    """

    def __init__(
        self, hello: Mapping[str, Any], environment: Mapping[str, str], cwd: str | None
    ) -> None:
        with ExitStack() as theirs, ExitStack() as on_failure:
            control, self._control = os.pipe()
            theirs.callback(os.close, control)
            on_failure.callback(os.close, self._control)
            life, self._life = os.pipe()
            theirs.callback(os.close, life)
            on_failure.callback(os.close, self._life)
            self.process = subprocess.Popen(  # noqa: S603 - this interpreter
                [sys.executable, "-m", _MAIN],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                bufsize=0,
                cwd=cwd,
                env=dict(environment),
                start_new_session=True,
                pass_fds=(control, life),
            )
            on_failure.pop_all()
        assert self.process.stdin is not None  # noqa: S101 - it is a pipe
        assert self.process.stdout is not None  # noqa: S101
        self.stdin = self.process.stdin.fileno()
        self.stdout = self.process.stdout.fileno()
        os.set_blocking(self.stdin, False)
        os.set_blocking(self.stdout, False)
        os.set_blocking(self._control, False)
        self.pid = self.process.pid
        self.end = ProcessEnd(self.process)
        self.ready = False
        self.second_try = False  # one before it ended while it started
        self.job: Job | None = None
        self._out = Outbox(self.stdin)
        self._in = Inbox(self.stdout)
        self.write(json.dumps({**hello, "control": control, "life": life}).encode())

    @property
    def has_output(self) -> bool:
        """Bytes wait for room in the pipe."""
        return bool(self._out)

    def write(self, message: bytes) -> None:
        """Send one message; what the pipe does not take now is kept for `flush`."""
        self._out.put(message)

    def flush(self) -> None:
        """The pipe has room again."""
        self._out.flush()

    def read(self) -> list[dict[str, Any]] | None:
        """The messages that have arrived; None when there will be no more.

        Raises:
            UnexpectedMessageError: what arrived is no message.
        """
        return self._in.read()

    def ask_to_stop(self, run_id: str) -> None:
        """Have the running task stopped, if this is its run."""
        with suppress(OSError):  # it is dead, or its pipe is full of such requests
            os.write(self._control, f"{run_id}\n".encode())

    def kill(self) -> None:
        """End the process and what it started, now."""
        if self.process.returncode is None:  # later its id may be another's
            with suppress(OSError):
                os.killpg(self.pid, signal.SIGKILL)

    def hang_up(self) -> None:
        """Close its inputs, which tells it to end."""
        assert self.process.stdin is not None  # noqa: S101
        with suppress(OSError):
            self.process.stdin.close()
        control, self._control = self._control, -1
        if control >= 0:
            os.close(control)

    def reap(self, seconds: float) -> int | None:
        """Have it end within `seconds`, with all that it started.

        Returns:
            Its exit status, if that can be known.

        Raises:
            subprocess.TimeoutExpired: even killed it does not end: the system holds it.
        """
        self.hang_up()
        try:
            self.end.wait(seconds)
            self.kill()  # the process if it is still there, and what it left behind
            return self.end.reap(KILLED_SECONDS)
        finally:
            self.drop()

    def drop(self) -> None:
        """Close everything, and do nothing to the process."""
        self.hang_up()
        self.end.close()
        life, self._life = self._life, -1
        if life >= 0:
            os.close(life)
        assert self.process.stdout is not None  # noqa: S101
        self.process.stdout.close()
