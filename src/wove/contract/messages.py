"""What all messages have in common: whole messages to and from JSON and bytes."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, TypeVar

from google.protobuf.message import DecodeError, Message

from wove.contract.errors import ContractError
from wove.contract.fields import check, fields_of, fill, to_dict
from wove.contract.text import dump, parse_object

if TYPE_CHECKING:
    from typing import TypeAlias

__all__ = ["Json", "from_bytes", "from_json", "parse_bytes", "to_json"]

Json: TypeAlias = "bytes | bytearray | memoryview | str | Mapping[str, Any]"
"""A JSON object as text, as UTF-8, or already parsed."""

M = TypeVar("M", bound=Message)


def from_json(kind: type[M], data: Json) -> M:
    """A message from its protojson."""
    message = kind()
    fill(message, fields_of(kind), parse_object(data))
    return message


def to_json(message: Message, data: dict[str, Any] | None = None) -> bytes:
    """JSON of a message, or of `data` that was made from it."""
    try:
        return dump(to_dict(message) if data is None else data)
    except ValueError:
        check(message)  # says which number it is
        raise


def from_bytes(kind: type[M], data: bytes | bytearray | memoryview) -> M:
    """A message from its binary encoding."""
    message = parse_bytes(kind, data)
    check(message)
    return message


def parse_bytes(kind: type[M], data: bytes | bytearray | memoryview) -> M:
    """`from_bytes` without the checks of the fields' values."""
    try:
        return kind.FromString(bytes(data))
    except (DecodeError, UnicodeDecodeError, RecursionError):  # the latter: protobuf in Python
        name = kind.DESCRIPTOR.full_name
        raise ContractError("invalid_protobuf", "", f"expected the bytes of a {name}") from None
