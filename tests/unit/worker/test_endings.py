"""Whatever a task does ends in one terminal event."""

from __future__ import annotations

import asyncio
import json
import socket
import sys
import threading
from collections.abc import Callable
from typing import Any

import pytest

from tests.unit.worker.receiver import Receiver, as_dict
from wove.dispatch.failures import exception_from_error
from wove.errors import (
    DeliveryError,
    EnvironmentExecutionError,
    ErrorCode,
    PayloadTooLargeError,
    ResultNotPicklableError,
    VersionMismatchError,
)
from wove.integrations.worker import run
from wovepb.v1.event_pb2 import TaskError
from wovepb.v1.payload_pb2 import TaskPayload


class Overdrawn(Exception):
    def __init__(self, account: str, missing: float) -> None:
        super().__init__(f"{account} is overdrawn by {missing}")
        self.account = account
        self.missing = missing


def failed(receiver: Receiver, payload: TaskPayload) -> tuple[TaskError, Exception]:
    summary = run(as_dict(payload))
    assert (summary["outcome"], summary["delivered"]) == ("failed", True)
    (seen,) = receiver.frames("task_error")
    frame = seen.event.task_error
    assert summary["error"]["kind"] == frame.error.kind
    return frame, exception_from_error(frame, {"task": "report", "environment": "remote"})


def test_an_exception_comes_back_as_itself_with_the_workers_traceback(receiver: Receiver) -> None:
    def task() -> None:
        raise Overdrawn("savings", 3.5)

    frame, exc = failed(receiver, receiver.payload(task))
    assert isinstance(exc, Overdrawn)
    assert (exc.account, exc.missing) == ("savings", 3.5)
    assert str(exc) == "savings is overdrawn by 3.5"
    assert 'raise Overdrawn("savings", 3.5)' in str(exc.__cause__)
    assert "wove/worker" not in frame.error.traceback
    assert frame.error.source == "task"


def test_an_exception_that_does_not_pickle_is_described(receiver: Receiver) -> None:
    def task() -> None:
        error = ValueError("holds a lock")
        error.lock = threading.Lock()  # type: ignore[attr-defined]
        raise error

    frame, exc = failed(receiver, receiver.payload(task))
    assert not frame.exception_pickle
    assert isinstance(exc, EnvironmentExecutionError)
    assert str(exc) == "task 'report' in environment 'remote' failed: ValueError: holds a lock"
    assert exc.payload["kind"] == "ValueError"


@pytest.mark.parametrize(
    ("task", "kind", "message"),
    [
        (lambda: sys.exit(3), "SystemExit", "sys.exit(3)"),
        (lambda: (_ for _ in ()).throw(KeyboardInterrupt), "KeyboardInterrupt", "ended by"),
    ],
)
def test_exits_and_interrupts_do_not_reach_the_weaves_process(
    receiver: Receiver, task: Callable[[], Any], kind: str, message: str
) -> None:
    frame, exc = failed(receiver, receiver.payload(task))
    assert not frame.exception_pickle
    assert isinstance(exc, EnvironmentExecutionError)
    assert frame.error.kind == kind
    assert message in frame.error.message


def test_a_result_that_does_not_pickle_is_named_with_its_place(receiver: Receiver) -> None:
    def task() -> dict[str, Any]:
        return {"rows": [1, threading.Lock()]}

    _, exc = failed(receiver, receiver.payload(task))
    assert isinstance(exc, ResultNotPicklableError)
    assert "result['rows'][1]" in str(exc)
    assert "lock" in str(exc)


def test_a_result_over_the_limit_is_not_sent(receiver: Receiver) -> None:
    payload = receiver.payload(lambda: b"x" * 5000)
    payload.max_event_bytes = 4000
    frame, exc = failed(receiver, payload)
    assert isinstance(exc, PayloadTooLargeError)
    assert exc.code is ErrorCode.RESULT_TOO_LARGE
    assert frame.error.code == "result_too_large"
    assert "4000 bytes" in str(exc)
    assert "5" in str(exc)
    assert all(len(seen.body) <= 4000 for seen in receiver.frames())


def test_an_error_over_the_limit_shrinks(receiver: Receiver) -> None:
    def task() -> None:
        raise ValueError("x" * 60_000)

    payload = receiver.payload(task)
    payload.max_event_bytes = 4000
    frame, _ = failed(receiver, payload)
    assert frame.error.kind == "ValueError"
    assert frame.error.message.startswith("xxx")


def test_a_missing_module_is_named_with_the_interpreter_that_lacks_it(receiver: Receiver) -> None:
    payload = receiver.payload(int)
    payload.callable_pickle = b"cno_such_module_here\nfunction\n."
    frame, exc = failed(receiver, payload)
    assert isinstance(exc, DeliveryError)
    assert exc.code is ErrorCode.PAYLOAD_NOT_LOADABLE
    assert frame.error.source == "wove"
    for part in ("'no_such_module_here'", sys.executable, socket.gethostname(), "the callable"):
        assert part in str(exc)


def test_arguments_that_do_not_load_are_told_from_the_callable(receiver: Receiver) -> None:
    payload = receiver.payload(int)
    payload.args_pickle = b"cos\nno_such_function\n."
    _, exc = failed(receiver, payload)
    assert "could not load the arguments" in str(exc)


def test_a_payload_of_a_newer_version_is_refused_before_anything_else(receiver: Receiver) -> None:
    payload = receiver.payload(int)
    payload.version = 2
    _, exc = failed(receiver, payload)
    assert isinstance(exc, VersionMismatchError)
    assert receiver.names() == ["task_error"]


@pytest.mark.parametrize("form", [dict, json.dumps])
def test_a_newer_version_is_reported_before_anything_else_is_read(
    receiver: Receiver, form: Callable[[dict[str, Any]], Any]
) -> None:
    newer = {**as_dict(receiver.payload(int)), "version": 2, "delivery": "fast", "accepts": {}}
    del newer["receiver_id"]
    assert run(form({**newer, "callable_pickle": "*"}))["outcome"] == "failed"
    assert receiver.names() == ["task_error"]
    error = receiver.frames("task_error")[0].event.task_error.error
    assert (error.source, error.code) == ("wove", "version_mismatch")


def test_an_origin_without_python_is_not_judged(receiver: Receiver) -> None:
    payload = receiver.payload(int)
    payload.origin.wove = "99.0.0"
    assert run(as_dict(payload))["outcome"] == "succeeded"


def test_a_pickle_of_another_python_is_refused_before_it_is_loaded(receiver: Receiver) -> None:
    payload = receiver.payload(int)
    payload.callable_pickle = b"cno_such_module_here\nfunction\n."
    payload.origin.python = "3.9.1"
    _, exc = failed(receiver, payload)
    assert isinstance(exc, VersionMismatchError)
    assert "3.9.1" in str(exc)
    assert sys.executable in str(exc)


def test_a_coroutine_that_is_cancelled_by_itself_is_reported(receiver: Receiver) -> None:
    async def task() -> None:
        raise asyncio.CancelledError

    assert run(as_dict(receiver.payload(task)))["outcome"] == "cancelled"
    reason = receiver.frames("task_cancelled")[0].event.task_cancelled.reason
    assert reason == "the task was cancelled on its worker"
