"""What the vectors cannot say: Python's limits, the encoders' refusals, the errors themselves."""

from __future__ import annotations

import math
import pickle
from typing import Any

import pytest

from wove import contract
from wove.contract import ContractError
from wove.errors import WoveError
from wovepb.v1.ack_pb2 import EventAck
from wovepb.v1.command_pb2 import Command
from wovepb.v1.event_pb2 import ErrorInfo, Event
from wovepb.v1.payload_pb2 import TaskPayload


def refusal(call: Any, *args: Any) -> tuple[str, str]:
    with pytest.raises(ContractError) as caught:
        call(*args)
    return caught.value.code, caught.value.path


def chain(levels: int) -> Event:
    """A `task_error` with that many causes below its error."""
    event = Event(run_id="r1")
    error: ErrorInfo = event.task_error.error
    for _ in range(levels):
        error = error.cause
    error.kind = "E"
    return event


@pytest.mark.parametrize("levels", [8, 32])
def test_nested_errors_are_encoded(levels: int) -> None:
    event = chain(levels)
    assert contract.event_from_json(contract.event_to_json(event)) == event
    assert contract.event_from_json(contract.event_to_nested_json(event)) == event
    assert contract.event_from_bytes(contract.event_to_bytes(event)) == event


@pytest.mark.parametrize("encode", [contract.event_to_json, contract.event_to_nested_json])
def test_a_bottomless_error_is_not_encoded(encode: Any) -> None:
    assert refusal(encode, chain(33))[0] == "too_deep"
    assert refusal(encode, chain(200))[0] == "too_deep"


def test_what_cannot_be_json_is_not_encoded() -> None:
    assert refusal(contract.event_to_json, Event(run_id="r1")) == ("missing_field", "type")
    assert refusal(contract.command_to_json, Command()) == ("missing_field", "type")

    event = Event(run_id="r1")
    event.progress.current = math.nan
    for encode in (contract.event_to_json, contract.event_to_nested_json):
        assert refusal(encode, event) == ("not_finite", "progress.current")
    ack = EventAck(retry_after_seconds=math.inf)
    assert refusal(contract.ack_to_json, ack) == ("not_finite", "retry_after_seconds")
    payload = TaskPayload(issued_at=-math.inf)
    assert refusal(contract.payload_to_json, payload) == ("not_finite", "issued_at")


def test_the_documented_keys_are_written_although_nothing_is_set() -> None:
    assert contract.payload_to_dict(TaskPayload()) == {
        "version": 0,
        "adapter": "",
        "callback_url": "",
        "run_id": "",
        "task_id": "",
        "task_name": None,
        "callable_pickle": "",
        "args_pickle": "",
        "delivery": {},
    }


def test_json_is_written_in_ascii() -> None:
    event = Event(run_id="r1", task_id="żółw 🐢")
    event.log.message = "\u2028"
    for data in (contract.event_to_json(event), contract.event_to_nested_json(event)):
        assert data.isascii()
        assert contract.event_from_json(data) == event


def test_an_event_without_a_known_frame_has_no_type() -> None:
    event = contract.event_from_json('{"type": "snapshot", "run_id": "r1"}')
    assert contract.event_type(event) is None


@pytest.mark.parametrize("kind", [bytes, bytearray, memoryview])
def test_bodies_may_be_any_bytes(kind: Any) -> None:
    event = chain(0)
    flat, binary = kind(contract.event_to_json(event)), kind(contract.event_to_bytes(event))
    assert contract.decode_event("application/json", flat) == event
    assert contract.decode_event("application/x-protobuf", binary) == event


def test_a_mapping_is_read_and_left_alone() -> None:
    data = {"type": "task_error", "run_id": "r1", "error": "boom"}
    before = dict(data)
    assert contract.event_from_json(data).task_error.error.message == "boom"
    assert data == before


