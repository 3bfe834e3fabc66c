"""JSON text to objects and back, stricter than `json.loads` and `json.dumps`."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any, NoReturn

from wove.contract.errors import ContractError

__all__ = ["dump", "dump_value", "parse_object"]


def parse_object(
    data: bytes | bytearray | memoryview | str | Mapping[str, Any],
) -> Mapping[str, Any]:
    """One JSON object; a mapping is taken as one already parsed.

    Raises:
        ContractError: it is no JSON, not in UTF-8, has a name twice, is nested too
            deep to read, or is another value than an object.
    """
    value = data if isinstance(data, Mapping) else _parse(data)
    if isinstance(value, Mapping):
        return value
    raise ContractError("wrong_type", "", "expected a JSON object")


def _parse(data: bytes | bytearray | memoryview | str) -> Any:
    try:
        text = data if isinstance(data, str) else str(data, "utf-8")
        try:
            return _DECODER.decode(text)
        except _TwiceError:
            problem = "the name is there twice in one object"
            raise ContractError("duplicate_key", _path_of_the_first(text), problem) from None
    except ContractError:
        raise
    except UnicodeDecodeError as error:
        raise ContractError(
            "invalid_utf8", "", f"expected UTF-8, and byte {error.start} is not"
        ) from None
    except json.JSONDecodeError as error:
        raise ContractError(
            # Some messages end with what was found there, after a colon.
            "invalid_json",
            "",
            f"expected one JSON value: {error.msg.partition(':')[0]} at character {error.pos}",
        ) from None
    except ValueError:  # Python reads no integer of more than 4300 digits
        raise ContractError("out_of_range", "", "a number has too many digits") from None
    except RecursionError:
        raise ContractError("too_deep", "", "nested deeper than is read") from None


class _TwiceError(Exception):
    """A name is there twice in one object."""


class _Twice:
    """In place of an object: the name that it has twice."""

    def __init__(self, name: str) -> None:
        self.name = name


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    result = dict(pairs)
    if len(result) != len(pairs):
        raise _TwiceError
    return result


def _marked_object(pairs: list[tuple[str, Any]]) -> dict[str, Any] | _Twice:
    result: dict[str, Any] = {}
    for name, value in pairs:
        if name in result:
            return _Twice(name)
        result[name] = value
    return result


def _path_of_the_first(text: str) -> str:
    """Where the first name is that is there twice. Reads the text once more: this is rare."""
    unread: list[tuple[str, Any]] = [("", _MARKING_DECODER.decode(text))]
    while unread:
        path, value = unread.pop()
        if isinstance(value, _Twice):
            return _joined(path, value.name)
        if isinstance(value, dict):
            inner = [(_joined(path, name), item) for name, item in value.items()]
        elif isinstance(value, list):
            inner = [(f"{path}[{index}]", item) for index, item in enumerate(value)]
        else:
            continue
        unread.extend(reversed([pair for pair in inner if isinstance(pair[1], _CONTAINERS)]))
    return ""


def _joined(path: str, name: str) -> str:
    # The names are the sender's: kept short and in ASCII, so that they can be logged.
    short = name[:64].encode("ascii", "backslashreplace").decode("ascii")
    return f"{path}.{short}" if path else short


def _refuse_constant(name: str) -> NoReturn:
    raise ContractError("invalid_json", "", f"expected one JSON value, and {name} is none")


_CONTAINERS = (dict, list, _Twice)
_DECODER = json.JSONDecoder(object_pairs_hook=_object, parse_constant=_refuse_constant)
_MARKING_DECODER = json.JSONDecoder(
    object_pairs_hook=_marked_object, parse_constant=_refuse_constant
)
_ENCODER = json.JSONEncoder(separators=(",", ":"), allow_nan=False)


def dump(value: Mapping[str, Any]) -> bytes:
    """JSON in ASCII, which is UTF-8.

    Raises:
        ValueError: a number is not finite.
    """
    return _ENCODER.encode(value).encode("ascii")


def dump_value(value: object) -> str:
    """JSON text of a value that came as JSON; integers stay exact.

    Raises:
        ContractError: a number is not finite, or the value is none of JSON's.
    """
    try:
        return _ENCODER.encode(value)
    except RecursionError:
        raise ContractError("too_deep", "", "nested deeper than is read") from None
    except TypeError:
        raise ContractError("wrong_type", "", "expected a JSON value") from None
    except ValueError:
        raise ContractError("not_finite", "", "expected finite numbers") from None
