"""Extension frames: progress and log, only where they are taken."""

from __future__ import annotations

from workers.conformance.answers import Answer
from workers.conformance.checks import equal
from workers.conformance.registry import case
from workers.conformance.run import Run

STEPS = {"steps": 4}


@case("extensions")
async def progress_is_reported(run: Run) -> None:
    """Each step in order: `current` of `total`, unit "steps"."""
    program = await run.start("progress", STEPS, accepts=["progress", "log"])
    ending, _ = await run.outcome(program, "task_result")
    found = sorted(run.receiver.events("progress"), key=lambda d: d.event.sequence)
    told = [(d.event.progress.current, d.event.progress.total) for d in found]
    equal("the steps", [[n, 4.0] for n in (1.0, 2.0, 3.0, 4.0)], [list(pair) for pair in told])
    equal("the unit", {"steps"}, {d.event.progress.unit for d in found})
    late = [d.event.sequence for d in found if d.event.sequence > ending.event.sequence]
    equal("steps made after the end", [], late)


@case("extensions")
async def log_lines_are_sent(run: Run) -> None:
    """One line "halfway" at level info, after half of the steps."""
    program = await run.start("progress", STEPS, accepts=["log", "progress"])
    await run.outcome(program, "task_result")
    lines = [d for d in run.receiver.events("log") if d.event.log.message == "halfway"]
    equal("lines that say halfway", 1, len(lines))
    equal("the level", "info", lines[0].event.log.level)
    before = sum(
        d.event.sequence < lines[0].event.sequence for d in run.receiver.events("progress")
    )
    equal("steps before it", 2, before)


@case("extensions")
async def only_what_is_accepted(run: Run) -> None:
    """`accepts` lists "progress" and something unknown: no log line, no heartbeat."""
    program = await run.start("progress", STEPS, accepts=["progress", "telepathy"])
    await run.outcome(program, "task_result")
    names = {found.frame for found in run.receiver.frames()}
    equal("the frames", ["progress", "task_result", "task_started"], sorted(names))


@case("extensions")
async def nothing_without_accepts(run: Run) -> None:
    """A payload without `accepts`: the four documented frames only."""
    program = await run.start("progress", STEPS, accepts=None)
    await run.outcome(program, "task_result")
    equal("the frames", ["task_started", "task_result"], [d.frame for d in run.receiver.frames()])


@case("extensions")
async def are_never_retried(run: Run) -> None:
    """500 to progress and log: not sent again, and the task goes on."""
    run.receiver.on("progress", Answer(500))
    run.receiver.on("log", Answer(500))
    program = await run.start("progress", STEPS, accepts=["log", "progress"])
    await run.outcome(program, "task_result")
    found = run.receiver.frames("progress", "log")
    kinds = sorted({d.frame for d in found})
    equal("the frames", ["log", "progress"], kinds)
    equal("frames sent twice", 0, sum(d.tries > 1 for d in found))


@case("extensions", once=True)
async def do_not_hold_the_task_up(run: Run) -> None:
    """Progress that is never answered delays the end by a few seconds at most."""
    run.receiver.on("progress", Answer(hold=30))
    program = await run.start("progress", STEPS, accepts=["progress"])
    await run.outcome(program, "task_result", seconds=15)
