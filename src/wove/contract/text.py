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
        return _DECODER.decode(data if isinstance(data, str) else str(data, "utf-8"))
    except ContractError:
        raise
    except UnicodeDecodeError as error:
        raise ContractError(
            "invalid_utf8", "", f"expected UTF-8, and byte {error.start} is not"
        ) from None
    except json.JSONDecodeError as error:
        raise ContractError(
            "invalid_json", "", f"expected one JSON value: {error.msg} at character {error.pos}"
        ) from None
    except ValueError:  # Python reads no integer of more than 4300 digits
        raise ContractError("out_of_range", "", "a number has too many digits") from None
    except RecursionError:
        raise ContractError("too_deep", "", "nested deeper than is read") from None


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    result = dict(pairs)
    if len(result) != len(pairs):
        names = [name for name, _ in pairs]
        twice = next(name for name in names if names.count(name) > 1)
        # The name is the sender's: kept short and in ASCII, so that it can be logged.
        path = twice[:64].encode("ascii", "backslashreplace").decode("ascii")
        raise ContractError("duplicate_key", path, "the name is there twice in one object")
    return result


def _refuse_constant(name: str) -> NoReturn:
    raise ContractError("invalid_json", "", f"expected one JSON value, and {name} is none")


_DECODER = json.JSONDecoder(object_pairs_hook=_object, parse_constant=_refuse_constant)
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
