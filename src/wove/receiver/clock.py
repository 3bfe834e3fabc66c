"""Time as the receiver sees it: injected, so that tests can move it."""

from __future__ import annotations

import time
from typing import Protocol

__all__ = ["SYSTEM_CLOCK", "Clock"]


class Clock(Protocol):
    """Two clocks. Rules use `monotonic`; `wall` only shows up a machine that slept."""

    def monotonic(self) -> float:
        """Seconds since an arbitrary start; never goes back."""
        ...

    def wall(self) -> float:
        """Unix seconds."""
        ...


class _SystemClock:
    monotonic = staticmethod(time.monotonic)
    wall = staticmethod(time.time)


SYSTEM_CLOCK: Clock = _SystemClock()
