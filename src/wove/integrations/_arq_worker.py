"""What arq's workers import: the function, settings for a worker that has it, the worker itself."""

from __future__ import annotations

import asyncio
import inspect
from collections.abc import Callable
from signal import Signals
from typing import Any

from arq.connections import ArqRedis  # pyright: ignore[reportMissingImports]
from arq.worker import Worker, func  # pyright: ignore[reportMissingImports]

from wove.integrations._arq_names import DEFAULT_FUNCTION
from wove.integrations._reporting import show_failure
from wove.worker.entrypoint import arun_for_host
from wove.worker.host import backend_job

__all__ = ["DAY_SECONDS", "serve", "worker_settings", "wove_run_backend_payload"]

DAY_SECONDS = 24 * 3600

CANCELLED = (
    "arq cancelled it, because its worker is shutting down, its job_timeout has passed or it was "
    "aborted"
)
"""arq does not say which."""


async def _run_payload(ctx: dict[Any, Any], payload: Any) -> dict[str, Any]:
    backend_job.set(str(ctx["job_id"]))  # a quick task is over before its submission has returned
    summary = await arun_for_host(payload, CANCELLED)
    show_failure(summary)
    return summary


def _function(name: str) -> Any:
    return func(_run_payload, name=name, max_tries=1)


wove_run_backend_payload: Any = _function(DEFAULT_FUNCTION)
"""An `arq.worker.Function` for the `functions` of a worker: runs a payload and reports to its
weave, without blocking the worker's event loop for a sync task. It then fails, for arq, where
the task did, and is tried once: retries are the weave's. Its timeout is the worker's."""


def worker_settings(**settings: Any) -> dict[str, Any]:
    """Settings of a worker that runs Wove's payloads, for the command `arq` or `arq.run_worker`.

    They are `wove_run_backend_payload` among the `functions`, and, unless you say otherwise:
    `allow_abort_jobs`, so that running tasks can be cancelled; a `job_timeout` of a day,
    since the weave has its own; a `job_completion_wait` of a day, so that SIGTERM lets tasks
    end; a `poll_delay` of 0.1 s in place of 0.5 s.

    Args:
        settings: arguments of `arq.worker.Worker`, such as `redis_settings`, `queue_name`,
            `functions` (yours, beside Wove's) and `max_jobs`.

    Returns:
        The settings by name. (arq takes a dictionary where it takes a class, and of a class
        it would not see what is inherited.)

    Raises:
        TypeError: arq's worker has no such setting.
    """
    other = sorted(set(settings) - set(inspect.signature(Worker).parameters))
    if other:
        raise TypeError(f"arq's worker has no setting {', '.join(map(repr, other))}")
    ours = {
        "allow_abort_jobs": True,
        "job_timeout": DAY_SECONDS,
        "job_completion_wait": DAY_SECONDS,
        "poll_delay": 0.1,
    }
    functions = [wove_run_backend_payload, *settings.pop("functions", ())]
    return {**ours, **settings, "functions": functions}


def serve(
    pool: ArqRedis,
    queue: str,
    *,
    function: str,
    jobs: int,
    timeout: float,
    ready: Callable[[], None],
) -> None:
    """Run arq's worker until a signal stops it; the jobs in hand are finished first.

    Args:
        pool: of this worker alone.
        queue: the queue's name.
        function: the name that payloads are sent to.
        jobs: at once.
        timeout: seconds after which arq ends a job.
        ready: called when jobs are taken.
    """

    async def say_ready(_ctx: dict[Any, Any]) -> None:
        ready()

    loop = asyncio.new_event_loop()
    asyncio.set_event_loop(loop)
    try:
        settings = worker_settings(
            redis_pool=pool,
            queue_name=queue,
            max_jobs=jobs,
            job_timeout=timeout,
            retry_jobs=False,  # what a second signal ends has ended
            on_startup=say_ready,
        )
        worker = _Worker(**{**settings, "functions": [_function(function)]})
        try:
            worker.run()
        finally:
            loop.run_until_complete(worker.let_others_end())
    finally:
        asyncio.set_event_loop(None)
        loop.close()


class _Worker(Worker):
    async def let_others_end(self) -> None:
        """Without Redis arq gives up at the first job that cannot write down its end."""
        await asyncio.gather(*self.tasks.values(), return_exceptions=True)
        # What waits for the jobs after a first signal has nothing to wait for after a second.
        others = asyncio.all_tasks() - {asyncio.current_task()}
        for task in others:
            task.cancel()
        await asyncio.gather(*others, return_exceptions=True)

    def handle_sig_wait_for_completion(self, signum: Signals) -> None:
        if self.allow_pick_jobs:
            super().handle_sig_wait_for_completion(signum)
        else:  # the second time
            self.handle_sig(signum)
