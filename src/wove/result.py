"""`WoveResult`: reading what a weave has produced."""

from __future__ import annotations

import html
import reprlib
from collections.abc import Iterator
from typing import Any

from wove.errors import WoveError
from wove.outcome import Outcome

__all__ = ["RESERVED", "WoveResult"]


class WoveResult:
    """The results of a weave, by item, by attribute, or unpacked in order of definition.

    Reading a task that failed raises its exception, or gives the exception
    object where the weave has `error_mode="return"`. Keywords of the weave and
    `data` can be read too; iterating and `len` see tasks only.
    """

    # One mangled slot, so that a task may bear any name that is not listed here.
    __slots__ = ("__outcome",)

    def __init__(self, outcome: Outcome) -> None:
        self.__outcome = outcome

    @property
    def final(self) -> Any:
        """The result of the task defined last; `None` without tasks."""
        names = list(self.__outcome.nodes)
        return self.__read(names[-1]) if names else None

    @property
    def timings(self) -> dict[str, float]:
        """Seconds that each task took, and each merged callable as `merge:<name>`."""
        return self.__outcome.timings()

    @property
    def cancelled(self) -> set[str]:
        """Names of the tasks that were cancelled or ran out of time."""
        return self.__outcome.cancelled

    @property
    def exception(self) -> BaseException | None:
        """The first failure."""
        return self.__outcome.exception

    @property
    def errors(self) -> Any:
        """Exceptions by task, of every task without a result; or the task of this name."""
        if "errors" in self.__outcome.nodes or "errors" in self.__outcome.data:
            return self.__read("errors")
        return self.__outcome.errors

    @property
    def runs(self) -> Any:
        """One record per run (see `RunRecord`), as a list; or the task of this name."""
        if "runs" in self.__outcome.nodes or "runs" in self.__outcome.data:
            return self.__read("runs")
        return self.__outcome.records()

    def __getitem__(self, name: str) -> Any:
        if not self.__knows(name):
            raise KeyError(name)
        return self.__read(name)

    def __getattr__(self, name: str) -> Any:
        # While a copy is being made the slot is empty and this is called for it.
        if name == "_WoveResult__outcome" or not self.__knows(name):
            raise AttributeError(f"this weave has neither a task nor a keyword {name!r}")
        return self.__read(name)

    def __iter__(self) -> Iterator[Any]:
        for name in self.__outcome.nodes:
            yield self.__read(name)

    def __len__(self) -> int:
        return len(self.__outcome.nodes)

    def __bool__(self) -> bool:
        return True

    def __dir__(self) -> list[str]:
        return [*super().__dir__(), *self.__outcome.nodes, *self.__outcome.data]

    def __repr__(self) -> str:
        parts = [f"{name}={text}" for name, text in self.__shown()]
        return f"<WoveResult {', '.join(parts)}>" if parts else "<WoveResult without tasks>"

    def _repr_html_(self) -> str:
        times = self.__outcome.timings()
        rows = "".join(
            f"<tr><td>{html.escape(name)}</td><td><code>{html.escape(text)}</code></td>"
            f"<td>{f'{times[name]:.3f} s' if name in times else ''}</td></tr>"
            for name, text in self.__shown()
        )
        return (
            "<table><thead><tr><th>task</th><th>result</th><th>time</th></tr></thead>"
            f"<tbody>{rows}</tbody></table>"
        )

    def __knows(self, name: Any) -> bool:
        return name in self.__outcome.nodes or name in self.__outcome.data

    def __read(self, name: str) -> Any:
        outcome = self.__outcome
        if name in outcome.nodes:
            error = outcome.errors.get(name)
            if error is not None:
                if outcome.error_mode == "return":
                    return error
                outcome.fail_with(error)
            if name not in outcome.values:
                raise RuntimeError(f"Task {name!r} has not finished; the weave has not ended")
            return outcome.values[name]
        return outcome.data[name]

    def __shown(self) -> list[tuple[str, str]]:
        outcome = self.__outcome
        shown = []
        for name in outcome.nodes:
            if name in outcome.values:
                text = reprlib.repr(outcome.values[name])
            elif type(outcome.errors.get(name)) is WoveError:  # a timeout has its own type
                text = "cancelled"
            elif name in outcome.errors:
                text = f"failed: {outcome.errors[name]!r}"
            else:
                text = "not finished"
            shown.append((name, text))
        return shown


RESERVED = frozenset(dir(WoveResult)) - {"errors", "runs"}
"""Names that no task and no keyword may bear."""
