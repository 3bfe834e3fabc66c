"""A task in arq, beside the same job enqueued and waited for with arq alone.

In arq's own environment: `.venv-arq/bin/python -m bench arq`.
"""

from __future__ import annotations

import asyncio
import sys
import tempfile
from pathlib import Path

from arq.connections import RedisSettings, create_pool

from bench.beside import beside_native, mapped
from bench.harness import Line, report
from tests.services import close_folder, open_folder, shared, start_redis, start_worker

POLL_SECONDS = 0.01
"""How often the native client looks for a result; arq's own default is 0.5 s."""


def measure(url: str) -> list[Line]:
    """All lines of this module, with the same worker."""
    loop = asyncio.new_event_loop()
    pool = loop.run_until_complete(create_pool(RedisSettings.from_dsn(url)))

    async def wait_for_all(count: int) -> list[int]:
        jobs = [await pool.enqueue_job("one", item) for item in range(count)]
        results = (job.result(poll_delay=POLL_SECONDS) for job in jobs if job is not None)
        return list(await asyncio.gather(*results))

    def theirs(count: int) -> None:
        assert loop.run_until_complete(wait_for_all(count)) == list(range(count))

    return beside_native(
        "arq",
        mapped("arq", {"redis_settings": url}),
        theirs,
        single="enqueue, and wait for the result in arq",
        many="enqueue all, and wait for all",
        note="1 worker, 100 jobs at once",
    )


def main() -> None:
    """Start Redis and the worker, measure, stop them."""
    folder = open_folder()
    try:
        url = shared("redis", start_redis)
        with tempfile.TemporaryDirectory() as logs:
            argv = [sys.executable, "-m", "arq", "bench.arq_settings.SETTINGS"]
            worker = start_worker(
                Path(logs), "bench", argv, ready="Starting worker", env={"WOVE_BENCH_REDIS": url}
            )
            try:
                report(measure(url))
            finally:
                worker.stop()
    finally:
        close_folder(folder)


if __name__ == "__main__":
    main()
