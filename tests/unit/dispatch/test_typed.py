"""Results that came as JSON, against return annotations, with the standard library alone."""

from __future__ import annotations

import importlib.util
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Annotated, Any, Literal, Optional, TypedDict

import pytest

from wove.dispatch import typed
from wove.dispatch.typed import WrongType, returns


@pytest.fixture(autouse=True)
def _without_pydantic(monkeypatch: pytest.MonkeyPatch) -> None:
    find = importlib.util.find_spec
    monkeypatch.setattr(
        typed.importlib.util,
        "find_spec",
        lambda name: None if name == "pydantic" else find(name),
    )


@dataclass
class Account:
    name: str
    balance: float = 0.0


class Row(TypedDict, total=False):
    key: str
    values: list[int]


def convert(annotation: Any, value: Any) -> Any:
    def stub() -> None: ...

    stub.__annotations__["return"] = annotation
    return returns(stub)(value)


@pytest.mark.parametrize(
    ("annotation", "value", "result"),
    [
        (Any, {"a": [1]}, {"a": [1]}),
        (int, 9007199254740993, 9007199254740993),
        (float, 3, 3.0),
        (str, "é", "é"),
        (bool, True, True),
        (None, None, None),
        (list, [1, "a"], [1, "a"]),
        (list[int], [1, 2], [1, 2]),
        (Sequence[str], ["a"], ["a"]),
        (set[int], [1, 2, 2], {1, 2}),
        (tuple[int, str], [1, "a"], (1, "a")),
        (tuple[int, ...], [1, 2, 3], (1, 2, 3)),
        (dict[str, list[int]], {"a": [1]}, {"a": [1]}),
        (Mapping[str, Any], {"a": None}, {"a": None}),
        (Optional[int], None, None),  # noqa: UP045 - this form is understood, too
        (int | str, "a", "a"),
        (Literal["a", 1], 1, 1),
        (Annotated[int, "metres"], 5, 5),
        (Account, {"name": "x", "balance": 3}, Account("x", 3.0)),
        (list[Account], [{"name": "x"}], [Account("x")]),
        (Row, {"key": "k", "values": [1]}, {"key": "k", "values": [1]}),
        (Row, {}, {}),
    ],
)
def test_what_fits_becomes_what_is_annotated(annotation: Any, value: Any, result: Any) -> None:
    made = convert(annotation, value)
    assert made == result
    assert type(made) is type(result)


@pytest.mark.parametrize(
    ("annotation", "value", "words"),
    [
        (int, "1", "it: expected int, got str"),
        (int, True, "expected int, got bool"),
        (int, 1.0, "expected int, got float"),
        (str, None, "expected str, got NoneType"),
        (list[int], [1, "a"], r"\[1\]: expected int, got str"),
        (tuple[int, str], [1], "got list"),
        (dict[str, list[int]], {"a": [None]}, r"\['a'\]\[0\]: expected int"),
        (int | None, "a", "expected"),
        (Literal["a"], "b", "expected"),
        (Account, {"balance": 1}, "name"),
        (Account, {"name": "x", "more": 1}, "unexpected more"),
        (Account, ["x"], "expected Account, got list"),
        (Row, {"key": 1}, r"\['key'\]: expected str"),
        (dict[int, int], {"1": 1}, "cannot be checked by the standard library; install pydantic"),
        (complex, 1, "cannot be checked"),
    ],
)
def test_what_does_not_fit_is_named(annotation: Any, value: Any, words: str) -> None:
    with pytest.raises(WrongType, match=words):
        convert(annotation, value)


def test_without_an_annotation_anything_fits() -> None:
    assert returns(lambda: None)({"a": 1}) == {"a": 1}


def test_an_annotation_that_names_nothing() -> None:
    def stub() -> Nowhere: ...  # type: ignore[name-defined] # noqa: F821

    with pytest.raises(WrongType, match=r"cannot be resolved.*Nowhere"):
        returns(stub)
