"""The worker that docs/writing-a-worker.md quotes, as the process executor's command."""

from __future__ import annotations

import base64
import json
import os
import re
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from typing import Any

import pytest

import wove
from tests.services import ROOT
from tests.unit.worker.receiver import CANCEL, Receiver, Reply, answer, as_dict
from wove import weave
from wove.errors import DeliveryError, DeliveryTimeoutError, ErrorCode

WORKER = ROOT / "workers" / "python" / "plain" / "worker.py"
COMMAND = [sys.executable, str(WORKER)]


def test_the_page_quotes_it_word_for_word() -> None:
    page = (ROOT / "docs" / "writing-a-worker.md").read_text()
    assert WORKER.read_text() in re.findall(r"^```python\n(.*?)^```$", page, re.M | re.S)


@pytest.fixture
def plain() -> Iterator[dict[str, Any]]:
    wove.config(
        environments={"plain": {"executor": "process", "executor_config": {"command": COMMAND}}}
    )
    yield {"environment": "plain", "delivery_heartbeat_seconds": 0.6}
    wove.config(environments={})


def test_a_weave_gets_its_result(plain: dict[str, Any]) -> None:
    with weave() as w:

        @w.do(**plain)
        def report() -> None: ...

        @w.do
        def doubled(report: dict[str, int]) -> int:
            return report["balance"] * 2

    assert w.result.doubled == 990
    assert w.result.report["worker"] != os.getpid()


def test_a_task_that_it_does_not_know(plain: dict[str, Any]) -> None:
    words = r"no task 'other' here; there are: report, wait"
    with pytest.raises(DeliveryError, match=words) as caught, weave() as w:

        @w.do(**plain)
        def other() -> None: ...

    assert caught.value.code is ErrorCode.UNKNOWN_TASK


def test_a_cancel_reaches_the_task(plain: dict[str, Any]) -> None:
    begun = time.monotonic()
    more = {"delivery_timeout": 2, "delivery_cancel_mode": "require_ack"}
    with pytest.raises(DeliveryTimeoutError), weave() as w:

        @w.do(**plain, **more)
        def wait() -> None: ...

    assert time.monotonic() - begun < 30  # of the task's 60


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    server = Receiver()
    yield server
    server.close()


def payload_of(receiver: Receiver, task: str = "report", **more: Any) -> dict[str, Any]:
    payload = {**as_dict(receiver.payload(int)), "task_name": task, **more}
    payload["delivery"] = {"delivery_heartbeat_seconds": 0.3, **more.get("delivery", {})}
    return payload


def run(payload: Any, *, argument: bool = False) -> tuple[int, dict[str, Any] | None]:
    """Its exit status and its summary."""
    text = payload if isinstance(payload, str) else json.dumps(payload)
    environment = {**os.environ, "WOVE_BACKEND_PAYLOAD": "" if argument else text}
    done = subprocess.run(
        [*COMMAND, *([text] if argument else [])],
        env=environment,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=50,
        check=False,
    )
    assert "secret-token" not in done.stdout + done.stderr
    assert "Traceback" not in done.stderr
    return done.returncode, json.loads(done.stdout.splitlines()[-1]) if done.stdout else None


@pytest.mark.parametrize("form", ["JSON", "base64", "file"])
@pytest.mark.parametrize("argument", [True, False])
def test_the_payload_in_every_form(
    receiver: Receiver, tmp_path: Any, form: str, argument: bool
) -> None:
    text = json.dumps(payload_of(receiver))
    if form == "base64":
        text = base64.encodebytes(text.encode()).decode()
    elif form == "file":
        (tmp_path / "payload").write_text(text)
        text = f"@{tmp_path}/payload"
    code, summary = run(text, argument=argument)
    assert (code, summary and summary["outcome"]) == (0, "succeeded")
    started, result = receiver.frames("task_started", "task_result")
    assert started.event.task_started.heartbeat_seconds == pytest.approx(0.1)
    assert started.event.execution_id == result.event.execution_id
    assert result.event.event_id != started.event.event_id
    assert json.loads(result.event.task_result.result_json)["balance"] == 495
    assert summary == {
        "wove_version": "plain",
        "run_id": "r1",
        "outcome": "succeeded",
        "delivered": True,
        "error": None,
        "callback_url": f"http://127.0.0.1:{receiver.port}/wove/events/***",
    }


@pytest.mark.parametrize("text", ["", "hello", "[]", "{}", '{"version": 1, "run_id": "r"}', "@/no"])
def test_no_payload(text: str) -> None:
    assert run(text) == (2, None)


@pytest.mark.parametrize(
    "reply",
    [Reply(200, CANCEL), Reply(401), Reply(404), Reply(409), Reply(410)],
    ids=["cancel", "401", "404", "409", "410"],
)
def test_an_answer_to_a_heartbeat_stops_the_task(receiver: Receiver, reply: Reply) -> None:
    receiver.rule = answer("heartbeat", reply)
    code, summary = run(payload_of(receiver, "wait"))
    assert (code, summary and summary["outcome"]) == (0, "cancelled")
    assert receiver.names() == ["task_started", "task_cancelled"]


