"""`delivery_idempotency_key`: from the option's three forms to a backend's job id."""

from __future__ import annotations

import hashlib
import inspect
from collections.abc import Callable, Mapping
from typing import Any

__all__ = ["job_id", "resolve_key"]


def resolve_key(
    option: str | Callable[..., Any] | None, args: Mapping[str, Any], task: str
) -> str | None:
    """The key for one item.

    Args:
        option: text, taken as a format string over the arguments; or a callable that
            gets the dictionary of arguments, or keywords if it takes only keywords.
        args: the task's arguments by name.
        task: the task's name, for errors.

    Raises:
        ValueError: the text names a field that is no argument, or the key is empty.
    """
    if option is None:
        return None
    if callable(option):
        key = option(**args) if _takes_only_keywords(option) else option(dict(args))
    else:
        key = _formatted(option, args, task)
    if key is None or str(key) == "":
        raise ValueError(f"Task '{task}': delivery_idempotency_key gave {key!r}; it must be text.")
    return str(key)


def job_id(key: str, attempt: int) -> str:
    """The backend's job id for a key: the same work under the same name, each try its own."""
    return f"{hashlib.sha256(key.encode('utf-8', 'backslashreplace')).hexdigest()[:32]}-{attempt}"


def _formatted(text: str, args: Mapping[str, Any], task: str) -> str:
    try:
        return text.format_map(args)
    except (LookupError, AttributeError, TypeError, ValueError) as error:
        # A field left as it stands would give all runs one job.
        known = ", ".join(args) or "none"
        raise ValueError(
            f"Task '{task}': delivery_idempotency_key {text!r} cannot be filled in: "
            f"{type(error).__name__}: {error}. Arguments: {known}."
        ) from error


def _takes_only_keywords(function: Callable[..., Any]) -> bool:
    try:
        parameters = inspect.signature(function).parameters.values()
    except (TypeError, ValueError):  # some built-in callables have no signature
        return False
    keyword = (inspect.Parameter.KEYWORD_ONLY, inspect.Parameter.VAR_KEYWORD)
    return bool(parameters) and all(parameter.kind in keyword for parameter in parameters)
