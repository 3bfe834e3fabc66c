"""Tasks by name: payloads without pickle."""

from __future__ import annotations

import asyncio
import datetime
import json
import logging
import time
from typing import Any

import pytest

from tests.unit.worker.receiver import CANCEL, Receiver, Reply, as_dict
from wove.integrations.worker import LogHandler, arun, log, progress, run, task
from wove.worker import tasks
from wovepb.v1.payload_pb2 import TaskPayload


@pytest.fixture(autouse=True)
def _own_tasks(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tasks, "_tasks", {})


def plain(receiver: Receiver, name: str, arguments: Any = None, *accepts: str) -> TaskPayload:
    payload = receiver.payload(int)
    payload.ClearField("callable_pickle")
    payload.ClearField("args_pickle")
    payload.task_name = name
    payload.args_json = arguments if isinstance(arguments, str) else json.dumps(arguments or {})
    payload.accepts[:] = accepts
    return payload


def failure(receiver: Receiver) -> Any:
    return receiver.frames("task_error")[0].event.task_error.error


def test_a_task_takes_and_returns_json(receiver: Receiver) -> None:
    @task
    def add(a: int, b: int) -> dict[str, Any]:
        return {"sum": a + b, "ü": [None, 0.1]}

    summary = run(as_dict(plain(receiver, "add", {"a": 2**53, "b": 1})))
    assert summary["outcome"] == "succeeded"
    result = receiver.frames("task_result")[0].event.task_result
    assert result.WhichOneof("value") == "result_json"
    assert json.loads(result.result_json) == {"sum": 2**53 + 1, "ü": [None, 0.1]}


def test_an_async_task_by_another_name(receiver: Receiver) -> None:
    @task("other")
    async def twice(value: int) -> int:
        progress(1, 2)
        await asyncio.sleep(0)
        return value * 2

    asyncio.run(arun(as_dict(plain(receiver, "other", {"value": 4}, "progress"))))
    assert receiver.names() == ["task_started", "progress", "task_result"]
    assert receiver.frames("task_result")[0].event.task_result.result_json == "8"


def test_an_unknown_task_names_those_that_there_are(receiver: Receiver) -> None:
    task("one")(int)
    task("two")(str)
    summary = run(as_dict(plain(receiver, "three")))
    assert summary["outcome"] == "failed"
    assert receiver.names() == ["task_started", "task_error"]
    info = failure(receiver)
    assert (info.source, info.code) == ("wove", "unknown_task")
    assert "no task 'three'; the tasks that it has: one, two." in info.message


def test_a_name_belongs_to_one_function() -> None:
    task(test_a_name_belongs_to_one_function)
    task(test_a_name_belongs_to_one_function)
    with pytest.raises(ValueError, match="there is a task 'mine' already"):
        task("mine")(int)
        task("mine")(str)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("[1]", "it is no object"),
        ("{", "it is no JSON: "),
        ('{"a": 1e999}', "too large for a float"),
        ('{"a": NaN}', "NaN is no number"),
        (f'{{"a": {"9" * 5000}}}', "too many digits"),
        (f'{{"a": {"[" * 100_000}', "nested too deep"),
        (None, "there is none"),
    ],
)
def test_arguments_that_cannot_be_read(receiver: Receiver, text: str | None, words: str) -> None:
    task("echo")(lambda a: a)
    payload = plain(receiver, "echo", text or "")
    if text is None:
        payload.ClearField("args_json")
    run(as_dict(payload))
    info = failure(receiver)
    assert (info.source, info.code) == ("wove", "payload_not_loadable")
    assert words in info.message


def test_arguments_that_do_not_fit_are_the_tasks_error(receiver: Receiver) -> None:
    task("echo")(lambda a: a)
    run(as_dict(plain(receiver, "echo", {"b": 1})))
    error = receiver.frames("task_error")[0].event.task_error
    assert (error.error.source, error.error.kind) == ("task", "TypeError")
    assert not error.exception_pickle


class Text(str):
    __slots__ = ()


@pytest.mark.parametrize(
    ("value", "words"),
    [
        ({"accounts": [0, 0, 0, {"opened": datetime.date(2020, 1, 1)}]}, "datetime.date"),
        ((1, 2), "report.result: tuple (it would come back as a list)"),
        ([float("nan")], "report.result[0]: nan, which is no number of JSON"),
        ({1: 2}, "report.result: a key of type int; JSON has text only"),
        ({"a b": {1}}, "report.result['a b']: set"),
        (["\ud800"], "report.result[0]: text with an unpaired surrogate"),
        ({"\ud800": 1}, "report.result: text with an unpaired surrogate"),
        (Text("x"), "Text"),
        ([10**5000], "report.result: an integer of too many digits"),
    ],
)
def test_a_result_that_json_does_not_carry(receiver: Receiver, value: Any, words: str) -> None:
    task("report")(lambda: value)
    run(as_dict(plain(receiver, "report")))
    info = failure(receiver)
    assert (info.source, info.code) == ("wove", "result_not_picklable")
    assert words in info.message
    if isinstance(value, dict) and "accounts" in value:
        assert "report.result.accounts[3].opened: datetime.date." in info.message


