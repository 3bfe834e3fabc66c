"""A task in RQ, beside the same job enqueued and waited for with RQ alone."""

from __future__ import annotations

import statistics
import tempfile
from pathlib import Path

import redis
from rq import Queue

from bench.harness import Line, ratio_line, report, timed
from tests.services import close_folder, open_folder, shared, start_redis, start_worker, wove_worker
from wove import config, weave

ROUNDS = 60
MAPPED = 500
WORKERS = 2


def one(item: int) -> int:
    """The job and the task."""
    return item


def measure(url: str) -> list[Line]:
    """All lines of this module, with the same two workers."""
    config(
        environments={
            "rq": {"executor": "rq", "executor_config": {"redis_url": url, "queue_name": "bench"}}
        }
    )
    queue = Queue("bench", connection=redis.Redis.from_url(url))

    def ours(count: int) -> None:
        with weave() as w:
            w.do(range(count), environment="rq")(one)
        assert w.result["one"] == list(range(count))

    def theirs(count: int) -> None:
        jobs = [queue.enqueue("bench.rq.one", item) for item in range(count)]
        for item, job in enumerate(jobs):
            result = job.latest_result(timeout=60)
            assert result is not None
            assert result.return_value == item

    singles = [(timed(lambda: ours(1)), timed(lambda: theirs(1))) for _ in range(ROUNDS + 1)]
    rates = [(timed(lambda: ours(MAPPED)), timed(lambda: theirs(MAPPED))) for _ in range(3)]
    return [
        ratio_line(
            "one no-op task in RQ, p50, the whole weave",
            "enqueue, and wait for the result in RQ",
            1.1,
            _medians(singles[1:]),
        ),
        ratio_line(
            f"{MAPPED} mapped tasks in RQ, time a task",
            "enqueue all, and wait for all",
            1 / 0.9,
            _medians([(a / MAPPED, b / MAPPED) for a, b in rates[1:]]),
            note=f"{WORKERS} workers",
        ),
    ]


def _medians(pairs: list[tuple[float, float]]) -> tuple[float, float]:
    mine, theirs = zip(*pairs, strict=True)
    return statistics.median(mine), statistics.median(theirs)


def main() -> None:
    """Start Redis and the workers, measure, stop them."""
    folder = open_folder()
    try:
        url = shared("redis", start_redis)
        with tempfile.TemporaryDirectory() as logs:
            arguments = ["--redis-url", url, "--queue", "bench", "-c", str(WORKERS)]
            argv = wove_worker("rq", *arguments, "--preload", "bench.rq")
            worker = start_worker(Path(logs), "bench", argv)
            try:
                report(measure(url))
            finally:
                worker.stop()
    finally:
        close_folder(folder)


if __name__ == "__main__":
    main()
