"""Cancelling: heard wherever it is said, ignored where it comes too late."""

from __future__ import annotations

import asyncio
import time

from workers.conformance.answers import Answer
from workers.conformance.cases.heartbeats import beating
from workers.conformance.checks import equal, expect
from workers.conformance.program import Program
from workers.conformance.receiver import Delivery
from workers.conformance.registry import case
from workers.conformance.run import Run

BOUND = 3.0
"""Seconds from the request to the report; the tasks look every 50 ms."""
FOREVER = {"seconds": 50}


async def _stopped(run: Run, program: Program, asked: float) -> None:
    ending, ended = await run.outcome(program, "task_cancelled")
    took = ending.at - asked
    bound = BOUND * run.receiver.patience
    expect("the cancel", took < bound, f"within {bound:g} s", f"{took:.2f} s")
    equal("`forced`", False, ending.event.task_cancelled.forced)
    reason = ending.event.task_cancelled.reason
    expect("the reason", reason, "some text", reason)
    equal("the summary's outcome", "cancelled", ended.summary.get("outcome"))


@case("cancel")
async def in_the_answer_to_the_start(run: Run) -> None:
    """`cancel` in the answer to `task_started` stops the task: `task_cancelled`."""
    run.receiver.on("task_started", Answer(cancel=True))
    program = await run.start("slow", FOREVER)
    started = await run.receiver.wait_for("task_started")
    await _stopped(run, program, started.at)


@case("cancel")
async def in_the_answer_to_a_heartbeat(run: Run) -> None:
    """`cancel` in the answer to a heartbeat stops the task: `task_cancelled`."""
    run.receiver.on("heartbeat", Answer(), Answer(cancel=True))
    program = await run.start("slow", FOREVER, **beating(0.9))
    second = await run.receiver.wait_for("heartbeat", count=2)
    await _stopped(run, program, second.at)


@case("cancel", encodings=("grpc",))
async def pushed_down_the_stream(run: Run) -> None:
    """A `cancel_task` that comes down StreamEvents unasked stops the task at once."""
    program = await run.start("slow", FOREVER, **beating(60))
    await run.receiver.wait_for("heartbeat", seconds=8)
    await asyncio.sleep(0.3)
    asked = time.monotonic()
    expect("the open streams", run.receiver.push_cancel(), "one", "none")
    await _stopped(run, program, asked)


@case("cancel")
async def by_410_to_a_heartbeat(run: Run) -> None:
    """410 (NOT_FOUND) to a heartbeat stops the task: nobody waits for it."""
    run.receiver.on("heartbeat", Answer(410))
    program = await run.start("slow", FOREVER, **beating(0.9))
    beat = await run.receiver.wait_for("heartbeat")
    await _stopped(run, program, beat.at)


@case("cancel")
async def is_ignored_once_returned(run: Run) -> None:
    """A cancel and a 410 to heartbeats while the result is being delivered change nothing."""
    run.receiver.on("task_result", Answer(503, retry_after=1.2), Answer())
    run.receiver.on("heartbeat", Answer(cancel=True), Answer(410))
    program = await run.start("add", {"a": 1, "b": 2}, **beating(0.9))
    _, ended = await run.outcome(program, "task_result")
    expect("the heartbeats", run.receiver.frames("heartbeat"), "some", "none")
    equal("the summary's outcome", "succeeded", ended.summary.get("outcome"))


def detached(**delivery: object) -> dict[str, object]:
    """Fields of a detached run's payload."""
    return {
        "start_gate": "none",
        "accepts": ["heartbeat"],
        "delivery": {"delivery_orphan_policy": "detach", **delivery},
    }


@case("cancel")
async def is_ignored_when_detached(run: Run) -> None:
    """Under "detach" neither a cancel nor a 410 stops the task."""
    run.receiver.on("task_started", Answer(cancel=True))
    run.receiver.on("heartbeat", Answer(cancel=True), Answer(410))
    fields = detached(delivery_heartbeat_seconds=0.6)
    program = await run.start("slow", {"seconds": 1.2}, **fields)
    await run.outcome(program, "task_result")
    expect("the heartbeats", len(run.receiver.frames("heartbeat")) >= 2, "some", "none")


@case("cancel", once=True)
async def detached_starts_after_410(run: Run) -> None:
    """Under "detach" a 410 to `task_started` does not keep the task from running."""
    run.receiver.on("task_started", Answer(410))
    program = await run.start("slow", {"seconds": 0.5}, **detached())
    await run.outcome(program, "task_result")


@case("cancel", once=True)
async def detached_does_not_start_after_409(run: Run) -> None:
    """But a 409 to it does: another execution may have the run."""
    run.receiver.on("task_started", Answer(409))
    program = await run.start("add", {"a": 1, "b": 2}, **{**detached(), "start_gate": "ack"})
    await run.receiver.wait_for("task_started")
    ended = await program.end()
    equal("the frames", ["task_started"], [found.frame for found in run.receiver.events()])
    equal("exit status", 0, ended.status)
    equal("the summary's outcome", "not_started", ended.summary.get("outcome"))


@case("cancel")
async def detached_runs_without_receiver(run: Run) -> None:
    """Under "detach" an absent receiver holds nothing up, and hears the end when it is back."""
    began: list[float] = []  # by the worker, which may take long to come up

    def away(delivery: Delivery) -> Answer:
        began.append(time.monotonic())
        return Answer(wire="drop") if began[-1] < began[0] + 2.5 else Answer()

    run.receiver.rule = away
    program = await run.start("slow", {"seconds": 0.3}, **detached())
    await run.outcome(program, "task_result")
    early = run.receiver.frames("task_result")[0].at
    expect(
        "the result", early < began[0] + 2.5, "made while the receiver was away", "made after that"
    )
