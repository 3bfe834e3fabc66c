"""JSON values to the values of scalar fields, by the rules in event.proto.

A reader takes a JSON value and returns what the field holds, or raises
`ContractError` with an empty path, which its caller fills in.
"""

from __future__ import annotations

import binascii
import math
import re

from wove.contract.errors import ContractError

__all__ = ["read_bool", "read_bytes", "read_double", "read_int32", "read_text", "read_uint32"]

_NUMBER = re.compile(r"-?(?:0|[1-9][0-9]*)(?:\.[0-9]+)?(?:[eE][+-]?[0-9]+)?")
_NAMED_NUMBERS = frozenset({"NaN", "Infinity", "-Infinity"})
_TO_STANDARD_ALPHABET = str.maketrans("-_", "+/")
_JSON_NAMES = {bool: "a bool", int: "a number", float: "a number", str: "text", list: "a list"}


def wrong_type(expected: str, value: object) -> ContractError:
    """The error for a value of another type than the field's."""
    got = _JSON_NAMES.get(type(value), "an object")
    return ContractError("wrong_type", "", f"expected {expected}, got {got}")


def read_text(value: object) -> str:
    """Text of valid Unicode."""
    if not isinstance(value, str):
        raise wrong_type("text", value)
    # Checked here: what setting the field does about it depends on protobuf's implementation.
    if not value.isascii():
        try:
            value.encode()
        except UnicodeEncodeError:
            problem = "expected valid Unicode, got an unpaired surrogate"
            raise ContractError("invalid_text", "", problem) from None
    return value


def read_bool(value: object) -> bool:
    """A bool, and nothing that stands for one."""
    if isinstance(value, bool):
        return value
    raise wrong_type("true or false", value)


def read_uint32(value: object) -> int:
    """An integer of 32 bits without sign."""
    return _integer(value, 0, 0xFFFF_FFFF)


def read_int32(value: object) -> int:
    """An integer of 32 bits with sign."""
    return _integer(value, -0x8000_0000, 0x7FFF_FFFF)


def _integer(value: object, low: int, high: int) -> int:
    expected = f"an integer from {low} to {high}"
    if type(value) is not int:
        number = _quoted_number(value) if isinstance(value, str) else value
        if not isinstance(number, float) or not number.is_integer():
            raise wrong_type(expected, value)
        value = int(number)
    if low <= value <= high:
        return value
    raise ContractError("out_of_range", "", f"expected {expected}")


def read_double(value: object) -> float:
    """A finite number."""
    if isinstance(value, str):
        number = math.nan if value in _NAMED_NUMBERS else _quoted_number(value)
    elif isinstance(value, (int, float)) and not isinstance(value, bool):
        number = _as_double(value)
    else:
        number = None
    if number is None:
        raise wrong_type("a number", value)
    if not math.isfinite(number):
        raise ContractError("not_finite", "", "expected a finite number")
    return number


def _quoted_number(text: str) -> float | None:
    return float(text) if _NUMBER.fullmatch(text) else None


def _as_double(number: float) -> float:
    try:
        return float(number)
    except OverflowError:  # an int beyond the largest double
        return math.inf


def read_bytes(value: object) -> bytes:
    """Base64 of the standard or the URL-safe alphabet, with all padding or none."""
    if not isinstance(value, str):
        raise wrong_type("base64 text", value)
    if "-" in value or "_" in value:
        if "+" in value or "/" in value:
            raise _not_base64("it mixes the standard and the URL-safe alphabet")
        value = value.translate(_TO_STANDARD_ALPHABET)
    digits = value.rstrip("=")
    padding = len(value) - len(digits)
    if len(digits) % 4 == 1 or (padding and padding != -len(digits) % 4):
        raise _not_base64("its length or padding is wrong")
    try:
        data = binascii.a2b_base64(digits + "=" * (-len(digits) % 4))
    except ValueError:  # binascii.Error, or text outside ASCII
        raise _not_base64("it has characters outside the alphabet") from None
    # binascii skips characters outside the alphabet: they show in the length.
    if len(data) != len(digits) * 3 // 4:
        raise _not_base64("it has characters outside the alphabet")
    return data


def _not_base64(reason: str) -> ContractError:
    return ContractError("invalid_base64", "", f"expected base64, but {reason}")
