"""The behaviour suite runs once per module in `backends/` that defines a `BACKEND`."""

from __future__ import annotations

import importlib
import pkgutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

import wove
from tests import chosen
from tests.adapters.backend import Backend
from tests.services import free_port


def _backends() -> list[type[Backend]]:
    folder = str(Path(__file__).parent / "backends")
    names = sorted(m.name for m in pkgutil.iter_modules([folder]) if not m.name.startswith("_"))
    mine = [name for name in names if chosen.is_chosen(name.partition("_")[0])]
    return [importlib.import_module(f"tests.adapters.backends.{name}").BACKEND for name in mine]


def _params() -> list[Any]:
    # One process of pytest-xdist per backend: its workers are started once.
    return [
        pytest.param(kind, id=kind.name, marks=pytest.mark.xdist_group(f"adapters-{kind.name}"))
        for kind in _backends()
    ]


@pytest.fixture(scope="session", params=_params())
def backend(request: pytest.FixtureRequest) -> Backend:
    """A running backend."""
    kind: type[Backend] = request.param
    return kind.running(request)


@pytest.fixture
def use(backend: Backend) -> Iterator[Callable[..., None]]:
    """Configures the environment "remote": `use()`, `use(config, **options)`, `use(environment=)`.

    Other names: `use(name="other")`. What was configured is removed at the end.
    """
    names = {"remote"}

    def configure(
        config: dict[str, Any] | None = None,
        *,
        name: str = "remote",
        environment: dict[str, Any] | None = None,
        **options: Any,
    ) -> None:
        names.add(name)
        # Environments merge key by key: start from nothing.
        wove.config(environments={name: None})
        wove.config(environments={name: environment or backend.environment(config, **options)})

    yield configure
    wove.config(environments=dict.fromkeys(names))


@pytest.fixture(scope="session")
def callback_port() -> int:
    """A port for receivers that must be found again; one per process of the run."""
    return free_port()
