"""Reading the golden vectors; their format is described in vectors/README.md."""

from __future__ import annotations

import base64
import json
from pathlib import Path
from typing import Any

from google.protobuf.message import Message

from wove.contract import (
    ack_from_json,
    command_from_json,
    decode_event,
    payload_from_json,
    summary_from_json,
)
from wovepb.v1 import ack_pb2, command_pb2, event_pb2, payload_pb2, summary_pb2

HERE = Path(__file__).parent
MESSAGES: dict[str, type[Message]] = {
    "Command": command_pb2.Command,
    "Event": event_pb2.Event,
    "EventAck": ack_pb2.EventAck,
    "RunSummary": summary_pb2.RunSummary,
    "TaskPayload": payload_pb2.TaskPayload,
}
_READERS = {
    "Command": command_from_json,
    "EventAck": ack_from_json,
    "RunSummary": summary_from_json,
    "TaskPayload": payload_from_json,
}


def load(name: str) -> list[dict[str, Any]]:
    return json.loads((HERE / "vectors" / name).read_text("utf-8"))


def body(vector: dict[str, Any]) -> bytes:
    if "body_base64" in vector:
        return base64.b64decode(vector["body_base64"])
    if "body_parts" in vector:
        return "".join(text * times for text, times in vector["body_parts"]).encode()
    return vector["body"].encode()


def decode(vector: dict[str, Any]) -> Message:
    """What Wove reads from the vector's body."""
    if vector["message"] == "Event":
        return decode_event(vector["content_type"], body(vector))
    return _READERS[vector["message"]](body(vector))


def names(vectors: list[dict[str, Any]]) -> list[str]:
    return [vector["name"] for vector in vectors]
