"""What a running task says in between: progress and log lines.

Frames are made where the task calls, and sent by a thread of their own, so that a slow
receiver does not slow the task down. One that could not be sent is forgotten.
"""

from __future__ import annotations

import contextvars
import logging
import threading
import time
from collections import deque
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from wove.worker.answers import Answer, Verdict
from wove.worker.messages import Body, Messages
from wove.worker.routes import Route
from wovepb.v1.payload_pb2 import TaskPayload

__all__ = ["LEVELS", "LogHandler", "Reports", "log", "progress"]

LEVELS = ("debug", "info", "warning", "error", "critical")
MAX_WAITING = 1000
"""Frames that wait to be sent; beyond it the oldest are dropped."""
SEND_SECONDS = 5.0
FLUSH_SECONDS = 2.0
"""What the terminal event waits for frames that came before it."""

_current: contextvars.ContextVar[Reports | None] = contextvars.ContextVar(
    "wove-reports", default=None
)


def progress(
    current: float | None = None,
    total: float | None = None,
    *,
    unit: str = "",
    message: str = "",
) -> None:
    """Tell the weave how far the running task is.

    Returns at once. Does nothing outside a task that Wove runs, and where the receiver
    takes no progress.

    Args:
        current: how much is done.
        total: of how much.
        unit: what is counted, such as "rows".
        message: for people.

    Raises:
        ValueError: a number is not finite.
    """
    reports = _current.get()
    if reports is not None:
        reports.progress(current, total, unit, message)


def log(message: str, *, level: str = "info", logger: str = "") -> None:
    """Send the weave a line of the running task's log; like `progress` in all else.

    Args:
        message: the line.
        level: "debug", "info", "warning", "error" or "critical".
        logger: the logger's name.

    Raises:
        ValueError: another level.
    """
    if level not in LEVELS:
        raise ValueError(f"level must be one of {', '.join(LEVELS)}, not {level!r}")
    reports = _current.get()
    if reports is not None:
        reports.log(message, level, logger)


class LogHandler(logging.Handler):
    """Sends the records of Python's `logging` to the weave of the task that logs them.

    `logging.getLogger().addHandler(LogHandler())`: like `log` it does nothing outside.
    """

    def emit(self, record: logging.LogRecord) -> None:
        """See `logging.Handler`."""
        reports = _current.get()
        if reports is None:
            return
        try:
            number = min(max(record.levelno // 10, 1), 5)
            reports.log(self.format(record), LEVELS[number - 1], record.name)
        except Exception:  # noqa: BLE001 - as logging's own handlers do
            self.handleError(record)


class Reports:
    """Progress and log lines of one execution. Any thread may use it.

    Args:
        payload: says what its receiver takes.
        messages: of the execution.
        route: of the execution.
        heard: called with each answer that asks to stop, from the sending thread.
    """

    def __init__(
        self,
        payload: TaskPayload,
        messages: Messages,
        route: Route,
        heard: Callable[[Answer], None],
    ) -> None:
        self._takes_progress = "progress" in payload.accepts
        self._takes_log = "log" in payload.accepts
        self._max_bytes = payload.max_event_bytes
        self._messages = messages
        self._route = route
        self._heard = heard
        self._changed = threading.Condition()
        self._waiting: deque[Body] = deque(maxlen=MAX_WAITING)
        self._sending = False
        self._started = False
        self._closed = False

    @contextmanager
    def current(self) -> Iterator[None]:
        """What the block calls reports here."""
        token = _current.set(self)
        try:
            yield
        finally:
            _current.reset(token)

    def progress(self, current: float | None, total: float | None, unit: str, message: str) -> None:
        """See the function of that name."""
        if self._takes_progress and not self._closed:
            self._put(self._messages.progress(current, total, unit, message))

    def log(self, message: str, level: str, logger: str) -> None:
        """See the function of that name."""
        if self._takes_log and not self._closed:
            self._put(self._messages.log(message, level, logger))

    def close(self) -> None:
        """The task is over: what was said so far is sent, if that is quickly done."""
        with self._changed:
            self._closed = True
            deadline = time.monotonic() + FLUSH_SECONDS
            while (self._waiting or self._sending) and time.monotonic() < deadline:
                self._changed.wait(deadline - time.monotonic())
            self._waiting.clear()
            self._changed.notify_all()

    def _put(self, body: Body) -> None:
        if self._max_bytes and len(body.data) > self._max_bytes:
            return
        with self._changed:
            if self._closed:
                return
            if not self._started:
                try:
                    threading.Thread(target=self._send, name="wove-reports", daemon=True).start()
                except RuntimeError:  # no thread: what the task says is lost, not the task
                    return
                self._started = True
            self._waiting.append(body)
            self._changed.notify_all()

    def _send(self) -> None:
        while True:
            with self._changed:
                self._sending = False
                self._changed.notify_all()
                while not self._waiting:
                    if self._closed:
                        return
                    self._changed.wait()
                body = self._waiting.popleft()
                self._sending = True
            answer = self._route.post(body, timeout=SEND_SECONDS)
            if answer.cancels or answer.verdict is Verdict.GONE:
                self._heard(answer)