def test_a_mapping_with_values_that_json_has_not() -> None:
    plain = {"type": "task_result", "run_id": "r1"}
    assert refusal(contract.event_from_json, {**plain, "result": object()}) == (
        "wrong_type",
        "result",
    )
    assert refusal(contract.event_from_json, {**plain, "result_pickle": b"raw"}) == (
        "wrong_type",
        "result_pickle",
    )
    assert refusal(contract.event_from_json, {**plain, "emitted_at": math.nan}) == (
        "not_finite",
        "emitted_at",
    )
    bottomless: Any = []
    for _ in range(100_000):
        bottomless = [bottomless]
    assert refusal(contract.event_from_json, {**plain, "result": bottomless}) == (
        "too_deep",
        "result",
    )


def test_of_a_newer_payload_in_binary_only_four_fields_are_read() -> None:
    payload = TaskPayload(version=2, callback_url="http://h/", run_id="r1", task_id="t")
    expected = TaskPayload.FromString(payload.SerializeToString())
    payload.adapter = "celery"
    payload.issued_at = math.nan
    assert contract.payload_from_bytes(payload.SerializeToString()) == expected
    payload.version = 1
    assert refusal(contract.payload_from_bytes, payload.SerializeToString()) == (
        "not_finite",
        "issued_at",
    )


def test_integers_up_to_4000_digits_are_kept_and_the_endless_are_refused() -> None:
    body = '{"type": "task_result", "run_id": "r1", "result": %s}'
    digits = "7" * 4000
    event = contract.event_from_json(body % digits)
    assert event.task_result.result_json == digits
    assert refusal(contract.event_from_json, body % ("7" * 100_000)) == ("out_of_range", "")


def test_a_wide_body_is_read_exactly() -> None:
    value = bytes(range(256)) * 4096
    event = Event(run_id="r1")
    event.task_result.result_pickle = value
    assert contract.event_from_json(contract.event_to_json(event)) == event


@pytest.mark.parametrize(
    "body",
    [
        '{"hunter2": 1 hunter2',
        '{"type": "log", "run_id": "r1", "message": ["hunter2"]}',
        '{"type": "log", "run_id": "r1", "message": "hunter2\\ud800"}',
        '{"type": "heartbeat", "run_id": "r1", "event_id": "hunter2!"}',
        '{"type": "heartbeat", "run_id": "r1", "attempt": "hunter2"}',
        '{"type": "heartbeat", "run_id": "r1", "emitted_at": "hunter2"}',
        '{"type": "heartbeat", "run_id": "%s"}' % ("hunter2" * 50),
        '{"type": "task_cancelled", "run_id": "r1", "forced": "hunter2"}',
        '{"type": "task_result", "run_id": "r1", "result_pickle": "hunter2!"}',
        '{"type": "task_error", "run_id": "r1", "error": ["hunter2"]}',
        '{"run_id": "r1", "status": "hunter2"}',
        "hunter2",
    ],
)
@pytest.mark.parametrize("content_type", ["application/json", "application/x-protobuf", "hunter2"])
def test_errors_show_no_value_of_the_message(content_type: str, body: str) -> None:
    with pytest.raises(ContractError) as caught:
        contract.decode_event(content_type, body.encode())
    assert "hunter2" not in str(caught.value) + repr(caught.value)


def test_a_duplicate_name_is_shown_short_and_in_ascii() -> None:
    name = "é" * 100
    with pytest.raises(ContractError) as caught:
        contract.event_from_json(f'{{"{name}": 1, "{name}": 2}}')
    assert caught.value.path.isascii()
    assert len(caught.value.path) <= 64 * 4


def test_a_name_twice_before_what_is_too_deep_is_refused() -> None:
    body = '{"x": {"a": 1, "a": 1}, "y": ' + "[" * 100_000 + "]" * 100_000 + "}"
    assert refusal(contract.event_from_json, body) == ("too_deep", "")


def test_the_error_is_a_value_error_of_wove_and_survives_pickling() -> None:
    error = ContractError("wrong_type", "kind", "expected text, got a number")
    inside = error.inside("exceptions[1]").inside("error")

    assert isinstance(error, (WoveError, ValueError))
    assert str(inside) == "error.exceptions[1].kind: expected text, got a number"
    copy = pickle.loads(pickle.dumps(inside))
    assert (copy.code, copy.path, copy.problem) == (inside.code, inside.path, inside.problem)
    assert str(ContractError("invalid_json", "", "no JSON")) == "no JSON"
