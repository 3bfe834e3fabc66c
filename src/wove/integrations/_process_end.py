"""Whether a child process has ended, without reaping it.

Until it is reaped, its id and its group's are nobody else's, so signals cannot go astray.
"""

from __future__ import annotations

import os
import select
import subprocess
import time
from contextlib import suppress
from pathlib import Path

__all__ = ["ProcessEnd", "is_stopped"]

LOOK_SECONDS = 0.02

_LOOK = os.WEXITED | os.WNOWAIT | os.WNOHANG if hasattr(os, "waitid") else 0


class ProcessEnd:
    """Watches for one child's end: a pipe's end may be held open by what the child forked.

    Args:
        process: the child.

    Attributes:
        descriptor: readable once it has ended; None where the system has no such thing.
    """

    def __init__(self, process: subprocess.Popen[bytes]) -> None:
        self._process = process
        self.descriptor: int | None = None
        if hasattr(os, "pidfd_open"):
            with suppress(OSError):  # an old kernel, or a sandbox that forbids it
                self.descriptor = os.pidfd_open(process.pid)

    def has_come(self) -> bool:
        """Whether it has ended."""
        if not hasattr(os, "waitid"):  # macOS before Python 3.13: this reaps it
            return self._process.poll() is not None
        try:
            return os.waitid(os.P_PID, self._process.pid, _LOOK) is not None
        except ChildProcessError:  # somebody waits for every child of this process
            return True

    def wait(self, seconds: float | None) -> None:
        """Until it has ended, but not longer than this; None: however long that takes."""
        if self.descriptor is not None:
            poll = select.poll()
            poll.register(self.descriptor, select.POLLIN)
            poll.poll(None if seconds is None else seconds * 1000)
            return
        deadline = None if seconds is None else time.monotonic() + seconds
        while not self.has_come() and (deadline is None or time.monotonic() < deadline):
            time.sleep(LOOK_SECONDS)

    def reap(self, seconds: float | None) -> int | None:
        """Wait for it, and let the system forget it.

        Returns:
            Its exit status; None if somebody else has taken that: a program that ignores
            SIGCHLD, or waits for every child.

        Raises:
            subprocess.TimeoutExpired: it has not ended.
        """
        self.wait(seconds)
        known = self._process.returncode is not None or not self._is_taken()
        code = self._process.wait(seconds)
        return code if known else None

    def _is_taken(self) -> bool:
        if not hasattr(os, "waitid"):
            return False
        try:
            os.waitid(os.P_PID, self._process.pid, _LOOK)
        except ChildProcessError:
            return True
        return False

    def close(self) -> None:
        """Watch no longer."""
        descriptor, self.descriptor = self.descriptor, None
        if descriptor is not None:
            os.close(descriptor)


def is_stopped(pid: int) -> bool:
    """Whether a signal has stopped the process; False where the system does not say."""
    try:
        stat = Path(f"/proc/{pid}/stat").read_text()
    except OSError:
        return False
    return stat.rpartition(")")[2].split()[0] == "T"
