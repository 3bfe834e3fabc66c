"""Retries: the same event, byte for byte, until there is a final answer."""

from __future__ import annotations

from workers.conformance.answers import Answer
from workers.conformance.checks import equal, expect
from workers.conformance.registry import HTTP, case
from workers.conformance.run import Run

ELSEWHERE = "rx-somebody-else"


async def _retried(run: Run, *answers: Answer, **fields: object) -> None:
    """Each event gets these answers, then it is accepted."""
    run.receiver.on_each(*answers, Answer())
    program = await run.start("add", {"a": 1, "b": 2}, **fields)
    await run.outcome(program, "task_result")
    for frame in ("task_started", "task_result"):
        tries = run.receiver.frames(frame)
        equal(f"tries of {frame}", len(answers) + 1, len(tries))
        for again in tries[1:]:
            same = again.body == tries[0].body
            expect(f"a retry of {frame}", same, "the same bytes", "another body")
        for answer, before, after in zip(answers, tries, tries[1:], strict=False):
            waited = after.at - (before.answered_at or before.at)
            least = answer.retry_after or 0.0
            expect(f"the wait of {frame}", waited > least - 0.1, f"{least:g} s", f"{waited:.2f} s")


async def _on_new_connection(run: Run, answer: Answer) -> None:
    await _retried(run, answer)
    for frame in ("task_started", "task_result"):
        one, other = run.receiver.frames(frame)
        fresh = one.connection != other.connection
        expect(f"the retry of {frame}", fresh, "on a new connection", "on the same")


@case("retries")
async def after_500(run: Run) -> None:
    """500 (INTERNAL): again."""
    await _retried(run, Answer(500))


@case("retries")
async def after_502_and_504(run: Run) -> None:
    """502 (UNKNOWN), then 504 (CANCELLED): again each time."""
    await _retried(run, Answer(502), Answer(504))


@case("retries")
async def after_503_as_late_as_asked(run: Run) -> None:
    """503 (UNAVAILABLE) with Retry-After of a second: again, not earlier."""
    await _retried(run, Answer(503, retry_after=1))


@case("retries")
async def after_408(run: Run) -> None:
    """408 (DEADLINE_EXCEEDED): again."""
    await _retried(run, Answer(408))


@case("retries", encodings=HTTP)
async def after_429_as_late_as_asked(run: Run) -> None:
    """429 with Retry-After of a second: again, not earlier."""
    await _retried(run, Answer(429, retry_after=1))


@case("retries", encodings=HTTP, once=True)
async def after_a_redirect(run: Run) -> None:
    """302 and 307 are not followed: the same address again."""
    await _retried(run, Answer(302), Answer(307))
    equal("other requests", [], run.receiver.problems)


@case("retries")
async def after_a_dropped_connection(run: Run) -> None:
    """The connection is cut after the event, before its answer: again."""
    await _retried(run, Answer(wire="drop"))


@case("retries", encodings=HTTP)
async def after_a_connection_dropped_early(run: Run) -> None:
    """The connection is cut before the event is read: again."""
    drop = Answer(wire="drop")
    # A client that tries again by itself, on a new connection, does no harm.
    run.receiver.early = [drop, drop, None, drop, drop]
    value, _ = await run.value("add", {"a": 1, "b": 2})
    equal("the value", 3, value)


@case("retries")
async def after_half_an_answer(run: Run) -> None:
    """An answer that breaks off in the middle is none: again."""
    await _retried(run, Answer(wire="cut"))


@case("retries")
async def on_a_connection_closed_meanwhile(run: Run) -> None:
    """A connection that was closed after the last answer is replaced."""
    run.receiver.rule = lambda delivery: Answer(wire="close")
    value, _ = await run.value("slow", {"seconds": 0.3})
    equal("the value", 0.3, value)


@case("retries")
async def after_an_answer_of_nobody(run: Run) -> None:
    """204 (OK) without `Wove-Receiver`: some balancer's, so again."""
    await _retried(run, Answer(204, receiver=None))


@case("retries")
async def after_a_refusal_of_nobody(run: Run) -> None:
    """404, then 410, without `Wove-Receiver`: again."""
    await _retried(run, Answer(404, receiver=None), Answer(410, receiver=None))


@case("retries")
async def after_421_on_a_new_connection(run: Run) -> None:
    """421 (ABORTED) of another receiver: again on a new connection."""
    await _on_new_connection(run, Answer(421, receiver=ELSEWHERE))


@case("retries")
async def after_404_of_another_receiver(run: Run) -> None:
    """404 (UNAUTHENTICATED) of another receiver than the payload's: as 421."""
    await _on_new_connection(run, Answer(404, receiver=ELSEWHERE))


@case("retries")
async def after_410_of_another_receiver(run: Run) -> None:
    """410 (NOT_FOUND) of another receiver than the payload's: as 421."""
    await _on_new_connection(run, Answer(410, receiver=ELSEWHERE))


@case("retries", encodings=HTTP, once=True)
async def plain_table_without_receiver_id(run: Run) -> None:
    """A payload without `receiver_id`: no header is sent, and none is asked for."""
    run.receiver.rule = lambda delivery: Answer(204, receiver=None)
    program = await run.start("add", {"a": 1, "b": 2}, receiver_id=None)
    await run.outcome(program, "task_result")
    equal("the tries", ["task_started", "task_result"], [d.frame for d in run.receiver.frames()])


@case("retries", encodings=HTTP, once=True)
async def takes_unreadable_acceptance(run: Run) -> None:
    """200 with a body that is no acknowledgement is accepted all the same."""
    run.receiver.rule = lambda delivery: Answer(200, body=b'{"cancel": "[')
    program = await run.start("add", {"a": 1, "b": 2})
    await run.outcome(program, "task_result")
    equal("the tries", ["task_started", "task_result"], [d.frame for d in run.receiver.frames()])


@case("retries", once=True)
async def retries_what_the_task_sends_at_its_end(run: Run) -> None:
    """A `task_error` is retried like a result."""
    run.receiver.on("task_error", Answer(500), Answer(wire="drop"), Answer())
    program = await run.start("fail", {"message": "no"})
    await run.outcome(program, "task_error")
    tries = run.receiver.frames("task_error")
    equal("tries of task_error", 3, len(tries))
    same = len({found.body for found in tries}) == 1
    expect("the retries", same, "the same bytes", "different bodies")
