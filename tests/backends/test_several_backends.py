"""One weave, several backends: values go from one to the other, through one receiver."""

from __future__ import annotations

import importlib
from collections.abc import Iterator
from pathlib import Path

import pytest

import wove
from tests.adapters import tasks
from tests.adapters.backend import Backend
from tests.chosen import is_chosen
from wove import weave

PAIRS = {
    "celery": ("celery_redis", "dask"),
    "rq": ("rq", "temporal"),
    "taskiq": ("taskiq", "celery_rabbitmq"),
    "ray": ("ray", "process"),
    "arq": ("arq", "process"),
}
"""By the backend whose tests they belong to: modules of tests.adapters.backends."""


@pytest.fixture(
    scope="module",  # a pair is started once, for both tests
    params=[
        pytest.param(
            pair,
            id="-".join(pair),
            marks=pytest.mark.xdist_group(
                "adapters-ray" if backend == "ray" else f"several-{backend}"
            ),
        )
        for backend, pair in PAIRS.items()
        if is_chosen(backend)
    ],
)
def two(request: pytest.FixtureRequest) -> Iterator[tuple[Backend, Backend]]:
    """Two running backends, which are the environments "first" and "second"."""
    first, second = (
        importlib.import_module(f"tests.adapters.backends.{module}").BACKEND.running(request)
        for module in request.param
    )
    wove.config(environments={"first": first.environment(), "second": second.environment()})
    yield first, second
    wove.config(environments={"first": None, "second": None})


def test_a_weave_runs_in_two_backends(two: tuple[Backend, Backend]) -> None:
    with weave(rows=[3, 1, 2]) as w:

        @w.do("rows", environment="first")
        def scaled(item: int) -> int:
            return item * 10

        @w.do(environment="second")
        def ordered(scaled: list[int]) -> list[int]:
            return sorted(scaled)

        @w.do("ordered", environment="first")
        def labelled(item: int, rows: list[int]) -> str:
            return f"{item} of {len(rows)}"

        @w.do
        def here(labelled: list[str]) -> str:
            return ", ".join(labelled)

    assert w.result.here == "10 of 3, 20 of 3, 30 of 3"
    places = {(run.task, run.backend) for run in w.result.runs}
    first, second = (backend.executor for backend in two)
    assert places == {
        ("scaled", first),
        ("ordered", second),
        ("labelled", first),
        ("here", "local"),
    }


def test_a_failure_in_one_backend_stops_the_other(
    two: tuple[Backend, Backend], tmp_path: Path
) -> None:
    began, ended = tmp_path / "began", tmp_path / "ended"
    with weave(error_mode="return", began=str(began), ended=str(ended)) as w:

        @w.do(environment="first")
        def refuses(began: str) -> None:
            tasks.wait_for(began)
            raise LookupError("no such account")

        @w.do(environment="second", delivery_heartbeat_seconds=0.5)
        def stays(began: str, ended: str) -> None:
            tasks.note(began)
            try:
                tasks.wait_for("never", seconds=50)
            finally:
                tasks.note(ended)

    assert isinstance(w.result.exception, LookupError)
    assert w.result.cancelled == {"stays"}
    tasks.wait_for(ended, seconds=20)
