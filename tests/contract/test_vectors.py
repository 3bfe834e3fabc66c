"""Wove's codec against the golden vectors, which workers in other languages run as well."""

from __future__ import annotations

import base64
import json
import re
from typing import Any, get_args

import pytest
from google.protobuf import json_format
from google.protobuf.message import Message

from scripts import generate_vectors
from tests.contract import vector_files
from wove import contract
from wove.contract import ContractError

EVENTS = vector_files.load("events.json")
PAYLOADS = vector_files.load("payloads.json")
ACKS = vector_files.load("acks.json")
SUMMARIES = vector_files.load("summaries.json")
COMMANDS = vector_files.load("commands.json")
ACCEPTED = vector_files.load("accepted.json")
REFUSED = vector_files.load("refused.json")


def each(vectors: list[dict[str, Any]]) -> pytest.MarkDecorator:
    return pytest.mark.parametrize("vector", vectors, ids=vector_files.names(vectors))


def from_binary(message: str, vector: dict[str, Any]) -> Message:
    """The vector's message, read by protobuf alone."""
    return vector_files.MESSAGES[message].FromString(base64.b64decode(vector["binary"]))


@each(EVENTS)
def test_event_is_the_same_in_every_form(vector: dict[str, Any]) -> None:
    event = from_binary("Event", vector)
    flat, nested = json.dumps(vector["json"]), json.dumps(vector["nested"], ensure_ascii=False)

    assert contract.event_from_json(flat) == event
    assert contract.event_from_json(vector["json"]) == event
    assert contract.decode_event("application/json", nested.encode()) == event
    assert contract.decode_event("application/x-protobuf", event.SerializeToString()) == event

    assert json.loads(contract.event_to_json(event)) == vector["json"]
    assert json.loads(contract.event_to_nested_json(event)) == vector["nested"]
    assert contract.event_from_bytes(contract.event_to_bytes(event)) == event
    assert contract.event_type(event) == vector["json"]["type"]


@each(PAYLOADS)
def test_payload_is_the_same_in_every_form(vector: dict[str, Any]) -> None:
    payload = from_binary("TaskPayload", vector)

    assert contract.payload_from_json(json.dumps(vector["json"]).encode()) == payload
    assert contract.payload_from_json(vector["json"]) == payload
    assert contract.payload_from_bytes(contract.payload_to_bytes(payload)) == payload
    assert contract.payload_to_dict(payload) == vector["json"]
    assert json.loads(contract.payload_to_json(payload)) == vector["json"]


@each(ACKS)
def test_acknowledgement_is_the_same_in_every_form(vector: dict[str, Any]) -> None:
    ack = from_binary("EventAck", vector)

    assert contract.ack_from_json(json.dumps(vector["json"])) == ack
    assert json.loads(contract.ack_to_json(ack)) == vector["json"]


@each(SUMMARIES)
def test_summary_is_the_same_in_every_form(vector: dict[str, Any]) -> None:
    summary = from_binary("RunSummary", vector)

    assert contract.summary_from_json(json.dumps(vector["json"])) == summary
    assert contract.summary_to_dict(summary) == vector["json"]


@each(COMMANDS)
def test_command_is_the_same_in_every_form(vector: dict[str, Any]) -> None:
    command = from_binary("Command", vector)

    assert contract.command_from_json(json.dumps(vector["json"])) == command
    assert contract.command_from_json(json.dumps(vector["nested"])) == command
    assert json.loads(contract.command_to_json(command)) == vector["json"]


@each(ACCEPTED)
def test_what_must_be_accepted_is(vector: dict[str, Any]) -> None:
    expected = json_format.ParseDict(vector["expect"], vector_files.MESSAGES[vector["message"]]())

    assert exact_json(vector_files.decode(vector)) == exact_json(expected)


def exact_json(message: Message) -> Any:
    """Protojson with the JSON texts in `*_json` fields parsed: their spelling is free."""
    data = json_format.MessageToDict(message)
    result = data.get("task_result", {})
    if "result_json" in result:
        result["result_json"] = json.loads(result["result_json"])
    return data


def codes(vector: dict[str, Any]) -> list[str]:
    """What an implementation may call the fault; Wove's own word is the first."""
    return vector["code"] if isinstance(vector["code"], list) else [vector["code"]]


@each(REFUSED)
def test_what_must_be_refused_is(vector: dict[str, Any]) -> None:
    with pytest.raises(ContractError) as caught:
        vector_files.decode(vector)

    assert (caught.value.code, caught.value.path) == (codes(vector)[0], vector["path"])
    assert str(caught.value).startswith(vector["path"])


