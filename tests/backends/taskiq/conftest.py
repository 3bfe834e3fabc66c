"""What the tests of the Taskiq backend share."""

from __future__ import annotations

import os
import sys
import uuid
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import redis

from tests.services import Worker, start_worker, stop_workers, wove_worker

StartWorker = Callable[..., Worker]


@pytest.fixture
def queue() -> str:
    """A queue of the test's own: Redis is shared."""
    return f"test-{uuid.uuid4().hex[:12]}"


@pytest.fixture
def connection(redis_url: str) -> Iterator[redis.Redis]:
    """An operator's client of Redis."""
    with redis.Redis.from_url(redis_url) as client:
        yield client


@pytest.fixture
def start(tmp_path: Path) -> Iterator[StartWorker]:
    """Starts `wove worker taskiq`: `start(*arguments, **env)`; stopped at the test's end."""
    workers: list[Worker] = []

    def begin(*arguments: str, **env: str) -> Worker:
        path = os.pathsep.join([str(tmp_path), os.environ["PYTHONPATH"]])
        argv = wove_worker("taskiq", *arguments)
        workers.append(start_worker(tmp_path, "taskiq", argv, env={**env, "PYTHONPATH": path}))
        return workers[-1]

    yield begin
    stop_workers(workers)


@pytest.fixture
def plain(tmp_path: Path) -> Iterator[StartWorker]:
    """Starts Taskiq's own program, `taskiq worker`: `plain(*arguments, **env)`."""
    workers: list[Worker] = []

    def begin(*arguments: str, **env: str) -> Worker:
        argv = [sys.executable, "-m", "taskiq", "worker", "--workers", "1", *arguments]
        path = os.pathsep.join([str(tmp_path), os.environ["PYTHONPATH"]])
        env = {**env, "PYTHONPATH": path}
        workers.append(start_worker(tmp_path, "plain", argv, ready="Listening started", env=env))
        return workers[-1]

    yield begin
    stop_workers(workers)
