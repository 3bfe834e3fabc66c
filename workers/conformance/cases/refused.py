"""Refused terminal events, events that are too large, and endings that came too late."""

from __future__ import annotations

from workers.conformance.answers import Answer
from workers.conformance.cases.errors import info_of
from workers.conformance.checks import equal, expect
from workers.conformance.receiver import Delivery
from workers.conformance.registry import HTTP, case
from workers.conformance.run import Run


async def _replaced(run: Run, status: int, code: str) -> None:
    run.receiver.on("task_result", Answer(status))
    program = await run.start("add", {"a": 1, "b": 2})
    ended = await program.end()
    _is_minimal(run, code)
    equal("exit status", 0, ended.status)


def _is_minimal(run: Run, code: str, tries: int = 1) -> Delivery:
    endings = run.receiver.endings
    names = [found.frame for found in endings]
    equal("the terminal events", ["task_result", "task_error"], names)
    equal("tries of the result", tries, len(run.receiver.frames("task_result")))
    one, other = (found.event.event_id for found in endings)
    expect("event_id of the task_error", one != other, "a new one", other)
    error = endings[1].event.task_error
    info = info_of(endings[1])
    equal("its source", "wove", info.source)
    equal("its code", code, info.code)
    expect("its message", info.message and info.message.isascii(), "short ASCII", info.message)
    expect("its message", len(info.message) <= 4096, "short", f"{len(info.message)} characters")
    expect("its cause", not info.HasField("cause"), "none", info.cause)
    expect("its pickles", not error.exception_pickle + error.error_pickle, "none", "some")
    return endings[1]


@case("refused events")
async def replaces_after_400(run: Run) -> None:
    """400 to a result: one minimal `task_error`, code "event_refused", in its place."""
    await _replaced(run, 400, "event_refused")


@case("refused events", encodings=HTTP)
async def replaces_after_415(run: Run) -> None:
    """415: the same."""
    await _replaced(run, 415, "event_refused")


@case("refused events")
async def replaces_after_413(run: Run) -> None:
    """413 (RESOURCE_EXHAUSTED): the same with code "result_too_large"."""
    await _replaced(run, 413, "result_too_large")


@case("refused events", encodings=HTTP)
async def hears_an_early_413(run: Run) -> None:
    """413 that is given before the body was read is heard: a `task_error` in its place."""
    run.receiver.early = [None, Answer(413)]
    program = await run.start("echo", {"value": "x" * (1 << 20)})
    ending, _ = await run.outcome(program, "task_error")
    equal("its code", "result_too_large", info_of(ending).code)


@case("refused events")
async def replaces_after_413_of_a_proxy(run: Run) -> None:
    """413 without `Wove-Receiver` three times in a row: a proxy's limit, and as a receiver's."""
    run.receiver.on("task_result", Answer(413, receiver=None))
    program = await run.start("add", {"a": 1, "b": 2})
    ended = await program.end()
    _is_minimal(run, "result_too_large", tries=3)
    equal("exit status", 0, ended.status)


@case("refused events")
async def gives_up_when_that_is_refused(run: Run) -> None:
    """The minimal `task_error` is refused, too: nothing more is sent, and the worker ends."""
    run.receiver.on("terminal", Answer(400))
    program = await run.start("add", {"a": 1, "b": 2})
    await run.receiver.wait_for("task_error")
    await program.end()
    _is_minimal(run, "event_refused")
    equal("tries of the task_error", 1, len(run.receiver.frames("task_error")))


@case("refused events", once=True)
async def replaces_a_refused_error(run: Run) -> None:
    """400 to a `task_error`: one minimal `task_error` in its place."""
    run.receiver.on("task_error", Answer(400), Answer())
    program = await run.start("fail", {"message": "Grüße", "cause": "inner"})
    await program.end()
    errors = run.receiver.events("task_error")
    equal("task_error events", 2, len(errors))
    info = info_of(errors[1])
    equal("its code", "event_refused", info.code)
    expect("its message", info.message.isascii(), "ASCII", info.message)


@case("refused events")
async def drops_a_refused_heartbeat(run: Run) -> None:
    """400 to a heartbeat drops that one: the task goes on."""
    run.receiver.on("heartbeat", Answer(400))
    fields = {"accepts": ["heartbeat"], "delivery": {"delivery_heartbeat_seconds": 0.6}}
    value, _ = await run.value("slow", {"seconds": 1}, **fields)
    equal("the value", 1, value)


@case("refused events")
async def keeps_to_max_event_bytes(run: Run) -> None:
    """A result over `max_event_bytes` is not sent: a `task_error`, code "result_too_large"."""
    program = await run.start("echo", {"value": "x" * 5000}, max_event_bytes=4000)
    ending, _ = await run.outcome(program, "task_error")
    equal("its source", "wove", info_of(ending).source)
    equal("its code", "result_too_large", info_of(ending).code)
    sizes = [len(found.body) for found in run.receiver.frames()]
    expect("the events", max(sizes) <= 4016, "at most 4000 bytes", f"{sizes} bytes")


@case("refused events")
async def takes_409_at_the_end(run: Run) -> None:
    """409 to a result: somebody else was first. Not sent again; no failure of the worker's."""
    await _done_after(run, Answer(409))


@case("refused events")
async def takes_410_at_the_end(run: Run) -> None:
    """410 to a result: nobody waits any more. The same."""
    await _done_after(run, Answer(410))


async def _done_after(run: Run, answer: Answer) -> None:
    run.receiver.on("task_result", answer)
    program = await run.start("add", {"a": 1, "b": 2})
    _, ended = await run.outcome(program, "task_result")
    equal("tries of the result", 1, len(run.receiver.frames("task_result")))
    equal("the summary's delivered", True, ended.summary.get("delivered"))
