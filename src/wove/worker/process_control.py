"""The parent's second pipe to a warm worker: which job to stop, and that the parent lives.

The first pipe is read by the thread that also runs the tasks, so it says nothing while a
task runs. This one is read by a thread of its own: each line is the `run_id` of a run to
be stopped, and its end is the parent's end.
"""

from __future__ import annotations

import os
import signal
import threading
import time
from typing import Protocol

__all__ = ["Control"]

EXIT_SECONDS = 1.0
"""After the parent's end, how long the process has to end by itself."""


class Stoppable(Protocol):
    """What `Stop` is."""

    def ask(self, reason: str) -> None:
        """Ask the callable to stop."""


class Control:
    """Reads the pipe, and knows the run that is going on."""

    def __init__(self, descriptor: int) -> None:
        self._descriptor = descriptor
        self._lock = threading.Lock()
        self._run_id = ""
        self._stop: Stoppable | None = None
        self._asked = ""

    def start(self) -> None:
        """Begin to read."""
        os.set_inheritable(self._descriptor, False)
        threading.Thread(target=self._serve, name="wove-control", daemon=True).start()

    def begin(self, run_id: str, stop: Stoppable) -> None:
        """A run begins; the request to stop it may have been faster than its payload."""
        with self._lock:
            self._run_id, self._stop = run_id, stop
            asked = self._asked == run_id
        if asked:
            stop.ask("the weave cancelled it")

    def end(self) -> None:
        """No run is going on."""
        with self._lock:
            self._run_id, self._stop = "", None

    def _serve(self) -> None:
        with open(self._descriptor, encoding="utf-8") as lines:
            for line in lines:
                self._ask(line.strip())
        time.sleep(EXIT_SECONDS)
        # A task is running for nobody. The process leads its session: its children go too.
        os.killpg(0, signal.SIGKILL)

    def _ask(self, run_id: str) -> None:
        with self._lock:
            self._asked = run_id
            stop = self._stop if self._run_id == run_id else None
        if stop is not None:
            stop.ask("the weave cancelled it")
