"""What every benchmark shares: interleaved rounds, medians, one line of the table.

A line never stands alone: it is a ratio to a limit that was measured in the
same process, round by round in turn, so that a busy machine slows both.
"""

from __future__ import annotations

import gc
import json
import os
import statistics
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent

ENVIRONMENT = {k: v for k, v in os.environ.items() if k != "PYTHONDONTWRITEBYTECODE"}
"""For measured programs: bytecode is cached, as it is wherever one is started twice."""


@dataclass(frozen=True)
class Line:
    """One row of the table that `make bench` prints."""

    name: str
    limit: str
    """What the figure is compared with."""
    target: str
    ours: float
    against: float
    unit: str
    ratio: float
    reached: bool | None
    """None: there is no target."""
    note: str = ""


def timed(function: Callable[[], object]) -> float:
    """Seconds that one call takes, without the garbage of the call before."""
    gc.collect()
    begin = time.perf_counter()
    function()
    return time.perf_counter() - begin


def interleaved(
    ours: Callable[[], object], limit: Callable[[], object], rounds: int
) -> tuple[float, float]:
    """Median seconds of each, run in turn; the first round of both is thrown away."""
    mine: list[float] = []
    theirs: list[float] = []
    for number in range(rounds + 1):
        a = timed(ours)
        b = timed(limit)
        if number:
            mine.append(a)
            theirs.append(b)
    return statistics.median(mine), statistics.median(theirs)


def ratio_line(
    name: str,
    limit: str,
    most: float,
    seconds: tuple[float, float],
    *,
    scale: float = 1e3,
    unit: str = "ms",
    note: str = "",
) -> Line:
    """A line whose target is a ratio of at most `most`."""
    ours, against = seconds
    ratio = ours / against
    return Line(
        name=name,
        limit=limit,
        target=f"<= {most:g}x",
        ours=ours * scale,
        against=against * scale,
        unit=unit,
        ratio=ratio,
        reached=ratio <= most,
        note=note,
    )


def in_fresh_process(module: str, *arguments: str) -> object:
    """Run `python -m bench.<module> arguments` and return the JSON it prints last.

    What it says on standard error goes where ours does.
    """
    done = subprocess.run(
        [sys.executable, "-m", f"bench.{module}", *arguments],
        cwd=ROOT,
        stdout=subprocess.PIPE,
        text=True,
        timeout=1800,
        check=False,
    )
    if done.returncode:
        raise RuntimeError(f"bench.{module} {arguments} failed")
    return json.loads(done.stdout.strip().splitlines()[-1])


def report(lines: list[Line]) -> None:
    """Print lines as JSON, for the runner in the process above."""
    print(json.dumps([asdict(line) for line in lines]))
