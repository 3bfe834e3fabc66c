"""Events: flat JSON, nested JSON and bytes."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from google.protobuf.unknown_fields import UnknownFieldSet

from wove.contract.errors import ContractError
from wove.contract.fields import fields_of, fill, to_dict
from wove.contract.messages import from_bytes, to_json
from wove.contract.rules import require_drawn_id, require_interval, require_run_id
from wove.contract.text import dump_value, parse_object
from wovepb.v1.event_pb2 import Event

if TYPE_CHECKING:
    from wove.contract.messages import Json

__all__ = [
    "FRAMES",
    "TERMINAL",
    "decode_event",
    "event_from_bytes",
    "event_from_json",
    "event_from_message",
    "event_to_bytes",
    "event_to_json",
    "event_to_nested_json",
    "event_type",
]

FRAMES: tuple[str, ...] = tuple(
    field.name for field in Event.DESCRIPTOR.oneofs_by_name["frame"].fields
)
"""Every frame by its name in `type`."""

TERMINAL: frozenset[str] = frozenset({"task_result", "task_error", "task_cancelled"})
"""The frames that end a run."""

_EVENT = fields_of(Event)
_ENVELOPE = {name: field for name, field in _EVENT.items() if name not in FRAMES}
_FRAME_FIELDS = {name: fields_of(type(getattr(Event(), name))) for name in FRAMES}
_NO_FRAME = "expected a frame: " + ", ".join(FRAMES)


def event_type(event: Event) -> str | None:
    """Name of the event's frame; None if it is one that this version does not know."""
    kind: str | None = event.WhichOneof("frame")
    return kind


def event_to_json(event: Event) -> bytes:
    """The documented flat JSON, in ASCII.

    Raises:
        ContractError: the event has no frame, a number is not finite, or an error is nested
            too deep.
    """
    kind = event.WhichOneof("frame")
    if kind is None:
        raise ContractError("missing_field", "type", _NO_FRAME)
    data = {"type": kind, **to_dict(event)}
    data.update(data.pop(kind))
    return to_json(event, data)


def event_to_nested_json(event: Event) -> bytes:
    """Canonical protojson, in ASCII.

    Raises:
        ContractError: a number is not finite, or an error is nested too deep.
    """
    return to_json(event)


def event_to_bytes(event: Event) -> bytes:
    """The binary encoding."""
    return event.SerializeToString()


def event_from_json(data: Json) -> Event:
    """An event from flat JSON, which has `type`, or from nested JSON.

    An unknown `type` gives an event without a frame.

    Raises:
        ContractError: the contract does not allow it.
    """
    fields = parse_object(data)
    kind = fields.get("type")
    event = Event()
    if kind is None:
        fill(event, _EVENT, fields)
        if event.WhichOneof("frame") is None:
            raise ContractError("missing_field", "type", _NO_FRAME)
    elif not isinstance(kind, str):
        raise ContractError("wrong_type", "type", "expected text")
    else:
        fill(event, _ENVELOPE, fields)
        if kind in _FRAME_FIELDS:
            _fill_frame(event, kind, fields)
    _require_valid(event, flat=kind is not None)
    return event


def _fill_frame(event: Event, kind: str, fields: Mapping[str, Any]) -> None:
    if not _FRAME_FIELDS.keys().isdisjoint(fields):
        for name in FRAMES:
            if fields.get(name) is not None:
                raise ContractError("conflicting_value", name, "a frame beside `type`")
    frame = getattr(event, kind)
    frame.SetInParent()  # a frame without fields is there, too
    if kind == "task_error" and isinstance(fields.get("error"), str):
        fields = {**fields, "error": {"message": fields["error"]}}
    fill(frame, _FRAME_FIELDS[kind], fields, depth=1)
    if kind == "task_result" and "result" in fields:
        _set_plain_result(event, fields["result"])


def _set_plain_result(event: Event, result: object) -> None:
    """Take the alias `result`, whose null is a value where there is no other."""
    if event.task_result.WhichOneof("value") is not None:
        if result is None:
            return
        raise ContractError("conflicting_value", "result", "a second value is set")
    try:
        event.task_result.result_json = dump_value(result)
    except ContractError as error:
        raise error.inside("result") from None


def event_from_bytes(data: bytes | bytearray | memoryview) -> Event:
    """An event from its binary encoding.

    A frame that this version does not know gives an event without a frame; a result
    of unknown fields only gives a `task_error` of code "unsupported_feature".

    Raises:
        ContractError: the contract does not allow it.
    """
    return event_from_message(from_bytes(Event, data))


def event_from_message(event: Event) -> Event:
    """An event that came as part of a binary message, as `event_from_bytes`.

    Raises:
        ContractError: the contract does not allow it.
    """
    kind = event.WhichOneof("frame")
    if kind is None and not len(UnknownFieldSet(event)):
        raise ContractError("missing_field", "frame", _NO_FRAME)
    if kind == "task_result":
        result = event.task_result
        if result.WhichOneof("value") is None and len(UnknownFieldSet(result)):
            _refuse_unknown_value(event)
    _require_valid(event)
    return event


def _refuse_unknown_value(event: Event) -> None:
    error = event.task_error.error
    error.kind = "UnsupportedFeature"
    error.message = "the worker sent the result in a form that this receiver does not know"
    error.source = "wove"
    error.code = "unsupported_feature"


def decode_event(content_type: str | None, body: bytes | bytearray | memoryview) -> Event:
    """An event from the body of a request.

    Args:
        content_type: the request's header; without one the body is taken as JSON.
        body: as it came.

    Raises:
        ContractError: the contract does not allow it; code "unsupported_media_type"
            for another media type than JSON and protobuf.
    """
    media_type = (content_type or "application/json").partition(";")[0].strip().lower()
    if media_type == "application/json":
        return event_from_json(body)
    if media_type == "application/x-protobuf":
        return event_from_bytes(body)
    raise ContractError(
        "unsupported_media_type", "", "expected application/json or application/x-protobuf"
    )


def _require_valid(event: Event, *, flat: bool = False) -> None:
    require_run_id(event.run_id)
    require_drawn_id("event_id", event.event_id)
    require_drawn_id("execution_id", event.execution_id)
    kind = event.WhichOneof("frame")
    if kind == "task_result":
        if not event.task_result.result_pickle and not event.task_result.result_json:
            raise ContractError(
                "missing_value", "task_result", "expected result_pickle or result_json"
            )
    elif kind == "task_started" and event.task_started.HasField("heartbeat_seconds"):
        path = "heartbeat_seconds" if flat else "task_started.heartbeat_seconds"
        require_interval(path, event.task_started.heartbeat_seconds)
