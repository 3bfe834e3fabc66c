"""What the `wove worker` commands share."""

from __future__ import annotations

import argparse
import importlib
import sys
from collections.abc import Iterable, Sequence
from typing import Any, TypeVar

from wove.integrations._url import masked

__all__ = [
    "CannotStartError",
    "add_loglevel",
    "amounts",
    "at_least_one",
    "check_redis",
    "import_all",
    "load_object",
    "say_ready",
]

T = TypeVar("T")


class CannotStartError(Exception):
    """The worker cannot start; the text says why and what to do."""


def add_loglevel(parser: argparse.ArgumentParser, whose: str) -> None:
    """Add the option `--loglevel`, whose value is one that `logging` knows.

    Args:
        parser: of the command.
        whose: whose log it is, such as "Celery's".
    """
    parser.add_argument(
        "--loglevel",
        default="WARNING",
        type=str.upper,
        choices=["DEBUG", "INFO", "WARNING", "ERROR", "CRITICAL"],
        help=f"{whose} (default: %(default)s)",
    )


def at_least_one(text: str) -> int:
    """A whole number above zero, for `add_argument(type=)`."""
    try:
        number = int(text)
    except ValueError:
        raise argparse.ArgumentTypeError(f"it must be a whole number, not {text!r}") from None
    if number < 1:
        raise argparse.ArgumentTypeError(f"it must be at least 1, not {number}")
    return number


def say_ready() -> None:
    """Tell whoever started the worker that it takes jobs."""
    words = "wove: ready; SIGTERM or Ctrl-C stops it after the jobs in hand"
    print(words, file=sys.stderr, flush=True)


def import_all(modules: Iterable[str]) -> None:
    """Import what the option `--preload` names.

    Raises:
        CannotStartError: one cannot be imported.
    """
    module = ""
    try:
        for module in modules:
            importlib.import_module(module)
    except ImportError as error:
        raise CannotStartError(f"--preload {module}: cannot import it: {error}") from error


def check_redis(url: str, *, seconds: float) -> dict[str, Any]:
    """Have an answer of the Redis that the option `--redis-url` names.

    Args:
        url: the option's value.
        seconds: how long the answer may take.

    Returns:
        The limits of time that the connection was given, for a client of the caller's own.

    Raises:
        CannotStartError: there is none.
        ImportError: redis-py is not installed.
    """
    import redis

    limits: dict[str, Any] = {"socket_connect_timeout": seconds, "socket_timeout": seconds}
    try:
        with redis.Redis.from_url(url, retry=None, **limits) as probe:
            probe.ping()
    except ValueError as error:  # its text may quote a part of the password
        raise CannotStartError(f"--redis-url {masked(url)} is no URL of a Redis") from error
    except TypeError as error:  # an option in it that redis-py does not know
        raise CannotStartError(f"--redis-url {masked(url)}: {error}") from error
    except (redis.RedisError, OSError) as error:
        raise CannotStartError(
            f"cannot reach Redis at {masked(url)}: {str(error).rstrip('.')}. "
            "Check that it runs and that --redis-url is right."
        ) from error
    return limits


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
    if "://" in reference:  # it may hold a password
        raise CannotStartError(f"{option} {masked(reference)}: give MODULE:NAME of {what}, no URL")
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
