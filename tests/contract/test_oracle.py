"""Random messages and bodies: the codec agrees with protobuf's own mapping, and never crashes."""

from __future__ import annotations

import json
import string
from collections.abc import Callable
from typing import Any

import pytest
from google.protobuf import json_format
from google.protobuf.descriptor import FieldDescriptor
from google.protobuf.message import Message
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.contract.vector_files import MESSAGES, load
from wove import contract
from wove.contract import ContractError
from wovepb.v1 import ack_pb2, command_pb2, event_pb2, payload_pb2, summary_pb2

# A loaded machine is slow; that is no failure.
UNHURRIED = settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])
TEXT = st.text(st.characters(codec="utf-8"), max_size=20)
DRAWN_ID = st.text(string.ascii_letters + string.digits + "_-", min_size=1, max_size=128)
INTERVAL = st.floats(min_value=0, exclude_min=True, allow_infinity=False)
SCALARS: dict[int, st.SearchStrategy[Any]] = {
    FieldDescriptor.TYPE_STRING: TEXT,
    FieldDescriptor.TYPE_BYTES: st.binary(max_size=20),
    FieldDescriptor.TYPE_UINT32: st.integers(0, 2**32 - 1),
    FieldDescriptor.TYPE_INT32: st.integers(-(2**31), 2**31 - 1),
    FieldDescriptor.TYPE_DOUBLE: st.floats(allow_nan=False, allow_infinity=False),
    FieldDescriptor.TYPE_BOOL: st.booleans(),
}
# What the contract asks of a field beyond its type.
NARROWED: dict[str, st.SearchStrategy[Any]] = {
    "wove.v1.CancelTask.run_id": st.text(st.characters(codec="utf-8"), min_size=1, max_size=255),
    "wove.v1.Event.event_id": DRAWN_ID,
    "wove.v1.Event.execution_id": DRAWN_ID,
    "wove.v1.Event.run_id": st.text(st.characters(codec="utf-8"), min_size=1, max_size=255),
    "wove.v1.EventAck.heartbeat_seconds": INTERVAL,
    "wove.v1.RunTask.run_id": st.text(st.characters(codec="utf-8"), min_size=1, max_size=255),
    "wove.v1.TaskPayload.callback_url": st.text(string.ascii_letters, min_size=1),
    "wove.v1.TaskPayload.run_id": st.text(st.characters(codec="utf-8"), min_size=1, max_size=255),
    "wove.v1.TaskPayload.version": st.just(1),
    "wove.v1.TaskResult.result_json": st.text('0123456789[]{},"', min_size=1),
    "wove.v1.TaskResult.result_pickle": st.binary(min_size=1, max_size=200),
    "wove.v1.TaskStarted.heartbeat_seconds": INTERVAL,
}
REQUIRED = {
    "wove.v1.CancelTask.run_id",
    "wove.v1.Event.run_id",
    "wove.v1.RunTask.run_id",
    "wove.v1.TaskPayload.callback_url",
    "wove.v1.TaskPayload.run_id",
    "wove.v1.TaskPayload.version",
}


@st.composite
def messages(draw: Callable[..., Any], kind: type[Message], depth: int = 0) -> Any:
    """A valid message of `kind`, with any of its fields set."""
    message = kind()
    choices = {
        oneof.name: draw(st.sampled_from([field.name for field in oneof.fields]))
        for oneof in kind.DESCRIPTOR.oneofs
    }
    for field in kind.DESCRIPTOR.fields:
        oneof = field.containing_oneof
        synthetic = oneof is not None and oneof.name == f"_{field.name}"
        if oneof is not None and not synthetic:
            wanted = choices[oneof.name] == field.name
        else:
            wanted = field.full_name in REQUIRED or (depth < 6 and draw(st.booleans()))
        if wanted:
            set_field(draw, message, field, depth)
    return message


def set_field(draw: Callable[..., Any], message: Message, field: Any, depth: int) -> None:
    if field.message_type is None:
        values = NARROWED.get(field.full_name, SCALARS[field.type])
        if field.is_repeated:
            getattr(message, field.name).extend(draw(st.lists(values, max_size=3)))
        else:
            setattr(message, field.name, draw(values))
    elif field.is_repeated:
        items = getattr(message, field.name)
        kind = type(items.add())
        del items[:]
        items.extend(draw(st.lists(messages(kind, depth + 1), max_size=2)))
    else:
        child = getattr(message, field.name)
        child.SetInParent()
        child.CopyFrom(draw(messages(type(child), depth + 1)))


def oracle_json(message: Message) -> Any:
    return json.loads(json_format.MessageToJson(message, ensure_ascii=False))


def oracle_read(kind: type[Message], data: bytes) -> Message:
    return json_format.Parse(data, kind())


