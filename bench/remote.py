"""The round trip of a remote task on `process`, beside two bare POSTs."""

from __future__ import annotations

import asyncio
import statistics
import time

from bench.harness import Line, ratio_line, report
from bench.two_posts import Limit
from wove import config, weave


def no_op() -> None:
    """The task: nothing but the way there and back."""


def one(item: int) -> int:
    """The mapped task."""
    return item


async def _round_trips(rounds: int = 20, batch: int = 30) -> tuple[float, float]:
    """p50 seconds of our round trip and of the limit's, in turn, within one weave's life."""
    from wove import merge

    limit = Limit()
    await limit.start()
    for _ in range(50):
        await limit.round_trip(no_op)
    ours: list[float] = []
    theirs: list[float] = []

    async with weave() as w:

        @w.do
        async def measured() -> None:
            for _ in range(50):
                await merge(no_op, environment="single")
            for _ in range(rounds):
                for _ in range(batch):
                    begin = time.perf_counter()
                    await merge(no_op, environment="single")
                    ours.append(time.perf_counter() - begin)
                for _ in range(batch):
                    begin = time.perf_counter()
                    await limit.round_trip(no_op)
                    theirs.append(time.perf_counter() - begin)

    await limit.stop()
    return statistics.median(ours), statistics.median(theirs)


async def _mapped(count: int) -> float:
    """Seconds a task when `count` items are mapped over two warm workers."""
    begin = time.perf_counter()
    async with weave() as w:
        w.do(range(count), environment="pair")(one)
    seconds = time.perf_counter() - begin
    assert w.result["one"] == list(range(count))
    return seconds / count


async def _whole_weave() -> float:
    begin = time.perf_counter()
    async with weave() as w:
        w.do(no_op, environment="single")
    return time.perf_counter() - begin


async def measure() -> list[Line]:
    """All lines of this module, on one event loop."""
    config(
        environments={
            "single": {"executor": "process", "executor_config": {"workers": 1}},
            "pair": {"executor": "process", "executor_config": {"workers": 2}},
        }
    )
    trip, limit = await _round_trips()
    await _mapped(100)
    mapped = statistics.median([await _mapped(1_000) for _ in range(5)])
    weaves = statistics.median([await _whole_weave() for _ in range(30)])
    against = "two POSTs one after the other, pickling included"
    return [
        ratio_line(
            "round trip of a no-op remote task, p50",
            against,
            1.3,
            (trip, limit),
            scale=1e6,
            unit="us",
        ),
        ratio_line(
            "1,000 mapped remote tasks, time a task",
            "the same, one after the other",
            1.5,
            (mapped, limit),
            scale=1e6,
            unit="us",
            note="two worker processes",
        ),
        ratio_line(
            "whole weave with one remote task",
            "one round trip of ours",
            8,
            (weaves, trip),
            scale=1e6,
            unit="us",
        ),
    ]


if __name__ == "__main__":
    report(asyncio.run(measure()))
