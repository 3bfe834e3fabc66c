"""A task in Celery, beside the same job sent and waited for with Celery alone."""

from __future__ import annotations

import os
import tempfile
from pathlib import Path

from celery import Celery

from bench.beside import beside_native, mapped, one
from bench.harness import Line, report
from tests.services import (
    close_folder,
    open_folder,
    shared,
    start_redis,
    start_worker,
    stop_workers,
    wove_worker,
)

WORKERS = 2
URL = "WOVE_BENCH_REDIS"

app = Celery("bench", set_as_current=False)
app.conf.broker_url = app.conf.result_backend = os.environ.get(URL)
app.conf.task_default_queue = "native"
native_one = app.task(one, name="native.one")
"""The job; the worker finds it here."""


def measure(url: str) -> list[Line]:
    """All lines of this module, with one worker each: ours needs no result backend."""
    app.conf.broker_url = app.conf.result_backend = url

    def theirs(count: int) -> None:
        jobs = [native_one.apply_async((item,)) for item in range(count)]
        assert [job.get(timeout=60) for job in jobs] == list(range(count))

    return beside_native(
        "Celery on Redis",
        mapped("celery", {"broker_url": url, "queue": "ours"}),
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
            size = ["-c", str(WORKERS)]
            ours = ["--broker-url", url, "--queue", "ours", *size]
            native = ["--app", "bench.celery:app", "--queue", "native", *size]
            workers = [
                start_worker(Path(logs), "ours", wove_worker("celery", *ours)),
                start_worker(Path(logs), "native", wove_worker("celery", *native), env={URL: url}),
            ]
            try:
                report(measure(url))
            finally:
                stop_workers(workers)
    finally:
        close_folder(folder)


if __name__ == "__main__":
    main()
