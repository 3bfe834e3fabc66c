"""Two versions of the contract, and whether each reads what the other writes.

A version is an image of its messages. Both are used by protobuf's dynamic messages, so that
any two can be compared, generated code or not.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from google.protobuf import descriptor_pool, json_format, message_factory
from google.protobuf.descriptor import Descriptor
from google.protobuf.descriptor_pb2 import FileDescriptorSet
from google.protobuf.message import DecodeError, Message

KINDS = {
    "acks.json": "EventAck",
    "commands.json": "Command",
    "events.json": "Event",
    "payloads.json": "TaskPayload",
    "summaries.json": "RunSummary",
}
"""The message that each file of vectors holds."""


class Version:
    """The messages of an image, by name.

    Args:
        image: encoded.
    """

    def __init__(self, image: FileDescriptorSet) -> None:
        self._pool = descriptor_pool.DescriptorPool()
        left = {file.name: file for file in image.file}
        while left:
            ready = [f for f in left.values() if not left.keys() & set(f.dependency)]
            for file in ready:
                self._pool.Add(file)
                del left[file.name]

    @classmethod
    def of(cls, path: Path) -> Version:
        return cls(read_image(path))

    def message(self, kind: str) -> Message:
        """An empty one."""
        found = self._pool.FindMessageTypeByName(f"wove.v1.{kind}")
        return message_factory.GetMessageClass(found)()


def read_image(path: Path) -> FileDescriptorSet:
    return FileDescriptorSet.FromString(path.read_bytes())


def load(folder: Path) -> dict[str, list[dict[str, Any]]]:
    """The vectors of messages in a folder, by file."""
    return {name: json.loads((folder / name).read_text("utf-8")) for name in KINDS}


def misread(
    writer: Version,
    reader: Version,
    vectors: Mapping[str, Iterable[dict[str, Any]]],
    *,
    reader_is_older: bool = False,
) -> list[str]:
    """The vectors of `writer` that `reader` understands otherwise.

    Each is written in both encodings. The reader must see the same values in all fields; only
    an older one leaves out what it does not know.
    """
    found = []
    for file, kind in KINDS.items():
        for vector in vectors[file]:
            nested = vector.get("nested", vector["json"])
            name = f"{file}: {vector['name']}"
            try:
                written = json_format.ParseDict(nested, writer.message(kind))
            except json_format.ParseError:
                found.append(f"{name}: its own version does not read it")
                continue
            expected = json_format.MessageToDict(written)
            if reader_is_older:
                expected = known(expected, reader.message(kind).DESCRIPTOR)
            try:
                binary = reader.message(kind)
                binary.MergeFromString(written.SerializeToString())
                if json_format.MessageToDict(binary) != expected:
                    found.append(f"{name}: binary")
            except DecodeError:
                found.append(f"{name}: binary")
            try:
                text = json_format.MessageToDict(written)
                parsed = json_format.ParseDict(
                    text, reader.message(kind), ignore_unknown_fields=True
                )
                if json_format.MessageToDict(parsed) != expected:
                    found.append(f"{name}: JSON")
            except json_format.ParseError:
                found.append(f"{name}: JSON")
    return found


def known(data: Any, kind: Descriptor) -> Any:
    """A message in protojson, without what a version has no number for."""
    fields = {field.json_name: field for field in kind.fields}
    kept = {}
    for name, value in data.items():
        field = fields.get(name)
        if field is None:
            continue
        inner = field.message_type
        if inner is None or inner.GetOptions().map_entry:
            kept[name] = value
        elif isinstance(value, list):
            kept[name] = [known(item, inner) for item in value]
        else:
            kept[name] = known(value, inner)
    return kept
