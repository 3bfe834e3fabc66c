"""What the benchmarks of the backends share: ours beside the backend's own client."""

from __future__ import annotations

import statistics
from collections.abc import Callable
from dataclasses import replace

from bench.harness import Line, ratio_line, timed
from wove import config, weave

MAPPED = 500
MORE = 0.002
"""Seconds that one task may take beyond the native client's, if that is more than `MOST` allows."""
MOST = 1.1


def one(item: int) -> int:
    """The task, and the native client's job."""
    return item


def mapped(executor: str, executor_config: dict[str, object]) -> Callable[[int], None]:
    """A function that runs so many tasks in one weave."""
    config(environments={executor: {"executor": executor, "executor_config": executor_config}})

    def run(count: int) -> None:
        with weave() as w:
            w.do(range(count), environment=executor)(one)
        assert w.result["one"] == list(range(count))

    return run


def beside_native(
    backend: str,
    ours: Callable[[int], None],
    theirs: Callable[[int], None],
    *,
    single: str,
    many: str,
    note: str,
    rounds: int = 60,
) -> list[Line]:
    """The two lines of a backend.

    Args:
        backend: its name, for people.
        ours: runs so many tasks, and waits for all.
        theirs: the same with the native client.
        single: what `theirs(1)` does, in words.
        many: what `theirs(500)` does.
        note: who does the work.
        rounds: of the single task.
    """
    singles = [(timed(lambda: ours(1)), timed(lambda: theirs(1))) for _ in range(rounds + 1)]
    ours(50)
    theirs(50)
    rates = [(timed(lambda: ours(MAPPED)), timed(lambda: theirs(MAPPED))) for _ in range(3)]
    name = f"one no-op task in {backend}, p50, the whole weave"
    return [
        _single_line(name, single, _medians(singles[1:])),
        ratio_line(
            f"{MAPPED} mapped tasks in {backend}, time a task",
            many,
            1 / 0.9,
            _medians([(a / MAPPED, b / MAPPED) for a, b in rates]),
            note=note,
        ),
    ]


def _single_line(name: str, limit: str, seconds: tuple[float, float]) -> Line:
    ours, against = seconds
    return replace(
        ratio_line(name, limit, MOST, seconds),
        target=f"<= +{MORE * 1e3:g} ms or {MOST:g}x",
        reached=ours <= max(against + MORE, against * MOST),
    )


def _medians(pairs: list[tuple[float, float]]) -> tuple[float, float]:
    mine, theirs = zip(*pairs, strict=True)
    return statistics.median(mine), statistics.median(theirs)
