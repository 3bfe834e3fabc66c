"""`temporal` on Temporal's development server."""

from __future__ import annotations

import asyncio
import contextlib
import threading
import uuid
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.adapters.backend import Backend, Capabilities, Stalled, Workers
from tests.services import (
    ServiceError,
    Worker,
    free_port,
    start_worker,
    stop_workers,
    wove_worker,
)
from wove.errors import ErrorCode


class Temporal(Backend):
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

    def __init__(self, host: str, queue: str) -> None:
        self.host = host
        self.queue = queue

    @classmethod
    def running(cls, request: pytest.FixtureRequest) -> Backend:
        backend = cls(request.getfixturevalue("temporal_host"), _new_queue())
        folder = request.getfixturevalue("tmp_path_factory").mktemp("temporal")
        worker = backend.start(folder, backend.queue)
        request.addfinalizer(worker.stop)
        return backend

    def start(self, folder: Path, queue: str, *arguments: str) -> Worker:
        argv = wove_worker("temporal", "--target-host", self.host, "--task-queue", queue)
        return start_worker(folder, "temporal", [*argv, *arguments], seconds=60)

    def settings(self, queue: str) -> dict[str, Any]:
        return {"target_host": self.host, "task_queue": queue}

    def executor_config(self) -> dict[str, Any]:
        return self.settings(self.queue)

    @contextlib.contextmanager
    def own_workers(self, folder: Path) -> Iterator[Workers]:
        """A worker, and another for each that dies: a task's process is the whole worker."""
        queue = _new_queue()
        workers = [self.start(folder, queue)]
        over = threading.Event()

        def start_again() -> None:
            while not over.wait(0.1):
                if workers[-1].process.poll() is not None:
                    with contextlib.suppress(ServiceError):
                        workers.append(self.start(folder, queue))

        def kill() -> None:
            over.set()
            for worker in workers:
                worker.kill()

        watcher = threading.Thread(target=start_again)
        watcher.start()
        try:
            yield Workers(self.settings(queue), kill)
        finally:
            over.set()
            watcher.join(70)
            for worker in workers:
                worker.kill()

    @contextlib.contextmanager
    def many_at_once(self, folder: Path, count: int) -> Iterator[dict[str, Any]]:
        queue = _new_queue()
        worker = self.start(folder, queue, "--max-concurrent-activities", str(count))
        try:
            yield self.settings(queue)
        finally:
            worker.kill()

    @contextlib.contextmanager
    def two_workers(self, folder: Path) -> Iterator[dict[str, Any]]:
        queue = _new_queue()
        workers = [self.start(folder, queue) for _ in range(2)]
        try:
            yield self.settings(queue)
        finally:
            stop_workers(workers)

    @contextlib.contextmanager
    def stalled(self, folder: Path) -> Iterator[Stalled]:
        """A task queue without a worker, until it gets one."""
        queue = _new_queue()
        workers: list[Worker] = []

        def resume() -> None:
            workers.append(self.start(folder, queue))

        try:
            yield Stalled(self.settings(queue), resume)
        finally:
            for worker in workers:
                worker.kill()

    def down(self) -> dict[str, Any]:
        return {"target_host": f"127.0.0.1:{free_port()}", "task_queue": self.queue}

    @contextlib.contextmanager
    def shared_object(self) -> Iterator[dict[str, Any]]:
        from temporalio.client import Client

        client = asyncio.run(Client.connect(self.host))
        yield self.environment({"client": client, "task_queue": self.queue})
        assert asyncio.run(client.service_client.check_health())  # it is the user's still


def _new_queue() -> str:
    return f"adapters-{uuid.uuid4().hex[:12]}"


BACKEND = Temporal
