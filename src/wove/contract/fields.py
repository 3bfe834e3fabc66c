"""Messages to and from JSON objects, field by field.

The fields of each message are read from its descriptor once, so a field added to a
proto file needs no code. Every `json_name` equals its field's name (a test holds it),
so one name serves both sides.
"""

from __future__ import annotations

import binascii
import math
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

from google.protobuf.descriptor import FieldDescriptor

from wove.contract.errors import ContractError
from wove.contract.scalars import (
    read_bool,
    read_bytes,
    read_double,
    read_int32,
    read_text,
    read_uint32,
    wrong_type,
)

if TYPE_CHECKING:
    from google.protobuf.message import Message

__all__ = ["check", "fields_of", "fill", "to_dict"]

MAX_DEPTH = 34
"""Messages inside messages: a frame, its error, and 32 levels of causes below that."""

_READERS: dict[int, Callable[[object], Any]] = {
    FieldDescriptor.TYPE_STRING: read_text,
    FieldDescriptor.TYPE_BYTES: read_bytes,
    FieldDescriptor.TYPE_UINT32: read_uint32,
    FieldDescriptor.TYPE_INT32: read_int32,
    FieldDescriptor.TYPE_DOUBLE: read_double,
    FieldDescriptor.TYPE_BOOL: read_bool,
}


class Field:
    """What reading and writing one field needs to know.

    Attributes:
        read: reads a scalar's JSON value; None for a message.
        repeated: the field is a list.
        choice: name of the oneof that it belongs to, if any.
        is_bytes: it holds bytes.
        checked: `check` looks at it: a message, or a double, which has presence in this
            contract (a test holds it).
    """

    __slots__ = ("checked", "choice", "is_bytes", "read", "repeated")

    def __init__(self, descriptor: Any) -> None:  # a FieldDescriptor of either runtime
        self.read = _READERS.get(descriptor.type)
        self.repeated = descriptor.is_repeated
        oneof = descriptor.containing_oneof
        # An `optional` field is the only member of a oneof that the compiler made up.
        self.choice = None if oneof is None or oneof.name == f"_{descriptor.name}" else oneof.name
        self.is_bytes = descriptor.type == FieldDescriptor.TYPE_BYTES
        self.checked = self.read is None or descriptor.type == FieldDescriptor.TYPE_DOUBLE


_tables: dict[type[Message], dict[str, Field]] = {}


def fields_of(kind: type[Message]) -> dict[str, Field]:
    """The fields of a message by name."""
    table = _tables.get(kind)
    if table is None:
        table = {field.name: Field(field) for field in kind.DESCRIPTOR.fields}
        _tables[kind] = table
    return table


def fill(
    message: Message, fields: Mapping[str, Field], data: Mapping[str, Any], depth: int = 0
) -> None:
    """Set those `fields` of `message` that `data` has; names it does not know are skipped.

    Raises:
        ContractError: a value does not fit; the path starts at `message`.
    """
    for name, value in data.items():
        field = fields.get(name)
        if field is None or value is None:
            continue
        try:
            if field.choice is not None and message.WhichOneof(field.choice) is not None:
                raise ContractError("conflicting_value", "", f"a second {field.choice} is set")
            if field.repeated:
                _fill_list(getattr(message, name), field, value, depth)
            elif field.read is not None:
                setattr(message, name, field.read(value))
            else:
                _fill_child(getattr(message, name), value, depth)
        except ContractError as error:
            raise error.inside(name) from None


def _fill_list(items: Any, field: Field, value: object, depth: int) -> None:
    if not isinstance(value, (list, tuple)):
        raise wrong_type("a list", value)
    for index, item in enumerate(value):
        _fill_item(items, field, index, item, depth)


def _fill_item(items: Any, field: Field, index: int, item: object, depth: int) -> None:
    try:
        if field.read is not None:
            items.append(field.read(item))
        else:
            _fill_child(items.add(), item, depth)
    except ContractError as error:
        raise error.inside(f"[{index}]") from None


def _fill_child(message: Message, value: object, depth: int) -> None:
    if not isinstance(value, Mapping):
        raise wrong_type("an object", value)
    if depth >= MAX_DEPTH:
        raise _too_deep()
    message.SetInParent()  # an empty object is there, too
    fill(message, fields_of(type(message)), value, depth + 1)


def _too_deep() -> ContractError:
    return ContractError("too_deep", "", "nested deeper than is read")


def to_dict(message: Message, depth: int = 0) -> dict[str, Any]:
    """The canonical protojson object of a message: what is not set is left out.

    Raises:
        ContractError: messages are nested too deep.
    """
    if depth > MAX_DEPTH:
        raise _too_deep()
    fields = fields_of(type(message))
    result: dict[str, Any] = {}
    for descriptor, value in message.ListFields():
        name = descriptor.name
        field = fields[name]
        if field.repeated:
            result[name] = [_json_value(field, item, depth) for item in value]
        else:
            result[name] = _json_value(field, value, depth)
    return result


def _json_value(field: Field, value: Any, depth: int) -> Any:
    if field.read is None:
        return to_dict(value, depth + 1)
    return to_base64(value) if field.is_bytes else value


def to_base64(data: bytes) -> str:
    """Base64 of the standard alphabet, with padding."""
    return binascii.b2a_base64(data, newline=False).decode("ascii")


def check(message: Message, depth: int = 0) -> None:
    """What reading JSON finds on its way, for a message that came as bytes.

    Raises:
        ContractError: a double is not finite, or messages are nested too deep.
    """
    for name, field in fields_of(type(message)).items():
        if not field.checked:
            continue
        if field.repeated:
            for index, child in enumerate(getattr(message, name)):
                _check_child(child, f"{name}[{index}]", depth)
        elif message.HasField(name):
            value = getattr(message, name)
            if field.read is None:
                _check_child(value, name, depth)
            elif not math.isfinite(value):
                raise ContractError("not_finite", name, "expected a finite number")


def _check_child(message: Message, path: str, depth: int) -> None:
    if depth >= MAX_DEPTH:
        raise _too_deep().inside(path)
    try:
        check(message, depth + 1)
    except ContractError as error:
        raise error.inside(path) from None
