"""A task in Taskiq, beside the same job sent and waited for with Taskiq alone."""

from __future__ import annotations

import asyncio
import os
import tempfile
from pathlib import Path
from typing import Any

from taskiq_redis import ListQueueBroker, RedisAsyncResultBackend

from bench.beside import beside_native, mapped, one
from bench.harness import Line, report
from tests.services import close_folder, open_folder, shared, start_redis, start_worker, wove_worker

URL = "WOVE_BENCH_REDIS"
LOOK_SECONDS = 0.002
"""How often Taskiq's client looks for a result. Its own 0.2 s would be most of its figure."""


def make(url: str) -> ListQueueBroker:
    """The broker of both sides, with both tasks."""
    results: RedisAsyncResultBackend[Any] = RedisAsyncResultBackend(url, result_ex_time=600)
    return ListQueueBroker(url, queue_name="bench").with_result_backend(results)


def for_worker() -> ListQueueBroker:
    """The worker's, which has the job as well."""
    broker = make(os.environ[URL])
    broker.register_task(_native_one, task_name="native.one")
    return broker


async def _native_one(item: int) -> int:
    return one(item)


def measure(url: str) -> list[Line]:
    """All lines of this module, with the same worker."""
    broker = make(url)
    native_one = broker.register_task(_native_one, task_name="native.one")
    loop = asyncio.new_event_loop()

    async def run(count: int) -> list[int]:
        jobs = await asyncio.gather(*(native_one.kiq(item) for item in range(count)))
        looks = LOOK_SECONDS if count == 1 else 10 * LOOK_SECONDS
        found = await asyncio.gather(*(job.wait_result(check_interval=looks) for job in jobs))
        return [result.return_value for result in found]

    def theirs(count: int) -> None:
        assert loop.run_until_complete(run(count)) == list(range(count))

    try:
        return beside_native(
            "Taskiq on Redis",
            mapped("taskiq", {"broker": make(url)}),
            theirs,
            single="kiq and wait_result, results in Redis",
            many="kiq of all, and wait_result of all",
            note="one worker of one process",
        )
    finally:
        loop.run_until_complete(broker.shutdown())
        loop.close()


def main() -> None:
    """Start Redis and the worker, measure, stop them."""
    folder = open_folder()
    try:
        url = shared("redis", start_redis)
        with tempfile.TemporaryDirectory() as logs:
            argv = wove_worker("taskiq", "--broker", "bench.taskiq:for_worker", "-c", "20")
            worker = start_worker(Path(logs), "bench", argv, env={URL: url})
            try:
                report(measure(url))
            finally:
                worker.stop()
    finally:
        close_folder(folder)


if __name__ == "__main__":
    main()
