"""A job of the `process` executor: what the pool knows of one payload."""

from __future__ import annotations

import signal
import threading
from collections.abc import Callable

from wove.executors.backend_state import BackendState, BackendStatus

__all__ = ["Job", "exit_words"]


class Job:
    """One payload on its way through worker processes.

    Args:
        id: the job's identifier.
        run_id: the run that the payload is for.
        payload: the payload as JSON.
        news: called, from any thread, when the job ended in a way that no event tells.
    """

    __slots__ = (
        "_lock",
        "_on_end",
        "ended",
        "id",
        "news",
        "payload",
        "process_group",
        "run_id",
        "state",
        "stopping",
    )

    def __init__(
        self,
        id: str,  # noqa: A002 - what every backend calls it
        run_id: str,
        payload: bytes,
        news: Callable[[], None],
    ) -> None:
        self.id = id
        self.run_id = run_id
        self.payload = payload
        self.news = news
        self.state = BackendState(BackendStatus.QUEUED, "every worker process is busy")
        self.process_group: int | None = None
        self.stopping = False
        self.ended = False
        self._lock = threading.Lock()
        self._on_end: Callable[[], None] | None = None

    def run_in(self, pid: int) -> None:
        """A worker process has it."""
        self.process_group = pid
        self.state = BackendState(BackendStatus.RUNNING, f"in worker process {pid}")

    def end(self, status: BackendStatus, reason: str, *, news: bool) -> None:
        """It is over.

        Args:
            status: how.
            reason: in words.
            news: the job's own events cannot have told it.
        """
        with self._lock:
            if self.ended:
                return
            self.ended = True
            if self.stopping and status is not BackendStatus.SUCCEEDED:
                status = BackendStatus.CANCELLED
            self.state = BackendState(status, reason)
            self.payload = b""
            self.process_group = None
            on_end = self._on_end
        if on_end is not None:
            on_end()
        if news:
            self.news()

    def when_ended(self, function: Callable[[], None]) -> None:
        """Call `function` once it is over, from any thread; at once if it is."""
        with self._lock:
            if not self.ended:
                self._on_end = function
                return
        function()


def exit_words(pid: int, code: int | None) -> str:
    """How a process ended, in words; None: nobody knows its exit status."""
    if code is None:
        return (
            f"worker process {pid} has ended, and how is not known: this program ignores "
            "SIGCHLD, or waits for all its children"
        )
    if code >= 0:
        return f"worker process {pid} exited with code {code}"
    try:
        name = signal.Signals(-code).name
    except ValueError:
        name = "unknown"
    return f"worker process {pid} was killed by signal {-code} ({name})"
