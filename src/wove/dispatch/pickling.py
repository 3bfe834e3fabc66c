"""Pickles that survive the way to another process.

cloudpickle carries functions and classes of `__main__`, of notebooks and of function
bodies by value, and knows its classes again when they come back. What it leaves to
do is exceptions: Python's own reduction calls the class with `args`, which fails for
every exception whose `__init__` takes something else.
"""

from __future__ import annotations

import copyreg
import io
import pickle
from collections.abc import Callable
from types import CodeType
from typing import Any

import cloudpickle  # type: ignore[import-untyped]

__all__ = ["dumps", "dumps_exception", "find_unpicklable", "loads"]

_PLAIN = frozenset({type(None), bool, int, float, str, bytes})
_LOOK_AT = 1000
_LOOK_DEEP = 4
_NO_FILE = "<dynamic-code>"

# Attributes that built-in exceptions keep outside their `__dict__`.
_SLOTS: tuple[tuple[type[BaseException], tuple[str, ...]], ...] = (
    (OSError, ("errno", "strerror", "filename", "filename2")),
    (ImportError, ("msg", "name", "path")),
    (StopIteration, ("value",)),
    (SystemExit, ("code",)),
    (NameError, ("name",)),
    (AttributeError, ("name",)),
    (UnicodeError, ("encoding", "object", "start", "end", "reason")),
    (SyntaxError, ("msg", "filename", "lineno", "offset", "text", "end_lineno", "end_offset")),
)


def dumps(value: Any) -> bytes:
    """Pickle `value` with cloudpickle, exceptions so that they load again.

    Raises:
        Exception: whatever the value's own code raises; `TypeError` and
            `pickle.PicklingError` for what cannot be pickled.
    """
    if type(value) in _PLAIN:  # most results; cloudpickle's set-up costs ten times as much
        return pickle.dumps(value, pickle.HIGHEST_PROTOCOL)
    with io.BytesIO() as file:
        _Pickler(file, protocol=pickle.HIGHEST_PROTOCOL).dump(value)
        return file.getvalue()


def loads(data: bytes) -> Any:
    """Load a pickle. Runs code that its maker chose: only for data that is trusted."""
    return pickle.loads(data)


def dumps_exception(exc: BaseException) -> bytes | None:
    """Pickle an exception so that it comes back as itself.

    Returns:
        The pickle, or None if the exception cannot be pickled, or does not load again
        with the same type. Notes are kept; causes and tracebacks are not part of a pickle.
    """
    try:
        data = dumps(exc)
        same = type(loads(data)) is type(exc)
    except BaseException:  # noqa: BLE001 - the exception's own code ran; nothing of it may escape
        return None
    return data if same else None


def find_unpicklable(value: Any) -> tuple[str, str]:
    """Where in `value` the part is that cannot be pickled, as far as is cheap to tell.

    Looks into plain containers, at most 1000 parts and 4 levels.

    Returns:
        A path such as `['rows'][3]` (empty for the value itself), and a type's name.
    """
    path, left = "", _LOOK_AT
    for _ in range(_LOOK_DEEP):
        for step, part in _parts(value):
            left -= 1
            if left < 0:
                return path, _type_name(value)
            if not can_be_pickled(part):
                path, value = path + step, part
                break
        else:
            break
    return path, _type_name(value)


def find_in_callable(function: Callable[..., Any]) -> str:
    """What of a callable cannot be pickled, to be followed by "cannot be pickled".

    Returns:
        The callable itself, or a variable that it uses with the type of the part.
    """
    code = getattr(function, "__code__", None)
    if code is None:
        return "its callable"
    closure = zip(code.co_freevars, getattr(function, "__closure__", None) or (), strict=True)
    names = {name: cell.cell_contents for name, cell in closure if _is_set(cell)}
    names |= {n: function.__globals__[n] for n in code.co_names if n in function.__globals__}
    for name, value in names.items():
        if not can_be_pickled(value):
            path, kind = find_unpicklable(value)
            return f"its callable uses '{name}{path}', and that {kind}"
    return "its callable"


def can_be_pickled(value: Any) -> bool:
    """Whether `dumps` takes the value, found out by doing it."""
    try:
        dumps(value)
    except Exception:  # noqa: BLE001 - whatever a __reduce__ raises
        return False
    return True


def _is_set(cell: Any) -> bool:
    try:
        cell.cell_contents  # noqa: B018 - raises while it is empty
    except ValueError:
        return False
    return True


class _Pickler(cloudpickle.Pickler):  # type: ignore[misc]
    def reducer_override(self, obj: Any) -> Any:
        if type(obj) is CodeType:
            return _reduce_code(obj, self.dispatch_table[CodeType])
        if isinstance(obj, BaseException):
            reduction = _reduce_exception(obj)
            if reduction is not None:
                return reduction
            if _is_tblibs(copyreg.dispatch_table.get(type(obj))):
                return obj.__reduce_ex__(pickle.HIGHEST_PROTOCOL)
        return super().reducer_override(obj)


def _reduce_code(code: CodeType, reduce: Callable[[CodeType], Any]) -> Any:
    """The reduction of cloudpickle with the file's name in it, for the worker's tracebacks.

    cloudpickle 3.1.3 and newer put a placeholder there.
    """
    make, args = reduce(code)
    named = (code.co_filename if isinstance(arg, str) and arg == _NO_FILE else arg for arg in args)
    return make, tuple(named)


def _reduce_exception(exc: BaseException) -> tuple[Any, ...] | None:
    """A reduction that skips `__init__`; None where Python's own is right.

    It names nothing but `copyreg.__newobj__`, so that any Python can load it.
    """
    cls = type(exc)
    if _is_python(cls.__reduce__) or _is_python(cls.__reduce_ex__):
        return None  # the class knows better
    if not _is_python(cls.__init__):
        return None
    state = {**vars(exc), "args": exc.args}
    for base, names in _SLOTS:
        if isinstance(exc, base):
            # Unset ones read as None, and not all of them can be set to that.
            values = ((name, getattr(exc, name, None)) for name in names)
            state.update((name, held) for name, held in values if held is not None)
    new_args = exc.args if cls.__new__ is BaseException.__new__ or _takes_args(cls) else ()
    return copyreg.__newobj__, (cls, *new_args), state  # type: ignore[attr-defined]


def _is_tblibs(reducer: Any) -> bool:
    """Whether tblib, which Dask imports, has put its own reduction in place of an exception's.

    It loses what built-in exceptions keep outside `args`, and loads only where tblib is.
    """
    function = getattr(reducer, "func", reducer)
    return str(getattr(function, "__module__", "")).partition(".")[0] == "tblib"


def _takes_args(cls: type[BaseException]) -> bool:
    # A Python `__new__`, and that of exception groups, want what they were given first.
    return _is_python(cls.__new__) or cls.__new__ is not Exception.__new__


def _is_python(function: Any) -> bool:
    return hasattr(function, "__code__")


def _parts(value: Any) -> list[tuple[str, Any]]:
    if isinstance(value, dict):
        return [(f"[{key!r:.40}]", part) for key, part in value.items()]
    if isinstance(value, (list, tuple)):
        return [(f"[{index}]", part) for index, part in enumerate(value)]
    if isinstance(getattr(value, "__dict__", None), dict) and not isinstance(value, type):
        return [(f".{name}", part) for name, part in vars(value).items()]
    return []


def _type_name(value: Any) -> str:
    cls = type(value)
    return (
        cls.__qualname__ if cls.__module__ == "builtins" else f"{cls.__module__}.{cls.__qualname__}"
    )
