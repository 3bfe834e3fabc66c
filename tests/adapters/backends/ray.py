"""`ray`: a cluster, and nodes of single tests' own, which only their resources lead to."""

from __future__ import annotations

import contextlib
import json
import uuid
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests import services
from tests.adapters.backend import Backend, Capabilities, Stalled, Workers, nothing_to_stop
from tests.services import free_port, ray_command, shared, start_ray, start_worker
from wove.errors import ErrorCode


class Ray(Backend):
    name = "ray"
    executor = "ray"
    capabilities = Capabilities(
        cancelled_running=frozenset({"asked", "stopped"}),
        cancelled_queued=frozenset({"stopped"}),
        lost_process=frozenset({ErrorCode.WORKER_LOST}),
        lost_worker=frozenset({ErrorCode.WORKER_LOST}),
        down=ErrorCode.BACKEND_UNAVAILABLE,
        start_seconds=10.0,  # a process of Python with Ray, for each job that runs at once
        at_once=8,
    )

    def __init__(self, address: str) -> None:
        self.address = address

    @classmethod
    def running(cls, request: pytest.FixtureRequest) -> Backend:
        return cls(shared("ray", start_ray))

    def executor_config(self) -> dict[str, Any]:
        return self._only_on("shared")

    @contextlib.contextmanager
    def own_workers(self, folder: Path) -> Iterator[Workers]:
        mark = f"own-{uuid.uuid4().hex[:8]}"
        with self._node(folder, mark, 2) as node:
            yield Workers(self._only_on(mark), node.kill)

    @contextlib.contextmanager
    def many_at_once(self, folder: Path, count: int) -> Iterator[dict[str, Any]]:
        mark = f"many-{uuid.uuid4().hex[:8]}"
        with self._node(folder, mark, count):
            yield self._only_on(mark)

    @contextlib.contextmanager
    def two_workers(self, folder: Path) -> Iterator[dict[str, Any]]:
        mark = f"two-{uuid.uuid4().hex[:8]}"
        with self._node(folder, mark, 2), self._node(folder, mark, 2):
            yield self._only_on(mark)

    @contextlib.contextmanager
    def stalled(self, folder: Path) -> Iterator[Stalled]:
        """A resource that no node has, until one comes that has it."""
        mark = f"stalled-{uuid.uuid4().hex[:8]}"
        with contextlib.ExitStack() as stack:
            yield Stalled(
                self._only_on(mark),
                lambda: _discard(stack.enter_context(self._node(folder, mark, 1))),
            )

    def down(self) -> dict[str, Any]:
        return {"address": f"127.0.0.1:{free_port()}"}

    def shared_object(self) -> contextlib.AbstractContextManager[dict[str, Any]]:
        """Ray's is the process's own connection."""
        import ray

        ray.init(address=self.address, ignore_reinit_error=True, log_to_driver=False)
        config = {"init": False, "remote_options": {"resources": {"shared": 1}}}
        return nothing_to_stop(self.environment(config))

    def _only_on(self, mark: str) -> dict[str, Any]:
        return {"address": self.address, "remote_options": {"resources": {mark: 1}}}

    @contextlib.contextmanager
    def _node(self, folder: Path, mark: str, size: int) -> Iterator[services.Worker]:
        argv = ray_command(
            *("start", "--address", self.address, "--block", "--num-cpus", str(size)),
            *("--resources", json.dumps({mark: size}), "--disable-usage-stats"),
        )

        def start() -> services.Worker:
            return start_worker(folder, "ray", argv, ready="Ray runtime started", seconds=120)

        try:
            node = start()
        except services.ServiceError as error:
            # Ray gives a node 30 s to register, and a loaded machine may need longer.
            if "node timed out during startup" not in str(error):
                raise
            node = start()
        try:
            yield node
        finally:
            node.kill()


def _discard(_: object) -> None: ...


BACKEND = Ray
