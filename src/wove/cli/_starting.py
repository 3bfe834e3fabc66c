"""What the `wove worker` commands share."""

from __future__ import annotations

import importlib
from collections.abc import Sequence
from typing import TypeVar

__all__ = ["CannotStartError", "amounts", "load_object"]

T = TypeVar("T")


class CannotStartError(Exception):
    """The worker cannot start; the text says why and what to do."""


def load_object(option: str, reference: str, kind: type[T], what: str, *, default: str = "") -> T:
    """The object that an option such as `--app MODULE:NAME` names.

    Args:
        option: the option, for messages.
        reference: what the user gave.
        kind: the class that the object must be of.
        what: the same in words, such as "a Celery application".
        default: the name in the module when the user gave none.

    Raises:
        CannotStartError: no such module or name, or something else is there.
    """
    module_name, _, attribute = reference.partition(":")
    attribute = attribute or default
    if not module_name:
        raise CannotStartError(f"{option} {reference}: it names no module")
    try:
        module = importlib.import_module(module_name)
    except ImportError as error:
        raise CannotStartError(
            f"{option} {reference}: cannot import {module_name}: {error}"
        ) from error
    found = getattr(module, attribute, None)
    if found is None:
        raise CannotStartError(f"{option} {reference}: {module_name} has no {attribute!r}")
    if not isinstance(found, kind):
        raise CannotStartError(
            f"{option} {reference}: {attribute!r} is a {type(found).__name__}, not {what}"
        )
    return found


def amounts(given: Sequence[str]) -> dict[str, float] | None:
    """What options `--resource NAME=AMOUNT` say; None for none.

    Raises:
        CannotStartError: one has another form.
    """
    found = {}
    for text in given:
        name, _, amount = text.partition("=")
        try:
            found[name] = float(amount)
        except ValueError:
            raise CannotStartError(f"--resource {text}: give NAME=AMOUNT, such as GPU=1") from None
    return found or None
