"""Addresses of backends in messages: without their passwords."""

from __future__ import annotations

import re
from collections.abc import Iterable

__all__ = ["masked"]

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
