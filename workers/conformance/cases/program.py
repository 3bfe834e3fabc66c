"""The program: how it ends."""

from __future__ import annotations

import asyncio
import time

from workers.conformance.answers import Answer
from workers.conformance.cases.heartbeats import beating
from workers.conformance.checks import equal, expect
from workers.conformance.registry import case
from workers.conformance.run import Run

REASON = "its worker is shutting down"


@case("program")
async def reports_sigterm(run: Run) -> None:
    """SIGTERM stops the task: `task_cancelled` with its reason; then the process ends."""
    program = await run.start("slow", {"seconds": 50})
    await run.receiver.wait_for("task_started")
    await asyncio.sleep(0.4)  # for leave to arrive, and the task to begin
    program.terminate()
    asked = time.monotonic()
    ending = await run.receiver.wait_for("terminal", seconds=10)
    equal("the terminal event", "task_cancelled", ending.frame)
    equal("the reason", REASON, ending.event.task_cancelled.reason)
    ended = await program.end(10)
    took = ended.at - asked
    limit = 5 * run.receiver.patience
    expect("the end", took < limit, f"within {limit:g} s", f"{took:.1f} s")
    equal("exit status", 0, ended.status)
    equal("the summary's outcome", "cancelled", ended.summary.get("outcome"))


@case("program", once=True)
async def delivers_after_sigterm(run: Run) -> None:
    """SIGTERM while the result waits for a retry: it is still delivered."""
    run.receiver.on("task_result", Answer(503, retry_after=1), Answer())
    program = await run.start("add", {"a": 1, "b": 2})
    await run.receiver.wait_for("task_result")
    program.terminate()
    await run.receiver.wait_for("task_result", count=2, seconds=10)
    equal("the terminal events", ["task_result"], [d.frame for d in run.receiver.endings])
    await program.end(10)


@case("program", once=True)
async def ends_when_all_is_said(run: Run) -> None:
    """The process ends soon after the last answer; nothing of it keeps it."""
    program = await run.start("slow", {"seconds": 0.5}, **beating(60))
    ending, ended = await run.outcome(program, "task_result")
    took = ended.at - ending.at
    limit = 3 * run.receiver.patience
    expect("the end", took < limit, f"within {limit:g} s", f"{took:.1f} s")
