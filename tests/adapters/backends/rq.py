"""`rq` on Redis."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.adapters.backend import Backend, Capabilities
from tests.adapters.backends._queues import QueueBackend
from tests.services import Worker, free_port, start_worker, wove_worker
from wove.errors import ErrorCode


class RQ(QueueBackend):
    name = "rq"
    executor = "rq"
    capabilities = Capabilities(
        cancelled_running=frozenset({"asked", "stopped"}),
        cancelled_queued=frozenset({"stopped"}),
        lost_process=frozenset({ErrorCode.WORKER_LOST}),
        lost_worker=frozenset({ErrorCode.WORKER_LOST}),
        down=ErrorCode.BACKEND_UNAVAILABLE,
        start_seconds=2.0,  # each job forks, and imports what its task needs
    )

    def __init__(self, url: str, folder: Path) -> None:
        self.url = url
        super().__init__(folder, 4)

    @classmethod
    def running(cls, request: pytest.FixtureRequest) -> Backend:
        folder = request.getfixturevalue("tmp_path_factory").mktemp("rq")
        backend = cls(request.getfixturevalue("redis_url"), folder)
        request.addfinalizer(backend.worker.stop)
        return backend

    def start(self, folder: Path, queue: str, concurrency: int) -> Worker:
        arguments = ["--redis-url", self.url, "--queue", queue, "-c", str(concurrency)]
        arguments += ["--preload", "tests.adapters.test_cancelling"]  # or each job imports pytest
        return start_worker(folder, f"rq-{queue}", wove_worker("rq", *arguments))

    def settings(self, queue: str) -> dict[str, Any]:
        return {"redis_url": self.url, "queue_name": queue}

    def down(self) -> dict[str, Any]:
        return {"redis_url": f"redis://127.0.0.1:{free_port()}/0"}

    @contextlib.contextmanager
    def shared_object(self) -> Iterator[dict[str, Any]]:
        import redis
        import rq

        with redis.Redis.from_url(self.url) as connection:
            queue = rq.Queue(self.queue, connection=connection)
            yield self.environment({"queue": queue})
            assert queue.connection.ping()  # it is the user's still, and works


BACKEND = RQ
