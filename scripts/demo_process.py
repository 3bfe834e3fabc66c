"""The demo that needs nothing but Python: one task here, one in a worker process."""

from __future__ import annotations

import os
import time

import wove
from wove import weave


def main() -> int:
    """Run the weave and say what happened where; the exit status."""
    wove.config(environments={"workers": {"executor": "process"}})
    print(f"This is process {os.getpid()}. The weave has two tasks:")
    print("  numbers   runs here")
    print("  average   runs in a worker process, through payload, callback and events")
    print()

    with weave() as w:

        @w.do
        def numbers() -> tuple[list[int], int]:
            return [3, 1, 4, 1, 5, 9, 2, 6], os.getpid()

        @w.do(environment="workers")
        def average(numbers: tuple[list[int], int]) -> tuple[float, int]:
            values, _ = numbers
            time.sleep(0.2)
            return sum(values) / len(values), os.getpid()

    values, here = w.result["numbers"]
    value, there = w.result["average"]
    print(f"numbers = {values}, made in process {here}")
    print(f"average = {value}, made in process {there}")
    print()
    for run in w.result.runs:
        took = (run.ended_at or 0) - (run.started_at or 0)
        print(f"  {run.task:<9} {run.environment:<9} {run.state:<10} {took * 1000:7.1f} ms")
    print()
    if here != os.getpid() or there == here:
        print("demo: the tasks did not run where they should")
        return 1
    print("The same code runs through Celery: make demo BACKEND=celery")
    return 0
