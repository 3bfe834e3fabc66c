"""`arq` on Redis."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.adapters.backend import Backend, Capabilities
from tests.adapters.backends._queues import QueueBackend
from tests.services import Worker, free_port, start_worker, wove_worker
from wove.errors import ErrorCode


class ARQ(QueueBackend):
    name = "arq"
    executor = "arq"
    capabilities = Capabilities(
        cancelled_running=frozenset({"asked", "stopped"}),
        cancelled_queued=frozenset({"stopped"}),
        lost_process=frozenset({ErrorCode.WORKER_LOST}),
        lost_worker=frozenset({ErrorCode.WORKER_LOST}),
        down=ErrorCode.BACKEND_UNAVAILABLE,
    )

    def __init__(self, url: str, folder: Path) -> None:
        self.url = url
        super().__init__(folder, 8)

    @classmethod
    def running(cls, request: pytest.FixtureRequest) -> Backend:
        folder = request.getfixturevalue("tmp_path_factory").mktemp("arq")
        backend = cls(request.getfixturevalue("redis_url"), folder)
        request.addfinalizer(backend.worker.stop)
        return backend

    def start(self, folder: Path, queue: str, concurrency: int) -> Worker:
        arguments = ["--redis-url", self.url, "--queue", queue, "-c", str(concurrency)]
        return start_worker(folder, f"arq-{queue}", wove_worker("arq", *arguments))

    def settings(self, queue: str) -> dict[str, Any]:
        return {"redis_settings": self.url, "queue_name": queue}

    def down(self) -> dict[str, Any]:
        return {"redis_settings": f"redis://127.0.0.1:{free_port()}/0"}

    @contextlib.contextmanager
    def shared_object(self) -> Iterator[dict[str, Any]]:
        """A pool whose connection belongs to a loop of the user's own."""
        import arq
        from redis.asyncio import ConnectionPool

        loop = asyncio.new_event_loop()
        with contextlib.closing(loop):
            pool = arq.ArqRedis(ConnectionPool.from_url(self.url), default_queue_name=self.queue)
            assert loop.run_until_complete(pool.ping())
            yield self.environment({"pool": pool})
            assert loop.run_until_complete(pool.ping())  # it is the user's still, and works
            loop.run_until_complete(pool.connection_pool.disconnect())


BACKEND = ARQ
