"""Payloads: every form in which they are handed over, and those that are none."""

from __future__ import annotations

from workers.conformance.cases.errors import info_of
from workers.conformance.checks import equal, expect
from workers.conformance.program import VARIABLE
from workers.conformance.registry import case
from workers.conformance.run import Form, Run

ARGUMENTS = {"a": 1, "b": 2}


async def _taken(run: Run, form: Form, environment: dict[str, str] | None = None) -> None:
    program = await run.hand(run.payload("add", ARGUMENTS), form, environment=environment)
    ending, _ = await run.outcome(program, "task_result")
    equal("the value", 3, run.value_of(ending))


@case("payloads", once=True)
async def as_an_argument(run: Run) -> None:
    """JSON as the first argument, which wins over the variable."""
    await _taken(run, "argument", {VARIABLE: "something else"})


@case("payloads", once=True)
async def as_a_base64_argument(run: Run) -> None:
    """Base64 of the JSON as the first argument."""
    await _taken(run, "base64 argument")


@case("payloads", once=True)
async def as_a_variable(run: Run) -> None:
    """JSON in WOVE_BACKEND_PAYLOAD."""
    await _taken(run, "variable")


@case("payloads", once=True)
async def as_a_base64_variable(run: Run) -> None:
    """Base64 of the JSON in WOVE_BACKEND_PAYLOAD."""
    await _taken(run, "base64 variable")


@case("payloads", once=True)
async def as_a_file(run: Run) -> None:
    """`@path` names a file that holds the JSON."""
    await _taken(run, "file")


@case("payloads", once=True)
async def as_a_base64_file(run: Run) -> None:
    """`@path` names a file that holds base64 of the JSON."""
    await _taken(run, "base64 file")


@case("payloads", once=True)
async def ignores_what_it_does_not_know(run: Run) -> None:
    """Unknown fields at every level, null fields, another Python's `origin`: it runs."""
    payload = run.payload("add", ARGUMENTS, attempt=None)
    payload.update(
        {
            "surprise": {"deep": [1, 2]},
            "attempt": None,
            "start_gate": None,
            "delivery_retry_seconds": None,
            "traceparent": "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01",
            "issued_at": 1700000000.5,
            "origin": {"python": "2.7.18", "wove": "9.0", "surprise": 1},
            "accepts": ["blob", "heartbeat"],
        }
    )
    payload["delivery"] = {"delivery_timeout": None, "delivery_moon_phase": "full"}
    ending, _ = await run.outcome(await run.hand(payload), "task_result")
    equal("the value", 3, run.value_of(ending))


@case("payloads", once=True)
async def takes_numbers_as_protojson(run: Run) -> None:
    """`1.0` and `"1"` are the integer 1, a double may be quoted."""
    payload = run.payload("add", ARGUMENTS, attempt="3")
    payload["version"] = 1.0
    payload["delivery"] = {"delivery_heartbeat_seconds": "30"}
    program = await run.hand(payload)
    ending, _ = await run.outcome(program, "task_result")
    equal("attempt", 3, ending.event.attempt)


@case("payloads")
async def refuses_a_newer_version(run: Run) -> None:
    """`version` 2: a `task_error`, code "version_mismatch", and no `task_started`."""
    program = await run.start("add", ARGUMENTS, version=2)
    ending, ended = await run.outcome(program, "task_error")
    equal("its source", "wove", info_of(ending).source)
    equal("its code", "version_mismatch", info_of(ending).code)
    equal("the events", ["task_error"], [found.frame for found in run.receiver.frames()])
    outcome = ended.summary.get("outcome")
    expect("the summary's outcome", outcome in ("failed", "not_started"), "failed", outcome)


async def _is_none(run: Run, payload: dict[str, object] | str | None, form: Form) -> None:
    ended = await (await run.hand(payload, form)).end()
    equal("exit status", 2, ended.status)
    expect("stderr", ended.stderr.strip(), "says why", "nothing")
    equal("the events", [], [found.frame for found in run.receiver.frames()])


@case("payloads", once=True)
async def exits_2_without_any(run: Run) -> None:
    """Neither argument nor variable: exit 2."""
    await _is_none(run, None, "argument")


@case("payloads", once=True)
async def exits_2_on_garbage(run: Run) -> None:
    """Neither JSON nor base64 of it: exit 2."""
    await _is_none(run, "!! no payload !!", "argument")


@case("payloads", once=True)
async def exits_2_on_another_value(run: Run) -> None:
    """A JSON list: exit 2."""
    await _is_none(run, "[1, 2]", "variable")


@case("payloads", once=True)
async def exits_2_without_a_file(run: Run) -> None:
    """`@path` of a file that is not there: exit 2."""
    await _is_none(run, "@/nonexistent/payload.json", "argument")


@case("payloads", once=True)
async def exits_2_without_callback_url(run: Run) -> None:
    """A payload without `callback_url`: nobody to report to, exit 2."""
    await _is_none(run, run.payload("add", ARGUMENTS, callback_url=None), "argument")


@case("payloads", once=True)
async def exits_2_without_run_id(run: Run) -> None:
    """A payload without `run_id`: exit 2."""
    await _is_none(run, run.payload("add", ARGUMENTS, run_id=None), "argument")


@case("payloads", once=True)
async def exits_2_without_version(run: Run) -> None:
    """A payload without `version`: exit 2."""
    await _is_none(run, run.payload("add", ARGUMENTS, version=None), "argument")