@UNHURRIED
@given(messages(event_pb2.Event))
def test_events(event: event_pb2.Event) -> None:
    nested = contract.event_to_nested_json(event)
    assert json.loads(nested) == oracle_json(event)
    assert oracle_read(event_pb2.Event, nested) == event
    assert contract.event_from_json(nested) == event
    assert contract.event_from_json(json_format.MessageToJson(event)) == event

    flat = contract.event_to_json(event)
    kind = contract.event_type(event)
    assert kind is not None
    hoisted = oracle_json(event)
    assert json.loads(flat) == {"type": kind, **hoisted.pop(kind), **hoisted}
    assert contract.event_from_json(flat) == event

    assert contract.event_from_bytes(event.SerializeToString()) == event


@UNHURRIED
@given(messages(payload_pb2.TaskPayload))
def test_payloads(payload: payload_pb2.TaskPayload) -> None:
    data = contract.payload_to_json(payload)
    assert set(json.loads(data)) >= set(load("payloads.json")[0]["json"])
    assert oracle_json(payload).items() <= json.loads(data).items()
    assert contract.payload_from_json(json_format.MessageToJson(payload)) == payload
    assert contract.payload_from_bytes(contract.payload_to_bytes(payload)) == payload

    read = contract.payload_from_json(data)
    if not payload.HasField("delivery"):  # {} is written always
        payload.delivery.SetInParent()
    assert read == payload == oracle_read(payload_pb2.TaskPayload, data)


@UNHURRIED
@given(messages(ack_pb2.EventAck))
def test_acknowledgements(ack: ack_pb2.EventAck) -> None:
    data = contract.ack_to_json(ack)
    assert json.loads(data) == oracle_json(ack)
    assert contract.ack_from_json(data) == ack == oracle_read(ack_pb2.EventAck, data)


@UNHURRIED
@given(messages(summary_pb2.RunSummary))
def test_summaries(summary: summary_pb2.RunSummary) -> None:
    data = contract.summary_to_dict(summary)
    assert oracle_json(summary).items() <= data.items()
    assert contract.summary_from_json(data) == summary
    assert contract.summary_from_json(json.dumps(data)) == summary


@UNHURRIED
@given(messages(command_pb2.Command))
def test_commands(command: command_pb2.Command) -> None:
    flat = contract.command_to_json(command)
    assert contract.command_from_json(flat) == command
    assert contract.command_from_json(json_format.MessageToJson(command)) == command


JSON_VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=10),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner),
    max_leaves=8,
)
EVERY_KIND = [*MESSAGES.values(), *(type(getattr(event_pb2.Event(), f)) for f in contract.FRAMES)]
NAMES = sorted(
    {field.name for kind in EVERY_KIND for field in kind.DESCRIPTOR.fields} | {"type", "result"}
)
NEAR_MISSES = st.dictionaries(
    st.sampled_from(NAMES),
    st.sampled_from(["r1", *contract.FRAMES, *contract.COMMANDS])
    | JSON_VALUES
    | st.dictionaries(st.sampled_from(NAMES), JSON_VALUES, max_size=3),
    max_size=6,
)
READERS: dict[str, Callable[[Any], Message]] = {
    "Command": contract.command_from_json,
    "Event": contract.event_from_json,
    "EventAck": contract.ack_from_json,
    "RunSummary": contract.summary_from_json,
    "TaskPayload": contract.payload_from_json,
}


def reads_or_refuses(read: Callable[[Any], Message], data: Any) -> Message | None:
    """The message; None if it was refused as it should be. Anything else escapes."""
    try:
        return read(data)
    except ContractError:
        return None


@pytest.mark.parametrize("message", READERS)
@UNHURRIED
@given(data=NEAR_MISSES)
def test_no_object_does_more_than_be_refused(message: str, data: dict[str, Any]) -> None:
    read = READERS[message]
    from_mapping = reads_or_refuses(read, data)
    from_text = reads_or_refuses(read, json.dumps(data).encode())
    if from_text is not None:
        assert from_mapping == from_text


@pytest.mark.parametrize("content_type", ["application/json", "application/x-protobuf", "x/y"])
@UNHURRIED
@given(body=st.binary() | st.text().map(lambda text: text.encode("utf-8", "surrogatepass")))
def test_no_body_does_more_than_be_refused(content_type: str, body: bytes) -> None:
    reads_or_refuses(lambda data: contract.decode_event(content_type, data), body)


@UNHURRIED
@given(messages(event_pb2.Event), st.data())
def test_no_damaged_event_does_more_than_be_refused(event: event_pb2.Event, data: Any) -> None:
    for content_type, whole in (
        ("application/json", contract.event_to_json(event)),
        ("application/x-protobuf", contract.event_to_bytes(event)),
    ):
        at = data.draw(st.integers(0, len(whole) - 1))
        damaged = whole[:at] + data.draw(st.binary(max_size=3)) + whole[at + 1 :]
        reads_or_refuses(lambda body, ct=content_type: contract.decode_event(ct, body), damaged)
