"""The contract between weave and worker: messages to JSON and bytes, and back.

Pure functions over the messages of `wovepb.v1`, whose proto files say what each field
means and which JSON is allowed. Whatever the contract does not allow raises
`ContractError`, and nothing else does.
"""

from __future__ import annotations

from wove.contract.acks import ack_from_json, ack_to_json
from wove.contract.commands import COMMANDS, command_from_json, command_to_json
from wove.contract.errors import ContractError, ContractErrorCode
from wove.contract.events import (
    FRAMES,
    TERMINAL,
    decode_event,
    event_from_bytes,
    event_from_json,
    event_to_bytes,
    event_to_json,
    event_to_nested_json,
    event_type,
)
from wove.contract.payloads import (
    PAYLOAD_VERSION,
    payload_from_bytes,
    payload_from_json,
    payload_to_bytes,
    payload_to_dict,
    payload_to_json,
)
from wove.contract.summaries import summary_from_json, summary_to_dict

__all__ = [
    "COMMANDS",
    "FRAMES",
    "PAYLOAD_VERSION",
    "TERMINAL",
    "ContractError",
    "ContractErrorCode",
    "ack_from_json",
    "ack_to_json",
    "command_from_json",
    "command_to_json",
    "decode_event",
    "event_from_bytes",
    "event_from_json",
    "event_to_bytes",
    "event_to_json",
    "event_to_nested_json",
    "event_type",
    "payload_from_bytes",
    "payload_from_json",
    "payload_to_bytes",
    "payload_to_dict",
    "payload_to_json",
    "summary_from_json",
    "summary_to_dict",
]
