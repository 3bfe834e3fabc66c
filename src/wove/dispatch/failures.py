"""Exceptions as data, and data as exceptions."""

from __future__ import annotations

import traceback
from collections.abc import Mapping
from types import TracebackType
from typing import Any

from wove.dispatch.pickling import loads
from wove.errors import (
    CallbackUnreachableError,
    DeliveryError,
    EnvironmentExecutionError,
    ErrorCode,
    PayloadTooLargeError,
    ResultNotPicklableError,
    VersionMismatchError,
    WorkerLostError,
)
from wovepb.v1.event_pb2 import ErrorInfo, TaskError

__all__ = ["RemoteTraceback", "error_info", "exception_from_error", "scrub", "words_of"]

MAX_DEPTH = 8
"""Levels of causes and group members below the outermost error (event.proto)."""
MAX_MESSAGE_BYTES = 64 * 1024
MAX_TRACEBACK_BYTES = 256 * 1024
MAX_MEMBERS = 32
"""Members of an exception group that are described."""
MAX_DESCRIBED = 256
"""Exceptions that are described in all: groups may share their members."""

_CAUSE: Any = BaseException.__dict__["__cause__"]

_TYPES: dict[ErrorCode, type[DeliveryError]] = {
    ErrorCode.CALLBACK_MISDIRECTED: CallbackUnreachableError,
    ErrorCode.CALLBACK_UNREACHABLE: CallbackUnreachableError,
    ErrorCode.PAYLOAD_TOO_LARGE: PayloadTooLargeError,
    ErrorCode.RESULT_NOT_PICKLABLE: ResultNotPicklableError,
    ErrorCode.RESULT_TOO_LARGE: PayloadTooLargeError,
    ErrorCode.VERSION_MISMATCH: VersionMismatchError,
    ErrorCode.WORKER_LOST: WorkerLostError,
}
_FACTS = ("task", "environment", "run_id", "backend", "backend_job_id")


class RemoteTraceback(Exception):  # noqa: N818 - it is no error, it is where one was
    """The worker's traceback as text; the `__cause__` of an exception that came from there."""

    def __init__(self, text: str) -> None:
        super().__init__(text)
        self.text = text

    def __str__(self) -> str:
        return f'\n"""\n{self.text}"""'


def error_info(
    exc: BaseException, *, source: str = "task", code: str = "", retryable: bool | None = None
) -> ErrorInfo:
    """Describe an exception within the limits of event.proto.

    Args:
        exc: what was raised. Its own code may fail in any way; this function does not.
        source: whose failure it is: "task" or "wove".
        code: with source "wove", the value of a member of `ErrorCode`.
        retryable: whether another try may succeed, where that is known.
    """
    info = _Describer().describe(exc, MAX_DEPTH)
    info.traceback = _cut_middle(_format(exc), MAX_TRACEBACK_BYTES)
    info.source = source
    info.code = code
    if retryable is not None:
        info.retryable = retryable
    return info


def exception_from_error(error: TaskError, facts: Mapping[str, Any]) -> Exception:
    """The exception that a `task_error` stands for, in the weave's process.

    Args:
        error: the frame of a trusted event: its pickles are loaded.
        facts: `task`, `environment`, `run_id`, `backend` and `backend_job_id`, where known.

    Returns:
        The task's own exception, its `__cause__` a `RemoteTraceback`; a `DeliveryError` of
        the type that belongs to the code, if it was Wove that failed; else, and for an
        exit or an interrupt (which must not end this process), an
        `EnvironmentExecutionError` that describes what was raised.
    """
    info = error.error
    exc, trouble = _load_exception(error.exception_pickle)
    if exc is None:
        exc = _delivery_error(info, facts) or _execution_error(error, facts, trouble)
    if info.traceback and exc.__cause__ is None:
        # Through the descriptor: a frozen class refuses to have attributes set.
        _CAUSE.__set__(exc, RemoteTraceback(info.traceback))
    return exc


def words_of(exc: BaseException) -> str:
    """Type and text of any exception; its own code may fail in any way, this does not."""
    return f"{type(exc).__name__}: {_message(exc)}"


def scrub(text: str, limit: int = MAX_MESSAGE_BYTES) -> str:
    """Text that any field can hold: valid Unicode, at most `limit` bytes of UTF-8."""
    data = text.encode("utf-8", "backslashreplace")
    if len(data) > limit:
        data = data[: limit - 3] + b"..."
    return data.decode("utf-8", "ignore")


