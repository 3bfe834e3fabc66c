"""What is done with jobs in arq's keys: put there, taken out, asked about."""

from __future__ import annotations

import inspect
import time
from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any

from arq import constants  # pyright: ignore[reportMissingImports]
from arq.connections import ArqRedis  # pyright: ignore[reportMissingImports]
from redis.exceptions import WatchError

from wove.executors.backend_state import BackendState
from wove.executors.records import CancelOutcome
from wove.integrations._arq_result import read_result
from wove.integrations._arq_state import ArqJob, Keys, state_of
from wove.integrations._expiry import expiry_seconds

__all__ = ["ask", "cancel", "check_enqueue_options", "enqueue", "enqueue_options"]

ABORT_SECONDS = 7 * 24 * 3600
"""A request to abort a job is kept so long. arq keeps that for a worker that died for ever."""

_KINDS: dict[str, tuple[type, ...]] = {
    "_job_id": (str,),
    "_queue_name": (str,),
    "_defer_until": (datetime,),
    "_defer_by": (int, float, timedelta),
    "_expires": (int, float, timedelta),
    "_job_try": (int,),
}
"""What arq takes as the options of `enqueue_job`; it would complain at each submission."""


def check_enqueue_options(options: Any) -> dict[str, Any]:
    """The setting `enqueue_options`, if Wove can follow it.

    Raises:
        TypeError: it is no mapping, holds what arq would hand to the worker's function, or
            a value that arq does not take.
    """
    if options is None:
        return {}
    if not isinstance(options, Mapping):
        raise TypeError(
            "executor_config['enqueue_options'] must map options of arq's enqueue_job to "
            f"their values, not {type(options).__name__}"
        )
    taken = inspect.signature(ArqRedis.enqueue_job).parameters
    known = sorted(name for name in taken if name.startswith("_"))
    other = sorted(set(options) - set(known))
    if other:
        raise TypeError(
            f"executor_config['enqueue_options'] cannot set {', '.join(map(repr, other))}: "
            f"arq's options are {', '.join(known)}"
        )
    for name, value in options.items():
        kinds = _KINDS.get(name)
        if kinds is not None and value is not None and not isinstance(value, kinds):
            takes = " or ".join(kind.__name__ for kind in kinds)
            raise TypeError(
                f"executor_config['enqueue_options']: {name!r} must be {takes}, not "
                f"{type(value).__name__}"
            )
    if options.get("_defer_by") and options.get("_defer_until"):
        raise TypeError(
            "executor_config['enqueue_options'] has both '_defer_by' and '_defer_until': arq "
            "takes one of them"
        )
    return dict(options)


def enqueue_options(
    payload: Mapping[str, Any],
    frame: Mapping[str, Any],
    *,
    job_id: str,
    queue: str,
    chosen: Mapping[str, Any],
) -> dict[str, Any]:
    """Options of arq's `enqueue_job` for one payload.

    Args:
        payload: of the run.
        frame: the `run_task` command.
        job_id: the identifier that the job should have.
        queue: the queue.
        chosen: the checked setting `enqueue_options`; it beats ours.
    """
    options: dict[str, Any] = {"_job_id": job_id}
    seconds = expiry_seconds(payload, frame)
    if seconds is not None:
        options["_expires"] = seconds
    return {**options, **chosen, "_queue_name": queue}


async def enqueue(
    client: ArqRedis,
    function: str,
    payload: Mapping[str, Any],
    options: dict[str, Any],
    *,
    fresh: bool,
) -> ArqJob | None:
    """Put a job into its queue; None: arq has one of that id already.

    Args:
        client: of this loop.
        function: the name of the worker's function.
        payload: its only argument.
        options: of `enqueue_job`, the job's id and the queue among them.
        fresh: no job has had that id before.
    """
    if not fresh and not await _forget_lost(client, options["_job_id"]):
        return None
    # arq's log shows the first 80 characters of the arguments. In this order they are the
    # task's name and the run, and not the callback's address, which has a token.
    first = {name: payload[name] for name in ("task_name", "task_id", "run_id") if name in payload}
    last = {name: payload[name] for name in ("callback_url",) if name in payload}
    others = {n: value for n, value in payload.items() if n not in first and n not in last}
    job = await client.enqueue_job(function, {**first, **others, **last}, **options)
    return None if job is None else ArqJob(str(job.job_id), options["_queue_name"])


async def _forget_lost(client: ArqRedis, job_id: str) -> bool:
    """Whether arq has no job of this id; then, have it forget how often it tried an older one.

    A job that was lost with its worker leaves that count, and arq would end the new one
    before it began.
    """
    keys = _Names(job_id)
    if await client.exists(keys.job, keys.result, keys.in_progress):
        return False
    async with client.pipeline(transaction=True) as pipe:
        pipe.delete(keys.tries)
        pipe.zrem(keys.aborted, job_id)
        await pipe.execute()
    return True


async def cancel(client: ArqRedis, job: ArqJob) -> CancelOutcome:
    """Take a job out of its queue so that it cannot start; ask for the end of a running one."""
    keys = _Names(job.id)
    pipe: Any  # redis-py's types of it are not all there
    while True:
        async with client.pipeline(transaction=True) as pipe:
            await pipe.watch(keys.in_progress)
            running = bool(await pipe.exists(keys.in_progress))
            pipe.multi()
            pipe.exists(keys.result)
            pipe.zrem(job.queue, job.id)  # of a running one: no worker will do it again
            if running:
                pipe.zadd(keys.aborted, {job.id: _now_ms()})  # workers look there that allow it
                pipe.zremrangebyscore(keys.aborted, 0, _now_ms() - ABORT_SECONDS * 1000)
            else:
                pipe.delete(keys.job, keys.tries)
            try:
                over, taken, *_ = await pipe.execute()
            except WatchError:  # a worker took it, or ended it, meanwhile
                continue
        return "stopped" if over or (taken and not running) else "asked"


async def ask(client: ArqRedis, jobs: Mapping[str, ArqJob]) -> dict[str, BackendState]:
    """What arq's keys say of the jobs, by run id."""
    async with client.pipeline(transaction=True) as pipe:  # each job's keys of one moment
        for job in jobs.values():
            keys = _Names(job.id)
            pipe.get(keys.result)
            pipe.exists(keys.in_progress)
            pipe.zscore(job.queue, job.id)
            pipe.exists(keys.job)
            pipe.get(keys.tries)
        answers = iter(await pipe.execute())
    states = {}
    for run_id, job in jobs.items():
        result, in_progress, due, held, tries = (next(answers) for _ in range(5))
        found = Keys(
            result=None if result is None else read_result(result, client.job_deserializer),
            in_progress=bool(in_progress),
            due_ms=due,
            held=bool(held),
            tries=int(tries or 0),
        )
        states[run_id] = state_of(job, found, now_ms=_now_ms())
    return states


class _Names:
    """arq's keys of one job."""

    def __init__(self, job_id: str) -> None:
        self.job: str = constants.job_key_prefix + job_id
        self.result: str = constants.result_key_prefix + job_id
        self.in_progress: str = constants.in_progress_key_prefix + job_id
        self.tries: str = constants.retry_key_prefix + job_id
        self.aborted: str = constants.abort_jobs_ss


def _now_ms() -> int:
    return int(time.time() * 1000)
