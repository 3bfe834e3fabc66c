"""Callback URLs: where to connect."""

from __future__ import annotations

import functools
from dataclasses import dataclass, field
from urllib.parse import urlsplit

__all__ = ["Endpoint"]

MAX_LABEL = 63
"""Characters between two dots of a host's name: DNS knows no longer ones."""


@dataclass(frozen=True)
class Endpoint:
    """A callback URL in parts.

    Attributes:
        scheme: "http" or "https".
        host: a name or an address, without brackets.
        port: a TCP port.
        authority: the value of the `Host` header.
        target: path and query of the request line. Holds the token.
    """

    scheme: str
    host: str
    port: int
    authority: str
    target: str = field(repr=False)

    @classmethod
    @functools.lru_cache(maxsize=64)  # a worker serves the same few weaves again and again
    def parse(cls, url: str) -> Endpoint:
        """Take a callback URL apart.

        Raises:
            ValueError: it is not an HTTP URL of printable ASCII, or its host cannot exist. The
                message does not hold it.
        """
        if not url.isascii() or not url.isprintable() or " " in url:
            raise ValueError("it holds characters that a URL must escape")
        parts = urlsplit(url)
        if parts.scheme not in ("http", "https"):
            raise ValueError(f"its scheme is {parts.scheme!r}; http and https are known")
        if not parts.hostname:
            raise ValueError("it names no host")
        labels = parts.hostname.removesuffix(".").split(".")
        if not all(0 < len(label) <= MAX_LABEL for label in labels):
            raise ValueError("its host has an empty part, or one of over 63 characters")
        port = (443 if parts.scheme == "https" else 80) if parts.port is None else parts.port
        if port == 0:
            raise ValueError("its port is 0; 1 to 65535 can be connected to")
        target = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
        authority = parts.netloc.rpartition("@")[2]
        return cls(parts.scheme, parts.hostname, port, authority, target)

    @property
    def address(self) -> tuple[str, str, int]:
        """What two URLs have in common whose requests may share a connection."""
        return (self.scheme, self.host, self.port)
