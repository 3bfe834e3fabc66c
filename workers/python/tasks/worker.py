"""A worker with tasks of its own: no pickle, arguments and results as JSON.

Start it with a payload, as a batch job or the `process` executor's `command` does:

    python worker.py PAYLOAD
"""

from __future__ import annotations

import sys
import time
from typing import Any

from wove import backend_worker
from wove.integrations.worker import log, progress, task

STEP_SECONDS = 0.05


@task
def add(a: float, b: float) -> float:
    return a + b


@task
def echo(value: Any) -> Any:
    return value


@task
def fail(message: str, cause: str | None = None) -> None:
    raise RuntimeError(message) from (None if cause is None else ValueError(cause))


@task
def slow(seconds: float) -> float:
    deadline = time.monotonic() + seconds
    # In short steps: a cancel stops Python code between two of them, not inside a sleep.
    while (left := deadline - time.monotonic()) > 0:
        time.sleep(min(left, STEP_SECONDS))
    return seconds


@task("progress")
def report_progress(steps: int) -> int:
    for step in range(1, steps + 1):
        progress(step, steps, unit="steps")
        if step == steps // 2:
            log("halfway", level="info")
    return steps


if __name__ == "__main__":
    sys.exit(backend_worker.main())
