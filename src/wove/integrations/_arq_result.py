"""What arq kept of a job's end, read without running anything that was pickled."""

from __future__ import annotations

import io
import pickle
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

__all__ = ["ArqResult", "Deserializer", "read_result"]

Deserializer = Callable[[bytes], Mapping[str, Any]]

WORDS_CHARACTERS = 500

PARTS = 100
"""So many things of what an exception was made with are looked at."""


@dataclass(frozen=True)
class ArqResult:
    """How a job ended, in arq's view.

    Args:
        success: its function returned.
        kind: the class of what it raised, without the module; empty where that is not kept.
        message: the text of that.
    """

    success: bool
    kind: str = ""
    message: str = ""

    @property
    def words(self) -> str:
        """Kind and message, as far as they are kept."""
        return ": ".join(text for text in (self.kind, self.message) if text)


def read_result(data: bytes, deserializer: Deserializer | None) -> ArqResult:
    """The end of a job.

    Args:
        data: the value of arq's result key.
        deserializer: the one of the user's pool; None: arq's default, pickle, of which no
            object is made here. What a worker raised may be of a class that is not here.
    """
    try:
        found = _Reader(io.BytesIO(data)).load() if deserializer is None else deserializer(data)
        success, result = found["s"], found["r"]
        return ArqResult(True) if success else _failure(result)
    except Exception as error:  # noqa: BLE001 - a pickle, or the user's code, may raise anything
        return ArqResult(False, "", f"the kept result cannot be read ({type(error).__name__})")


def _failure(result: Any) -> ArqResult:
    if isinstance(result, _StandIn):
        return ArqResult(False, result.kind(), _short(result.text()))
    if isinstance(result, BaseException):
        return ArqResult(False, type(result).__name__, _short(str(result)))
    return ArqResult(False, "", _short(str(result)))


class _StandIn:
    """In place of an object of any class, or of what a function would have returned."""

    name = ""

    def __new__(cls, *_: Any, **__: Any) -> _StandIn:
        return super().__new__(cls)

    def __init__(self, *args: Any, **_: Any) -> None:
        self._made_with = args

    def __setstate__(self, _: Any) -> None:
        """Pickle's way to fill in attributes, and below, items: of no interest here."""

    def __setitem__(self, _: Any, __: Any) -> None: ...

    def append(self, _: Any) -> None: ...

    def extend(self, _: Any) -> None: ...

    def kind(self) -> str:
        """The name of the class, also where functions were to make the object from it."""
        for each in self._parts():
            if isinstance(each, type) and issubclass(each, _StandIn) and _is_class(each.name):
                return each.name
        return type(self).name

    def text(self) -> str:
        """The first text that it was made with, which of an exception is its message."""
        return next((each for each in self._parts(args=True) if isinstance(each, str)), "")

    def _parts(self, *, args: bool = False) -> Iterator[Any]:
        """What it was made with, and what tuples of that hold, in order.

        Args:
            args: also of the arguments that a dictionary keeps: tblib, where it is loaded,
                pickles exceptions so.
        """
        waiting = list(self._made_with)
        for _ in range(PARTS):  # a pickle may hold itself
            if not waiting:
                return
            each = waiting.pop(0)
            yield each
            if args and isinstance(each, dict):
                each = each.get("args")
            if isinstance(each, tuple):
                waiting[:0] = each


class _Reader(pickle.Unpickler):
    def find_class(self, module: str, name: str) -> Any:
        return type(name, (_StandIn,), {"name": name.rpartition(".")[2]})


def _is_class(name: str) -> bool:
    return name.lstrip("_")[:1].isupper()  # a function's begins with a small letter


def _short(text: str) -> str:
    return text.strip()[:WORDS_CHARACTERS]