class _Describer:
    """Describes one exception, its causes and members, of which there may be any number."""

    def __init__(self) -> None:
        self._left = MAX_DESCRIBED

    def describe(self, exc: BaseException, depth: int) -> ErrorInfo:
        self._left -= 1
        info = ErrorInfo(kind=scrub(type(exc).__name__, 1024), message=scrub(_message(exc)))
        if depth == 0:
            return info
        cause = exc.__cause__
        if cause is None and not exc.__suppress_context__:
            cause = exc.__context__
        if cause is not None and self._left > 0:
            info.cause.CopyFrom(self.describe(cause, depth - 1))
        for member in _members(exc)[:MAX_MEMBERS]:
            if self._left <= 0:
                break
            info.exceptions.append(self.describe(member, depth - 1))
        return info


def _members(exc: BaseException) -> list[BaseException]:
    try:
        members = getattr(exc, "exceptions", None)
        if isinstance(members, (tuple, list)):
            return [member for member in members if isinstance(member, BaseException)]
    except BaseException:  # noqa: BLE001, S110 - the exception's own attribute
        pass
    return []


def _message(exc: BaseException) -> str:
    try:
        return str.__str__(str(exc))  # not a subclass, whose methods would be anybody's
    except BaseException as trouble:  # noqa: BLE001 - the exception's own __str__
        return f"<its __str__ raised {type(trouble).__name__}>"


def _format(exc: BaseException) -> str:
    try:
        lines = traceback.format_exception(type(exc), exc, _without_worker(exc.__traceback__))
    except BaseException as trouble:  # noqa: BLE001 - the exception's own code
        return f"<the traceback could not be formatted: {type(trouble).__name__}>\n"
    return "".join(lines)


def _without_worker(trace: TracebackType | None) -> TracebackType | None:
    """The part of a traceback that begins with the task's own code."""
    here = trace
    while here is not None and here.tb_frame.f_globals.get("__name__", "").startswith("wove."):
        here = here.tb_next
    return here or trace


def _cut_middle(text: str, limit: int) -> str:
    data = text.encode("utf-8", "backslashreplace")
    if len(data) > limit:
        mark = f"\n... {len(data) - limit} bytes cut ...\n".encode()
        half = (limit - len(mark)) // 2
        data = data[:half] + mark + data[-half:]
    return data.decode("utf-8", "ignore")


def _load_exception(data: bytes) -> tuple[Exception | None, str]:
    if not data:
        return None, ""
    try:
        exc = loads(data)
    except BaseException as trouble:  # noqa: BLE001 - anything that a stranger's pickle may do
        return None, words_of(trouble)
    if isinstance(exc, Exception):
        return exc, ""
    return None, ""


def _delivery_error(info: ErrorInfo, facts: Mapping[str, Any]) -> DeliveryError | None:
    if info.source != "wove" or not info.code:
        return None
    known = {name: facts[name] for name in _FACTS if facts.get(name) is not None}
    try:
        code = ErrorCode(info.code)
    except ValueError:  # a newer worker's
        return None
    return _TYPES.get(code, DeliveryError)(info.message, code=code, reason=info.message, **known)


def _execution_error(
    error: TaskError, facts: Mapping[str, Any], trouble: str
) -> EnvironmentExecutionError:
    payload = _as_dict(error.error) if error.HasField("error") else _load_payload(error)
    if trouble:
        payload["load_error"] = trouble
    what = f"{payload.get('kind') or 'Error'}: {payload.get('message') or 'no message'}"
    where = f"task {facts['task']!r}" if facts.get("task") else "the task"
    if facts.get("environment"):
        where += f" in environment {facts['environment']!r}"
    note = f" (its exception cannot be loaded here: {trouble})" if trouble else ""
    return EnvironmentExecutionError(f"{where} failed: {what}{note}", payload)


def _load_payload(error: TaskError) -> dict[str, Any]:
    """The description that workers of the published package send as a pickle."""
    if not error.error_pickle:
        return {}
    try:
        payload = loads(error.error_pickle)
    except BaseException as trouble:  # noqa: BLE001 - as above
        return {"message": f"the worker's description cannot be loaded: {_message(trouble)}"}
    return dict(payload) if isinstance(payload, Mapping) else {"message": str(payload)}


def _as_dict(info: ErrorInfo) -> dict[str, Any]:
    found: dict[str, Any] = {"kind": info.kind, "message": info.message}
    for name in ("traceback", "retryable"):
        if info.HasField(name):
            found[name] = getattr(info, name)
    for name in ("source", "code"):
        if getattr(info, name):
            found[name] = getattr(info, name)
    if info.HasField("cause"):
        found["cause"] = _as_dict(info.cause)
    if info.exceptions:
        found["exceptions"] = [_as_dict(member) for member in info.exceptions]
    return found
