"""Results that came as JSON, against return annotations, with the standard library alone."""

from __future__ import annotations

import importlib.util
import typing
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

    def __post_init__(self) -> None:
        if not self.name:
            raise ValueError("no name")


@dataclass
class Tree:
    parts: list[Tree]


@dataclass
class Odd:
    number: complex


class OddRow(TypedDict):
    number: complex


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
        (set, [1], {1}),
        (tuple, [1, "a"], (1, "a")),
        (frozenset, [], frozenset()),
        (typing.List, [1], [1]),  # noqa: UP006 - people still write it
        (typing.Dict, {"a": 1}, {"a": 1}),  # noqa: UP006
        (typing.Tuple, [1], (1,)),  # noqa: UP006
        (tuple[()], [], ()),
        (Mapping, {"a": 1}, {"a": 1}),
        (list[int], [1, 2], [1, 2]),
        (Sequence[str], ["a"], ["a"]),
        (set[int], [1, 2, 2], {1, 2}),
        (tuple[int, str], [1, "a"], (1, "a")),
        (tuple[int, ...], [1, 2, 3], (1, 2, 3)),
        (dict[str, list[int]], {"a": [1]}, {"a": [1]}),
        (Mapping[str, Any], {"a": None}, {"a": None}),
        (Optional[int], None, None),  # noqa: UP045 - this form is understood, too
        (int | str, "a", "a"),
        (float | int, 9007199254740993, 9007199254740993),
        (float, 2**60, 2.0**60),
        (Literal["a", 1], 1, 1),
        (Annotated[int, "metres"], 5, 5),
        (Annotated[list[int], {"unit": "metres"}], [5], [5]),
        (Tree, {"parts": [{"parts": []}]}, Tree([Tree([])])),
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
        (int, "1", r"^result: expected int, got str \(the return annotation is int\)$"),
        (int, True, "expected int, got bool"),
        (int, 1.0, "expected int, got float"),
        (str, None, "expected str, got NoneType"),
        (list[int], [1, "a"], r"^result\[1\]: expected int, got str \(.* is list\[int\]\)$"),
        (tuple[int, str], [1], "got list"),
        (dict[str, list[int]], {"a": [None]}, r"\['a'\]\[0\]: expected int"),
        (int | None, "a", "expected"),
        (Literal["a"], "b", "expected"),
        (Account, {"balance": 1}, "name"),
        (Account, {"name": "x", "more": 1}, "unexpected more"),
        (Account, ["x"], "expected Account, got list"),
        (Row, {"key": 1}, r"\['key'\]: expected str"),
        (float, 2**53 + 1, "an int that no float is equal to"),
        (float, 10**400, "an int that no float is equal to"),
        (set[list[int]], [[1]], "unhashable"),
        (list[Account], [{"name": ""}], r"\[0\]: ValueError: no name"),
    ],
)
def test_what_does_not_fit_is_named(annotation: Any, value: Any, words: str) -> None:
    with pytest.raises(WrongType, match=words):
        convert(annotation, value)


@pytest.mark.parametrize(
    "annotation",
    [
        complex,
        dict[int, int],
        list[complex],
        Optional[complex],  # noqa: UP045
        tuple[int, complex],
        Odd,
        dict[str, OddRow],
    ],
)
def test_what_cannot_be_checked_is_refused_before_anything_is_sent(annotation: Any) -> None:
    def stub() -> None: ...

    stub.__annotations__["return"] = annotation
    with pytest.raises(WrongType, match="cannot be checked by the standard library; install"):
        returns(stub)


def test_without_an_annotation_anything_fits() -> None:
    assert returns(lambda: None)({"a": 1}) == {"a": 1}


def test_an_annotation_that_names_nothing() -> None:
    def stub() -> Nowhere: ...  # type: ignore[name-defined] # noqa: F821

    with pytest.raises(WrongType, match=r"cannot be resolved.*Nowhere"):
        returns(stub)
