"""From event frames to exceptions: what an executor's dictionary means to the weave."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from wove.errors import (
    DeliveryError,
    EnvironmentExecutionError,
    ErrorCode,
    SubmissionError,
    WoveError,
)
from wove.executors.base import Frame
from wove.executors.records import RunRecord

if TYPE_CHECKING:
    from wove.options import DeliveryPolicy

__all__ = ["cancelled_error", "delivery_options", "describe", "frame_error", "submission_error"]


def describe(record: RunRecord) -> dict[str, Any]:
    """The facts of a run that every delivery error carries."""
    return {
        "task": record.task,
        "environment": record.environment,
        "run_id": record.run_id,
        "backend": record.backend,
        "backend_job_id": record.backend_job_id,
    }


def frame_error(frame: Frame, record: RunRecord) -> BaseException:
    """The exception that a `task_error` frame stands for.

    `exception` is raised as it is. `error`, an object or text, becomes an
    `EnvironmentExecutionError`. An exception that would end the weave's own process
    or be taken for its own cancellation (`SystemExit`, `KeyboardInterrupt`,
    `CancelledError`) is wrapped the same way.
    """
    exception = frame.get("exception")
    if isinstance(exception, Exception):
        return exception
    if isinstance(exception, BaseException):
        kind, message = type(exception).__name__, str(exception)
        wrapped = _remote(record, kind, message, {"kind": kind, "message": message})
        wrapped.__cause__ = exception
        return wrapped
    error = frame.get("error")
    if isinstance(error, Mapping):
        payload = dict(error)
        kind, message = str(payload.get("kind") or "Error"), str(payload.get("message") or "")
        return _remote(record, kind, message, payload)
    text = "no details" if error is None else str(error)
    return _remote(record, "Error", text, {"message": text})


def cancelled_error(frame: Frame, record: RunRecord) -> DeliveryError:
    """A `task_cancelled` frame that this weave had not asked for."""
    reason = str(frame.get("reason") or "") or None
    return DeliveryError(
        f"Task '{record.task}' was cancelled in environment '{record.environment}', and not "
        f"by this weave{f': {reason}' if reason else ''}.",
        code=ErrorCode.TASK_CANCELLED,
        reason=reason,
        **describe(record),
    )


def _remote(
    record: RunRecord, kind: str, message: str, payload: dict[str, Any]
) -> EnvironmentExecutionError:
    detail = f"{kind}: {message}" if message else kind
    return EnvironmentExecutionError(
        f"Task '{record.task}' failed in environment '{record.environment}': {detail}", payload
    )


def delivery_options(policy: DeliveryPolicy, key: str | None) -> dict[str, Any]:
    """The `delivery` of a `run_task` frame: only what differs from the built-in default.

    Args:
        policy: the task's resolved delivery options.
        key: the idempotency key made from `policy` and the arguments.
    """
    options = {
        "delivery_timeout": policy.delivery_timeout,
        "delivery_idempotency_key": key,
        "delivery_cancel_mode": policy.delivery_cancel_mode,
        "delivery_heartbeat_seconds": policy.delivery_heartbeat_seconds,
        "delivery_max_in_flight": policy.delivery_max_in_flight,
        "delivery_orphan_policy": policy.delivery_orphan_policy,
    }
    defaults = {"delivery_cancel_mode": "best_effort", "delivery_orphan_policy": "cancel"}
    return {
        name: value
        for name, value in options.items()
        if value is not None and value != defaults.get(name)
    }


def submission_error(error: BaseException, facts: Mapping[str, Any]) -> WoveError:
    """What a run fails with whose submission raised `error`.

    Args:
        error: an adapter's, or its client library's.
        facts: as `describe` gives them; an adapter's own error gets those it lacks.
    """
    if isinstance(error, SubmissionError):
        for name, value in facts.items():
            if getattr(error, name) is None:
                setattr(error, name, value)
        return error
    if isinstance(error, WoveError):
        return error
    words = f"{type(error).__name__}: {error}"
    failure = SubmissionError(
        f"{facts['backend']} did not take task '{facts['task']}' of environment "
        f"'{facts['environment']}': {words}",
        reason=words,
        **facts,
    )
    failure.__cause__ = error
    return failure
