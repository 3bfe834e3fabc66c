"""Identity: what is copied from the payload, and what is drawn anew."""

from __future__ import annotations

from workers.conformance.checks import equal, expect
from workers.conformance.registry import case
from workers.conformance.run import Run

ODD = "r:1/ü 😀 \"'\\<>&%20?#\t"
LONG = (ODD + "x" * 255)[:250]


@case("identity")
async def copies_odd_names(run: Run) -> None:
    """`run_id` and `task_id` of 250 odd characters and `attempt` are in every event, unchanged."""
    program = await run.start("add", {"a": 1, "b": 2}, run_id=LONG, task_id=LONG[::-1], attempt=7)
    _, ended = await run.outcome(program, "task_result")
    for found in run.receiver.frames():
        equal(f"run_id of {found.frame}", LONG, found.event.run_id)
        equal(f"task_id of {found.frame}", LONG[::-1], found.event.task_id)
        equal(f"attempt of {found.frame}", 7, found.event.attempt)
    equal("run_id of the summary", LONG, ended.summary.get("run_id"))


@case("identity", once=True)
async def draws_names_for_each_start(run: Run) -> None:
    """The same payload started twice: another `execution_id`, other `event_id`s."""
    payload = run.payload("add", {"a": 1, "b": 2})
    for _ in range(2):
        equal("exit status", 0, (await (await run.hand(payload)).end()).status)
    starts = run.receiver.events("task_started")
    expect("the starts", len(starts) == 2, "two different events", run.receiver.transcript())
    one, other = (found.event.execution_id for found in starts)
    expect("execution_id", one != other, "another at each start", one)


@case("identity")
async def sends_the_receivers_name(run: Run) -> None:
    """`receiver_id` goes as the header (or metadata) `Wove-Receiver` with every event."""
    await run.value("add", {"a": 1, "b": 2})
    for found in run.receiver.frames():
        name = found.headers.get("wove-receiver")
        equal(f"Wove-Receiver of {found.frame}", run.receiver.receiver_id, name)


@case("identity")
async def names_its_worker(run: Run) -> None:
    """`task_started` says who runs it, `emitted_at` when."""
    await run.value("add", {"a": 1, "b": 2})
    event = run.receiver.frames("task_started")[0].event
    expect("worker_id", event.task_started.worker_id, "a name", event.task_started.worker_id)
    expect("emitted_at", event.emitted_at > 1e9, "Unix seconds", event.emitted_at)
