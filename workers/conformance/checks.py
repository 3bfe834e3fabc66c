"""What a case says when it fails, and how values are compared."""

from __future__ import annotations

import json
from decimal import Decimal
from typing import Any

__all__ = ["Failed", "difference", "equal", "exact", "expect"]

MAX_SHOWN = 300


class Failed(Exception):  # noqa: N818 - an outcome, not an error
    """A worker did not do what a case expects."""

    def __init__(self, what: str, expected: object, seen: object) -> None:
        super().__init__(what)
        self.what = what
        self.expected = shown(expected)
        self.seen = shown(seen)


def expect(what: str, true: object, expected: object, seen: object) -> None:
    """Fail unless `true`."""
    if not true:
        raise Failed(what, expected, seen)


def equal(what: str, expected: object, seen: object) -> None:
    """Fail unless both are the same JSON value."""
    found = difference(expected, seen)
    if found is not None:
        path, one, other = found
        raise Failed(f"{what}{path}", one, other)


def exact(text: str) -> Any:
    """JSON text as a value in which no number has lost a digit."""
    return json.loads(text, parse_float=Decimal)


def difference(expected: Any, seen: Any, path: str = "") -> tuple[str, Any, Any] | None:
    """Where two JSON values differ: a path and both parts. Numbers are compared by value."""
    if isinstance(expected, dict) and isinstance(seen, dict):
        for key in [*expected, *(key for key in seen if key not in expected)]:
            if key not in seen or key not in expected:
                missing = "<nothing>"
                return f"{path}.{key}", expected.get(key, missing), seen.get(key, missing)
            found = difference(expected[key], seen[key], f"{path}.{key}")
            if found:
                return found
        return None
    if isinstance(expected, list) and isinstance(seen, list) and len(expected) == len(seen):
        for index, (one, other) in enumerate(zip(expected, seen, strict=True)):
            found = difference(one, other, f"{path}[{index}]")
            if found:
                return found
        return None
    if _kind(expected) == _kind(seen) and _number(expected) == _number(seen):
        return None
    return path, expected, seen


def shown(value: object) -> str:
    """A value for people, cut."""
    text = value if isinstance(value, str) else repr(value)
    return text if len(text) <= MAX_SHOWN else f"{text[:MAX_SHOWN]}... ({len(text)} characters)"


def _kind(value: Any) -> str:
    if isinstance(value, bool) or value is None:
        return type(value).__name__
    return "number" if isinstance(value, (int, float, Decimal)) else type(value).__name__


def _number(value: Any) -> Any:
    # The shortest text of a double is what was meant: 0.1, not its binary neighbour.
    return Decimal(repr(value)) if isinstance(value, float) else value
