"""A task in RQ, beside the same job enqueued and waited for with RQ alone."""

from __future__ import annotations

import tempfile
from pathlib import Path

import redis
from rq import Queue

from bench.beside import beside_native, mapped
from bench.harness import Line, report
from tests.services import close_folder, open_folder, shared, start_redis, start_worker, wove_worker

WORKERS = 2


def measure(url: str) -> list[Line]:
    """All lines of this module, with the same two workers."""
    queue = Queue("bench", connection=redis.Redis.from_url(url))

    def theirs(count: int) -> None:
        jobs = [queue.enqueue("bench.beside.one", item) for item in range(count)]
        for item, job in enumerate(jobs):
            result = job.latest_result(timeout=60)
            assert result is not None
            assert result.return_value == item

    return beside_native(
        "RQ",
        mapped("rq", {"redis_url": url, "queue_name": "bench"}),
        theirs,
        single="enqueue, and wait for the result in RQ",
        many="enqueue all, and wait for all",
        note=f"{WORKERS} workers",
    )


def main() -> None:
    """Start Redis and the workers, measure, stop them."""
    folder = open_folder()
    try:
        url = shared("redis", start_redis)
        with tempfile.TemporaryDirectory() as logs:
            arguments = ["--redis-url", url, "--queue", "bench", "-c", str(WORKERS)]
            argv = wove_worker("rq", *arguments, "--preload", "bench.beside")
            worker = start_worker(Path(logs), "bench", argv)
            try:
                report(measure(url))
            finally:
                worker.stop()
    finally:
        close_folder(folder)


if __name__ == "__main__":
    main()
