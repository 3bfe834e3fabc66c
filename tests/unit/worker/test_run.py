"""The life of a run, as its receiver sees it."""

from __future__ import annotations

import asyncio
import base64
import json
import os
import subprocess
import sys
import threading
import time

import pytest

from tests.unit.worker.receiver import RECEIVER_ID, Receiver, Reply, answer, as_dict, value_of
from wove import __version__
from wove.errors import CallbackUnreachableError, DeliveryError, ErrorCode
from wove.integrations.worker import arun, run
from wove.worker import execution, starting
from wove.worker.host import backend_job


def test_a_sync_task_reports_start_and_result(receiver: Receiver) -> None:
    summary = run(as_dict(receiver.payload(lambda x: x + 1, x=2)))
    assert receiver.names() == ["task_started", "task_result"]
    started, result = receiver.frames()
    assert value_of(result) == 3
    assert summary == {
        "wove_version": __version__,
        "run_id": "r1",
        "outcome": "succeeded",
        "delivered": True,
        "error": None,
        "callback_url": f"http://127.0.0.1:{receiver.port}/wove/events/***",
    }
    assert started.headers["wove-receiver"] == RECEIVER_ID
    assert started.event.task_started.worker_id.endswith(f":{os.getpid()}")
    assert [started.event.sequence, result.event.sequence] == [1, 2]
    assert started.event.execution_id == result.event.execution_id
    assert started.event.event_id != result.event.event_id
    assert started.connection == result.connection


def test_the_backends_name_of_the_job_is_told(receiver: Receiver) -> None:
    async def main() -> None:
        backend_job.set("job-7")  # as a worker's side does that knows it
        await arun(as_dict(receiver.payload(int)))

    asyncio.run(main())
    assert receiver.frames()[0].event.task_started.backend_job_id == "job-7"


def test_each_call_is_an_execution_of_its_own(receiver: Receiver) -> None:
    payload = as_dict(receiver.payload(int))
    run(payload)
    run(payload)
    assert len({seen.event.execution_id for seen in receiver.frames()}) == 2


@pytest.mark.parametrize("form", ["mapping", "text", "bytes", "base64", "broken base64"])
def test_a_payload_may_have_any_form(receiver: Receiver, form: str) -> None:
    mapping = as_dict(receiver.payload(int))
    text = json.dumps(mapping)
    word = base64.b64encode(text.encode()).decode()
    forms = {
        "mapping": mapping,
        "text": text,
        "bytes": text.encode(),
        "base64": word,
        "broken base64": word[:50] + "\n" + word[50:] + "\n",
    }
    assert run(forms[form])["outcome"] == "succeeded"


@pytest.mark.parametrize("bad", ["", "{", "no base64!", "[]", {}, '{"version": 1, "run_id": "r"}'])
def test_what_is_no_payload_is_refused_by_name(bad: object) -> None:
    with pytest.raises(DeliveryError, match="no Wove payload") as caught:
        run(bad)  # type: ignore[arg-type]
    assert caught.value.code is ErrorCode.INVALID_PAYLOAD


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("callback_url", "http://a..b/wove/events/secret"),
        ("callback_url", f"http://{'a' * 64}.example/wove/events/secret"),
        ("callback_url", "http://host:0/wove/events/secret"),
        ("callback_url", "http://host:65536/wove/events/secret"),
        ("callback_url", "http://[::1/wove/events/secret"),
        ("receiver_id", "a\r\nHost: b"),
        ("receiver_id", "\N{SNOWMAN}"),
    ],
)
def test_addresses_that_cannot_be_are_refused_by_name(
    receiver: Receiver, field: str, value: str
) -> None:
    payload = as_dict(receiver.payload(int))
    payload[field] = value
    with pytest.raises(DeliveryError, match=f"no Wove payload: {field}: ") as caught:
        run(payload)
    assert caught.value.code is ErrorCode.INVALID_PAYLOAD
    assert "secret" not in str(caught.value)


def test_an_async_task_runs_under_run_and_on_the_callers_loop_under_arun(
    receiver: Receiver,
) -> None:
    async def task() -> tuple[int, int]:
        await asyncio.sleep(0)
        return threading.get_ident(), id(asyncio.get_running_loop())

    async def main() -> int:
        summary = await arun(as_dict(receiver.payload(task)))
        assert summary["outcome"] == "succeeded"
        return id(asyncio.get_running_loop())

    run(as_dict(receiver.payload(task)))
    loop = asyncio.run(main())
    first, second = (value_of(seen) for seen in receiver.frames("task_result"))
    assert first[0] != threading.get_ident()
    assert second == (threading.get_ident(), loop)


