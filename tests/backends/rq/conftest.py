"""What the tests of the RQ backend share."""

from __future__ import annotations

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
def rq_worker(tmp_path: Path) -> Iterator[StartWorker]:
    """Starts `wove worker rq`: `rq_worker(url, queue, *arguments)`; stopped at the test's end."""
    workers: list[Worker] = []

    def start(url: str, queue: str, *arguments: str) -> Worker:
        argv = wove_worker("rq", "--redis-url", url, "--queue", queue, *arguments)
        workers.append(start_worker(tmp_path, f"rq-{queue}", argv))
        return workers[-1]

    yield start
    stop_workers(workers)


@pytest.fixture
def plain_worker(tmp_path: Path) -> Iterator[StartWorker]:
    """Starts RQ's own `rq worker`, which knows nothing of Wove."""
    workers: list[Worker] = []

    def start(url: str, queue: str, *arguments: str) -> Worker:
        argv = [sys.executable, "-m", "rq.cli", "worker", "--url", url, *arguments, queue]
        workers.append(start_worker(tmp_path, f"plain-{queue}", argv, ready="Listening on"))
        return workers[-1]

    yield start
    stop_workers(workers)
