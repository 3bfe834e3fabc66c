"""The error that each of the watcher's verdicts becomes."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from wove.errors import CallbackUnreachableError, DeliveryError, ErrorCode, WorkerLostError
from wove.executors.watch import Verdict

__all__ = ["AFTER_A_LOSS", "verdict_error"]

AFTER_A_LOSS = (
    "The task may have run in part. To have it run again, set "
    "delivery_orphan_policy='requeue' or retries."
)
"""What to do about a lost worker."""


def verdict_error(verdict: Verdict, facts: Mapping[str, Any], callback_url: str) -> DeliveryError:
    """Build the error.

    Args:
        verdict: what the judge decided.
        facts: `task`, `environment`, `run_id`, `backend`, `backend_job_id`.
        callback_url: where the worker was to report, without its token.
    """
    kind, code, text = _ERRORS[verdict.cause]
    if verdict.cause == "backend_failed" and "CallbackUnreachableError" in verdict.reason:
        # The worker's own last words to its backend: it could not reach us.
        kind, code, text = _ERRORS["callback_unreachable"]
    message = f"Task '{facts['task']}' in environment '{facts['environment']}': " + text.format(
        backend=facts["backend"], url=callback_url
    )
    if facts.get("backend_job_id"):
        message += f" (job {facts['backend_job_id']})"
    if verdict.reason:
        message += f": {verdict.reason}"
    if kind is WorkerLostError:
        message = f"{message.rstrip('.')}. {AFTER_A_LOSS}"
    return kind(message, code=code, reason=verdict.reason or None, **facts)


_ERRORS: dict[str, tuple[type[DeliveryError], ErrorCode, str]] = {
    "worker_lost": (WorkerLostError, ErrorCode.WORKER_LOST, "its worker in {backend} was lost"),
    "backend_failed": (
        DeliveryError,
        ErrorCode.BACKEND_FAILED,
        "{backend} says that the job failed, and no result came",
    ),
    "backend_cancelled": (
        DeliveryError,
        ErrorCode.BACKEND_CANCELLED,
        "{backend} says that the job was cancelled, and not by this weave",
    ),
    "backend_forgot": (
        DeliveryError,
        ErrorCode.BACKEND_FORGOT,
        "{backend} no longer knows the job, and no result came",
    ),
    "result_missing": (
        DeliveryError,
        ErrorCode.RESULT_MISSING,
        "{backend} says that the job succeeded, and no result came; "
        "does its worker call wove.integrations.worker.run(payload)?",
    ),
    "callback_unreachable": (
        CallbackUnreachableError,
        ErrorCode.CALLBACK_UNREACHABLE,
        "no event of the job has reached {url}; check that {backend}'s workers can "
        "reach that address (of https also that they trust its certificate, see WOVE_HTTPS_CA), "
        "or set callback_url; what the worker printed says more. The backend says",
    ),
}