@pytest.mark.parametrize("name", sorted(generate_vectors.MESSAGES))
def test_derived_forms_are_those_that_the_script_makes(name: str) -> None:
    kind = generate_vectors.MESSAGES[name]
    for vector in vector_files.load(name):
        made = generate_vectors.complete(kind, vector)
        assert made.get("nested") == vector.get("nested"), vector["name"]
        binary = base64.b64decode(vector["binary"])
        assert kind.FromString(base64.b64decode(made["binary"])) == kind.FromString(binary)


@pytest.mark.parametrize(
    ("message", "files"),
    [
        ("Event", ("events.json",)),
        ("TaskPayload", ("payloads.json",)),
        ("EventAck", ("acks.json",)),
        ("RunSummary", ("summaries.json",)),
        ("Command", ("commands.json",)),
    ],
)
def test_every_field_is_set_in_some_vector(message: str, files: tuple[str, ...]) -> None:
    seen: set[str] = set()
    for name in files:
        for vector in vector_files.load(name):
            note_fields(from_binary(message, vector), seen)
    expected: set[str] = set()
    note_all_fields(vector_files.MESSAGES[message].DESCRIPTOR, expected)
    assert seen == expected


def test_every_field_that_may_be_absent_is_absent_in_some_vector() -> None:
    absent: set[str] = set()
    expected: set[str] = set()
    for name, kind in generate_vectors.MESSAGES.items():
        note_presence(kind.DESCRIPTOR, expected, set())
        for vector in vector_files.load(name):
            note_absence(kind.FromString(base64.b64decode(vector["binary"])), absent)
    # `delivery` is always written, as {}: accepted.json has payloads without it.
    assert expected - absent == {"wove.v1.TaskPayload.delivery"}


def note_presence(descriptor: Any, names: set[str], done: set[str]) -> None:
    """Fields of which it can be told whether they are set, members of choices left out."""
    done.add(descriptor.full_name)
    for field in descriptor.fields:
        in_choice = field.containing_oneof and len(field.containing_oneof.fields) > 1
        if field.has_presence and not in_choice:
            names.add(field.full_name)
        if field.message_type is not None and field.message_type.full_name not in done:
            note_presence(field.message_type, names, done)


def note_absence(message: Message, absent: set[str]) -> None:
    """Fields that are not set in a message that is."""
    for field in message.DESCRIPTOR.fields:
        if field.has_presence and not message.HasField(field.name):
            absent.add(field.full_name)
    for field, value in message.ListFields():
        if field.message_type is not None:
            for child in value if field.is_repeated else [value]:
                note_absence(child, absent)


def note_fields(message: Message, seen: set[str]) -> None:
    for field, value in message.ListFields():
        seen.add(field.full_name)
        if field.message_type is not None:
            for child in value if field.is_repeated else [value]:
                note_fields(child, seen)


def note_all_fields(descriptor: Any, names: set[str]) -> None:
    for field in descriptor.fields:
        if field.full_name not in names:
            names.add(field.full_name)
            if field.message_type is not None:
                note_all_fields(field.message_type, names)


def test_every_error_code_is_in_some_vector() -> None:
    known = set(get_args(contract.ContractErrorCode))
    assert {code for vector in REFUSED for code in codes(vector)} == known
    assert {codes(vector)[0] for vector in REFUSED} == known


def test_the_readme_lists_every_error_code() -> None:
    readme = (vector_files.HERE / "vectors" / "README.md").read_text("utf-8")
    listed = readme.partition("## Codes")[2].partition("##")[0]
    assert re.findall(r"^\| `(\w+)` \|", listed, re.MULTILINE) == list(
        get_args(contract.ContractErrorCode)
    )


def test_no_vector_has_changed_its_expectation() -> None:
    frozen = json.loads(generate_vectors.FROZEN.read_text("utf-8"))
    now = generate_vectors.digests()
    assert generate_vectors.broken(frozen, now) == [], "a vector is a promise: add another"
    assert frozen == now, "new vectors: run scripts/generate_vectors.py"


def test_a_changed_or_removed_vector_would_be_found() -> None:
    vector = {"name": "a", "body": "{}", "code": "wrong_type", "path": ""}
    frozen = {"refused.json": {"a": generate_vectors.digest(vector)}}
    same = {"refused.json": {"a": generate_vectors.digest(dict(reversed(vector.items())))}}
    other = {"refused.json": {"a": generate_vectors.digest({**vector, "path": "x"})}}
    assert generate_vectors.broken(frozen, {**same, "more.json": {}}) == []
    assert generate_vectors.broken(frozen, other) == ["refused.json: a"]
    assert generate_vectors.broken(frozen, {"refused.json": {}}) == ["refused.json: a"]


@pytest.mark.parametrize(
    "name", sorted(path.name for path in generate_vectors.VECTORS.glob("*.json"))
)
def test_vectors_have_names_of_their_own(name: str) -> None:
    names = vector_files.names(vector_files.load(name))
    assert len(names) == len(set(names))
