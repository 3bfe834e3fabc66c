"""The run's cluster, and nodes of the test's own."""

from __future__ import annotations

import contextlib
import uuid
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.services import Worker, shared, start_ray, start_worker, wove_worker


@pytest.fixture(scope="session")
def cluster() -> str:
    """The address of the run's cluster. Its own node has two CPUs."""
    return shared("ray", start_ray)


@pytest.fixture
def mark() -> str:
    """A resource that only the test's own nodes have."""
    return f"mark-{uuid.uuid4().hex[:8]}"


@pytest.fixture
def node(cluster: str, mark: str, tmp_path: Path) -> Iterator[Callable[..., Worker]]:
    """Starts `wove worker ray` with the resource `mark`; killed at the end."""
    with contextlib.ExitStack() as stack:

        def start(*arguments: str) -> Worker:
            argv = wove_worker("ray", "--address", cluster, "--resource", f"{mark}=4", *arguments)
            worker = start_worker(tmp_path, "ray", argv, seconds=120)
            stack.callback(worker.kill)
            return worker

        yield start
