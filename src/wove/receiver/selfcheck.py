"""The receiver's suspicion of itself: was it running at all?

Silence is evidence against a worker only while the receiver could have heard
it. A process that was stopped, or a machine that slept, finds its own timer
late, or its two clocks apart; then all silence starts again.
"""

from __future__ import annotations

from wove.receiver.clock import Clock

__all__ = ["CHECK_SECONDS", "SelfCheck"]

CHECK_SECONDS = 1.0
_LATE = 1.0


class SelfCheck:
    """Notices gaps in the receiver's own time.

    `beat` is to be called every `CHECK_SECONDS` while somebody's silence is
    being judged, between `start` and `stop`.
    """

    __slots__ = ("_clock", "_last", "_restarted")

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._last: tuple[float, float] | None = None
        self._restarted = float("-inf")

    def start(self) -> None:
        """Begin to watch, unless begun."""
        if self._last is None:
            self._last = (self._clock.monotonic(), self._clock.wall())

    def stop(self) -> None:
        """Watch no longer."""
        self._last = None

    def beat(self) -> None:
        """The timer fired: compare the clocks with what they should say."""
        if self._last is not None:
            self._last = self._look(self._last)

    def silence_from(self) -> float:
        """Monotonic time before which silence does not count."""
        if self._last is not None:
            self._look(self._last)
        return self._restarted

    def _look(self, last: tuple[float, float]) -> tuple[float, float]:
        monotonic, wall = self._clock.monotonic(), self._clock.wall()
        passed = monotonic - last[0]
        if passed > CHECK_SECONDS + _LATE or abs(wall - last[1] - passed) > _LATE:
            self._restarted = monotonic
        return monotonic, wall
