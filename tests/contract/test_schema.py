"""Rules that hold for every message, read from the descriptors."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from google.protobuf.descriptor import Descriptor, FieldDescriptor
from google.protobuf.descriptor_pb2 import FileDescriptorProto, FileDescriptorSet
from google.protobuf.descriptor_pool import DescriptorPool
from google.protobuf.message import Message

from scripts.generate import IMAGE, ROOT
from wove.contract import COMMANDS, FRAMES, TERMINAL
from wovepb.v1 import (
    ack_pb2,
    command_pb2,
    event_pb2,
    event_service_pb2,
    payload_pb2,
    summary_pb2,
)

MODULES = [ack_pb2, command_pb2, event_pb2, event_service_pb2, payload_pb2, summary_pb2]
ENVELOPES = [(event_pb2.Event, FRAMES), (command_pb2.Command, COMMANDS)]
SIXTY_FOUR_BITS = {
    FieldDescriptor.TYPE_INT64,
    FieldDescriptor.TYPE_UINT64,
    FieldDescriptor.TYPE_SINT64,
    FieldDescriptor.TYPE_FIXED64,
    FieldDescriptor.TYPE_SFIXED64,
}


def descriptors() -> Iterator[Descriptor]:
    for module in MODULES:
        yield from module.DESCRIPTOR.message_types_by_name.values()


def fields() -> list[FieldDescriptor]:
    return [field for descriptor in descriptors() for field in descriptor.fields]


def collisions(envelope: Descriptor) -> set[str]:
    """Names that the flat form would give two meanings."""
    frames = envelope.oneofs_by_name["frame"].fields
    taken = {"type"} | {field.json_name for field in envelope.fields}
    return {
        f"{frame.name}.{field.name}"
        for frame in frames
        for field in frame.message_type.fields
        if field.json_name in taken
    }


@pytest.mark.parametrize(("envelope", "frames"), ENVELOPES, ids=["Event", "Command"])
def test_frames_fields_collide_with_nothing_in_the_flat_form(
    envelope: type[Message], frames: tuple[str, ...]
) -> None:
    assert collisions(envelope.DESCRIPTOR) == set()
    assert "type" not in {field.name for field in envelope.DESCRIPTOR.fields}
    assert len(frames) == len(set(frames))


def test_a_collision_would_be_found() -> None:
    file = FileDescriptorProto()
    event_pb2.DESCRIPTOR.CopyToProto(file)
    log = next(message for message in file.message_type if message.name == "Log")
    for number, name in enumerate(("sequence", "type", "task_error"), start=50):
        log.field.add(name=name, json_name=name, number=number, type=9, label=1)

    assert collisions(build(file)) == {"log.sequence", "log.type", "log.task_error"}


def build(file: FileDescriptorProto) -> Descriptor:
    pool = DescriptorPool()
    pool.Add(file)
    return pool.FindMessageTypeByName("wove.v1.Event")


def test_the_documented_frames_are_the_terminal_ones_and_task_started() -> None:
    assert set(FRAMES[:4]) == {"task_started", *TERMINAL}
    assert FRAMES[4:] == ("heartbeat", "progress", "log")


def test_every_json_name_is_the_fields_name() -> None:
    assert [field.full_name for field in fields() if field.json_name != field.name] == []


def test_every_json_name_is_written_out_in_the_proto_files() -> None:
    # Descriptors cannot tell a written json_name from a derived one; the sources can.
    for path in (ROOT / "proto").rglob("*.proto"):
        for line in path.read_text("utf-8").splitlines():
            code = line.partition("//")[0].strip()
            if code.endswith(";") and " = " in code and not code.startswith(("syntax", "option ")):
                name = code.split(" = ")[0].split()[-1]
                assert f'[json_name = "{name}"]' in code, f"{path.name}: {code}"


def test_no_field_is_a_64_bit_integer() -> None:
    # protojson prints them as text.
    assert [field.full_name for field in fields() if field.type in SIXTY_FOUR_BITS] == []


def test_no_message_comes_from_google_protobuf() -> None:
    # Value loses integers over 2**53; Timestamp and Duration are texts in protojson.
    strangers = [
        field.full_name
        for field in fields()
        if field.message_type is not None and field.message_type.file.package != "wove.v1"
    ]
    assert strangers == []


def test_no_field_is_an_enum_or_a_map() -> None:
    # The codec reads neither; the sets of texts are open by the contract.
    for field in fields():
        assert field.type != FieldDescriptor.TYPE_ENUM, field.full_name
        assert field.message_type is None or not field.message_type.GetOptions().map_entry


def test_every_double_has_presence() -> None:
    # A duration of 0 is not "no duration"; the codec's check of doubles relies on it.
    doubles = [field for field in fields() if field.type == FieldDescriptor.TYPE_DOUBLE]
    assert doubles
    assert [field.full_name for field in doubles if not field.has_presence] == []


def test_the_documented_payload_keys_keep_their_numbers() -> None:
    documented = [
        "version",
        "adapter",
        "callback_url",
        "run_id",
        "task_id",
        "task_name",
        "callable_pickle",
        "args_pickle",
        "delivery",
    ]
    by_number = payload_pb2.TaskPayload.DESCRIPTOR.fields_by_number
    assert [by_number[number].name for number in range(1, 10)] == documented


def test_the_image_describes_the_stubs() -> None:
    image = FileDescriptorSet.FromString((ROOT / IMAGE).read_bytes())
    described = {
        f"wove.v1.{message.name}": {field.name: field.number for field in message.field}
        for file in image.file
        for message in file.message_type
    }
    stubs = {
        descriptor.full_name: {field.name: field.number for field in descriptor.fields}
        for descriptor in descriptors()
    }
    assert described == stubs
