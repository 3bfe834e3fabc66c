"""The table of answers.json over gRPC: every row that gRPC has, to the worker of every language.

Each row is a run of its own against the conformance runner's receiver: the row's answer is
given over the wire, and what the worker then does is what the row says. Of the events those
are played that a task sends by itself: start, heartbeat, result and error.
"""

from __future__ import annotations

import asyncio
import re
import sys
from typing import Any

import pytest

from tests.contract import vector_files
from tests.languages import LANGUAGES, built
from tests.services import ROOT
from workers.conformance.answers import OURS, Answer
from workers.conformance.checks import Failed
from workers.conformance.run import Run

pytestmark = [pytest.mark.xdist_group("languages"), pytest.mark.timeout(600)]

SAME_IN_GRPC = {200, 204, 400, 403, 404, 408, 409, 410, 413, 421, 500, 502, 503, 504}
"""What has a status code of its own. Others, such as a redirect, gRPC has no word for."""
EVENTS = ("task_started", "heartbeat", "task_result", "task_error")
JOBS = 3
TRIES = 3
"""A worker on a starved machine may take longer than gRPC's three seconds to connect."""
LONG = 45.0
"""Seconds of a task that is to be stopped: longer than any wait here."""


def rows() -> list[tuple[str, Answer, dict[str, Any]]]:
    """Name, answer and vector; each combination once."""
    found = {}
    for vector in vector_files.load("answers.json"):
        body = vector["body"]
        cancel = body.startswith('{"event_id":"e1","cancel":{"run_id"') and body.endswith("}}")
        if (
            vector["event"] not in EVENTS
            or vector["status"] not in SAME_IN_GRPC
            or vector["receiver_id"] is None  # whoever offers gRPC has one
            or not (body in ("", "{}") or cancel)  # in gRPC there is no other text
        ):
            continue
        ours = vector["wove_receiver"] == vector["receiver_id"]
        receiver = OURS if ours else vector["wove_receiver"]
        answer = Answer(vector["status"], cancel=cancel, receiver=receiver)
        key = (str(answer), vector["event"], vector["detach"], vector["start_gate"])
        found[key] = (vector["name"], answer, vector)
    return list(found.values())


def payload_of(run: Run, vector: dict[str, Any]) -> dict[str, Any]:
    """A task that outlasts the answer, or fails, as the row wants it."""
    delivery: dict[str, Any] = {}
    if vector["detach"]:
        delivery["delivery_orphan_policy"] = "detach"
    if vector["event"] == "heartbeat":
        delivery["delivery_heartbeat_seconds"] = 0.9
    fields = {
        "accepts": ["heartbeat"] if vector["event"] == "heartbeat" else [],
        "delivery": delivery,
        "start_gate": vector["start_gate"],
    }
    if vector["event"] == "task_error":
        return run.payload("fail", {"message": "as asked"}, **fields)
    seconds = LONG if vector["stop"] else 1.2 if vector["event"] == "heartbeat" else 0.2
    return run.payload("slow", {"seconds": seconds}, **fields)


class NotByGrpc(Exception):
    """The event came by HTTP, which is right and says nothing about gRPC."""


async def play(argv: list[str], answer: Answer, vector: dict[str, Any]) -> None:
    """Give the answer and look at what comes of it."""
    event, verdict = vector["event"], vector["verdict"]
    run = Run(argv, "grpc", patience=3.0)
    await run.open()
    try:
        again = answer if event == "heartbeat" or verdict in ("final", "accepted") else Answer()
        run.receiver.on(event, answer, again)
        program = await run.hand(payload_of(run, vector))
        await run.receiver.wait_for(event)
        await program.end(seconds=30.0)
        tries = [found for found in run.receiver.frames(event) if found.call != "post"]
        if not tries:
            raise NotByGrpc(vector["name"])
        results = run.receiver.events("task_result")
        if event in ("heartbeat", "task_started"):
            assert bool(results) is not vector["stop"]
        if event == "heartbeat":
            return
        first = [found for found in tries if found.event.event_id == tries[0].event.event_id]
        if verdict in ("retry", "elsewhere"):
            assert len(first) == 2
            assert first[0].body == first[1].body
            fresh = first[0].connection != first[1].connection
            assert fresh or verdict == "retry"
        else:
            assert len(first) == 1
        if verdict == "replace":
            ended = [found.frame for found in run.receiver.endings]
            assert ended == [event, "task_error"]
        elif event in ("task_result", "task_error"):
            assert [found.frame for found in run.receiver.endings] == [event]
    except (AssertionError, Failed) as error:
        words = f"{error} {getattr(error, 'expected', '')} {getattr(error, 'seen', '')}"
        text = f"{vector['name']}: {words}\n{run.receiver.transcript()}"
        raise AssertionError(text) from error
    finally:
        await run.close()


async def play_again(argv: list[str], answer: Answer, vector: dict[str, Any], tries: int) -> None:
    try:
        await play(argv, answer, vector)
    except NotByGrpc:
        if tries == 1:
            raise
        await play_again(argv, answer, vector, tries - 1)


@pytest.mark.parametrize("language", ["python", *LANGUAGES])
def test_every_row(language: str) -> None:
    argv = (
        [sys.executable, str(ROOT / "workers/python/tasks/worker.py")]
        if language == "python"
        else built(language)
    )

    async def all_rows() -> list[str]:
        places = asyncio.Semaphore(JOBS)

        async def one(answer: Answer, vector: dict[str, Any]) -> None:
            async with places:
                await play_again(argv, answer, vector, TRIES)

        done = await asyncio.gather(
            *(one(answer, vector) for _, answer, vector in rows()), return_exceptions=True
        )
        return [str(found) for found in done if isinstance(found, BaseException)]

    assert asyncio.run(all_rows()) == []


def test_the_rows_are_most_of_the_table() -> None:
    verdicts = {vector["verdict"] for _, _, vector in rows()}
    assert verdicts == {"accepted", "retry", "elsewhere", "final", "replace"}
    assert {vector["event"] for _, _, vector in rows()} == set(EVENTS)
    assert len(rows()) > 60


def test_a_wrong_worker_is_noticed() -> None:
    """It believes whoever answers: nobody's acceptance is none."""
    wrong = ROOT / "tests" / "conformance" / "grpc_worker.py"
    argv = [sys.executable, str(wrong), "--wrong", "trusts-anybody"]
    _, answer, vector = next(
        row for row in rows() if row[1].receiver is None and row[2]["event"] == "task_result"
    )
    with pytest.raises(AssertionError, match=re.escape(vector["name"])):
        asyncio.run(play(argv, answer, vector))
