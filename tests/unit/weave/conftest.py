"""Fixtures of the tests of the inline language."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest

from tests.unit.weave.forms import FORMS, run_weave
from wove.runtime import runtime


@pytest.fixture(params=FORMS)
def run(request: pytest.FixtureRequest) -> Callable[..., Any]:
    """`run(define, *args, **options)` runs a weave in each of the forms; returns `w`."""

    def in_this_form(define: Any, *args: Any, **options: Any) -> Any:
        return run_weave(request.param, define, *args, **options)

    return in_this_form


@pytest.fixture(params=["sync", "async"])
def kind(request: pytest.FixtureRequest) -> str:
    """The two kinds of task; see `forms.as_kind`."""
    return str(request.param)


@pytest.fixture(autouse=True)
def _own_configuration() -> Iterator[None]:
    """Whatever a test configures is gone after it."""
    default = runtime.default_environment
    environments = dict(runtime.environments)
    defaults = dict(runtime.global_defaults)
    yield
    runtime.default_environment = default
    runtime.environments = environments
    runtime.global_defaults = defaults
