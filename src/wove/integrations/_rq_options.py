"""Arguments of `Queue.enqueue`: Wove's own, and what the setting `enqueue_options` may change."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

from wove.integrations._expiry import expiry_seconds

__all__ = ["check_enqueue_options", "enqueue_options"]

FAILURE_SECONDS = 7 * 24 * 3600
"""How long RQ keeps a failed job, payload included. Its own default is a year."""


def check_enqueue_options(options: Any, known: frozenset[str]) -> dict[str, Any]:
    """The setting `enqueue_options`, if Wove can follow it.

    Args:
        options: the setting.
        known: what RQ takes as its own.

    Raises:
        TypeError: it is no mapping, or holds what is not `known`.
    """
    if options is None:
        return {}
    if not isinstance(options, Mapping):
        raise TypeError(
            "executor_config['enqueue_options'] must map arguments of RQ's Queue.enqueue to "
            f"their values, not {type(options).__name__}"
        )
    other = sorted(set(options) - known)
    if other:
        # RQ would hand what it does not know to the worker's function.
        raise TypeError(
            f"executor_config['enqueue_options'] cannot set {', '.join(map(repr, other))}: "
            f"RQ's options are {', '.join(sorted(known))}"
        )
    return dict(options)


def enqueue_options(
    payload: Mapping[str, Any],
    frame: Mapping[str, Any],
    *,
    job_id: str,
    chosen: Mapping[str, Any],
    queue_timeout: int | None,
) -> dict[str, Any]:
    """Arguments of `Queue.enqueue` for one payload, but for the function and its argument.

    Args:
        payload: of the run.
        frame: the `run_task` command.
        job_id: the identifier that the job should have.
        chosen: the checked setting `enqueue_options`; it beats ours.
        queue_timeout: the seconds that the queue's maker allows its jobs, if he chose any.
    """
    options: dict[str, Any] = {
        "job_id": job_id,
        # RQ would show and log the call, and so the payload, which holds a token.
        "description": payload.get("task_name") or payload["task_id"],
        "failure_ttl": FAILURE_SECONDS,
    }
    if queue_timeout is None:
        options["job_timeout"] = -1  # the weave's own `timeout` bounds it, not RQ's 3 minutes
    expires = expiry_seconds(payload, frame)
    if expires is not None:
        options["ttl"] = math.ceil(expires)
    if frame.get("job_id"):  # made of the idempotency key
        options["unique"] = True
    return {**options, **chosen}
