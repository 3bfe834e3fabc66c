"""Values that came as JSON, checked against a type annotation and made what it says.

With pydantic installed, pydantic does it. Without, the standard library's types are known:
what JSON has, containers of it, unions, literals, typed dictionaries and data classes.
"""

from __future__ import annotations

import dataclasses
import importlib.util
import inspect
import json
import math
import types
import typing
from collections.abc import Callable, Mapping, Sequence
from typing import Any

__all__ = ["Convert", "WrongType", "returns"]

Convert = Callable[[Any], Any]


class WrongType(ValueError):  # noqa: N818 - callers make an error of it
    """A value is not what its annotation says, or the annotation cannot be checked."""


def returns(function: Callable[..., Any]) -> Convert:
    """What makes a result of `function`'s return annotation from a value that came as JSON.

    Raises:
        WrongType: the annotation cannot be resolved, or is of a kind that cannot be checked.
    """
    try:
        hints = typing.get_type_hints(inspect.unwrap(function))
    except Exception as error:
        raise WrongType(f"its return annotation cannot be resolved: {error}") from error
    annotation = hints.get("return", Any)
    if annotation is Any:
        return _as_it_is
    if importlib.util.find_spec("pydantic") is not None:
        return _saying_what(_by_pydantic(annotation), annotation)
    _check_known(annotation, set())
    return _saying_what(lambda value: _convert(value, annotation, ""), annotation)


def _as_it_is(value: Any) -> Any:
    return value


def _saying_what(convert: Convert, annotation: Any) -> Convert:
    def checked(value: Any) -> Any:
        try:
            return convert(value)
        except WrongType as error:
            wanted = f"the return annotation is {_name(annotation)}"
            raise WrongType(f"{error} ({wanted})") from error.__cause__

    return checked


def _by_pydantic(annotation: Any) -> Convert:
    import pydantic  # pyright: ignore[reportMissingImports]

    try:
        adapter = pydantic.TypeAdapter(annotation)
    except pydantic.errors.PydanticSchemaGenerationError as error:
        # Its first sentence says what; the others are for those who write types for pydantic.
        problem = str(error).partition(". ")[0]
        raise WrongType(
            f"its return annotation {_name(annotation)} cannot be checked: {problem}"
        ) from error

    def convert(value: Any) -> Any:
        try:
            # As JSON: a date is text there. Strict: nothing is made of another type.
            return adapter.validate_json(json.dumps(value), strict=True)
        except pydantic.ValidationError as error:
            first = error.errors(include_url=False, include_input=False)[0]
            path = "".join(f"[{part!r}]" for part in first["loc"])
            raise WrongType(f"result{path}: {first['msg']}") from None

    return convert


_PLAIN: Mapping[Any, tuple[type, ...]] = {
    bool: (bool,),
    int: (int,),
    float: (float, int),
    str: (str,),
    None: (type(None),),
    type(None): (type(None),),
    list: (list,),
    dict: (dict,),
}


_BARE: Mapping[Any, Any] = {
    list: list[Any],
    set: set[Any],
    frozenset: frozenset[Any],
    tuple: tuple[Any, ...],
    Sequence: Sequence[Any],
    dict: dict[str, Any],
    Mapping: Mapping[str, Any],
}
"""Containers of anything, written without what they hold."""

_UNIONS = (typing.Union, types.UnionType)


def _plain_form(annotation: Any) -> Any:
    """The annotation without `Annotated`, and a bare container with what it may hold."""
    if typing.get_origin(annotation) is typing.Annotated:
        return _plain_form(typing.get_args(annotation)[0])
    if annotation in _PLAIN or typing.get_args(annotation) or annotation == tuple[()]:
        return annotation
    return _BARE.get(typing.get_origin(annotation) or annotation, annotation)


def _check_known(annotation: Any, seen: set[Any]) -> None:
    """Refuse, before anything is sent, an annotation that no result could be checked against."""
    annotation = _plain_form(annotation)
    if annotation in seen or annotation in _PLAIN or annotation in (Any, object):
        return
    seen.add(annotation)
    origin, arguments = typing.get_origin(annotation), typing.get_args(annotation)
    if origin is typing.Literal:
        return
    if isinstance(annotation, type) and dataclasses.is_dataclass(annotation):
        hints = _hints(annotation, "")
        parts = [hints[field.name] for field in dataclasses.fields(annotation) if field.init]
    elif typing.is_typeddict(annotation):
        parts = list(_hints(annotation, "").values())
    elif origin in (dict, Mapping) and arguments[0] is str:
        parts = [arguments[1]]
    elif origin in (*_UNIONS, list, set, frozenset, Sequence, tuple):
        parts = [each for each in arguments if each is not Ellipsis]
    else:
        raise WrongType(
            f"its return annotation {_name(annotation)} cannot be checked by the standard "
            "library; install pydantic, or use the types that JSON has"
        )
    for each in parts:
        _check_known(each, seen)


