"""A session on worker processes, for the tests of the `process` backend."""

from __future__ import annotations

import asyncio
import contextlib
import functools
import os
import time
import uuid
from pathlib import Path
from typing import Any

from tests.unit.executors.test_backend import BackendItems
from wove.executors.session import EnvironmentSession


@contextlib.asynccontextmanager
async def processes(executor: Any = "process", **config: Any):
    """A session on worker processes; the tests' own functions travel by value."""
    environment = {"executor": executor, "executor_config": {"workers": 2, **config}}
    session = EnvironmentSession("local-processes", environment, {})
    await session.start()
    try:
        yield BackendItems(session)
    finally:
        await asyncio.wait_for(session.stop(failed=None), 10)


def own_pool(**config: Any):
    """`processes` with one worker, which no other test has seen."""
    return processes(workers=1, env={"POOL": uuid.uuid4().hex}, **config)


def in_loop(test):
    @functools.wraps(test)
    def run(**fixtures):
        asyncio.run(test(**fixtures))

    return run


def by_value(function):
    """cloudpickle carries functions of `__main__` by value, so workers need not import tests."""
    function.__module__ = "__main__"
    return function


@by_value
def pid():
    import os

    return os.getpid()


def alive(process: int) -> bool:
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return False
    try:
        status = Path(f"/proc/{process}/stat").read_text()
    except (FileNotFoundError, ProcessLookupError):  # no such folder here, or it has just ended
        return not Path("/proc/self/stat").exists()
    return status.rpartition(")")[2].split()[0] != "Z"


def wait_for(condition) -> None:
    deadline = time.monotonic() + 10
    while not condition():
        assert time.monotonic() < deadline, "took too long"
        time.sleep(0.01)
