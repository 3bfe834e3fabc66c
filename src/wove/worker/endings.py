"""How a run ended, as its terminal event."""

from __future__ import annotations

import sys
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from wove.contract import ContractError
from wove.dispatch.failures import error_info, scrub, words_of
from wove.dispatch.pickling import dumps, dumps_exception, find_unpicklable
from wove.dispatch.plain import NotPlain, dump_plain
from wove.errors import (
    DeliveryError,
    ErrorCode,
    PayloadTooLargeError,
    ResultNotPicklableError,
    WorkerLostError,
)
from wove.worker.host import worker_id
from wove.worker.messages import Body, Messages
from wovepb.v1.event_pb2 import Event

__all__ = ["Ending", "Endings", "not_loadable"]

SHOWN = 200
"""Characters that an error shows of a value."""


@dataclass(frozen=True)
class Ending:
    """A terminal event, encoded, and what the summary says of it.

    Attributes:
        outcome: as in RunSummary.
        body: the event.
        kind: of the error; empty without one.
        message: of the error.
    """

    outcome: str
    body: Body
    kind: str = ""
    message: str = ""


class Endings:
    """Makes terminal events that fit the receiver.

    Args:
        messages: of the execution.
        task: the task's name, for errors.
        max_bytes: the largest event that the receiver takes; 0: no limit known.
        pickles: exceptions may travel as pickles.
    """

    def __init__(
        self, messages: Messages, *, task: str, max_bytes: int, pickles: bool = True
    ) -> None:
        self._pickles = pickles
        self._messages = messages
        self._task = task
        self._max_bytes = max_bytes

    def returned(self, value: Any) -> Ending:
        """The callable returned `value`."""
        try:
            pickle = dumps(value)
        except BaseException as trouble:  # noqa: BLE001 - the value's own code ran
            return self.wove_failed(self._not_picklable(value, trouble))
        body = self._fitting(lambda: self._messages.result(pickle))
        if isinstance(body, DeliveryError):
            return self.wove_failed(body)
        return Ending("succeeded", body)

    def returned_plain(self, value: Any) -> Ending:
        """The callable returned `value` to a payload without pickles."""
        try:
            text = dump_plain(value, f"{self._task}.result")
        except NotPlain as trouble:
            return self.wove_failed(_not_plain(self._task, trouble))
        body = self._fitting(lambda: self._messages.plain_result(text))
        if isinstance(body, DeliveryError):
            return self.wove_failed(body)
        return Ending("succeeded", body)

    def interrupted(self, exc: BaseException) -> Ending:
        """The callable was stopped because its host raised `exc` at the run.

        A soft time limit is about the task, and is the task's error. An exit or an interrupt
        is about the worker, which was told to stop: the task is lost with it.
        """
        if isinstance(exc, Exception):
            return self.raised(exc)
        error = WorkerLostError(f"its worker was told to stop: {_stop_words(exc)}")
        error.__cause__ = exc
        return self.wove_failed(error)

    def raised(self, exc: BaseException) -> Ending:
        """The callable raised `exc`.

        Exits and interrupts are described only: loaded, they would end the weave's process.
        """
        info = error_info(exc)
        if not isinstance(exc, Exception):
            info.message = scrub(_exit_words(exc))
        loads = self._pickles and isinstance(exc, Exception)
        pickle = dumps_exception(exc) if loads else None
        for attempt in (pickle, None):
            event = self._messages.error(info, attempt)
            body = self._fitting(lambda event=event: event)  # type: ignore[misc]
            if not isinstance(body, DeliveryError):
                return Ending("failed", body, info.kind, info.message)
        return self.minimal(info.kind, info.message, source="task")

    def wove_failed(self, error: DeliveryError) -> Ending:
        """Running or delivering failed for a reason of Wove's own."""
        info = error_info(error, source="wove", code=error.code.value)
        body = self._fitting(lambda: self._messages.error(info))
        if isinstance(body, DeliveryError):
            return self.minimal(info.kind, info.message, source="wove", code=info.code)
        return Ending("failed", body, info.kind, info.message)

    def worker_failed(self, trouble: BaseException) -> Ending:
        """Something in the worker itself went wrong, and the callable's outcome is not known."""
        words = f"the worker itself failed at task {self._task!r}: {words_of(trouble)}"
        return self.minimal(WorkerLostError.__name__, words, code=ErrorCode.WORKER_LOST.value)

    def stopped(self, reason: str, *, forced: bool = False) -> Ending:
        """The callable was stopped."""
        event = self._messages.cancelled(reason, forced=forced)
        return Ending("cancelled", self._messages.encode(event), "", reason)

    def minimal(self, kind: str, message: str, *, source: str = "wove", code: str = "") -> Ending:
        """In place of an event that the receiver does not take."""
        event = self._messages.minimal_error(kind, message, source=source, code=code)
        return Ending("failed", self._messages.encode(event), kind, message)

    def _fitting(self, make: Callable[[], Event]) -> Body | DeliveryError:
        """The event's body, or why it cannot be sent."""
        try:
            body = self._messages.encode(make())
        except (ContractError, ValueError, MemoryError) as error:  # protobuf ends at 2 GiB
            return self._too_large(None, f"it cannot be encoded: {error}")
        size = len(body.data)
        if self._max_bytes and size > self._max_bytes:
            return self._too_large(size, f"the receiver takes {self._max_bytes} bytes")
        return body

    def _too_large(self, size: int | None, reason: str) -> PayloadTooLargeError:
        measured = "" if size is None else f" ({size} bytes in its event)"
        return PayloadTooLargeError(
            f"the result of task {self._task!r} is too large to send{measured}: {reason}. "
            "Return less, or store it and return where it is.",
            code=ErrorCode.RESULT_TOO_LARGE,
            size=size,
            limit=self._max_bytes or None,
        )

    def _not_picklable(self, value: Any, trouble: BaseException) -> ResultNotPicklableError:
        try:
            path, kind = find_unpicklable(value)
        except Exception:  # noqa: BLE001 - the value's own code ran
            path, kind = "", type(value).__name__
        where = f" at result{path}" if path else ""
        error = ResultNotPicklableError(
            f"task {self._task!r} returned a {type(value).__name__} that cannot be pickled: "
            f"{kind}{where}: {type(trouble).__name__}: {_words(trouble)}. "
            "Return plain data, or a type that pickles."
        )
        error.__cause__ = trouble
        return error


