"""One weave, with tasks in Python here, in a Python worker, and in each other language."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from typing import Any

import pytest

import wove
from tests.languages import LANGUAGES, built
from tests.services import ROOT
from wove import weave
from wove.errors import EnvironmentExecutionError

pytestmark = [pytest.mark.xdist_group("languages"), pytest.mark.timeout(600)]


@pytest.fixture(scope="module", autouse=True)
def _environments() -> Iterator[None]:
    commands = {"python": [sys.executable, str(ROOT / "workers/python/tasks/worker.py")]}
    commands |= {language: built(language) for language in LANGUAGES}
    wove.config(
        environments={
            language: {
                "executor": "process",
                "executor_config": {"command": command, "callback_grpc": language == "go"},
                "allow_pickle": False,
                "delivery_timeout": 100,
            }
            for language, command in commands.items()
        }
    )
    yield
    wove.config(environments=dict.fromkeys(commands))


def test_a_result_of_all_languages() -> None:
    with weave(a=1, b=2**53) as w:

        @w.do(environment="python")
        def add(a: int, b: int) -> int: ...  # type: ignore[empty-body]

        for language in LANGUAGES:

            def echo(value: Any) -> Any: ...

            def called(add: int, function: Any = echo, language: str = language) -> Any:
                return wove.merge(function, [{"from": language, "n": add}], environment=language)

            called.__name__ = language
            w.do(called)

    assert w.result.add == 2**53 + 1
    for language in LANGUAGES:
        assert w.result[language] == [{"from": language, "n": 2**53 + 1}]
    done = {run.environment: run.state for run in w.result.runs}
    assert {done[language] for language in LANGUAGES} <= {"succeeded"}


@pytest.mark.parametrize("language", LANGUAGES)
def test_an_error_tells_of_its_cause(language: str) -> None:
    with pytest.raises(EnvironmentExecutionError, match="outer") as caught:  # noqa: SIM117
        with weave(message="outer", cause="inner") as w:

            @w.do(environment=language)
            def fail(message: str, cause: str) -> None: ...

    assert caught.value.payload["cause"]["message"].endswith("inner")
    assert caught.value.payload["traceback"]


@pytest.mark.parametrize("language", LANGUAGES)
def test_a_failure_elsewhere_stops_the_task(language: str) -> None:
    with pytest.raises(ZeroDivisionError), weave(seconds=90.0) as w:

        @w.do(environment=language, delivery_heartbeat_seconds=1.5)
        def slow(seconds: float) -> float: ...  # type: ignore[empty-body]

        @w.do
        async def fails() -> None:
            import asyncio

            for _ in range(600):
                if any(run.task == "slow" and run.state == "started" for run in w.runs):
                    break
                await asyncio.sleep(0.1)
            raise ZeroDivisionError

    (run,) = [run for run in w.runs if run.task == "slow"]
    assert run.cancel == "stopped"
