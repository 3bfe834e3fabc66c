"""What holds in every run of every case."""

from __future__ import annotations

import re
from collections.abc import Iterator

from workers.conformance.checks import equal, expect
from workers.conformance.receiver import Delivery
from workers.conformance.registry import every_run
from workers.conformance.run import Run

_is_name = re.compile(r"[A-Za-z0-9_-]{1,128}").fullmatch
FREE = {"task_started", "task_result", "task_error", "task_cancelled"}


@every_run
def sends_what_receivers_take(run: Run) -> None:
    """Every request is a POST to the callback URL, or a call with the token, that decodes."""
    equal("the problems", [], run.receiver.problems)


@every_run
def names_every_event(run: Run) -> None:
    """`event_id` and `execution_id` are 1 to 128 of `A-Z a-z 0-9 _ -`."""
    for found in run.receiver.frames():
        event = found.event
        for name in ("event_id", "execution_id"):
            text = getattr(event, name)
            expect(f"{name} of {found.frame}", _is_name(text), "1 to 128 of A-Za-z0-9_-", text)


@every_run
def repeats_only_retries(run: Run) -> None:
    """An `event_id` comes again only with the same body, and never for another event."""
    bodies: dict[str, Delivery] = {}
    for found in run.receiver.frames():
        first = bodies.setdefault(found.event.event_id, found)
        same = first.event == found.event
        expect(f"{found.frame} with a known event_id", same, "the same event", "another")


@every_run
def retries_byte_for_byte(run: Run) -> None:
    """A retry in the same encoding repeats the bytes."""
    bodies: dict[tuple[str, str], bytes] = {}
    for found in run.receiver.frames():
        first = bodies.setdefault((found.event.event_id, found.encoding), found.body)
        expect(f"a retry of {found.frame}", first == found.body, "the same bytes", "others")


@every_run
def counts_from_one(run: Run) -> None:
    """`sequence` is 1 for the first event of an execution, and another for each one."""
    for events in _executions(run):
        numbers = [found.event.sequence for found in events]
        equal("the least sequence", 1, min(numbers))
        equal("different sequences", len(numbers), len(set(numbers)))
        first = min(events, key=lambda found: found.event.sequence)
        if any(found.frame == "task_started" for found in events):
            equal("the event of sequence 1", "task_started", first.frame)
        last = max(events, key=lambda found: found.event.sequence)
        ends = [found for found in events if found.terminal]
        if ends and last.frame not in ("heartbeat", *(found.frame for found in ends)):
            equal("the event of the last sequence", "a terminal one", last.frame)


@every_run
def copies_the_payload(run: Run) -> None:
    """`run_id`, `task_id` and `attempt` are the payload's."""
    known = {payload.get("run_id"): payload for payload in run.payloads}
    for found in run.receiver.frames():
        payload = known.get(found.event.run_id)
        expect(f"run_id of {found.frame}", payload, list(known), found.event.run_id)
        assert payload is not None
        equal(f"task_id of {found.frame}", payload["task_id"], found.event.task_id)
        attempt = int(payload.get("attempt") or 0)
        equal(f"attempt of {found.frame}", attempt, found.event.attempt)


@every_run
def sends_only_accepted_frames(run: Run) -> None:
    """Extension frames only where `accepts` lists them."""
    for payload in run.payloads:
        allowed = FREE | set(payload.get("accepts") or ())
        for found in run.receiver.frames():
            if found.event.run_id == payload.get("run_id"):
                expect("the frames", found.frame in allowed, sorted(allowed), found.frame)


@every_run
def ends_once(run: Run) -> None:
    """One terminal event, and a second only in the place of a refused one."""
    for events in _executions(run):
        endings = [found for found in events if found.terminal]
        refused = [found for found in endings if found.answer.status in (400, 413, 415)]
        limit = 2 if refused else 1
        names = [found.frame for found in endings]
        expect("the terminal events", len(endings) <= limit, f"at most {limit}", names)


@every_run
def says_nothing_after_the_end(run: Run) -> None:
    """No event is sent once the terminal one has been accepted."""
    for events in _executions(run):
        ends = [found.answered_at for found in events if found.terminal and found.answer.accepts]
        if ends and ends[0] is not None:
            # What was on its way at that moment may still arrive.
            late = [found.frame for found in events if found.at > ends[0] + 0.5]
            equal("events after the end", [], late)


@every_run
def keeps_the_token(run: Run) -> None:
    """Neither stdout nor stderr holds a token."""
    for program in run.programs:
        if program.ended is not None:
            for name in ("stdout", "stderr"):
                text = getattr(program.ended, name)
                for token in (run.receiver.token, run.receiver.grpc_token):
                    expect(name, token not in text, "without the token", text)


@every_run
def prints_a_summary(run: Run) -> None:
    """After exit 0 or 1 the last line of stdout is a RunSummary of this run, without secrets."""
    for program in run.programs:
        if program.ended is None or program.ended.status not in (0, 1):
            continue
        summary = program.ended.summary
        known = [payload.get("run_id") for payload in run.payloads]
        run_id = summary.get("run_id")
        expect("the summary's run_id", run_id in known, known, run_id)
        outcome = summary.get("outcome")
        outcomes = ("succeeded", "failed", "cancelled", "not_started")
        expect("the summary's outcome", outcome in outcomes, outcomes, outcome)
        delivered = summary.get("delivered", False)
        expect("the summary's delivered", isinstance(delivered, bool), "a bool", delivered)
        version = summary.get("wove_version")
        expect("the summary's wove_version", version, "a version", version)
        url = summary.get("callback_url")
        host = f"127.0.0.1:{run.http.port}"
        expect("the summary's callback_url", host in str(url), f"names {host}", url)


def _executions(run: Run) -> Iterator[list[Delivery]]:
    groups: dict[str, list[Delivery]] = {}
    for found in run.receiver.events():
        groups.setdefault(found.event.execution_id, []).append(found)
    yield from groups.values()
