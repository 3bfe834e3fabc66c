"""A broker's URL in messages: without its password, and why Celery cannot use it."""

from __future__ import annotations

import importlib
import importlib.metadata
import re
from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

from wove.errors import MissingPackageError

if TYPE_CHECKING:
    from celery.app.base import Celery

__all__ = ["UNUSABLE", "address_of", "check_result_backend", "masked", "unusable"]

UNUSABLE = (ImportError, AttributeError, KeyError, TypeError, ValueError)
"""What kombu raises when it cannot load the transport that a URL names, or take its options."""

_REDIS = ("redis", "rediss", "sentinel")
_PASSWORD = re.compile(r"^((?:[^:@]*://)?[^:@]*):(?!//).+@", re.DOTALL)
_BETWEEN_URLS = re.compile(r";(?=[a-z0-9+.-]+://)", re.IGNORECASE)


def masked(url: str | Iterable[str]) -> str:
    """A broker's URL, or several, with passwords masked and without queries, which may hold some.

    kombu's `as_uri` shows a password where there is none, and needs the transport's package.
    A password that should have been percent-encoded, and breaks the URL, is masked too.
    """
    if not isinstance(url, str):
        return ";".join(masked(each) for each in url)
    each_url = (each.strip(";") for each in _BETWEEN_URLS.split(url))
    return ";".join(_PASSWORD.sub(r"\1:**@", each).partition("?")[0] for each in each_url if each)


def address_of(app: Celery, *, reads: bool = False) -> str:
    """The masked URL of the broker that an application is configured for."""
    url = app.conf.broker_read_url if reads else app.conf.broker_write_url
    return masked(url) if url else "amqp://localhost (Celery's own default)"


def unusable(error: Exception, address: str, setting: str) -> MissingPackageError | ValueError:
    """What to raise when the transport of a broker's URL cannot be loaded.

    Args:
        error: what kombu raised, one of `UNUSABLE`.
        address: the broker's masked URL.
        setting: where the URL comes from.
    """
    scheme = address.partition("://")[0].partition("+")[0] if "://" in address else "amqp"
    package = _missing_package(error, scheme)
    if package is not None:
        return MissingPackageError(
            f"Celery needs the package `{package}` for its broker {address}, which is "
            f"{setting}, and it is not installed. "
            f"Install with: pip install {_what_to_install(scheme, package)}"
        )
    return ValueError(
        f"{setting} names no broker that Celery can use: {address} (scheme {scheme!r}): "
        f"{_reason(error)}"
    )


def check_result_backend(app: Celery, setting: str) -> None:
    """Load the client of an application's result backend; it does not connect.

    Args:
        app: the application.
        setting: where the URL comes from.

    Raises:
        ValueError: Celery cannot use it.
    """
    from celery.exceptions import ImproperlyConfigured

    try:
        app.backend  # noqa: B018 - loads it
    except (ImproperlyConfigured, *UNUSABLE) as error:
        cause = None if isinstance(error, ValueError) else error  # it may quote the password
        raise ValueError(
            f"Celery cannot use the result backend {masked(str(app.conf.result_backend))}, which "
            f"is {setting}: {_reason(error)}"
        ) from cause


def _reason(error: Exception) -> str:
    if isinstance(error, ValueError):
        return "it cannot be read as a URL"  # the error's text may quote a part of the password
    words = error.args[0] if isinstance(error, KeyError) and error.args else error
    return str(words).rstrip(".")


def _missing_package(error: Exception, scheme: str) -> str | None:
    if isinstance(error, ImportError):
        # kombu's own ImportErrors have no name: "Missing redis library (pip install redis)".
        name = (error.name or "").partition(".")[0]
        return name or ("redis" if scheme in _REDIS else scheme)
    # kombu keeps None in place of a client that it could not import, and stumbles over it.
    if scheme in _REDIS:
        try:
            importlib.import_module("redis")
        except ImportError:
            return "redis"
    return None


def _what_to_install(scheme: str, package: str) -> str:
    if scheme in _REDIS:
        return "'wove[celery]'"
    metadata: Any = importlib.metadata.metadata("celery")
    extras = metadata.get_all("Provides-Extra") or ()
    return f"'celery[{scheme}]'" if scheme in extras else package
