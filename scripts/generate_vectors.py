"""Write the derived forms of the golden vectors in tests/contract/vectors.

    python scripts/generate_vectors.py

A vector's `json` is written by hand. Its `nested` and `binary` forms are made from it here,
by protobuf's own JSON mapping and not by Wove's codec, which the vectors test.
"""

from __future__ import annotations

import base64
import json
import sys
from pathlib import Path
from typing import Any

from google.protobuf import json_format
from google.protobuf.message import Message

from wovepb.v1 import ack_pb2, command_pb2, event_pb2, payload_pb2, summary_pb2

VECTORS = Path(__file__).resolve().parent.parent / "tests" / "contract" / "vectors"
MESSAGES: dict[str, type[Message]] = {
    "acks.json": ack_pb2.EventAck,
    "commands.json": command_pb2.Command,
    "events.json": event_pb2.Event,
    "payloads.json": payload_pb2.TaskPayload,
    "summaries.json": summary_pb2.RunSummary,
}


def nested_form(kind: type[Message], data: dict[str, Any]) -> dict[str, Any]:
    """Protojson of the flat form: the frame's fields moved down one level."""
    if "type" not in data:
        return data
    outer = {name for name in kind.DESCRIPTOR.fields_by_name if name in data}
    frame = {name: value for name, value in data.items() if name not in outer | {"type"}}
    return {**{name: data[name] for name in data if name in outer}, data["type"]: frame}


def binary_form(kind: type[Message], nested: dict[str, Any]) -> str:
    """Base64 of the binary encoding, by protobuf's own reader of JSON."""
    message = json_format.ParseDict(nested, kind())
    return base64.b64encode(message.SerializeToString(deterministic=True)).decode("ascii")


def complete(kind: type[Message], vector: dict[str, Any]) -> dict[str, Any]:
    """The vector with its derived forms."""
    nested = nested_form(kind, vector["json"])
    forms = {"nested": nested} if nested is not vector["json"] else {}
    return {
        "name": vector["name"],
        "json": vector["json"],
        **forms,
        "binary": binary_form(kind, nested),
    }


def main() -> int:
    """Rewrite the files in place."""
    for name, kind in MESSAGES.items():
        path = VECTORS / name
        vectors = [complete(kind, vector) for vector in json.loads(path.read_text("utf-8"))]
        path.write_text(json.dumps(vectors, ensure_ascii=False, indent=1) + "\n", "utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
