"""What an answer means to a worker: the vectors of answers.json."""

from __future__ import annotations

from typing import Any

import pytest

from tests.contract import vector_files
from wove.contract import FRAMES, TERMINAL
from wove.worker.answers import Answer, Verdict, judge, judge_status
from wove.worker.connection import Response

ANSWERS = vector_files.load("answers.json")


def answer_of(vector: dict[str, Any]) -> Answer:
    response = Response(vector["status"])
    response.body = vector["body"].encode()
    if vector["wove_receiver"] is not None:
        response.headers["wove-receiver"] = vector["wove_receiver"]
    return judge(response, vector["receiver_id"] or "")


def word(answer: Answer, frame: str) -> str:
    if answer.verdict is Verdict.INVALID and frame in TERMINAL:
        return "replace"
    return "final" if answer.verdict not in SIMPLE else answer.verdict.value


SIMPLE = {Verdict.ACCEPTED, Verdict.RETRY, Verdict.ELSEWHERE}


@pytest.mark.parametrize("vector", ANSWERS, ids=vector_files.names(ANSWERS))
def test_an_answer_means_what_the_vectors_say(vector: dict[str, Any]) -> None:
    answer = answer_of(vector)
    stops = answer.stops(vector["event"], detached=vector["detach"])
    assert (word(answer, vector["event"]), stops) == (vector["verdict"], vector["stop"])


def test_the_vectors_know_every_frame_and_every_verdict() -> None:
    assert {vector["event"] for vector in ANSWERS} == set(FRAMES)
    verdicts = {"accepted", "retry", "elsewhere", "final", "replace"}
    assert {vector["verdict"] for vector in ANSWERS} == verdicts


@pytest.mark.parametrize(
    ("header", "seconds"),
    [
        (None, None),
        ("2", 2),
        ("0", 0),
        ("1.5", 1.5),
        ("-1", None),
        ("nan", None),
        ("inf", None),
        ("1e400", None),
        ("soon", None),
        ("Wed, 21 Oct 2026 07:28:00 GMT", None),
    ],
)
@pytest.mark.parametrize("ours", [True, False])
def test_retry_after_is_finite_and_not_below_0_or_absent(
    header: str | None, seconds: float | None, ours: bool
) -> None:
    response = Response(503)
    response.body = b'{"retry_after_seconds": 99}'  # the header wins, and may be all that is read
    if ours:
        response.headers["wove-receiver"] = "r"
    if header is not None:
        response.headers["retry-after"] = header
    assert judge(response, "r").retry_after == seconds


@pytest.mark.parametrize("seconds", [-1.0, float("nan"), float("inf")])
def test_a_grpc_answers_retry_after_too(seconds: float) -> None:
    answer = judge_status(503, "", answered_by="r", receiver_id="r", retry_after=seconds)
    assert (answer.verdict, answer.retry_after) == (Verdict.RETRY, None)