def test_a_cancel_with_the_start_stops_it(receiver: Receiver) -> None:
    receiver.rule = answer("task_started", Reply(200, CANCEL))
    assert run(payload_of(receiver, "wait"))[0] == 0
    assert receiver.names() == ["task_started", "task_cancelled"]


@pytest.mark.parametrize("status", [400, 401, 402, 404, 409, 410, 413])
def test_a_refused_start(receiver: Receiver, status: int) -> None:
    receiver.rule = answer("task_started", Reply(status))
    code, summary = run(payload_of(receiver))
    assert (code, summary and summary["outcome"]) == (0, "not_started")
    assert receiver.names() == ["task_started"]


@pytest.mark.parametrize(
    "trouble",
    [
        Reply(drop=True),
        Reply(503, headers={"Retry-After": "1"}),
        Reply(302),
        Reply(204, ours=False),
        Reply(410, headers={"Wove-Receiver": "another"}),
        Reply(421, headers={"Wove-Receiver": "another"}),
    ],
    ids=str,
)
@pytest.mark.parametrize("kind", ["task_started", "task_result"])
def test_what_is_tried_again(receiver: Receiver, kind: str, trouble: Reply) -> None:
    receiver.rule = answer(kind, trouble, trouble, Reply())
    assert run(payload_of(receiver))[0] == 0
    sent = receiver.frames(kind)
    assert len(sent) == 3
    assert len({seen.body for seen in sent}) == 1
    if trouble.status in (410, 421):
        assert len({seen.connection for seen in sent}) == 3


@pytest.mark.parametrize(
    ("status", "kinds", "code"),
    [
        (401, ["task_result"], 1),
        (404, ["task_result"], 1),
        (409, ["task_result"], 0),
        (410, ["task_result"], 0),
        (413, ["task_result", "task_error"], 0),
        (400, ["task_result", "task_error"], 0),
    ],
)
def test_a_refused_end(receiver: Receiver, status: int, kinds: list[str], code: int) -> None:
    receiver.rule = answer("task_result", Reply(status))
    assert run(payload_of(receiver))[0] == code
    assert receiver.names() == ["task_started", *kinds]


@pytest.mark.parametrize(
    ("task", "more", "code"),
    [
        ("report", {"max_event_bytes": 100}, "result_too_large"),
        ("nothing", {}, "unknown_task"),
        ("report", {"version": 2, "delivery": {}, "accepts": 7}, "version_mismatch"),
    ],
)
def test_what_is_an_error_of_wove(
    receiver: Receiver, task: str, more: dict[str, Any], code: str
) -> None:
    assert run(payload_of(receiver, task, **more))[0] == 0
    info = receiver.frames("task_error")[0].event.task_error.error
    assert (info.source, info.code) == ("wove", code)
    assert receiver.names() == (["task_started"] if code != "version_mismatch" else []) + [
        "task_error"
    ]


def test_an_argument_that_the_task_does_not_take(receiver: Receiver) -> None:
    assert run(payload_of(receiver, args_json='{"x": 1}'))[0] == 0
    info = receiver.frames("task_error")[0].event.task_error.error
    assert (info.kind, info.source) == ("TypeError", "task")


def test_detached_it_ignores_every_answer(receiver: Receiver) -> None:
    receiver.rule = lambda seen: Reply() if seen.frame == "task_result" else Reply(410)
    delivery = {"delivery_orphan_policy": "detach"}
    assert run(payload_of(receiver, delivery=delivery, start_gate="none"))[0] == 0
    assert receiver.names() == ["task_started", "task_result"]


@pytest.mark.parametrize(("policy", "code"), [("detach", 0), ("cancel", 1)])
def test_an_end_that_nobody_hears(receiver: Receiver, policy: str, code: int) -> None:
    receiver.rule = answer("task_result", Reply(drop=True))
    more = {"delivery": {"delivery_orphan_policy": policy}, "delivery_retry_seconds": 0.5}
    found, summary = run(payload_of(receiver, **more))
    assert (found, summary and summary["delivered"]) == (code, False)


@pytest.mark.parametrize("status", [400, 401, 404, 409])
def test_detached_it_does_not_start_where_it_may_not(receiver: Receiver, status: int) -> None:
    receiver.rule = answer("task_started", Reply(status))
    delivery = {"delivery_orphan_policy": "detach"}
    code, summary = run(payload_of(receiver, delivery=delivery, start_gate="none"))
    assert (code, summary and summary["outcome"]) == (0, "not_started")
    assert receiver.names() == ["task_started"]


def test_without_accepts_there_are_no_heartbeats(receiver: Receiver) -> None:
    assert run(payload_of(receiver, accepts=[]))[0] == 0
    assert not receiver.frames("task_started")[0].event.task_started.HasField("heartbeat_seconds")


def test_beats_go_on_until_the_end_is_acknowledged(receiver: Receiver) -> None:
    rule: Callable[[Any], Reply] = answer("task_result", *[Reply(503)] * 6, Reply())
    receiver.rule = lambda seen: (
        time.sleep(0.1) if seen.frame == "task_result" else None,
        rule(seen),
    )[1]
    assert run(payload_of(receiver))[0] == 0
    assert len(receiver.frames("heartbeat")) >= 3
