"""Weaves of one remote task, and questions to Temporal about them."""

from __future__ import annotations

import asyncio
import functools
from collections.abc import Awaitable, Callable
from typing import Any

from temporalio.client import Client, WorkflowHandle

from tests.backends import weaves
from wove.executors.liveness import Liveness

IMPATIENT = Liveness(poll_seconds=0.5, absent_apart=1.0, silence_seconds=5.0)
"""Asks Temporal sooner and more often than it does by default."""

run_remote = functools.partial(weaves.run_remote, "temporal")
in_background = functools.partial(weaves.in_background, "temporal")


def ask(host: str, question: Callable[[Client], Awaitable[Any]]) -> Any:
    """What `question`, given a client of its own, returns."""

    async def main() -> Any:
        return await question(await Client.connect(host))

    return asyncio.run(main())


def only_job(
    host: str, queue: str, act: Callable[[WorkflowHandle[Any, Any]], Awaitable[Any]]
) -> Any:
    """What `act` returns, given the only workflow of a task queue, once it is there."""

    async def question(client: Client) -> Any:
        for _ in range(400):
            async for job in client.list_workflows(f"TaskQueue = '{queue}'"):
                return await act(client.get_workflow_handle(job.id))
            await asyncio.sleep(0.05)
        raise AssertionError(f"no workflow in {queue}")

    return ask(host, question)
