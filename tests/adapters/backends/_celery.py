"""What Celery is like whatever its broker."""

from __future__ import annotations

import contextlib
import uuid
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from tests.adapters.backend import Backend, Capabilities, Stalled, Workers
from tests.services import CeleryWorker, free_port, start_celery_worker
from wove.errors import ErrorCode


class CeleryBackend(Backend):
    executor = "celery"
    capabilities = Capabilities(
        cancelled_running=frozenset({"stopped", "asked"}),
        cancelled_queued=frozenset({"asked", "stopped"}),
        lost_process=frozenset({ErrorCode.WORKER_LOST}),
        lost_worker=frozenset({ErrorCode.WORKER_LOST}),
        down=ErrorCode.BACKEND_UNAVAILABLE,
    )

    def __init__(self, url: str, start: Callable[..., CeleryWorker]) -> None:
        self.url = url
        self.queue = _new_queue()
        start(url, *self.worker_arguments(), queue=self.queue, concurrency=4)

    def worker_arguments(self) -> list[str]:
        """More arguments for `wove worker celery`."""
        return []

    def settings(self) -> dict[str, Any]:
        """The adapter's settings but for the queue."""
        return {"broker_url": self.url}

    def down_url(self) -> str:
        """A broker's URL where nothing listens."""
        return f"{self.url.partition('://')[0]}://127.0.0.1:{free_port()}/0"

    def executor_config(self) -> dict[str, Any]:
        return {**self.settings(), "queue": self.queue}

    @contextlib.contextmanager
    def own_workers(self, folder: Path) -> Iterator[Workers]:
        with self._worker(folder, concurrency=2) as (config, worker):
            yield Workers(config, worker.kill)

    @contextlib.contextmanager
    def many_at_once(self, folder: Path, count: int) -> Iterator[dict[str, Any]]:
        with self._worker(folder, pool="threads", concurrency=count) as (config, _):
            yield config

    @contextlib.contextmanager
    def two_workers(self, folder: Path) -> Iterator[dict[str, Any]]:
        with self._worker(folder, concurrency=2) as (config, _):
            arguments = self.worker_arguments()
            second = start_celery_worker(folder, self.url, *arguments, queue=config["queue"])
            try:
                yield config
            finally:
                second.kill()

    @contextlib.contextmanager
    def _worker(
        self, folder: Path, **options: Any
    ) -> Iterator[tuple[dict[str, Any], CeleryWorker]]:
        queue = _new_queue()
        arguments = self.worker_arguments()
        worker = start_celery_worker(folder, self.url, *arguments, queue=queue, **options)
        try:
            yield {**self.settings(), "queue": queue}, worker
        finally:
            worker.kill()

    @contextlib.contextmanager
    def stalled(self, folder: Path) -> Iterator[Stalled]:
        """A queue without a worker, until it gets one."""
        queue = _new_queue()
        with contextlib.ExitStack() as stack:

            def resume() -> None:
                arguments = self.worker_arguments()
                worker = start_celery_worker(
                    folder, self.url, *arguments, queue=queue, concurrency=1
                )
                stack.callback(worker.kill)

            yield Stalled({**self.settings(), "queue": queue}, resume)

    def down(self) -> dict[str, Any]:
        return {"broker_url": self.down_url(), "queue": self.queue}

    @contextlib.contextmanager
    def shared_object(self) -> Iterator[dict[str, Any]]:
        from celery import Celery

        app = Celery("mine", broker=self.url, set_as_current=False)
        yield self.environment({"app": app, "queue": self.queue})
        with app.connection_for_write() as connection:  # it is the user's still, and works
            connection.ensure_connection(max_retries=1)
        app.close()


def _new_queue() -> str:
    return f"adapters-{uuid.uuid4().hex[:12]}"
