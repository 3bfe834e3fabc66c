"""`taskiq` on a list in Redis: the broker that `wove worker taskiq --redis-url` serves.

A worker takes a job from the list when it has a place for it, and not before, so that
workers share the jobs, and a job that nobody has begun is in the list.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import threading
import uuid
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.adapters.backend import Backend, Capabilities, Stalled, Workers
from tests.adapters.backends import _taskiq as brokers
from tests.services import ServiceError, Worker, free_port, start_worker, stop_workers, wove_worker
from wove.errors import ErrorCode


class Taskiq(Backend):
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
        self.queue = _new_queue()
        os.environ[brokers.VARIABLE] = f"{url} {self.queue}"
        self.worker = self._start(folder, self.queue, 8)

    @classmethod
    def running(cls, request: pytest.FixtureRequest) -> Backend:
        folder = request.getfixturevalue("tmp_path_factory").mktemp("taskiq")
        backend = cls(request.getfixturevalue("redis_url"), folder)
        request.addfinalizer(backend.worker.stop)
        return backend

    def _start(self, folder: Path, queue: str, concurrency: int) -> Worker:
        arguments = ["--redis-url", self.url, "--queue", queue, "-c", str(concurrency)]
        return start_worker(folder, f"taskiq-{queue}", wove_worker("taskiq", *arguments))

    def _settings(self, queue: str) -> dict[str, Any]:
        return {"broker": brokers.make(self.url, queue)}

    def executor_config(self) -> dict[str, Any]:
        return {"broker": "tests.adapters.backends._taskiq:shared"}

    @contextlib.contextmanager
    def own_workers(self, folder: Path) -> Iterator[Workers]:
        """A worker, and another for each that dies: a task's process is the whole worker."""
        queue = _new_queue()
        workers = [self._start(folder, queue, 2)]
        over = threading.Event()

        def start_again() -> None:
            while not over.wait(0.1):
                if workers[-1].process.poll() is not None:
                    with contextlib.suppress(ServiceError):
                        workers.append(self._start(folder, queue, 2))

        def kill() -> None:
            over.set()
            for worker in workers:
                worker.kill()

        watcher = threading.Thread(target=start_again)
        watcher.start()
        try:
            yield Workers(self._settings(queue), kill)
        finally:
            over.set()
            watcher.join(70)
            for worker in workers:
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
        """A list without a worker, until it gets one."""
        queue = _new_queue()
        with contextlib.ExitStack() as stack:

            def resume() -> None:
                stack.callback(self._start(folder, queue, 1).kill)

            yield Stalled(self._settings(queue), resume)

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


def _new_queue() -> str:
    return f"adapters-{uuid.uuid4().hex[:12]}"


BACKEND = Taskiq
