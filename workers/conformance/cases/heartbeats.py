"""Heartbeats: only where they are taken, from leave to the acknowledged end, in time."""

from __future__ import annotations

import asyncio
from itertools import pairwise

from workers.conformance.answers import Answer
from workers.conformance.checks import equal, expect
from workers.conformance.registry import HTTP, case
from workers.conformance.run import Run

SLACK = 1.0
"""Seconds that a machine with other work may add to an interval."""


def beating(seconds: float | None) -> dict[str, object]:
    """Fields of a payload that asks for a heartbeat every third of `seconds`."""
    delivery = {} if seconds is None else {"delivery_heartbeat_seconds": seconds}
    return {"accepts": ["heartbeat"], "delivery": delivery}


def announced(run: Run) -> float | None:
    """The interval that `task_started` announces."""
    frame = run.receiver.frames("task_started")[0].event.task_started
    return frame.heartbeat_seconds if frame.HasField("heartbeat_seconds") else None


@case("heartbeats")
async def come_in_time(run: Run) -> None:
    """Every third of `delivery_heartbeat_seconds`, as announced."""
    program = await run.start("slow", {"seconds": 2.5}, **beating(1.5))
    await run.outcome(program, "task_result")
    interval = announced(run)
    expect("the announced interval", interval and abs(interval - 0.5) < 0.01, "0.5 s", interval)
    times = [found.at for found in run.receiver.frames("task_started", "heartbeat", "task_result")]
    gaps = [after - before for before, after in pairwise(times)]
    beats = len(times) - 2
    expect("the heartbeats", 3 <= beats <= 12, "about 5 in 2.5 s", beats)
    limit = 0.5 + SLACK * run.receiver.patience
    expect("the longest pause", max(gaps) < limit, f"under {limit:g} s", f"{max(gaps):.2f} s")


@case("heartbeats", once=True)
async def announce_five_seconds(run: Run) -> None:
    """Without `delivery_heartbeat_seconds` the interval is five seconds."""
    await run.value("add", {"a": 1, "b": 2}, **beating(None))
    equal("the announced interval", 5.0, announced(run))


@case("heartbeats")
async def do_not_come_unasked(run: Run) -> None:
    """A receiver that does not list "heartbeat" gets none, and none is announced."""
    delivery = {"delivery_heartbeat_seconds": 0.6}
    await run.value("slow", {"seconds": 1}, accepts=["progress"], delivery=delivery)
    equal("the announced interval", None, announced(run))
    equal("the heartbeats", 0, len(run.receiver.frames("heartbeat")))


@case("heartbeats")
async def do_not_come_before_leave(run: Run) -> None:
    """None while the answer to `task_started` is out."""
    leave = asyncio.Event()
    run.receiver.on("task_started", Answer(until=leave))
    program = await run.start("slow", {"seconds": 0.7}, **beating(0.6))
    await run.receiver.wait_for("task_started")
    await asyncio.sleep(0.8)
    equal("heartbeats before leave", 0, len(run.receiver.frames("heartbeat")))
    leave.set()
    await run.outcome(program, "task_result")
    expect("heartbeats after it", run.receiver.frames("heartbeat"), "some", "none")


@case("heartbeats")
async def go_on_until_the_end_is_acknowledged(run: Run) -> None:
    """While the terminal event is retried, and while its answer is out."""
    late = Answer(hold=1.2)
    run.receiver.on("task_result", Answer(503, retry_after=0.8), late)
    program = await run.start("add", {"a": 1, "b": 2}, **beating(0.6))
    await run.outcome(program, "task_result")
    first, second = run.receiver.frames("task_result")
    beats = [found.at for found in run.receiver.frames("heartbeat")]
    between = sum(first.at < at < second.at for at in beats)
    during = sum(second.at < at for at in beats)
    expect("heartbeats between the tries", between >= 1, "some in 0.8 s", between)
    expect("heartbeats while the answer is out", during >= 2, "some in 1.2 s", during)


@case("heartbeats", encodings=HTTP)
async def have_a_connection_of_their_own(run: Run) -> None:
    """No other event travels on the heartbeats' connection, which is kept."""
    program = await run.start("slow", {"seconds": 1.2}, **beating(0.6))
    await run.outcome(program, "task_result")
    beats = {found.connection for found in run.receiver.frames("heartbeat")}
    others = {found.connection for found in run.receiver.frames("task_started", "task_result")}
    expect("the connections", not beats & others, "two", beats & others)
    expect("the heartbeats' connections", len(beats) == 1, "one, kept alive", len(beats))


@case("heartbeats", encodings=("grpc",))
async def come_on_one_stream(run: Run) -> None:
    """They share one call of StreamEvents."""
    program = await run.start("slow", {"seconds": 1.2}, **beating(0.6))
    await run.outcome(program, "task_result")
    beats = run.receiver.frames("heartbeat")
    equal("the calls", {"stream"}, {found.call for found in beats})
    equal("the connections", 1, len({found.connection for found in beats}))


@case("heartbeats")
async def are_never_sent_twice(run: Run) -> None:
    """One whose connection is cut is forgotten: the next is another event."""
    run.receiver.on("heartbeat", Answer(wire="drop"), Answer(500), Answer())
    program = await run.start("slow", {"seconds": 1.5}, **beating(0.9))
    await run.outcome(program, "task_result")
    beats = run.receiver.frames("heartbeat")
    expect("the heartbeats", len(beats) >= 3, "at least 3", len(beats))
    repeated = sum(found.tries > 1 for found in beats)
    equal("heartbeats sent twice", 0, repeated)


@case("heartbeats")
async def take_a_new_interval(run: Run) -> None:
    """`heartbeat_seconds` in the answer to a heartbeat changes the interval."""
    run.receiver.on("heartbeat", Answer(heartbeat_seconds=60))
    program = await run.start("slow", {"seconds": 1.5}, **beating(0.6))
    await run.outcome(program, "task_result")
    beats = len(run.receiver.frames("heartbeat"))
    expect("the heartbeats", 1 <= beats <= 2, "one, then none for 60 s", beats)


@case("heartbeats", once=True)
async def take_a_new_interval_at_the_start(run: Run) -> None:
    """So does the answer to `task_started`."""
    run.receiver.on("task_started", Answer(heartbeat_seconds=0.3))
    program = await run.start("slow", {"seconds": 1.8}, **beating(None))
    await run.outcome(program, "task_result")
    beats = len(run.receiver.frames("heartbeat"))
    expect("the heartbeats", beats >= 3, "one every 0.3 s in 1.8 s", beats)