@pytest.mark.parametrize("kind", [SystemExit, KeyboardInterrupt])
def test_an_async_task_that_wants_to_end_its_process_does_not_end_the_callers_loop(
    receiver: Receiver, kind: type[BaseException]
) -> None:
    async def leave() -> None:
        raise kind("enough")

    async def main() -> str:
        summary = await arun(as_dict(receiver.payload(leave)))
        await asyncio.sleep(0.01)  # the loop goes on
        return str(summary["outcome"])

    assert asyncio.run(main()) == "failed"
    assert receiver.names() == ["task_started", "task_error"]


def test_six_blocking_tasks_run_at_once_under_one_loop(receiver: Receiver) -> None:
    async def main() -> float:
        payload = as_dict(receiver.payload(lambda: time.sleep(1)))
        begin = time.monotonic()
        await asyncio.gather(*(arun(payload) for _ in range(6)))
        return time.monotonic() - begin

    assert asyncio.run(main()) < 3


def test_the_loop_is_free_while_events_wait_for_answers(receiver: Receiver) -> None:
    gate = threading.Event()

    def rule(seen: object) -> Reply:
        gate.wait(10)
        return Reply()

    receiver.rule = rule

    async def main() -> None:
        job = asyncio.create_task(arun(as_dict(receiver.payload(int))))
        for _ in range(5):
            await asyncio.sleep(0.02)  # would not come back if a send blocked the loop
        assert not job.done()
        gate.set()
        assert (await job)["outcome"] == "succeeded"

    asyncio.run(asyncio.wait_for(main(), 10))


def test_the_callable_waits_for_the_start_gate(receiver: Receiver, tmp_path: object) -> None:
    called = f"{tmp_path}/called"
    before: list[bool] = []

    def rule(seen: object) -> Reply:
        if not before:
            time.sleep(0.2)
            before.append(os.path.exists(called))
        return Reply()

    receiver.rule = rule
    run(as_dict(receiver.payload(lambda: open(called, "w").close())))
    assert before == [False]
    assert os.path.exists(called)


@pytest.mark.parametrize("status", [400, 401, 404, 409, 410])
def test_a_final_answer_to_the_start_keeps_the_task_from_starting(
    receiver: Receiver, status: int, tmp_path: object
) -> None:
    called = f"{tmp_path}/called"
    receiver.rule = answer("task_started", Reply(status))
    summary = run(as_dict(receiver.payload(lambda: open(called, "w").close())))
    assert summary["outcome"] == "not_started"
    assert summary["error"]["kind"] == "StartRefused"
    assert str(status) in summary["error"]["message"]
    assert receiver.names() == ["task_started"]
    assert not os.path.exists(called)


def test_a_cancel_in_the_answer_to_the_start_keeps_the_task_from_starting(
    receiver: Receiver, tmp_path: object
) -> None:
    called = f"{tmp_path}/called"
    body = b'{"cancel": {"run_id": "r1"}}'
    receiver.rule = answer("task_started", Reply(200, body))
    summary = run(as_dict(receiver.payload(lambda: open(called, "w").close())))
    assert summary["outcome"] == "cancelled"
    assert receiver.names() == ["task_started", "task_cancelled"]
    assert not os.path.exists(called)


def test_without_the_gate_an_absent_receiver_does_not_hold_the_task_up(
    receiver: Receiver,
) -> None:
    payload = receiver.payload(int)
    payload.delivery_retry_seconds = 0.3
    payload.start_gate = "none"
    payload.delivery.delivery_orphan_policy = "detach"
    receiver.close()
    summary = run(as_dict(payload))
    assert (summary["outcome"], summary["delivered"]) == ("succeeded", False)
    assert summary["error"]["kind"] == "CallbackUnreachableError"


@pytest.mark.parametrize(
    ("status", "runs"), [(410, True), (404, False), (401, False), (409, False), (400, False)]
)
def test_a_detached_run_starts_although_its_weave_is_gone_and_not_for_another_answer(
    receiver: Receiver, status: int, runs: bool
) -> None:
    payload = receiver.payload(int)
    payload.start_gate = "none"
    payload.delivery.delivery_orphan_policy = "detach"
    receiver.rule = answer("task_started", Reply(status))
    assert run(as_dict(payload))["outcome"] == ("succeeded" if runs else "not_started")


