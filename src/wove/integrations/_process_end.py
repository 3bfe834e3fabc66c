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
            flags = os.WEXITED | os.WNOWAIT | os.WNOHANG
            return os.waitid(os.P_PID, self._process.pid, flags) is not None
        except ChildProcessError:  # somebody waits for every child of this process
            return True

    def wait(self, seconds: float) -> None:
        """Until it has ended, but not longer than this."""
        if self.descriptor is not None:
            poll = select.poll()
            poll.register(self.descriptor, select.POLLIN)
            poll.poll(seconds * 1000)
            return
        deadline = time.monotonic() + seconds
        while not self.has_come() and time.monotonic() < deadline:
            time.sleep(LOOK_SECONDS)

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
