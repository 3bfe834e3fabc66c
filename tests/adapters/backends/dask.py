"""`dask`: a scheduler, and workers as processes of their own."""

from __future__ import annotations

import contextlib
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests import services
from tests.adapters.backend import Backend, Capabilities, Stalled, Workers
from tests.services import free_port, shared, start_dask, start_worker, stop_workers, wove_worker
from wove.errors import ErrorCode


class Dask(Backend):
    name = "dask"
    executor = "dask"
    capabilities = Capabilities(
        cancelled_running=frozenset({"asked", "stopped"}),
        cancelled_queued=frozenset({"stopped"}),
        lost_process=frozenset({ErrorCode.WORKER_LOST}),
        lost_worker=frozenset({ErrorCode.WORKER_LOST}),
        down=ErrorCode.BACKEND_UNAVAILABLE,
        start_seconds=2.0,
    )

    def __init__(self, address: str, folder: Path) -> None:
        self.address = address
        self.workers = [self._worker(folder, address, 4) for _ in range(2)]

    @classmethod
    def running(cls, request: pytest.FixtureRequest) -> Backend:
        folder = request.getfixturevalue("tmp_path_factory").mktemp("dask")
        backend = cls(shared("dask", start_dask), folder)
        request.addfinalizer(lambda: stop_workers(backend.workers))
        return backend

    def executor_config(self) -> dict[str, Any]:
        return {"address": self.address}

    @contextlib.contextmanager
    def own_workers(self, folder: Path) -> Iterator[Workers]:
        """Dask's own worker program, whose nannies replace workers that died."""
        with self._cluster(folder) as address:
            program = [sys.executable, "-m", "distributed.cli.dask_worker", address]
            sizes = ["--nworkers", "2", "--nthreads", "1", "--no-dashboard"]
            worker = start_worker(folder, "dask", [*program, *sizes], ready="Registered to")
            try:
                yield Workers({"address": address}, worker.kill)
            finally:
                worker.kill()

    @contextlib.contextmanager
    def many_at_once(self, folder: Path, count: int) -> Iterator[dict[str, Any]]:
        with self._cluster(folder) as address:
            worker = self._worker(folder, address, count)
            try:
                yield {"address": address}
            finally:
                worker.kill()

    @contextlib.contextmanager
    def two_workers(self, folder: Path) -> Iterator[dict[str, Any]]:
        with self._cluster(folder) as address:
            workers = [self._worker(folder, address, 2) for _ in range(2)]
            try:
                yield {"address": address}
            finally:
                stop_workers(workers)

    @contextlib.contextmanager
    def stalled(self, folder: Path) -> Iterator[Stalled]:
        """A scheduler without a worker, until it gets one."""
        with self._cluster(folder) as address, contextlib.ExitStack() as stack:

            def resume() -> None:
                stack.callback(self._worker(folder, address, 1).kill)

            yield Stalled({"address": address}, resume)

    def down(self) -> dict[str, Any]:
        return {"address": f"tcp://127.0.0.1:{free_port()}"}

    @contextlib.contextmanager
    def shared_object(self) -> Iterator[dict[str, Any]]:
        from distributed import Client

        client = Client(self.address, set_as_default=False)
        yield self.environment({"client": client})
        assert client.submit(len, "mine", pure=False).result(timeout=20) == 4  # it works still
        client.close()

    @staticmethod
    def _worker(folder: Path, address: str, concurrency: int) -> services.Worker:
        argv = wove_worker("dask", "--address", address, "--concurrency", str(concurrency))
        return start_worker(folder, "dask", argv)

    @staticmethod
    @contextlib.contextmanager
    def _cluster(folder: Path) -> Iterator[str]:
        home = folder / "cluster"
        home.mkdir()
        started = start_dask(home)
        try:
            yield started.url
        finally:
            for pid in started.pids:
                services.stop_service(pid)


BACKEND = Dask
