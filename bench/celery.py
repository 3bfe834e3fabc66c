"""A task in Celery, beside the same job sent and waited for with Celery alone."""

from __future__ import annotations

import os
import tempfile
from pathlib import Path

from celery import Celery

from bench.beside import beside_native, mapped, one
from bench.harness import Line, report
from tests.services import close_folder, open_folder, shared, start_redis, start_worker, wove_worker

WORKERS = 2
URL = "WOVE_BENCH_REDIS"

app = Celery("bench", set_as_current=False)
app.conf.broker_url = app.conf.result_backend = os.environ.get(URL)
app.conf.task_default_queue = "bench"
native_one = app.task(one, name="native.one")
"""The job; the worker finds it here."""


def measure(url: str) -> list[Line]:
    """All lines of this module, with the same two processes of one worker."""
    app.conf.broker_url = app.conf.result_backend = url

    def theirs(count: int) -> None:
        jobs = [native_one.apply_async((item,)) for item in range(count)]
        assert [job.get(timeout=60) for job in jobs] == list(range(count))

    return beside_native(
        "Celery on Redis",
        mapped("celery", {"broker_url": url, "queue": "bench"}),
        theirs,
        single="apply_async().get(), results in Redis",
        many="apply_async of all, and get of all",
        note=f"one worker of {WORKERS} processes",
    )


def main() -> None:
    """Start Redis and the worker, measure, stop them."""
    folder = open_folder()
    try:
        url = shared("redis", start_redis)
        with tempfile.TemporaryDirectory() as logs:
            arguments = ["--app", "bench.celery:app", "--queue", "bench", "-c", str(WORKERS)]
            argv = wove_worker("celery", *arguments)
            worker = start_worker(Path(logs), "bench", argv, env={URL: url})
            try:
                report(measure(url))
            finally:
                worker.stop()
    finally:
        close_folder(folder)


if __name__ == "__main__":
    main()
