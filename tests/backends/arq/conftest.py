"""What the tests of the arq backend share."""

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
def arq_worker(tmp_path: Path) -> Iterator[StartWorker]:
    """Starts `wove worker arq`: `arq_worker(url, queue, *arguments)`; stopped at the test's end."""
    workers: list[Worker] = []

    def start(url: str, queue: str, *arguments: str) -> Worker:
        argv = wove_worker("arq", "--redis-url", url, "--queue", queue, *arguments)
        workers.append(start_worker(tmp_path, f"arq-{queue}", argv))
        return workers[-1]

    yield start
    stop_workers(workers)


@pytest.fixture
def plain_worker(tmp_path: Path) -> Iterator[StartWorker]:
    """Starts arq's own command: `plain_worker(url, queue, settings)`, a name in `plain`."""
    workers: list[Worker] = []

    def start(url: str, queue: str, settings: str = "READY") -> Worker:
        argv = [sys.executable, "-m", "arq", f"tests.backends.arq.plain.{settings}"]
        env = {"WOVE_TEST_ARQ_URL": url, "WOVE_TEST_ARQ_QUEUE": queue}
        started = start_worker(
            tmp_path, f"plain-{queue}", argv, ready="Starting worker for", env=env
        )
        workers.append(started)
        return started

    yield start
    stop_workers(workers)
