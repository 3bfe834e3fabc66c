"""Every exception Wove raises on its own account.

A task's own exception comes back as itself; the types here are for what goes
wrong around it. Everything derives from `WoveError`. Delivery failures derive
from `DeliveryError`, whose `code` is one member of the closed `ErrorCode` enum
and whose facts (task, environment, run, backend job) are attributes.

This module imports nothing of Wove, so every layer may raise from it.
"""

from __future__ import annotations

import enum
from collections.abc import Mapping
from typing import Any

__all__ = [
    "CallbackUnreachableError",
    "DeliveryError",
    "DeliveryOrphanedError",
    "DeliveryTimeoutError",
    "EnvironmentExecutionError",
    "ErrorCode",
    "MissingDispatchFeatureError",
    "MissingPackageError",
    "PayloadTooLargeError",
    "ResultNotPicklableError",
    "SubmissionError",
    "TaskTimeoutError",
    "UnresolvedSignatureError",
    "VersionMismatchError",
    "WorkerLostError",
    "WoveError",
]


class WoveError(Exception):
    """Root of all exceptions that Wove defines."""


class UnresolvedSignatureError(WoveError, NameError):
    """A task's parameter names neither a task nor a keyword of the weave."""


class TaskTimeoutError(WoveError, TimeoutError):
    """A task ran longer than its `timeout` (seconds).

    Attributes:
        task: name of the task or merge whose timeout it was; an exception of that type
            that went through other tasks is not theirs.
    """

    task: str | None = None


class MissingDispatchFeatureError(WoveError, RuntimeError):
    """Something needs `wove[dispatch]`, which is not installed.

    Attributes:
        reason: what needed it, as a sentence fragment.
    """

    def __init__(self, reason: str) -> None:
        super().__init__(
            f"{reason} needs Wove's dispatch support. Install with: pip install 'wove[dispatch]'"
        )
        self.reason = reason

    def __reduce__(self) -> tuple[Any, ...]:
        return (type(self), (self.reason,))


class MissingPackageError(WoveError, RuntimeError):
    """An environment's backend needs a package that is not installed."""


class EnvironmentExecutionError(WoveError, RuntimeError):
    """A remote failure known only by its description, not by an exception object.

    Attributes:
        payload: the description as a dictionary: `kind`, `message`, and where
            the worker sent them `traceback`, `retryable`, `source`, `cause`.
    """

    def __init__(
        self, message: str | Mapping[str, Any], payload: Mapping[str, Any] | None = None
    ) -> None:
        if not isinstance(message, str):  # the published package takes the description alone
            payload, message = message, str(message.get("message") or message)
        super().__init__(message)
        self.payload: dict[str, Any] = dict(payload or {})

    def __reduce__(self) -> tuple[Any, ...]:
        return (type(self), (self.args[0], self.payload))


class ErrorCode(str, enum.Enum):
    """What went wrong with a delivery. The set is closed; the values travel on the wire."""

    DELIVERY_TIMEOUT = "delivery_timeout"
    """`delivery_timeout` passed between submission and the terminal event."""
    START_TIMEOUT = "start_timeout"
    """`start_timeout` passed between submission and an accepted `task_started`."""
    HEARTBEAT_TIMEOUT = "heartbeat_timeout"
    """A custom executor said nothing for `delivery_heartbeat_seconds`."""
    ORPHANED = "orphaned"
    """The worker was lost, or the weave stopped, under a policy that gives the job up."""
    SUBMIT_FAILED = "submit_failed"
    """The backend, or its client library, refused the submission."""
    BACKEND_UNAVAILABLE = "backend_unavailable"
    """The backend could not be reached at submission."""
    DUPLICATE_KEY = "duplicate_key"
    """The backend already has a job under this `delivery_idempotency_key`."""
    WORKER_LOST = "worker_lost"
    """The worker died, or fell silent and the backend could not vouch for it."""
    BACKEND_FAILED = "backend_failed"
    """The backend says that the job failed, and no terminal event came."""
    BACKEND_CANCELLED = "backend_cancelled"
    """The backend says that somebody cancelled the job."""
    BACKEND_FORGOT = "backend_forgot"
    """The backend no longer knows the job."""
    RESULT_MISSING = "result_missing"
    """The backend says that the job succeeded, and no result came."""
    CALLBACK_UNREACHABLE = "callback_unreachable"
    """The worker could not deliver its events to the callback URL."""
    CALLBACK_MISDIRECTED = "callback_misdirected"
    """The callback URL leads to another process than the one that waits."""
    PAYLOAD_TOO_LARGE = "payload_too_large"
    """The payload is over what the backend can carry."""
    RESULT_TOO_LARGE = "result_too_large"
    """The result is over what the receiver takes."""
    PAYLOAD_NOT_PICKLABLE = "payload_not_picklable"
    """The callable or an argument cannot be pickled."""
    PAYLOAD_NOT_LOADABLE = "payload_not_loadable"
    """The worker could not load the callable or its arguments."""
    INVALID_PAYLOAD = "invalid_payload"
    """The worker was handed something that is no Wove payload."""
    UNKNOWN_TASK = "unknown_task"
    """The worker has no function of the task's name, and the payload carries none."""
    PAYLOAD_NOT_PLAIN = "payload_not_plain"
    """JSON cannot carry an argument exactly, and the environment allows no pickle."""
    RESULT_NOT_PICKLABLE = "result_not_picklable"
    """The task's result cannot be pickled."""
    RESULT_NOT_LOADABLE = "result_not_loadable"
    """The result arrived and cannot be unpickled in the weave's process."""
    VERSION_MISMATCH = "version_mismatch"
    """Weave and worker run versions that cannot exchange this payload."""
    UNSUPPORTED_FEATURE = "unsupported_feature"
    """One side used a feature of the contract that the other does not know."""
    CANCEL_UNCONFIRMED = "cancel_unconfirmed"
    """`require_ack` was asked for and no proof of the cancellation came in time."""
    TASK_CANCELLED = "task_cancelled"
    """The worker reports the task as cancelled, and this weave had not asked for it."""
    EXECUTOR_FAILED = "executor_failed"
    """The environment's executor itself failed."""
    EVENT_REFUSED = "event_refused"
    """The receiver refused the worker's event as invalid."""


