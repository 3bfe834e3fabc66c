"""What RQ's workers import beside `wove.integrations.worker.run`."""

from __future__ import annotations

from typing import Any

from wove.integrations._reporting import show_failure

__all__ = ["fail_like_the_task"]


def fail_like_the_task(job: Any, connection: Any, summary: Any) -> None:
    """Have RQ count the job as failed when its task was; the job's success callback.

    The weave has acknowledged the end before this is called, and RQ does not try a job
    again unless `enqueue_options` say so.

    Args:
        job: RQ's job.
        connection: RQ's connection to Redis.
        summary: what `run` returned.

    Raises:
        TaskFailedError: the task raised; with the kind and the message of its error.
    """
    if isinstance(summary, dict):
        show_failure(summary)
