"""The blocking half of the Ray adapter: its tasks in the cluster that this process is part of."""

from __future__ import annotations

import functools
from collections.abc import Callable, Mapping
from concurrent.futures import Future
from dataclasses import dataclass
from typing import Any

from wove.executors.backend_state import BackendState, BackendStatus
from wove.integrations._ray_connection import node_is_gone, node_of_this_process

__all__ = ["RayJob", "cancel", "settled", "states", "submit"]

CANCEL_SECONDS = 2.0
"""How long Ray may take to confirm a cancellation."""

_LOST = frozenset(
    {
        "LocalRayletDiedError",
        "NodeDiedError",
        "OutOfMemoryError",
        "OwnerDiedError",
        "WorkerCrashedError",
    }
)
_NODE_GONE = BackendState(
    BackendStatus.LOST, "the Ray node that this process was connected through is gone"
)


@dataclass(eq=False)
class RayJob:
    """A submitted task. What `submit` returns and `cancel` and `poll` are given."""

    id: str
    """Ray's task id."""
    reference: Any
    """Ray's reference to the result: the task is this process's for as long as it is held."""
    future: Future[Any]
    """Done when the task is over; Ray tells its owner at once."""
    node: str | None
    """The node that this process is connected through, of `node_of_this_process`."""
    cancelled: bool = False
    """We cancelled it, and what Ray says of it since is no news."""


def submit(
    payload: dict[str, Any], options: Mapping[str, Any], on_change: Callable[[], None]
) -> RayJob:
    """Hand one payload to Ray.

    Args:
        payload: the only argument of the Ray task.
        options: of the Ray task.
        on_change: called, in a thread of Ray's, when the task is over.
    """
    reference = _function().options(**options).remote(payload)
    future = reference.future()
    future.add_done_callback(lambda _: on_change())
    return RayJob(reference.task_id().hex(), reference, future, node_of_this_process())


def cancel(job: RayJob, *, force: bool) -> bool:
    """Cancel one task; whether Ray confirms that it does not run.

    Args:
        job: the task.
        force: end the process of a running one.
    """
    import ray

    job.cancelled = True
    if node_is_gone(job.node):  # nobody could tell; and Ray ends a process that asks
        return False
    ray.cancel(job.reference, force=force)
    over, _ = ray.wait([job.reference], timeout=CANCEL_SECONDS, fetch_local=False)
    return bool(over)


def states(jobs: Mapping[str, RayJob]) -> dict[str, BackendState]:
    """What became of tasks, by run id. Does not block."""
    gone = {node for node in {job.node for job in jobs.values()} if node_is_gone(node)}
    return {
        run_id: _NODE_GONE if job.node in gone and not job.future.done() else settled(job)
        for run_id, job in jobs.items()
    }


def settled(job: RayJob) -> BackendState:
    """What Ray has said of a task."""
    if not job.future.done():
        return BackendState(BackendStatus.QUEUED, "Ray has it, queued or running")
    if job.cancelled:
        return BackendState(BackendStatus.CANCELLED, "cancelled by its weave")
    error = job.future.exception()
    if error is None:
        return BackendState(BackendStatus.SUCCEEDED, "Ray says finished")
    cause = getattr(error, "cause", None)
    name = type(error).__name__
    words = str(cause if cause is not None else error).strip()
    if name in _LOST:
        return BackendState(BackendStatus.LOST, f"Ray says {name}: {words}")
    if name == "TaskCancelledError":
        return BackendState(BackendStatus.CANCELLED, f"Ray says {name}: {words}")
    kind = type(cause).__name__ if cause is not None else name
    return BackendState(BackendStatus.FAILED, f"Ray says failed: {kind}: {words}")


@functools.lru_cache(maxsize=1)
def _function() -> Any:
    import ray

    from wove.integrations._reporting import run_and_show_failure

    return ray.remote(run_and_show_failure)
