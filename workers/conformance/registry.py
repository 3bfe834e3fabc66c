"""The cases, in the order in which they were written."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from fnmatch import fnmatch

from workers.conformance.run import Run

__all__ = ["CASES", "ENCODINGS", "EVERY_RUN", "HTTP", "Case", "EveryRun", "case", "every_run"]

ENCODINGS = ("json", "protobuf", "grpc")
HTTP = ("json", "protobuf")


@dataclass(frozen=True)
class Case:
    """One thing a worker must do.

    Attributes:
        group: what it is about.
        name: within the group.
        says: what must happen, for people.
        function: runs it, and raises `Failed`.
        encodings: where it means something.
        once: in the first of those alone: nothing in it depends on the encoding.
        needs: encodings that must be there too.
    """

    group: str
    name: str
    says: str
    function: Callable[[Run], Awaitable[None]]
    encodings: tuple[str, ...] = ENCODINGS
    once: bool = False
    needs: tuple[str, ...] = ()

    def runs_in(self, encodings: Sequence[str]) -> list[str]:
        """Those of `encodings` in which it is run."""
        if not set(self.needs) <= set(encodings):
            return []
        found = [name for name in encodings if name in self.encodings]
        return found[:1] if self.once else found

    def matches(self, pattern: str) -> bool:
        """By a part of its full name, or a pattern with stars."""
        full = f"{self.group}/{self.name}"
        return pattern in full or fnmatch(full, pattern)


@dataclass(frozen=True)
class EveryRun:
    """One thing that must hold in everything that the other cases did."""

    name: str
    says: str
    function: Callable[[Run], None]


CASES: list[Case] = []
EVERY_RUN: list[EveryRun] = []


def case(
    group: str,
    *,
    encodings: tuple[str, ...] = ENCODINGS,
    once: bool = False,
    needs: tuple[str, ...] = (),
) -> Callable[[Callable[[Run], Awaitable[None]]], Callable[[Run], Awaitable[None]]]:
    """Register a case; its name and its docstring say what it is."""

    def register(function: Callable[[Run], Awaitable[None]]) -> Callable[[Run], Awaitable[None]]:
        name, says = _described(function)
        CASES.append(Case(group, name, says, function, encodings, once, needs))
        return function

    return register


def every_run(function: Callable[[Run], None]) -> Callable[[Run], None]:
    """Register what is looked at after each case."""
    name, says = _described(function)
    EVERY_RUN.append(EveryRun(name, says, function))
    return function


def _described(function: Callable[..., object]) -> tuple[str, str]:
    assert function.__doc__, f"{function.__name__} says nothing"
    return function.__name__.replace("_", "-"), function.__doc__.strip()
