"""Callback URLs without their secret, for logs, errors and questions."""

from __future__ import annotations

import functools
import ipaddress
from urllib.parse import urlsplit

__all__ = ["EVENTS_PATH", "is_local", "redacted"]

EVENTS_PATH = "/wove/events/"
"""Events are posted to this path and a token."""


@functools.lru_cache(maxsize=64)
def redacted(url: str, stand_in: str = "***") -> str:
    """The URL with its token replaced, and without its query and its credentials.

    The token is what follows `/wove/events/`; in a URL without that, as a proxy may have,
    the last part of the path.

    Args:
        url: a callback URL.
        stand_in: what is written in place of the token.
    """
    try:
        parts = urlsplit(url)
    except ValueError:
        return "<not a URL>"
    place = parts.netloc.rpartition("@")[2]
    before, found, after = parts.path.rpartition(EVENTS_PATH)
    if found:
        _, slash, rest = after.partition("/")
        path = f"{before}{EVENTS_PATH}{stand_in}{slash}{rest}"
    else:
        path = f"{parts.path.rpartition('/')[0]}/{stand_in}"
    return f"{parts.scheme}://{place}{path}"


def is_local(url: str) -> bool:
    """The URL's host is this machine, by a name or an address that always means that."""
    host = urlsplit(url).hostname or ""
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False
