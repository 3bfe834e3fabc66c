"""Which sequence numbers of an execution have been seen."""

from __future__ import annotations

__all__ = ["SequenceWindow"]

_BITS = 64
_MASK = (1 << _BITS) - 1


class SequenceWindow:
    """The highest sequence number seen and a bit for each of the 64 up to it.

    Constant memory per execution, whatever it sends. A number below the window
    is taken for one already seen: events overtake each other by a few places,
    not by 64.
    """

    __slots__ = ("_bits", "_highest")

    def __init__(self) -> None:
        self._highest = 0
        self._bits = 0

    def add(self, sequence: int) -> bool:
        """Note `sequence` (from 1). True when it is new, False when it was seen before."""
        ahead = sequence - self._highest
        if ahead > 0:
            self._bits = ((self._bits << ahead) | 1) & _MASK if ahead < _BITS else 1
            self._highest = sequence
            return True
        if ahead <= -_BITS:
            return False
        bit = 1 << -ahead
        if self._bits & bit:
            return False
        self._bits |= bit
        return True
