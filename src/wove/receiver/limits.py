"""Every limit of the HTTP door, in one place."""

from __future__ import annotations

import sys
from dataclasses import dataclass, replace

__all__ = ["Limits", "within_open_files"]

_MIB = 1024 * 1024


@dataclass(frozen=True, kw_only=True)
class Limits:
    """What one receiver takes from its callers. Sizes in bytes, times in seconds."""

    body_bytes: int = 64 * _MIB
    """Largest body of one event; announced or chunked."""
    head_bytes: int = 32 * 1024
    """Largest request line and headers together."""
    headers: int = 100
    """Most headers of one request."""
    buffered_bytes: int = 512 * _MIB
    """Most bytes of unfinished bodies of all connections together."""
    connections: int = 4096
    """Most connections at once; fewer where the process may not open as many files."""
    backlog: int = 2048
    """Connections that the kernel keeps before they are accepted."""
    idle_seconds: float = 300.0
    """A connection without a request, once one of its requests had a right token."""
    head_seconds: float = 10.0
    """From the first byte of a request to the end of its headers; and a connection without a
    request that has not shown a right token yet."""
    body_seconds: float = 30.0
    """From the end of the headers to the end of the body, plus the time that
    the received bytes take at `body_rate`."""
    body_rate: float = 16 * 1024.0
    """Slowest body, in bytes a second, once `body_seconds` are used up."""
    discard_bytes: int = 64 * 1024
    """Largest body of a refused request that is read to keep the connection."""
    drain_bytes: int = 16 * _MIB
    """Most bytes read after an early refusal, so that the caller can read the answer."""
    drain_seconds: float = 5.0
    """Longest time for the same."""


def within_open_files(limits: Limits) -> Limits:
    """Limits that leave the process a quarter of the files it may open (`ulimit -n`)."""
    if sys.platform == "win32":
        return limits
    import resource

    most, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
    if most == resource.RLIM_INFINITY:
        return limits
    return replace(limits, connections=min(limits.connections, most * 3 // 4))