@pytest.mark.parametrize("status", [421, 503])
def test_an_ungated_start_is_tried_again_when_and_where_its_first_answer_said(
    receiver: Receiver, status: int
) -> None:
    headers = {"Retry-After": "1"} if status == 503 else {"Wove-Receiver": "another"}
    receiver.rule = answer("task_started", Reply(status, headers=headers), Reply())
    payload = receiver.payload(lambda: time.sleep(3))
    payload.start_gate = "none"
    run(as_dict(payload))
    one, two = receiver.frames("task_started")
    if status == 503:
        assert two.at - one.at > 0.9
    else:
        assert two.connection != one.connection


def test_a_cancel_in_any_2xx_is_read(receiver: Receiver) -> None:
    receiver.rule = answer("task_started", Reply(202, b'{"cancel": {"run_id": "r1"}}'))
    assert run(as_dict(receiver.payload(int)))["outcome"] == "cancelled"


def test_the_limits_of_delivery_are_those_of_the_contract() -> None:
    assert starting.START_SECONDS == 60
    assert execution.TERMINAL_SECONDS == (300, 3600)


def test_a_start_that_cannot_be_reported_fails_the_backends_job(
    receiver: Receiver, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(starting, "START_SECONDS", 0.3)
    payload = as_dict(receiver.payload(int))
    receiver.close()
    with pytest.raises(CallbackUnreachableError) as caught:
        run(payload)
    text = str(caught.value)
    assert "secret-token" not in text
    assert f"http://127.0.0.1:{receiver.port}/wove/events/***" in text
    assert "ConnectionRefusedError" in text
    assert "tries in" in text
    assert caught.value.code is ErrorCode.CALLBACK_UNREACHABLE


def test_an_undeliverable_result_fails_the_backends_job(receiver: Receiver) -> None:
    payload = receiver.payload(int)
    payload.delivery_retry_seconds = 0.3
    receiver.rule = answer("task_result", Reply(503))
    with pytest.raises(CallbackUnreachableError, match="503 Service Unavailable"):
        run(as_dict(payload))


@pytest.mark.parametrize("status", [409, 410])
def test_a_run_that_ended_elsewhere_ends_delivery(receiver: Receiver, status: int) -> None:
    receiver.rule = answer("task_result", Reply(status))
    summary = run(as_dict(receiver.payload(int)))
    assert (summary["outcome"], summary["delivered"]) == ("succeeded", True)


def test_to_a_receiver_of_the_published_package_json_goes_without_beats(
    receiver: Receiver,
) -> None:
    payload = as_dict(receiver.payload(int))
    del payload["receiver_id"], payload["accepts"]
    receiver.rule = lambda seen: Reply(200, b"ok", ours=False)
    assert run(payload)["delivered"]
    started = receiver.frames("task_started")[0]
    assert started.headers["content-type"] == "application/json"
    assert "wove-receiver" not in started.headers
    assert not started.event.task_started.HasField("heartbeat_seconds")
    assert json.loads(started.body)["type"] == "task_started"


def test_a_forked_child_leaves_the_parents_connection_alone(receiver: Receiver) -> None:
    payload = as_dict(receiver.payload(os.getpid))
    run(payload)
    pid = os.fork()
    if pid == 0:
        code = 1
        try:
            code = 0 if run(payload)["outcome"] == "succeeded" else 2
        finally:
            os._exit(code)
    assert os.waitpid(pid, 0)[1] == 0
    run(payload)
    first, child, last = receiver.frames("task_result")
    assert value_of(child) == pid
    assert child.connection != first.connection
    assert last.connection == first.connection


def test_context_variables_reach_the_task(receiver: Receiver) -> None:
    program = f"""
import contextvars, sys
from wove.integrations.worker import run
variable = contextvars.ContextVar("variable")
variable.set("there")
sys.modules["holder"] = type(sys)("holder")
sys.modules["holder"].variable = variable
print(run({as_dict(receiver.payload(lambda: __import__("holder").variable.get()))!r})["outcome"])
"""
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, timeout=30
    )
    assert done.stdout == "succeeded\n", done.stderr
    assert value_of(receiver.frames("task_result")[0]) == "there"
