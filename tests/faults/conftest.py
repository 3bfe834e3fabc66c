"""Fixtures of the fault suite."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest

import wove
from tests.faults.grpc_proxy import GrpcProxy, grpc_proxy_to
from tests.faults.liveness import QUICK
from tests.faults.programs import Job, Programs
from tests.faults.proxy import Proxy, proxy_to
from tests.services import free_port
from wove import BackendAdapterEnvironmentExecutor


@pytest.fixture(scope="session")
def port() -> int:
    """Where this process's receiver listens."""
    return free_port()


@pytest.fixture
def proxy(port: int) -> Iterator[Proxy]:
    """A proxy before the receiver; it does nothing until the test gives it a rule."""
    with proxy_to(port) as proxy:
        yield proxy


@pytest.fixture(scope="session")
def grpc_port() -> int:
    """Where this process's receiver takes gRPC."""
    return free_port()


@pytest.fixture
def grpc_proxy(grpc_port: int) -> Iterator[GrpcProxy]:
    """A proxy before the receiver's gRPC door."""
    with grpc_proxy_to(grpc_port, "network") as proxy:
        yield proxy


@pytest.fixture
def use() -> Iterator[Callable[..., None]]:
    """Configures an environment: `use(settings)`, `use(settings, name="other")`."""
    names: set[str] = set()

    def configure(environment: dict[str, Any], name: str = "remote") -> None:
        names.add(name)
        wove.config(environments={name: None})
        wove.config(environments={name: environment})

    yield configure
    wove.config(environments=dict.fromkeys(names))


@pytest.fixture
def jobs() -> Iterator[list[Job]]:
    """Jobs of the environment that `programs` makes; ended with the test."""
    jobs: list[Job] = []
    yield jobs
    for job in jobs:
        job.end()


@pytest.fixture
def programs(jobs: list[Job], port: int) -> Callable[..., dict[str, Any]]:
    """Makes an environment of `Programs` that judges quickly: `programs(config, **options)`."""

    def make(config: dict[str, Any] | None = None, **options: Any) -> dict[str, Any]:
        executor = BackendAdapterEnvironmentExecutor(
            "programs", adapter_class=Programs, liveness=QUICK
        )
        executor_config = {"callback_port": port, "jobs": jobs, **(config or {})}
        return {"executor": executor, "executor_config": executor_config, **options}

    return make
