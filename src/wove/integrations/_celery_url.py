"""A broker's URL in messages: which it is, and why Celery cannot use it."""

from __future__ import annotations

import importlib
import importlib.metadata
from typing import TYPE_CHECKING, Any

from wove.errors import MissingPackageError
from wove.integrations._url import masked

if TYPE_CHECKING:
    from celery.app.base import Celery

__all__ = ["UNUSABLE", "address_of", "check_result_backend", "is_redis", "unusable"]

UNUSABLE = (ImportError, AttributeError, KeyError, TypeError, ValueError)
"""What kombu raises when it cannot load the transport that a URL names, or take its options."""

_REDIS = ("redis", "rediss", "sentinel")


def address_of(app: Celery, *, reads: bool = False) -> str:
    """The masked URL of the broker that an application is configured for."""
    url = app.conf.broker_read_url if reads else app.conf.broker_write_url
    return masked(url) if url else "amqp://localhost (Celery's own default)"


def is_redis(url: str) -> bool:
    """Whether a broker's URL, or the first one of several, leads to a Redis."""
    return url.partition("://")[0].partition("+")[0] in _REDIS


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
