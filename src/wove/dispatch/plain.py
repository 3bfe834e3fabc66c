"""Values as JSON text that comes back equal, for boundaries that no pickle crosses."""

from __future__ import annotations

import json
import math
from collections.abc import Iterator
from typing import Any, NoReturn

__all__ = ["NotPlain", "dump_plain", "load_plain"]

MAX_DEPTH = 200
"""Levels of lists and dictionaries; what is deeper, or holds itself, is refused."""


class NotPlain(ValueError):  # noqa: N818 - callers make an error of it
    """A value, or a text, that JSON does not carry exactly.

    Attributes:
        path: where, such as `report.result.accounts[3].opened`.
        problem: what is there.
    """

    def __init__(self, path: str, problem: str) -> None:
        super().__init__(f"{path}: {problem}" if path else problem)
        self.path = path
        self.problem = problem


def dump_plain(value: Any, path: str) -> str:
    """JSON text, in ASCII, from which a reader makes an equal value.

    Takes None, bool, int, finite float, str, list, and dict with str keys, and no
    subclasses: a tuple would come back as a list, an enum's member as its number.

    Args:
        value: the value.
        path: names it in errors, such as `report.result`.

    Raises:
        NotPlain: something in it is of another kind.
    """
    _check(value, path, 0)
    try:
        return _ENCODER.encode(value)
    except ValueError:  # Python writes no integer of more than 4300 digits
        raise NotPlain(path, "an integer of too many digits") from None


def load_plain(text: str) -> Any:
    """The value of JSON text; integers are exact.

    Raises:
        NotPlain: it is no JSON, or a number in it is too large for a float.
    """
    try:
        return _DECODER.decode(text)
    except NotPlain:
        raise
    except json.JSONDecodeError as error:
        raise NotPlain("", f"it is no JSON: {error.msg} at character {error.pos}") from None
    except ValueError:
        raise NotPlain("", "an integer has too many digits") from None
    except RecursionError:
        raise NotPlain("", "it is nested too deep") from None


def _check(value: Any, path: str, depth: int) -> None:
    kind = type(value)
    if value is None or kind is bool or kind is int:
        return
    if kind is float:
        if not math.isfinite(value):
            raise NotPlain(path, f"{value!r}, which is no number of JSON")
    elif kind is str:
        _check_text(value, path)
    elif kind is list or kind is dict:
        if depth >= MAX_DEPTH:
            raise NotPlain(path[:200] + "...", f"nested deeper than {MAX_DEPTH} levels")
        for part, inner in _parts(value, path):
            _check(part, inner, depth + 1)
    else:
        raise NotPlain(path, _kind_words(kind))


def _parts(value: Any, path: str) -> Iterator[tuple[Any, str]]:
    if type(value) is list:
        for index, part in enumerate(value):
            yield part, f"{path}[{index}]"
        return
    for key, part in value.items():
        if type(key) is not str:
            raise NotPlain(path, f"a key of type {type(key).__name__}; JSON has text only")
        _check_text(key, path)
        yield part, f"{path}.{key}" if key.isidentifier() else f"{path}[{key!r:.60}]"


def _check_text(text: str, path: str) -> None:
    if not text.isascii():
        try:
            text.encode()
        except UnicodeEncodeError:
            raise NotPlain(path, "text with an unpaired surrogate") from None


def _kind_words(kind: type) -> str:
    if kind is tuple:
        return "tuple (it would come back as a list)"
    return kind.__qualname__ if kind.__module__ == "builtins" else _full_name(kind)


def _full_name(kind: type) -> str:
    module = kind.__module__
    return kind.__qualname__ if module == kind.__name__ else f"{module}.{kind.__qualname__}"


def _finite(text: str) -> float:
    number = float(text)
    if not math.isfinite(number):
        raise NotPlain("", "a number is too large for a float")
    return number


def _refuse(name: str) -> NoReturn:
    raise NotPlain("", f"it is no JSON: {name} is no number of it")


_ENCODER = json.JSONEncoder(separators=(",", ":"), allow_nan=False, check_circular=False)
_DECODER = json.JSONDecoder(parse_float=_finite, parse_constant=_refuse)
