"""The worker's side of Taskiq: the task that runs Wove's payloads."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from wove.dispatch.requirements import require_dispatch
from wove.integrations._reporting import show_failure

if TYPE_CHECKING:
    from taskiq import AsyncBroker

__all__ = ["DEFAULT_TASK_NAME", "register"]

DEFAULT_TASK_NAME = "wove.run_backend_payload"
"""Name of the worker's task when neither side names one."""


def register(broker: AsyncBroker, name: str = DEFAULT_TASK_NAME, **labels: Any) -> Any:
    """Add the task that runs Wove's payloads to a Taskiq broker.

    It does not hold up the worker's event loop: a sync task runs in a thread of its own, an
    async one on the loop. It returns a small summary that JSON can carry. Taskiq counts it
    as failed when the payload's task raised, and when its end could not be reported.

    A `ListQueueBroker` of taskiq-redis then also takes its jobs, of whatever task, in turns of a
    second, so that none is lost between Redis and the worker.

    Args:
        broker: the broker that your workers listen to.
        name: the task's name; the same as `task_name` on the weave's side.
        labels: more of Taskiq's labels for the task.

    Returns:
        The Taskiq task; the weave's setting `task` takes it.

    Raises:
        MissingDispatchFeatureError: the packages of `wove[dispatch]` are not installed.
    """
    require_dispatch("running Wove's payloads in Taskiq")
    from taskiq import Context, TaskiqDepends

    from wove.integrations._taskiq_listening import take_in_turns
    from wove.integrations.worker import arun
    from wove.worker.host import backend_job

    its_context: Any = TaskiqDepends(Context)

    async def run_backend_payload(payload: Any, context: Any = its_context) -> dict[str, Any]:
        # A quick task is over before its submission has returned with the id.
        backend_job.set(context.message.task_id)
        summary = await arun(payload)
        show_failure(summary)
        return summary

    take_in_turns(broker)
    return broker.register_task(run_backend_payload, task_name=name, **labels)
