"""`rq` on Redis."""

from __future__ import annotations

import contextlib
import uuid
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.adapters.backend import Backend, Capabilities, Stalled, Workers
from tests.services import Worker, free_port, start_worker, stop_workers, wove_worker
from wove.errors import ErrorCode


class RQ(Backend):
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
        self.queue = _new_queue()
        self.worker = self._start(folder, self.queue, 4)

    @classmethod
    def running(cls, request: pytest.FixtureRequest) -> Backend:
        folder = request.getfixturevalue("tmp_path_factory").mktemp("rq")
        backend = cls(request.getfixturevalue("redis_url"), folder)
        request.addfinalizer(backend.worker.stop)
        return backend

    def _start(self, folder: Path, queue: str, concurrency: int) -> Worker:
        arguments = ["--redis-url", self.url, "--queue", queue, "-c", str(concurrency)]
        arguments += ["--preload", "tests.adapters.test_cancelling"]  # or each job imports pytest
        return start_worker(folder, f"rq-{queue}", wove_worker("rq", *arguments))

    def _settings(self, queue: str) -> dict[str, Any]:
        return {"redis_url": self.url, "queue_name": queue}

    def executor_config(self) -> dict[str, Any]:
        return self._settings(self.queue)

    @contextlib.contextmanager
    def own_workers(self, folder: Path) -> Iterator[Workers]:
        queue = _new_queue()
        worker = self._start(folder, queue, 2)
        try:
            yield Workers(self._settings(queue), worker.kill)
        finally:
            worker.kill()

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
        workers = [self._start(folder, queue, 2) for _ in range(2)]
        try:
            yield self._settings(queue)
        finally:
            stop_workers(workers)

    @contextlib.contextmanager
    def stalled(self, folder: Path) -> Iterator[Stalled]:
        """A queue without a worker, until it gets one."""
        queue = _new_queue()
        with contextlib.ExitStack() as stack:

            def resume() -> None:
                stack.callback(self._start(folder, queue, 1).kill)

            yield Stalled(self._settings(queue), resume)

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


def _new_queue() -> str:
    return f"adapters-{uuid.uuid4().hex[:12]}"


BACKEND = RQ
