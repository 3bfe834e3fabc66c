"""What Celery's answers say about a job, in Wove's words. No input, no output."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from wove.executors.backend_state import BackendState, BackendStatus

if TYPE_CHECKING:
    from wove.integrations._celery_broker import CeleryJob

_LOST_WITH_ITS_WORKER = ("WorkerLostError", "Terminated")


def state_from_result(meta: Mapping[str, Any]) -> BackendState | None:
    """State from a result backend's record; None when the record settles nothing.

    PENDING is also what Celery answers for an id that it has never seen, and
    STARTED stays for ever when a worker dies: for both the workers are asked.
    """
    status, result = meta.get("status"), meta.get("result")
    if status == "SUCCESS":
        return BackendState(BackendStatus.SUCCEEDED, "Celery's result backend says SUCCESS")
    if status == "REVOKED":
        return BackendState(BackendStatus.CANCELLED, f"Celery says REVOKED: {_words(result)}")
    if status == "FAILURE":
        lost = type(result).__name__ in _LOST_WITH_ITS_WORKER
        kind = BackendStatus.LOST if lost else BackendStatus.FAILED
        return BackendState(kind, f"Celery says FAILURE: {_words(result)}")
    return None


def state_from_workers(job: CeleryJob, answers: Mapping[str, Any]) -> BackendState:
    """State from the workers' answers to `query_task`: {worker: {id: [state, info]}}.

    Remembers in `job.worker` who ran the job (one that only reserved it may give it back to
    the queue when it stops). A worker that had it and now answers
    without it has lost it: the process that ran it was killed; a worker that does
    not answer may be busy (the solo pool answers nothing while a task runs).
    """
    for worker, jobs in answers.items():
        if not isinstance(jobs, Mapping) or job.id not in jobs:
            continue
        state = jobs[job.id][0]
        if state == "active":
            job.worker = worker
            return BackendState(BackendStatus.RUNNING, f"{worker} is running it")
        if state in ("reserved", "scheduled"):
            return BackendState(BackendStatus.QUEUED, f"{worker} has it {state}")
        return BackendState(BackendStatus.CANNOT_SAY, f"{worker} calls it {state}")
    if job.worker is None:
        heard = f"answered: {', '.join(sorted(answers))}" if answers else "none answered"
        words = f"no worker has it ({heard}); it may be queued"
        return BackendState(BackendStatus.CANNOT_SAY, f"{words}, {job.sent}" if job.sent else words)
    if job.worker in answers:
        # Its terminal event would have been acknowledged before the worker let go of it.
        return BackendState(
            BackendStatus.LOST, f"{job.worker} had it, and answers that it no longer has"
        )
    return BackendState(BackendStatus.CANNOT_SAY, f"{job.worker} had it, and does not answer")


def sent_words(task_name: str, options: Mapping[str, Any], conf: Any) -> str:
    """Where a job went, for people: the task's name and, where it is plain, the queue.

    Args:
        task_name: of the worker's task.
        options: of `send_task`.
        conf: the application's configuration; its routes are not followed.
    """
    queue = options.get("queue")
    if queue is None and not (conf.task_routes or options.keys() & {"exchange", "routing_key"}):
        queue = conf.task_default_queue
    name = getattr(queue, "name", queue)  # kombu's Queue has a name
    where = f"in the queue '{name}', " if name else ""
    return f"{where}for the task '{task_name}'"


def was_terminated(job: CeleryJob, answers: Any) -> bool:
    """Whether a worker answered `revoke(terminate=True)` with having ended this very job.

    Workers that do not have it answer "terminate: tasks unknown"; pools that cannot
    end a job (threads, solo) answer with an error.
    """
    for answer in answers or ():
        for said in answer.values():
            text = str(said.get("ok", "")) if isinstance(said, Mapping) else ""
            if text.startswith("terminate: ") and job.id in text:
                return True
    return False


def _words(result: Any) -> str:
    if isinstance(result, BaseException):
        return f"{type(result).__name__}: {result}"
    return str(result)
