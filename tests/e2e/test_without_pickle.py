"""`allow_pickle=False`: a typed stub in the weave, a worker that has the function by name."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any

import pytest

import wove
from wove import merge, weave
from wove.backend import payload_from_b64
from wove.errors import DeliveryError, EnvironmentExecutionError, ErrorCode

WORKER = Path(__file__).parents[2] / "workers" / "python" / "tasks" / "worker.py"


@dataclass
class Point:
    x: int
    y: list[int]


@pytest.fixture(autouse=True)
def _environment() -> Iterator[None]:
    command = [sys.executable, str(WORKER)]
    plain = {
        "executor": "process",
        "executor_config": {"command": command},
        "allow_pickle": False,
        "delivery_timeout": 60,
    }
    wove.config(environments={"plain": plain})
    yield
    wove.config(environments={"plain": None})


def test_dependencies_and_results_go_as_json() -> None:
    with weave(a=2) as w:

        @w.do
        def b() -> int:
            return 2**53 + 1

        @w.do(environment="plain")
        def add(a: int, b: int) -> int:
            raise AssertionError("a stub's body never runs")

        @w.do
        def twice(add: int) -> int:
            return 2 * add

    assert w.result.add == 2**53 + 3
    assert w.result.twice == 2 * (2**53 + 3)


def test_a_mapped_stub() -> None:
    with weave() as w:

        @w.do([{"x": 1, "y": [2]}, {"x": 3, "y": []}], environment="plain")
        def echo(value: Any) -> Point: ...  # type: ignore[empty-body]

    assert w.result.echo == [Point(1, [2]), Point(3, [])]


def test_a_merged_stub() -> None:
    def echo(value: Any) -> Any: ...

    with weave() as w:

        @w.do
        async def outer() -> Any:
            return await merge(echo, ["a", None], environment="plain")

    assert w.result.outer == ["a", None]


def test_a_result_of_another_type() -> None:
    with (
        pytest.raises(DeliveryError, match=r"'x'.*(expected int, got str|valid integer)") as caught,
        weave() as w,
    ):

        @w.do([{"x": "1", "y": []}], environment="plain")
        def echo(value: Any) -> Point: ...  # type: ignore[empty-body]

    assert caught.value.code is ErrorCode.RESULT_NOT_LOADABLE
    assert "its result does not fit: result['x']: " in str(caught.value)
    assert str(caught.value).endswith("(the return annotation is Point)")


@pytest.mark.parametrize(
    ("value", "path"),
    [
        ({"accounts": [1, {"opened": date(2026, 1, 2)}]}, r"value\.accounts\[1\]\.opened: date"),
        ((1, 2), "value: tuple"),
        ({1: 2}, "value: a key of type int"),
        (float("nan"), "value: nan"),
    ],
)
def test_an_argument_that_json_cannot_carry(value: Any, path: str) -> None:
    with pytest.raises(DeliveryError, match=rf"echo\.args\.{path}") as caught:  # noqa: SIM117
        with weave(value=value) as w:

            @w.do(environment="plain")
            def echo(value: Any) -> Any: ...

    assert caught.value.code is ErrorCode.PAYLOAD_NOT_PLAIN


def test_an_error_is_described_and_no_pickle_is_loaded() -> None:
    with pytest.raises(EnvironmentExecutionError, match="outer words") as caught, weave() as w:

        @w.do
        def message() -> str:
            return "outer words"

        @w.do(environment="plain")
        def fail(message: str) -> None: ...

    assert caught.value.payload["traceback"]


def test_an_unknown_task_is_named_with_those_there_are() -> None:
    with pytest.raises(DeliveryError, match=r"no task 'nothing_like_it'.*add") as caught:  # noqa: SIM117
        with weave() as w:

            @w.do(environment="plain")
            def nothing_like_it() -> None: ...

    assert caught.value.code is ErrorCode.UNKNOWN_TASK


def test_the_payload_holds_no_pickle(tmp_path: Path) -> None:
    keep = tmp_path / "payload"
    command = ["sh", "-c", f'echo "$WOVE_BACKEND_PAYLOAD" > {keep}; exit 3']
    wove.config(environments={"plain": {"executor_config": {"command": command}}})
    with pytest.raises(DeliveryError), weave(a=1, b=2) as w:

        @w.do(environment="plain")
        def add(a: int, b: int) -> int: ...  # type: ignore[empty-body]

    payload = payload_from_b64(keep.read_text().strip())
    assert payload["args_json"] == '{"a":1,"b":2}'
    assert payload["task_name"] == "add"
    assert payload["callable_pickle"] == payload["args_pickle"] == ""


def test_a_setting_that_is_no_flag() -> None:
    with pytest.raises(ValueError, match="allow_pickle of environment 'plain'"):
        wove.config(environments={"plain": {"allow_pickle": "no"}})
