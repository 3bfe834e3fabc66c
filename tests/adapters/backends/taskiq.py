"""`taskiq` on a list in Redis: the broker that `wove worker taskiq --redis-url` serves.

A worker takes a job from the list when it has a place for it, and not before, so that
workers share the jobs, and a job that nobody has begun is in the list.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.adapters.backend import Backend, Capabilities
from tests.adapters.backends import _taskiq as brokers
from tests.adapters.backends._queues import QueueBackend
from tests.services import Worker, free_port, start_worker, wove_worker
from wove.errors import ErrorCode


class Taskiq(QueueBackend):
    name = "taskiq"
    executor = "taskiq"
    capabilities = Capabilities(
        # Taskiq cancels nothing: the worker hears of it, or the start gate turns the job away.
        cancelled_running=frozenset({"asked", "stopped"}),
        cancelled_queued=frozenset({"asked", "stopped"}),
        lost_process=frozenset({ErrorCode.WORKER_LOST}),
        lost_worker=frozenset({ErrorCode.WORKER_LOST}),
        down=ErrorCode.BACKEND_UNAVAILABLE,
    )

    def __init__(self, url: str, folder: Path) -> None:
        self.url = url
        super().__init__(folder, 8)
        os.environ[brokers.VARIABLE] = f"{url} {self.queue}"

    @classmethod
    def running(cls, request: pytest.FixtureRequest) -> Backend:
        folder = request.getfixturevalue("tmp_path_factory").mktemp("taskiq")
        backend = cls(request.getfixturevalue("redis_url"), folder)
        request.addfinalizer(backend.worker.stop)
        return backend

    def start(self, folder: Path, queue: str, concurrency: int) -> Worker:
        arguments = ["--redis-url", self.url, "--queue", queue, "-c", str(concurrency)]
        return start_worker(folder, f"taskiq-{queue}", wove_worker("taskiq", *arguments))

    def settings(self, queue: str) -> dict[str, Any]:
        return {"broker": brokers.make(self.url, queue)}

    def executor_config(self) -> dict[str, Any]:
        return {"broker": "tests.adapters.backends._taskiq:shared"}

    def down(self) -> dict[str, Any]:
        return {"broker": brokers.make(f"redis://127.0.0.1:{free_port()}/0", self.queue)}

    @contextlib.contextmanager
    def shared_object(self) -> Iterator[dict[str, Any]]:
        """A broker that its user has started on a loop of theirs, and uses there meanwhile."""
        broker = brokers.make(self.url, self.queue)

        async def use() -> None:
            await broker.startup()
            yield_to.set()
            while not over.is_set():
                assert not await broker.result_backend.is_result_ready("nobody")
                await asyncio.sleep(0.05)
            assert not await broker.result_backend.is_result_ready("nobody")  # it works still
            await broker.shutdown()

        yield_to, over = threading.Event(), threading.Event()
        users = threading.Thread(target=asyncio.run, args=(use(),))
        users.start()
        assert yield_to.wait(20)
        try:
            yield self.environment({"broker": broker})
        finally:
            assert users.is_alive()
            over.set()
            users.join(20)


BACKEND = Taskiq
