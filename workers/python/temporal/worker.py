"""A worker of your own, with Wove's workflow beside yours: `python worker.py`."""

import asyncio
import os
from datetime import timedelta

from temporalio.client import Client
from temporalio.worker import Worker

from wove.integrations.temporal import WoveWorkflow, wove_activity


async def main():
    """Serve the task queue until Ctrl-C."""
    client = await Client.connect(os.environ.get("TEMPORAL_ADDRESS", "localhost:7233"))
    worker = Worker(
        client,
        task_queue="reports",
        workflows=[WoveWorkflow],
        activities=[wove_activity],
        max_heartbeat_throttle_interval=timedelta(seconds=5),
        graceful_shutdown_timeout=timedelta(minutes=5),
    )
    print("serving reports", flush=True)
    await worker.run()


if __name__ == "__main__":
    asyncio.run(main())