class DeliveryError(WoveError, RuntimeError):
    """A task could not be delivered to its environment, or its outcome not brought back.

    Args:
        message: what went wrong, where, and what to do.
        code: the member of `ErrorCode` that says it to a program.
        task: name of the task.
        environment: name of the environment.
        run_id: the run that failed.
        backend: the executor's name, such as "celery".
        backend_job_id: the backend's own identifier of the job.
        reason: the backend's or the operating system's own words.
        limit: the limit that was passed, in the unit the message names.
        size: what was measured against it.

    All of them are attributes of the same name.
    """

    default_code: ErrorCode = ErrorCode.EXECUTOR_FAILED

    def __init__(
        self,
        message: str,
        *,
        code: ErrorCode | None = None,
        task: str | None = None,
        environment: str | None = None,
        run_id: str | None = None,
        backend: str | None = None,
        backend_job_id: str | None = None,
        reason: str | None = None,
        limit: float | None = None,
        size: float | None = None,
    ) -> None:
        super().__init__(message)
        self.code = self.default_code if code is None else code
        self.task = task
        self.environment = environment
        self.run_id = run_id
        self.backend = backend
        self.backend_job_id = backend_job_id
        self.reason = reason
        self.limit = limit
        self.size = size

    def __reduce__(self) -> tuple[Any, ...]:
        # Keyword-only facts do not survive BaseException's own reduction.
        return (_rebuild, (type(self), self.args), dict(self.__dict__))


def _rebuild(cls: type[DeliveryError], args: tuple[Any, ...]) -> DeliveryError:
    return cls.__new__(cls, *args)


class DeliveryTimeoutError(DeliveryError):
    """The run did not start or end within the seconds it was given."""

    default_code = ErrorCode.DELIVERY_TIMEOUT


class DeliveryOrphanedError(DeliveryError):
    """The run was given up under `delivery_orphan_policy="fail"` or `"detach"`."""

    default_code = ErrorCode.ORPHANED


class SubmissionError(DeliveryError):
    """The backend did not take the job; the task has not run."""

    default_code = ErrorCode.SUBMIT_FAILED


class WorkerLostError(DeliveryError):
    """The job's worker is gone and no terminal event came; the task may have run in part."""

    default_code = ErrorCode.WORKER_LOST


class PayloadTooLargeError(DeliveryError):
    """The payload or the result is over a limit; `size` and `limit` are bytes."""

    default_code = ErrorCode.PAYLOAD_TOO_LARGE


class VersionMismatchError(DeliveryError):
    """Weave and worker run versions of Python or Wove that cannot exchange this payload."""

    default_code = ErrorCode.VERSION_MISMATCH


class CallbackUnreachableError(DeliveryError):
    """Events cannot reach the weave's receiver at the callback URL."""

    default_code = ErrorCode.CALLBACK_UNREACHABLE


class ResultNotPicklableError(DeliveryError):
    """The task ran, and its result cannot cross the process boundary."""

    default_code = ErrorCode.RESULT_NOT_PICKLABLE
