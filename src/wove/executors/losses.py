"""The errors of runs that were lost, given up, not taken or not proven to have stopped."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from typing import Any

from wove.errors import (
    DeliveryError,
    DeliveryOrphanedError,
    ErrorCode,
    SubmissionError,
    WorkerLostError,
    WoveError,
)
from wove.executors.frames import describe
from wove.executors.records import RunRecord
from wove.executors.verdicts import AFTER_A_LOSS

__all__ = [
    "lost_with_its_worker",
    "not_taken",
    "stopped_with_its_weave",
    "unconfirmed",
    "under_policy",
    "warn_of_detached",
]

logger = logging.getLogger("wove.executors")


def lost_with_its_worker(error: BaseException, record: RunRecord) -> WorkerLostError | None:
    """The loss that a `task_error` reports: its worker was told to stop.

    Returns:
        None for any other error, and for a lost worker of the task's own: a task may itself
        be a weave, whose `WorkerLostError` names another run.
    """
    if not isinstance(error, WorkerLostError) or error.run_id not in (None, record.run_id):
        return None
    words = error.reason or str(error)
    job = f" (job {record.backend_job_id})" if record.backend_job_id else ""
    lost = WorkerLostError(
        f"Task '{record.task}' in environment '{record.environment}'{job}: "
        f"{words.rstrip('.')}. {AFTER_A_LOSS}",
        reason=words,
        **describe(record),
    )
    lost.__cause__ = error.__cause__
    return lost


def under_policy(error: DeliveryError, policy: str, record: RunRecord) -> DeliveryError:
    """What the weave sees of a lost worker: under `fail` and `detach` the run is given up."""
    if not isinstance(error, WorkerLostError) or policy not in ("fail", "detach"):
        return error
    orphaned = DeliveryOrphanedError(
        f"{error} Given up under delivery_orphan_policy='{policy}'.",
        reason=error.reason,
        **describe(record),
    )
    orphaned.__cause__ = error
    return orphaned


def stopped_with_its_weave(record: RunRecord) -> DeliveryOrphanedError:
    """The weave stops, under the policy `fail`."""
    return DeliveryOrphanedError(
        f"The weave stopped while task '{record.task}' was in environment "
        f"'{record.environment}'; its job was cancelled (delivery_orphan_policy='fail').",
        **describe(record),
    )


def unconfirmed(record: RunRecord, seconds: float) -> DeliveryError:
    """`require_ack` waited for proof of a cancellation, in vain."""
    return DeliveryError(
        f"Task '{record.task}' was cancelled in environment '{record.environment}', and within "
        f"cancel_timeout of {seconds:g} s nothing proved that it stopped.",
        code=ErrorCode.CANCEL_UNCONFIRMED,
        limit=seconds,
        **describe(record),
    )


def not_taken(error: Exception, record: RunRecord) -> WoveError:
    """The environment's executor raised `error` when it was given a run."""
    if isinstance(error, WoveError):
        return error
    words = f"{type(error).__name__}: {error}"
    failure = SubmissionError(
        f"Environment '{record.environment}' did not take task '{record.task}': {words}",
        reason=words,
        **describe(record),
    )
    failure.__cause__ = error
    return failure


def warn_of_detached(error: BaseException, facts: Mapping[str, Any]) -> None:
    """A detached run's submission failed after its weave had ended: only the log is left."""
    words = f"{type(error).__name__}: {error}" if str(error) else type(error).__name__
    logger.warning(
        "a detached run in environment %r was not handed over to %s before its weave ended: %s "
        "(run %s)",
        *(facts["environment"], facts["backend"], words, facts["run_id"]),
    )
