"""The worker's side of Celery: the task that runs Wove's payloads."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from wove.dispatch.requirements import require_dispatch
from wove.integrations._celery_logs import guard_logs

if TYPE_CHECKING:
    from celery.app.base import Celery

DEFAULT_TASK_NAME = "wove.run_backend_payload"
"""Name of the worker's task when neither side names one."""


def register(app: Celery, name: str = DEFAULT_TASK_NAME) -> Any:
    """Add the task that runs Wove's payloads to a Celery application.

    The task acknowledges early and never retries, so that Celery does not run a
    payload twice (retries belong to the weave). It returns a small summary that JSON
    can carry, whatever the payload's own task did; it fails only when the events
    could not be delivered, which is what an operator should see in red. A filter on
    Celery's loggers keeps payloads out of this process's log, and a request class of its
    own out of what the worker answers to `celery inspect` and to Flower.

    Args:
        app: the application that your workers run.
        name: the task's name; the same as `task_name` on the weave's side.

    Returns:
        The Celery task.

    Raises:
        MissingDispatchFeatureError: the packages of `wove[dispatch]` are not installed.
    """
    require_dispatch("running Wove's payloads in Celery")
    guard_logs(name)
    from wove.integrations.worker import run

    @app.task(
        name=name,
        acks_late=False,
        max_retries=0,
        ignore_result=False,
        track_started=True,
        serializer="json",
        Request="wove.integrations._celery_request:PayloadRequest",
    )
    def wove_payload(payload: Any) -> Any:
        return run(payload)

    return wove_payload
