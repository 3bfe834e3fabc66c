"""Errors: whose they are, and what they say."""

from __future__ import annotations

from workers.conformance.checks import equal, expect
from workers.conformance.receiver import Delivery
from workers.conformance.registry import case
from workers.conformance.run import Run
from wovepb.v1.event_pb2 import ErrorInfo

ODD = 'Grüße 😀 "quoted"\nsecond line'


def info_of(ending: Delivery) -> ErrorInfo:
    """What a `task_error` says, which it must."""
    error = ending.event.task_error
    expect("the event's `error`", error.HasField("error"), "an ErrorInfo", "none")
    return error.error


@case("errors")
async def describes_what_was_raised(run: Run) -> None:
    """A task's error has a kind, its message, a traceback, the source "task" and no code."""
    ending, ended = await run.outcome(await run.start("fail", {"message": ODD}), "task_error")
    info = info_of(ending)
    expect("the kind", info.kind, "the failure's type", info.kind)
    equal("the message", ODD, info.message)
    expect("the traceback", info.traceback.strip(), "some text", info.traceback)
    equal("the source", "task", info.source)
    equal("the code", "", info.code)
    expect("the cause", not info.HasField("cause"), "none", info.cause)
    summary = ended.summary
    equal("the summary's outcome", "failed", summary.get("outcome"))
    equal("the summary's delivered", True, summary.get("delivered"))
    error = summary.get("error") or {}
    equal("the summary's error.kind", info.kind, error.get("kind"))
    expect("the summary's error.message", ODD[:20] in error.get("message", ""), ODD, error)


@case("errors")
async def carries_the_cause(run: Run) -> None:
    """What caused an error is its `cause`."""
    arguments = {"message": "outer", "cause": "inner ü"}
    ending, _ = await run.outcome(await run.start("fail", arguments), "task_error")
    info = info_of(ending)
    equal("the message", "outer", info.message)
    expect("the cause", info.HasField("cause"), "there", "none")
    equal("the cause's message", "inner ü", info.cause.message)
    expect("the cause's kind", info.cause.kind, "a type's name", info.cause.kind)


@case("errors", once=True)
async def cuts_long_messages(run: Run) -> None:
    """A message is at most 64 KiB of UTF-8, cut between characters."""
    program = await run.start("fail", {"message": "ü" * 60_000})
    ending, ended = await run.outcome(program, "task_error")
    size = len(info_of(ending).message.encode())
    kept = "the task's own, cut to at most 65536 bytes"
    seen = f"{size} bytes" if size > 1000 else info_of(ending).message
    expect("the message", 1000 < size <= 64 << 10, kept, seen)
    summed = (ended.summary.get("error") or {}).get("message", "")
    length = len(summed)
    expect("the summary's", length <= 1000, "at most 1000 characters", f"{length} characters")


@case("errors")
async def names_an_unknown_task(run: Run) -> None:
    """A task that nobody registered: source "wove", code "unknown_task", what there is instead."""
    program = await run.start("no_such_task", {"a": 1})
    ending, ended = await run.outcome(program, "task_error")
    info = info_of(ending)
    equal("the source", "wove", info.source)
    equal("the code", "unknown_task", info.code)
    for name in ("no_such_task", "add", "echo"):
        expect("the message", name in info.message, f"names {name!r}", info.message)
    started = run.receiver.events("task_started")
    expect("task_started", len(started) == 1, "came before", run.receiver.transcript())
    equal("the summary's outcome", "failed", ended.summary.get("outcome"))


@case("errors", once=True)
async def refuses_a_missing_argument(run: Run) -> None:
    """An argument that is not there is the task's error."""
    ending, _ = await run.outcome(await run.start("add", {"a": 1}), "task_error")
    equal("the source", "task", info_of(ending).source)


@case("errors", once=True)
async def refuses_a_surplus_argument(run: Run) -> None:
    """An argument that the function does not take is the task's error."""
    program = await run.start("add", {"a": 1, "b": 2, "zz": 3})
    ending, _ = await run.outcome(program, "task_error")
    equal("the source", "task", info_of(ending).source)


@case("errors", once=True)
async def reports_missing_arguments(run: Run) -> None:
    """Without `args_json`, and without pickles: code "payload_not_loadable"."""
    payload = run.payload("add")
    del payload["args_json"]
    ending, _ = await run.outcome(await run.hand(payload), "task_error")
    equal("the source", "wove", info_of(ending).source)
    equal("the code", "payload_not_loadable", info_of(ending).code)


@case("errors", once=True)
async def reports_broken_arguments(run: Run) -> None:
    """`args_json` that is no JSON: code "payload_not_loadable"."""
    ending, _ = await run.outcome(await run.start("add", '{"a": 1, '), "task_error")
    equal("the source", "wove", info_of(ending).source)
    equal("the code", "payload_not_loadable", info_of(ending).code)


@case("errors", once=True)
async def reports_arguments_that_are_no_object(run: Run) -> None:
    """`args_json` that is a list: an error of source "wove"."""
    ending, _ = await run.outcome(await run.start("add", "[1, 2]"), "task_error")
    equal("the source", "wove", info_of(ending).source)