def _convert(value: Any, annotation: Any, path: str) -> Any:
    annotation = _plain_form(annotation)
    if annotation is Any or annotation is object:
        return value
    if annotation in _PLAIN:
        if type(value) not in _PLAIN[annotation]:
            raise _wrong(value, annotation, path)
        return _float(value, path) if annotation is float else value
    origin, arguments = typing.get_origin(annotation), typing.get_args(annotation)
    if origin in _UNIONS:
        return _any_of(value, arguments, annotation, path)
    if origin is typing.Literal:
        if not any(value == each and type(value) is type(each) for each in arguments):
            raise _wrong(value, annotation, path)
        return value
    if origin in (list, set, frozenset, Sequence):
        return _collection(value, origin, arguments, annotation, path)
    if origin is tuple:
        return _tuple(value, arguments, annotation, path)
    if origin in (dict, Mapping) and arguments[0] is str:
        if type(value) is not dict:
            raise _wrong(value, annotation, path)
        return {k: _convert(v, arguments[1], f"{path}[{k!r}]") for k, v in value.items()}
    if dataclasses.is_dataclass(annotation) and isinstance(annotation, type):
        return _data_class(value, annotation, path)
    return _typed_dict(value, annotation, path)  # `_check_known` let nothing else through


def _float(value: float, path: str) -> float:
    try:
        number = float(value)
    except OverflowError:
        number = math.inf
    if number != value:
        raise WrongType(f"result{path}: expected float, got an int that no float is equal to")
    return number


def _any_of(value: Any, kinds: Sequence[Any], annotation: Any, path: str) -> Any:
    if type(value) in kinds:  # as it is, before an int becomes a float
        return value
    for kind in kinds:
        try:
            return _convert(value, kind, path)
        except WrongType:  # noqa: PERF203 - one of them may fit
            continue
    raise _wrong(value, annotation, path)


def _collection(
    value: Any, origin: Any, arguments: Sequence[Any], annotation: Any, path: str
) -> Any:
    if type(value) is not list:
        raise _wrong(value, annotation, path)
    kind = arguments[0] if arguments else Any
    items = [_convert(item, kind, f"{path}[{index}]") for index, item in enumerate(value)]
    if origin in (list, Sequence):
        return items
    try:
        return origin(items)
    except TypeError as error:  # it holds a list or a dictionary
        raise WrongType(f"result{path}: {error}") from None


def _tuple(value: Any, kinds: Sequence[Any], annotation: Any, path: str) -> Any:
    if type(value) is not list:
        raise _wrong(value, annotation, path)
    if len(kinds) == 2 and kinds[1] is Ellipsis:
        kinds = (kinds[0],) * len(value)
    if len(kinds) != len(value):
        raise _wrong(value, annotation, path)
    pairs = zip(value, kinds, strict=True)
    return tuple(_convert(item, kind, f"{path}[{n}]") for n, (item, kind) in enumerate(pairs))


def _data_class(value: Any, kind: type, path: str) -> Any:
    if type(value) is not dict:
        raise _wrong(value, kind, path)
    hints = _hints(kind, path)
    fields = {field.name: field for field in dataclasses.fields(kind) if field.init}
    _refuse_others(value, fields, path)
    given = {name: _convert(part, hints[name], f"{path}[{name!r}]") for name, part in value.items()}
    try:
        return kind(**given)
    except Exception as error:  # what is missing, or what its own code raises
        raise WrongType(f"result{path}: {type(error).__name__}: {error}") from error


def _typed_dict(value: Any, kind: Any, path: str) -> Any:
    if type(value) is not dict:
        raise _wrong(value, kind, path)
    hints = _hints(kind, path)
    _refuse_others(value, hints, path)
    missing = sorted(kind.__required_keys__ - value.keys())
    if missing:
        raise WrongType(f"result{path}: {', '.join(missing)} missing for {_name(kind)}")
    return {name: _convert(part, hints[name], f"{path}[{name!r}]") for name, part in value.items()}


def _hints(kind: type, path: str) -> dict[str, Any]:
    try:
        return typing.get_type_hints(kind)
    except Exception as error:
        problem = f"the annotations of {_name(kind)} cannot be resolved: {error}"
        raise WrongType(f"result{path}: {problem}") from error


def _refuse_others(value: Mapping[str, Any], known: Mapping[str, Any], path: str) -> None:
    others = sorted(set(value) - set(known))
    if others:
        raise WrongType(f"result{path}: unexpected {', '.join(others)}")


def _wrong(value: Any, annotation: Any, path: str) -> WrongType:
    return WrongType(f"result{path}: expected {_name(annotation)}, got {type(value).__name__}")


def _name(annotation: Any) -> str:
    plain = isinstance(annotation, type) and not typing.get_args(annotation)
    return annotation.__name__ if plain else str(annotation)
