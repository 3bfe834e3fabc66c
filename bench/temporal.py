"""A task in Temporal, beside a workflow of one activity that is run and waited for natively."""

from __future__ import annotations

import asyncio
import sys
import tempfile
import uuid
from collections.abc import Coroutine
from datetime import timedelta
from pathlib import Path
from typing import Any

from temporalio import activity, workflow
from temporalio.client import Client
from temporalio.worker import Worker

from bench.beside import beside_native, mapped
from bench.harness import Line, report
from tests.services import (
    close_folder,
    open_folder,
    shared,
    start_temporal,
    start_worker,
    stop_workers,
    wove_worker,
)


@activity.defn
async def native_one(item: int) -> int:
    """The activity."""
    return item


@workflow.defn(sandboxed=False)  # as ours; in its sandbox it takes longer
class NativeOne:
    """The workflow."""

    @workflow.run
    async def run(self, item: int) -> int:
        """One activity."""
        timeout = timedelta(minutes=5)
        return await workflow.execute_activity(native_one, item, start_to_close_timeout=timeout)


async def serve(host: str) -> None:
    """The native worker."""
    client = await Client.connect(host)
    print("serving", flush=True)
    await Worker(client, task_queue="native", workflows=[NativeOne], activities=[native_one]).run()


def measure(host: str) -> list[Line]:
    """All lines of this module, with one worker each."""
    loop = asyncio.new_event_loop()
    client = loop.run_until_complete(Client.connect(host))

    def execute(item: int) -> Coroutine[Any, Any, int]:
        return client.execute_workflow(
            NativeOne.run, item, id=uuid.uuid4().hex, task_queue="native"
        )

    async def all_of(count: int) -> list[int]:
        return await asyncio.gather(*map(execute, range(count)))

    def theirs(count: int) -> None:
        assert loop.run_until_complete(all_of(count)) == list(range(count))

    try:
        return beside_native(
            "Temporal",
            mapped("temporal", {"target_host": host, "task_queue": "bench"}),
            theirs,
            single="execute_workflow, one activity",
            many="execute_workflow of all, and wait for all",
            note="one worker",
            rounds=30,
        )
    finally:
        loop.close()


def main() -> None:
    """Start Temporal and the workers, measure, stop them."""
    folder = open_folder()
    try:
        host = shared("temporal", start_temporal)
        with tempfile.TemporaryDirectory() as logs:
            argv = wove_worker("temporal", "--target-host", host, "--task-queue", "bench")
            native = [sys.executable, "-m", "bench.temporal", host]
            workers = [start_worker(Path(logs), "ours", argv, seconds=60)]
            workers.append(start_worker(Path(logs), "native", native, ready="serving", seconds=60))
            try:
                report(measure(host))
            finally:
                stop_workers(workers)
    finally:
        close_folder(folder)


if __name__ == "__main__":
    if sys.argv[1:]:
        asyncio.run(serve(sys.argv[1]))
    else:
        main()
