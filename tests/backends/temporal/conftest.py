"""What the tests of the Temporal backend share."""

from __future__ import annotations

import uuid
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.services import Worker, start_worker, stop_workers, wove_worker

StartWorker = Callable[..., Worker]


@pytest.fixture
def queue() -> str:
    """A task queue of the test's own: the server is shared."""
    return f"test-{uuid.uuid4().hex[:12]}"


@pytest.fixture
def start(tmp_path: Path) -> Iterator[StartWorker]:
    """Starts `wove worker temporal`: `start(host, queue, *arguments)`; None leaves `host` out."""
    workers: list[Worker] = []

    def start(host: str | None, queue: str, *arguments: str, **options: Any) -> Worker:
        target = ("--target-host", host) if host else ()
        argv = wove_worker("temporal", *target, "--task-queue", queue, *arguments)
        workers.append(start_worker(tmp_path, "temporal", argv, seconds=60, **options))
        return workers[-1]

    yield start
    stop_workers(workers)


@pytest.fixture(scope="module")
def shared_queue(
    temporal_host: str, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[dict[str, Any]]:
    """The settings that lead to a worker of the module's."""
    queue = f"test-{uuid.uuid4().hex[:12]}"
    argv = wove_worker("temporal", "--target-host", temporal_host, "--task-queue", queue)
    worker = start_worker(tmp_path_factory.mktemp("temporal"), "temporal", argv, seconds=60)
    yield {"target_host": temporal_host, "task_queue": queue}
    worker.stop()
