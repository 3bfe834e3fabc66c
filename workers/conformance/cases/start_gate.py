"""The start gate: no task runs before its receiver has let it."""

from __future__ import annotations

import asyncio

from workers.conformance.answers import Answer
from workers.conformance.checks import equal, expect
from workers.conformance.registry import HTTP, case
from workers.conformance.run import Run

STEPS = {"steps": 2}
FRAMES = ["progress", "log"]


@case("start gate")
async def waits_for_leave(run: Run) -> None:
    """While the answer to `task_started` is out, nothing else is sent."""
    await _nothing_before_leave(run)


@case("start gate", once=True)
async def takes_unknown_gates_as_ack(run: Run) -> None:
    """A `start_gate` that the worker does not know means "ack"."""
    # Longer than a worker that need not wait may be polite.
    await _nothing_before_leave(run, 1.8, start_gate="some day")


async def _nothing_before_leave(run: Run, seconds: float = 0.8, **fields: object) -> None:
    leave = asyncio.Event()
    run.receiver.on("task_started", Answer(until=leave))
    program = await run.start("progress", STEPS, accepts=FRAMES, **fields)
    await run.receiver.wait_for("task_started")
    await asyncio.sleep(seconds)
    names = [found.frame for found in run.receiver.events()]
    equal("events before leave", ["task_started"], names)
    leave.set()
    await run.outcome(program, "task_result")


@case("start gate")
async def waits_through_503(run: Run) -> None:
    """503 with Retry-After, twice: asked again with the same event, then the task runs."""
    busy = Answer(503, retry_after=0.5)
    run.receiver.on("task_started", busy, busy, Answer())
    program = await run.start("progress", STEPS, accepts=FRAMES)
    await run.outcome(program, "task_result")
    starts = run.receiver.frames("task_started")
    equal("tries of task_started", 3, len(starts))
    early = [d.frame for d in run.receiver.frames(*FRAMES) if d.at < starts[2].at]
    equal("frames before leave", [], early)


async def _not_started(run: Run, answer: Answer) -> None:
    run.receiver.on("task_started", answer)
    program = await run.start("progress", STEPS, accepts=["heartbeat", *FRAMES])
    await run.receiver.wait_for("task_started")
    ended = await program.end()
    equal("exit status", 0, ended.status)
    equal("the summary's outcome", "not_started", ended.summary.get("outcome"))
    equal("the summary's delivered", True, ended.summary.get("delivered"))
    names = [found.frame for found in run.receiver.frames()]
    equal("the events", ["task_started"], names)


@case("start gate", encodings=HTTP)
async def does_not_start_after_401(run: Run) -> None:
    """401 to `task_started`: not called, nothing more is sent, exit 0, outcome not_started."""
    await _not_started(run, Answer(401))


@case("start gate")
async def does_not_start_after_404(run: Run) -> None:
    """404 (UNAUTHENTICATED): the same."""
    await _not_started(run, Answer(404))


@case("start gate")
async def does_not_start_after_409(run: Run) -> None:
    """409 (FAILED_PRECONDITION): the same."""
    await _not_started(run, Answer(409))


@case("start gate")
async def does_not_start_after_410(run: Run) -> None:
    """410 (NOT_FOUND): the same."""
    await _not_started(run, Answer(410))


@case("start gate")
async def does_not_start_after_403(run: Run) -> None:
    """403 (PERMISSION_DENIED), which no receiver sends: final like every other 4xx."""
    await _not_started(run, Answer(403))


@case("start gate", once=True)
async def need_not_wait_without_gate(run: Run) -> None:
    """`start_gate: "none"`: a `task_started` that is never answered holds nothing up."""
    run.receiver.on("task_started", Answer(until=asyncio.Event()))
    program = await run.start("add", {"a": 1, "b": 2}, start_gate="none")
    first = await run.receiver.wait_for("task_started")
    ending, _ = await run.outcome(program, "task_result", seconds=15)
    equal("sequence of task_started", 1, first.event.sequence)
    expect("the result", ending.event.sequence > 1, "made after it", ending.event.sequence)
