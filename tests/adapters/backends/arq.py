"""`arq` on Redis."""

from __future__ import annotations

import asyncio
import contextlib
import uuid
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.adapters.backend import Backend, Capabilities, Stalled, Workers
from tests.services import Worker, free_port, start_worker, stop_workers, wove_worker
from wove.errors import ErrorCode


class ARQ(Backend):
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
        self.queue = _new_queue()
        self.worker = self._start(folder, self.queue, 8)

    @classmethod
    def running(cls, request: pytest.FixtureRequest) -> Backend:
        folder = request.getfixturevalue("tmp_path_factory").mktemp("arq")
        backend = cls(request.getfixturevalue("redis_url"), folder)
        request.addfinalizer(backend.worker.stop)
        return backend

    def _start(self, folder: Path, queue: str, concurrency: int) -> Worker:
        arguments = ["--redis-url", self.url, "--queue", queue, "-c", str(concurrency)]
        return start_worker(folder, f"arq-{queue}", wove_worker("arq", *arguments))

    def _settings(self, queue: str) -> dict[str, Any]:
        return {"redis_settings": self.url, "queue_name": queue}

    def executor_config(self) -> dict[str, Any]:
        return self._settings(self.queue)

    @contextlib.contextmanager
    def own_workers(self, folder: Path) -> Iterator[Workers]:
        """Four, with two jobs each: a job that kills its process kills the whole worker."""
        queue = _new_queue()
        workers = [self._start(folder, queue, 2) for _ in range(4)]

        def kill() -> None:
            for worker in workers:
                worker.kill()

        try:
            yield Workers(self._settings(queue), kill)
        finally:
            kill()

    @contextlib.contextmanager
    def many_at_once(self, folder: Path, count: int) -> Iterator[dict[str, Any]]:
        queue = _new_queue()
        worker = self._start(folder, queue, count)
        try:
            yield self._settings(queue)
        finally:
            worker.kill()

    @contextlib.contextmanager
    def two_workers(self, folder: Path) -> Iterator[dict[str, Any]]:
        queue = _new_queue()
        workers = [self._start(folder, queue, 4) for _ in range(2)]
        try:
            yield self._settings(queue)
        finally:
            stop_workers(workers)

    @contextlib.contextmanager
    def stalled(self, folder: Path) -> Iterator[Stalled]:
        """A queue without a worker, until it gets one."""
        queue = _new_queue()
        workers: list[Worker] = []
        try:
            yield Stalled(
                self._settings(queue), lambda: workers.append(self._start(folder, queue, 1))
            )
        finally:
            stop_workers(workers)

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


def _new_queue() -> str:
    return f"adapters-{uuid.uuid4().hex[:12]}"


BACKEND = ARQ
