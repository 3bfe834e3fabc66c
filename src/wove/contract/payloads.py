"""Payloads: the documented JSON and bytes."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from wove.contract.errors import ContractError
from wove.contract.fields import check, fields_of, fill, to_dict
from wove.contract.messages import parse_bytes, to_json
from wove.contract.rules import require_run_id
from wove.contract.text import parse_object
from wovepb.v1.payload_pb2 import TaskPayload

if TYPE_CHECKING:
    from wove.contract.messages import Json

__all__ = [
    "PAYLOAD_VERSION",
    "payload_from_bytes",
    "payload_from_json",
    "payload_to_bytes",
    "payload_to_dict",
    "payload_to_json",
]

PAYLOAD_VERSION = 1
"""The newest `version` that this package reads."""

_FIELDS = fields_of(TaskPayload)
_FIRST = {name: _FIELDS[name] for name in ("version", "callback_url", "run_id", "task_id")}
_REST = {name: field for name, field in _FIELDS.items() if name not in _FIRST}
_ALWAYS: dict[str, Any] = {
    "version": 0,
    "adapter": "",
    "callback_url": "",
    "run_id": "",
    "task_id": "",
    "task_name": None,
    "callable_pickle": "",
    "args_pickle": "",
}


def payload_to_dict(payload: TaskPayload) -> dict[str, Any]:
    """The payload as backends carry it: the documented keys always, others where set."""
    data = {**_ALWAYS, "delivery": {}}
    data.update(to_dict(payload))
    return data


def payload_to_json(payload: TaskPayload) -> bytes:
    """JSON of `payload_to_dict`, in ASCII.

    Raises:
        ContractError: a number is not finite.
    """
    return to_json(payload, payload_to_dict(payload))


def payload_from_json(data: Json) -> TaskPayload:
    """A payload from its JSON or from `payload_to_dict`.

    Of a payload of a newer `version` only `version`, `callback_url`, `run_id` and `task_id`
    are read, whatever the rest has become: it is the caller's to refuse.

    Raises:
        ContractError: the contract does not allow it.
    """
    fields = parse_object(data)
    payload = TaskPayload()
    fill(payload, _FIRST, fields)
    if payload.version <= PAYLOAD_VERSION:
        fill(payload, _REST, fields)
    return _valid(payload)


def payload_to_bytes(payload: TaskPayload) -> bytes:
    """The binary encoding."""
    return payload.SerializeToString()


def payload_from_bytes(data: bytes | bytearray | memoryview) -> TaskPayload:
    """A payload from its binary encoding, as `payload_from_json`.

    Raises:
        ContractError: the contract does not allow it.
    """
    payload = parse_bytes(TaskPayload, data)
    if payload.version > PAYLOAD_VERSION:
        return TaskPayload(**{name: getattr(payload, name) for name in _FIRST})
    check(payload)
    return _valid(payload)


def _valid(payload: TaskPayload) -> TaskPayload:
    if payload.version == 0:
        raise ContractError("missing_field", "version", "expected the payload's version")
    if payload.version <= PAYLOAD_VERSION:
        require_run_id(payload.run_id)
        if not payload.callback_url:
            raise ContractError("missing_field", "callback_url", "expected a URL")
    return payload
