"""`process`: worker processes on this machine."""

from __future__ import annotations

import contextlib
import os
import signal
import threading
import uuid
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

import wove
from tests.adapters import tasks
from tests.adapters.backend import Backend, Capabilities, Stalled, Workers, nothing_to_stop
from tests.services import wait_until
from wove import BackendAdapterEnvironmentExecutor
from wove.errors import ErrorCode


class Process(Backend):
    name = "process"
    executor = "process"
    capabilities = Capabilities(
        cancelled_running=frozenset({"stopped"}),
        cancelled_queued=frozenset({"stopped"}),
        lost_process=frozenset({ErrorCode.WORKER_LOST}),
        lost_worker=frozenset({ErrorCode.WORKER_LOST}),
        down=ErrorCode.SUBMIT_FAILED,
    )

    @classmethod
    def running(cls, request: pytest.FixtureRequest) -> Backend:
        return cls()

    def executor_config(self) -> dict[str, Any]:
        return {"workers": 2}

    @contextlib.contextmanager
    def own_workers(self, folder: Path) -> Iterator[Workers]:
        config = _own_pool(2)
        try:
            yield Workers(config, lambda: _kill_pool(config))
        finally:
            _kill_pool(config)

    @contextlib.contextmanager
    def many_at_once(self, folder: Path, count: int) -> Iterator[dict[str, Any]]:
        config = _own_pool(count)
        try:
            yield config
        finally:
            _kill_pool(config)

    def two_workers(self, folder: Path) -> contextlib.AbstractContextManager[dict[str, Any]]:
        return self.many_at_once(folder, 2)

    @contextlib.contextmanager
    def stalled(self, folder: Path) -> Iterator[Stalled]:
        """One worker, which is busy with another weave's task."""
        config = _own_pool(1)
        busy, gate = folder / "busy", folder / "gate"
        wove.config(environments={"stalled": self.environment(config)})

        def occupy() -> None:
            with wove.weave() as w:

                @w.do(environment="stalled")
                def occupied() -> None:
                    tasks.note(busy)
                    tasks.wait_for(gate, seconds=60)

        thread = threading.Thread(target=occupy)
        thread.start()

        def resume() -> None:
            tasks.note(gate)
            thread.join(20)

        try:
            wait_until(busy.exists, seconds=20, what="the only worker is busy")
            yield Stalled(config, resume)
        finally:
            resume()
            wove.config(environments={"stalled": None})
            _kill_pool(config)

    def down(self) -> dict[str, Any]:
        return {"command": ["/no/such/program"]}

    def shared_object(self) -> contextlib.AbstractContextManager[dict[str, Any]]:
        executor = BackendAdapterEnvironmentExecutor("process")
        environment = {"executor": executor, "executor_config": self.executor_config()}
        return nothing_to_stop(environment)


def _own_pool(workers: int) -> dict[str, Any]:
    # A pool is shared by those who name the same settings: this one nobody else names.
    return {"workers": workers, "env": {"WOVE_TEST_POOL": uuid.uuid4().hex}}


def _kill_pool(config: dict[str, Any]) -> None:
    mark = f"WOVE_TEST_POOL={config['env']['WOVE_TEST_POOL']}".encode()
    for pid in _children():
        with contextlib.suppress(OSError):
            if mark in Path(f"/proc/{pid}/environ").read_bytes().split(b"\0"):
                os.kill(pid, signal.SIGKILL)


def _children() -> list[int]:
    found: list[int] = []
    for path in Path("/proc/self/task").glob("*/children"):
        with contextlib.suppress(OSError):
            found += [int(pid) for pid in path.read_text().split()]
    return found


BACKEND = Process
