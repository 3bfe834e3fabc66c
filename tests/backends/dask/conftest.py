"""A scheduler and workers of the test's own: what these tests break is theirs."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.services import (
    Started,
    Worker,
    free_port,
    start_dask,
    start_worker,
    stop_service,
    wove_worker,
)


@pytest.fixture
def scheduler(tmp_path: Path) -> Iterator[Callable[..., Started]]:
    """Starts a scheduler: `scheduler(port=None, **options of start_dask)`; stopped at the end."""
    with contextlib.ExitStack() as stack:
        count = 0

        def start(port: int | None = None, **options: int) -> Started:
            nonlocal count
            count += 1
            home = tmp_path / f"scheduler{count}"
            home.mkdir()
            started = start_dask(home, port or free_port(), **options)
            for pid in started.pids:
                stack.callback(stop_service, pid)
            return started

        yield start


@pytest.fixture
def address(scheduler: Callable[..., Started]) -> str:
    """A scheduler's address."""
    return scheduler().url


@pytest.fixture
def worker(tmp_path: Path) -> Iterator[Callable[..., Worker]]:
    """Starts `wove worker dask`: `worker(address, *arguments)`; killed at the end."""
    with contextlib.ExitStack() as stack:

        def start(address: str, *arguments: str) -> Worker:
            argv = wove_worker("dask", "--address", address, *arguments)
            started = start_worker(tmp_path, "dask", argv)
            stack.callback(started.kill)
            return started

        yield start
