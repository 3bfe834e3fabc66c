"""A receiver that is away: for a while, or for good."""

from __future__ import annotations

import asyncio
import time

from workers.conformance.answers import Answer
from workers.conformance.cases.cancel import detached
from workers.conformance.checks import equal, expect
from workers.conformance.registry import case
from workers.conformance.run import Run


@case("undelivered")
async def gives_up_as_told(run: Run) -> None:
    """The receiver is gone: after `delivery_retry_seconds` exit 1, delivered false."""
    leave = asyncio.Event()
    run.receiver.on("task_started", Answer(until=leave))
    program = await run.start("slow", {"seconds": 0.5}, delivery_retry_seconds=1.5)
    await run.receiver.wait_for("task_started")
    leave.set()
    await asyncio.sleep(0.25)
    run.receiver.leave()
    gone = time.monotonic()
    ended = await program.end(20, because="of delivery_retry_seconds 1.5")
    equal("exit status", 1, ended.status)
    equal("the summary's delivered", False, ended.summary.get("delivered"))
    equal("the summary's outcome", "succeeded", ended.summary.get("outcome"))
    took = ended.at - gone
    expect("the tries", 0.7 < took < 10 * run.receiver.patience, "for about 1.5 s", f"{took:.1f} s")


@case("undelivered")
async def gives_up_on_a_silent_receiver(run: Run) -> None:
    """The same when the receiver listens and says nothing: that cuts the last try short."""
    run.receiver.on("task_result", Answer(until=asyncio.Event()))
    program = await run.start("add", {"a": 1, "b": 2}, delivery_retry_seconds=1.5)
    await run.receiver.wait_for("task_result")
    ended = await program.end(15, because="of delivery_retry_seconds 1.5")
    equal("exit status", 1, ended.status)
    equal("the summary's delivered", False, ended.summary.get("delivered"))


@case("undelivered", once=True)
async def is_no_failure_when_detached(run: Run) -> None:
    """Under "detach" nobody need hear the end: exit 0 all the same, delivered false."""
    run.receiver.on("terminal", Answer(wire="drop"))
    fields = {**detached(), "delivery_retry_seconds": 0.5}
    program = await run.start("add", {"a": 1, "b": 2}, **fields)
    await run.receiver.wait_for("task_result")
    ended = await program.end(20, because="of delivery_retry_seconds 0.5")
    equal("exit status", 0, ended.status)
    equal("the summary's delivered", False, ended.summary.get("delivered"))


@case("undelivered")
async def goes_on_while_nobody_hears(run: Run) -> None:
    """Beats that are dropped, 421 or another receiver's 410 do not stop a running task."""
    run.receiver.on(
        "heartbeat",
        Answer(wire="drop"),
        Answer(410, receiver="rx-somebody-else"),
        Answer(421, receiver="rx-somebody-else"),
        Answer(410, receiver=None),
        Answer(503, retry_after=0.1),
    )
    fields = {"accepts": ["heartbeat"], "delivery": {"delivery_heartbeat_seconds": 0.6}}
    program = await run.start("slow", {"seconds": 2}, **fields)
    await run.outcome(program, "task_result")
    beats = len(run.receiver.frames("heartbeat"))
    expect("the heartbeats", beats >= 4, "at least 4", beats)
