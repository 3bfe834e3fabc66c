"""`temporal` on Temporal's development server."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.adapters.backend import Backend, Capabilities
from tests.adapters.backends._queues import QueueBackend
from tests.services import (
    Worker,
    free_port,
    start_worker,
    wove_worker,
)
from wove.errors import ErrorCode


class Temporal(QueueBackend):
    name = "temporal"
    executor = "temporal"
    capabilities = Capabilities(
        cancelled_running=frozenset({"stopped", "asked"}),
        cancelled_queued=frozenset({"stopped"}),  # terminated, which the server vouches for
        lost_process=frozenset({ErrorCode.WORKER_LOST}),
        lost_worker=frozenset({ErrorCode.WORKER_LOST}),
        down=ErrorCode.BACKEND_UNAVAILABLE,
        start_seconds=2.0,
    )

    def __init__(self, host: str, folder: Path) -> None:
        self.host = host
        super().__init__(folder, 50)

    @classmethod
    def running(cls, request: pytest.FixtureRequest) -> Backend:
        folder = request.getfixturevalue("tmp_path_factory").mktemp("temporal")
        backend = cls(request.getfixturevalue("temporal_host"), folder)
        request.addfinalizer(backend.worker.stop)
        return backend

    def start(self, folder: Path, queue: str, concurrency: int) -> Worker:
        where = ["--target-host", self.host, "--task-queue", queue]
        argv = wove_worker("temporal", *where, "--max-concurrent-activities", str(concurrency))
        return start_worker(folder, "temporal", argv, seconds=60)

    def settings(self, queue: str) -> dict[str, Any]:
        return {"target_host": self.host, "task_queue": queue}

    def down(self) -> dict[str, Any]:
        return {"target_host": f"127.0.0.1:{free_port()}", "task_queue": self.queue}

    @contextlib.contextmanager
    def shared_object(self) -> Iterator[dict[str, Any]]:
        from temporalio.client import Client

        client = asyncio.run(Client.connect(self.host))
        yield self.environment({"client": client, "task_queue": self.queue})
        assert asyncio.run(client.service_client.check_health())  # it is the user's still


BACKEND = Temporal
