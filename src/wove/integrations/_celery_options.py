"""Arguments of `send_task`: Wove's own, and what the setting `send_task_options` may change."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from wove.integrations._expiry import expiry_seconds

__all__ = ["FIXED", "check_send_options", "send_options"]

FIXED = frozenset(
    {
        "name",  # the setting `task_name`
        "args",  # the payload, and nothing else
        "kwargs",
        "connection",  # of the broker in the settings
        "producer",
        "publisher",
        "result_cls",  # the job, as Wove follows it
        "add_to_parent",  # a job of Wove's is nobody's child in Celery
    }
)
"""Arguments of `send_task` that Wove must choose."""


def check_send_options(options: Any) -> dict[str, Any]:
    """The setting `send_task_options`, if Wove can follow it.

    Raises:
        TypeError: it is no mapping, or holds an argument of `FIXED`.
    """
    if options is None:
        return {}
    if not isinstance(options, Mapping):
        raise TypeError(
            "executor_config['send_task_options'] must map arguments of Celery's send_task to "
            f"their values, not {type(options).__name__}"
        )
    fixed = sorted(FIXED.intersection(options))
    if fixed:
        raise TypeError(
            f"executor_config['send_task_options'] cannot set {', '.join(map(repr, fixed))}: "
            "Wove chooses that itself ('task_name', 'app' and 'broker_url' are settings of "
            "their own)"
        )
    return dict(options)


def send_options(
    payload: Mapping[str, Any],
    frame: Mapping[str, Any],
    *,
    job_id: str,
    chosen: Mapping[str, Any],
    queue: str | None,
) -> dict[str, Any]:
    """Arguments of `send_task` for one payload, but for those of `FIXED`.

    Args:
        payload: of the run.
        frame: the `run_task` command.
        job_id: the identifier that the job should have.
        chosen: the checked setting `send_task_options`; it beats ours.
        queue: the setting `queue`; it beats everything.
    """
    options: dict[str, Any] = {
        "task_id": job_id,
        "shadow": payload.get("task_name") or payload["task_id"],  # what Flower shows
        # Celery logs and shows its arguments: the payload holds a token.
        "argsrepr": "(<wove payload>,)",
        "kwargsrepr": "{}",
        "serializer": "json",
        "retry": True,
        "retry_policy": {"max_retries": 1, "interval_start": 0, "interval_max": 0.2},
    }
    expires = expiry_seconds(payload, frame)
    if expires is not None:
        options["expires"] = expires
    options.update(chosen)
    # Whether the worker stores its summary, which the poll reads. Celery's argument of this
    # name would also have us subscribe to it, where nobody reads it.
    stores_nothing = bool(options.pop("ignore_result", False))
    options["headers"] = {"ignore_result": stores_nothing, **(options.get("headers") or {})}
    if queue:
        options["queue"] = queue
    return options