def test_a_result_that_holds_itself(receiver: Receiver) -> None:
    loop: list[Any] = []
    loop.append(loop)
    task("report")(lambda: loop)
    run(as_dict(plain(receiver, "report")))
    assert "nested deeper than 200 levels" in failure(receiver).message


def test_another_pythons_origin_matters_to_pickles_only(receiver: Receiver) -> None:
    task("one")(lambda: 1)
    payload = plain(receiver, "one")
    payload.origin.python = "2.7.18"
    assert run(as_dict(payload))["outcome"] == "succeeded"


# ---- progress and log -----------------------------------------------------------------------


def test_progress_and_log_arrive_before_the_end(receiver: Receiver) -> None:
    @task
    def steps() -> None:
        progress(1, 2, unit="rows", message="ü")
        log("half\ud800way", level="warning", logger="mine")
        progress(2)

    run(as_dict(plain(receiver, "steps", None, "progress", "log")))
    assert receiver.names() == ["task_started", "progress", "log", "progress", "task_result"]
    first, second = (found.event.progress for found in receiver.frames("progress"))
    assert (first.current, first.total, first.unit, first.message) == (1, 2, "rows", "ü")
    assert (second.current, second.HasField("total")) == (2, False)
    line = receiver.frames("log")[0].event.log
    assert (line.level, line.message, line.logger) == ("warning", "half\\ud800way", "mine")
    sequence = [found.event.sequence for found in receiver.frames()]
    assert sequence == sorted(sequence)


def test_pickled_tasks_report_too(receiver: Receiver) -> None:
    def report() -> None:
        from wove.integrations.worker import progress

        progress(1, 1)

    payload = receiver.payload(report)
    payload.accepts[:] = ["progress"]
    run(as_dict(payload))
    assert receiver.names() == ["task_started", "progress", "task_result"]


def test_what_is_not_accepted_is_not_sent(receiver: Receiver) -> None:
    @task
    def steps() -> None:
        progress(1, 2)
        log("line")

    run(as_dict(plain(receiver, "steps", None, "progress")))
    assert receiver.names() == ["task_started", "progress", "task_result"]


def test_outside_of_a_task_nothing_happens() -> None:
    progress(1, 2)
    log("line")
    with pytest.raises(ValueError, match="level must be one of debug, info"):
        log("line", level="loud")


def test_the_logging_handler(receiver: Receiver) -> None:
    logger = logging.Logger("app.db", logging.DEBUG)
    logger.addHandler(LogHandler())

    @task
    def work() -> None:
        logger.debug("%d rows", 5)
        logger.log(35, "between")
        logger.critical("end")

    logger.error("outside")
    run(as_dict(plain(receiver, "work", None, "log")))
    lines = [found.event.log for found in receiver.frames("log")]
    assert [(line.level, line.message, line.logger) for line in lines] == [
        ("debug", "5 rows", "app.db"),
        ("warning", "between", "app.db"),
        ("critical", "end", "app.db"),
    ]


def test_progress_counts_in_finite_numbers(receiver: Receiver) -> None:
    task("bad")(lambda: progress(float("inf")))
    run(as_dict(plain(receiver, "bad", None, "progress")))
    assert failure(receiver).kind == "ValueError"


def test_a_frame_that_was_refused_is_forgotten(receiver: Receiver) -> None:
    receiver.rule = lambda seen: Reply(500 if seen.frame == "progress" else 204)
    task("steps")(lambda: [progress(step) for step in range(3)] and None)
    assert run(as_dict(plain(receiver, "steps", None, "progress")))["outcome"] == "succeeded"
    assert receiver.names() == ["task_started", *["progress"] * 3, "task_result"]


def test_a_slow_receiver_holds_nothing_up(
    receiver: Receiver, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("wove.worker.extensions.FLUSH_SECONDS", 0.2)

    def rule(seen: Any) -> Reply:
        if seen.frame == "progress":
            time.sleep(1)
        return Reply()

    receiver.rule = rule
    task("steps")(lambda: [progress(step) for step in range(50)] and None)
    assert run(as_dict(plain(receiver, "steps", None, "progress")))["outcome"] == "succeeded"
    assert len(receiver.frames("progress")) < 5


def test_a_cancel_in_the_answer_to_progress(receiver: Receiver) -> None:
    receiver.rule = lambda seen: Reply(200, CANCEL) if seen.frame == "progress" else Reply()

    @task
    def forever() -> None:
        progress(1)
        for _ in range(4000):
            time.sleep(0.005)

    assert run(as_dict(plain(receiver, "forever", None, "progress")))["outcome"] == "cancelled"


def test_a_frame_over_the_limit_is_dropped(receiver: Receiver) -> None:
    task("steps")(lambda: log("x" * 5000))
    payload = plain(receiver, "steps", None, "log")
    payload.max_event_bytes = 4000
    run(as_dict(payload))
    assert receiver.names() == ["task_started", "task_result"]
