"""A user's own worker: `python own_worker.py HOST QUEUE`, with a workflow of the user's own."""

from __future__ import annotations

import asyncio
import signal
import sys
from datetime import timedelta
from typing import Any

from temporalio import workflow
from temporalio.client import Client
from temporalio.common import RetryPolicy
from temporalio.worker import Worker

from wove.integrations.temporal import wove_activity


@workflow.defn
class OwnFlow:
    """Retries, as Temporal does unless it is told otherwise; here, by any memo."""

    @workflow.run
    async def run(self, payload: dict[str, Any]) -> dict[str, Any]:
        """A step of its own before and after Wove's."""
        await workflow.sleep(0.1)
        summary: dict[str, Any] = await workflow.execute_activity(
            wove_activity,
            payload,
            start_to_close_timeout=timedelta(minutes=5),
            heartbeat_timeout=timedelta(seconds=2),
            retry_policy=RetryPolicy(maximum_attempts=1) if workflow.memo() else None,
        )
        return {"mine": True, **summary}


async def main(host: str, queue: str) -> None:
    stop = asyncio.Event()
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, stop.set)
    client = await Client.connect(host)
    async with Worker(client, task_queue=queue, workflows=[OwnFlow], activities=[wove_activity]):
        print("wove: ready", flush=True)
        await stop.wait()


if __name__ == "__main__":
    asyncio.run(main(*sys.argv[1:]))
