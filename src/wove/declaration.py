"""How `w.do` and `Weave.do` read their arguments."""

from __future__ import annotations

import inspect
from collections.abc import AsyncIterable, Callable, Mapping
from typing import Any

from wove.graph import UNMAPPED
from wove.options import MAPPING_OPTIONS, TASK_OPTIONS, check_options

__all__ = ["check_task_options", "decorated", "name_of"]


def decorated(
    declare: Callable[[Any, Any], Any], source: Any, options: Mapping[str, Any], where: str
) -> Any:
    """Declare at once where `do` was given a function, else return the decorator.

    Args:
        declare: called with the function and the source.
        source: `do`'s one positional argument: a function, a source, or nothing.
        options: `do`'s keywords.
        where: how the place is called in messages.

    Raises:
        TypeError: the argument is neither a callable nor a source.
    """
    if source is not UNMAPPED and _is_function(source):
        return declare(source, UNMAPPED)
    if source is not UNMAPPED and not isinstance(source, str) and not _is_iterable(source):
        raise TypeError(
            f"{where} takes a function, an iterable or a task's name; "
            f"a source of type {type(source).__name__!r} is not iterable"
        )
    check_task_options(options, source, where)

    def decorator(function: Any) -> Any:
        if not _is_callable(function):
            raise TypeError(f"{where} decorates callables, not {type(function).__name__!r}")
        return declare(function, source)

    return decorator


def _is_function(value: Any) -> bool:
    # A class that can be iterated, such as an Enum, is a source; other callables are tasks.
    return _is_callable(value) and not (inspect.isclass(value) and _is_iterable(value))


def _is_callable(value: Any) -> bool:
    # A class method is no callable before it is looked up; `name_of` refuses it where it stays so.
    return callable(value) or isinstance(value, classmethod)


def _is_iterable(value: Any) -> bool:
    # Looked at and not tried: an iterable may be one that can be read only once.
    kind = type(value)
    return (
        isinstance(value, AsyncIterable)
        or getattr(kind, "__iter__", None) is not None
        or (hasattr(kind, "__getitem__") and not hasattr(kind, "__iter__"))
    )


def check_task_options(options: Mapping[str, Any], source: Any, where: str) -> dict[str, Any]:
    """Check a task's options where they are written.

    Raises:
        TypeError: an unknown option.
        ValueError: a wrong value, or an option of mapped tasks on another one.
    """
    given = check_options(options, TASK_OPTIONS, where)
    if source is UNMAPPED:
        for name in MAPPING_OPTIONS & given.keys():
            if given[name] is not None:
                raise ValueError(f"{name} can only be given to mapped tasks: do(iterable, ...)")
    return given


def name_of(function: Any) -> str:
    """The name of a task.

    Raises:
        TypeError: the callable has none, or is none.
    """
    if not callable(function):
        raise TypeError(f"a task must be a callable, not {type(function).__name__!r}")
    name = getattr(function, "__name__", None)
    if not isinstance(name, str):
        raise TypeError(
            f"a task needs a name, and {function!r} has no __name__. Wrap it in a function"
        )
    return name
