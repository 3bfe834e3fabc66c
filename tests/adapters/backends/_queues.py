"""Backends whose workers take jobs from a queue by its name: a new one is as good as another."""

from __future__ import annotations

import contextlib
import threading
import uuid
from abc import abstractmethod
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from tests.adapters.backend import Backend, Stalled, Workers
from tests.services import ServiceError, Worker, stop_workers

__all__ = ["QueueBackend"]


class QueueBackend(Backend):
    """A service that is there, and workers that `start` starts.

    Args:
        folder: for the logs of the shared workers.
        concurrency: jobs that these do at once.
    """

    def __init__(self, folder: Path, concurrency: int) -> None:
        self.queue = new_queue()
        self.worker = self.start(folder, self.queue, concurrency)

    @abstractmethod
    def start(self, folder: Path, queue: str, concurrency: int) -> Worker:
        """A worker of a queue, ready to do so many jobs at once."""

    @abstractmethod
    def settings(self, queue: str) -> dict[str, Any]:
        """The `executor_config` that leads to a queue."""

    def executor_config(self) -> dict[str, Any]:
        return self.settings(self.queue)

    @contextlib.contextmanager
    def own_workers(self, folder: Path) -> Iterator[Workers]:
        """A worker, and another for each that dies: a task's process may be the whole worker."""
        queue = new_queue()
        workers = [self.start(folder, queue, 2)]
        over = threading.Event()

        def start_again() -> None:
            while not over.wait(0.1):
                if workers[-1].process.poll() is not None:
                    with contextlib.suppress(ServiceError):
                        workers.append(self.start(folder, queue, 2))

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
            kill()

    @contextlib.contextmanager
    def many_at_once(self, folder: Path, count: int) -> Iterator[dict[str, Any]]:
        queue = new_queue()
        worker = self.start(folder, queue, count)
        try:
            yield self.settings(queue)
        finally:
            worker.kill()

    @contextlib.contextmanager
    def two_workers(self, folder: Path) -> Iterator[dict[str, Any]]:
        queue = new_queue()
        workers = [self.start(folder, queue, 4) for _ in range(2)]
        try:
            yield self.settings(queue)
        finally:
            stop_workers(workers)

    @contextlib.contextmanager
    def stalled(self, folder: Path) -> Iterator[Stalled]:
        """A queue without a worker, until it gets one."""
        queue = new_queue()
        with contextlib.ExitStack() as stack:

            def resume() -> None:
                stack.callback(self.start(folder, queue, 1).kill)

            yield Stalled(self.settings(queue), resume)


def new_queue() -> str:
    """A name that no other queue has."""
    return f"adapters-{uuid.uuid4().hex[:12]}"