def _not_plain(task: str, trouble: NotPlain) -> ResultNotPicklableError:
    return ResultNotPicklableError(
        f"task {task!r} returned what JSON does not carry exactly: {trouble}. "
        "Return None, bool, int, finite float, str, list, and dict with str keys."
    )


def not_loadable(task: str, part: str, trouble: BaseException) -> DeliveryError:
    """The payload's `part` could not be unpickled in this worker."""
    advice = "Make sure that the worker has the same code and packages as the weave."
    if isinstance(trouble, ModuleNotFoundError) and trouble.name:
        advice = f"Install the module {trouble.name!r} there, or put it on that Python's path."
    error = DeliveryError(
        f"the worker could not load {part} of task {task!r}: "
        f"{type(trouble).__name__}: {_words(trouble)} "
        f"(worker {worker_id()}, Python {sys.executable}). {advice}",
        code=ErrorCode.PAYLOAD_NOT_LOADABLE,
    )
    error.__cause__ = trouble
    return error


def _exit_words(exc: BaseException) -> str:
    if isinstance(exc, SystemExit):
        return f"the task called sys.exit({_shown(exc.code)}): return, or raise an exception"
    text = _words(exc)
    return f"the task was ended by {type(exc).__name__}" + (f": {text}" if text else "")


def _shown(value: Any) -> str:
    try:
        # A long text is cut before it is copied once more.
        return repr(value[:SHOWN] if type(value) is str else value)[:SHOWN]
    except BaseException:  # noqa: BLE001 - the object's own __repr__
        return f"a {type(value).__name__}"


def _stop_words(exc: BaseException) -> str:
    # The status of an exit says nothing here: Celery's is -241 for SIGTERM.
    text = "" if isinstance(exc, SystemExit) else _words(exc)
    return type(exc).__name__ + (f": {text}" if text else "")


def _words(exc: BaseException) -> str:
    try:
        return str(exc)
    except BaseException:  # noqa: BLE001 - the exception's own __str__
        return "<no text>"
