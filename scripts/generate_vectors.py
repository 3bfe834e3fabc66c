"""Write the derived forms of the golden vectors in tests/contract/vectors.

    python scripts/generate_vectors.py

A vector's `json` is written by hand. Its `nested` and `binary` forms are made from it here,
by protobuf's own JSON mapping and not by Wove's codec, which the vectors test. The digest of
each new vector goes into tests/contract/frozen.json; one that has changed stops the script.
"""

from __future__ import annotations

import base64
import hashlib
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


FROZEN = VECTORS.parent / "frozen.json"
"""Digests of the vectors by file and name. It may only grow."""


def digest(vector: dict[str, Any]) -> str:
    """Of everything in a vector but what is derived and compared by value."""
    kept = {name: value for name, value in vector.items() if name not in ("nested", "binary")}
    text = json.dumps(kept, sort_keys=True, separators=(",", ":"))
    return hashlib.sha256(text.encode("ascii")).hexdigest()[:16]


def digests() -> dict[str, dict[str, str]]:
    """Of the vectors as they are, by file and name."""
    return {
        path.name: {
            vector["name"]: digest(vector) for vector in json.loads(path.read_text("utf-8"))
        }
        for path in sorted(VECTORS.glob("*.json"))
    }


def broken(frozen: dict[str, dict[str, str]], now: dict[str, dict[str, str]]) -> list[str]:
    """The frozen vectors that are gone or expect something else."""
    return [
        f"{file}: {name}"
        for file, names in frozen.items()
        for name, value in names.items()
        if now.get(file, {}).get(name) != value
    ]


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
    now = digests()
    changed = broken(json.loads(FROZEN.read_text("utf-8")), now)
    for name in changed:
        print(f"{name}: a vector is a promise; add another instead", file=sys.stderr)
    if changed:
        return 1
    for name, kind in MESSAGES.items():
        path = VECTORS / name
        vectors = [complete(kind, vector) for vector in json.loads(path.read_text("utf-8"))]
        path.write_text(json.dumps(vectors, ensure_ascii=False, indent=1) + "\n", "utf-8")
    FROZEN.write_text(json.dumps(now, ensure_ascii=False, indent=1) + "\n", "utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
