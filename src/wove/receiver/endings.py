"""How a run ended, in the few bytes that are kept of it afterwards.

An ended run leaves a tombstone, so that a retry of its terminal event whose
answer was lost is told "accepted" and anything else is told the truth. Kept
are digests, not texts: event ids are chosen by workers and may be long.
"""

from __future__ import annotations

from collections import deque
from hashlib import blake2b
from struct import Struct
from typing import NamedTuple

from wovepb.v1.event_pb2 import Event

__all__ = ["NO_EVENT", "TOMBSTONE_SECONDS", "RunEnding", "Tombstones", "ending_of"]

TOMBSTONE_SECONDS = 3600.0
TOMBSTONE_LIMIT = 100_000


class RunEnding(NamedTuple):
    """The terminal event of a run, as far as later events must be compared with it."""

    event: bytes
    """Digest of the terminal event's key; empty when the run ended without an event."""
    execution: bytes
    """Digest of the execution that sent it; empty when it named none."""
    result: bool
    """The terminal event was a `task_result`."""

    def by_event(self) -> bool:
        """The run ended with an event, not by a timeout, a cancel or a verdict."""
        return bool(self.event)

    def is_same(self, event: Event, kind: str) -> bool:
        """`event` is the terminal event itself, sent again."""
        return self.event == _event_key(event, kind)

    def is_other_execution(self, event: Event) -> bool:
        """`event` names an execution, and not the one that ended the run."""
        given = _digest(event.execution_id)
        return bool(given and self.execution and given != self.execution)


NO_EVENT = RunEnding(b"", b"", result=False)


def ending_of(event: Event, kind: str) -> RunEnding:
    """The ending that terminal `event`, of type `kind`, makes."""
    return RunEnding(_event_key(event, kind), _digest(event.execution_id), kind == "task_result")


def _event_key(event: Event, kind: str) -> bytes:
    # Workers of the published package send no event_id: one event of each type.
    return _digest(event.event_id or f"type:{kind}")


def _digest(text: str, size: int = 8) -> bytes:
    return blake2b(text.encode(), digest_size=size).digest() if text else b""


class Tombstones:
    """Endings by run, for one hour, at most 100,000, each under 200 bytes."""

    __slots__ = ("_limit", "_order", "_packed")

    _FORMAT = Struct("<I8s8s?")  # seconds, terminal event, execution, result

    def __init__(self, limit: int = TOMBSTONE_LIMIT) -> None:
        self._limit = limit
        self._packed: dict[bytes, bytes] = {}
        self._order: deque[bytes] = deque()

    def __len__(self) -> int:
        return len(self._packed)

    def add(self, run_id: str, ending: RunEnding, now: float) -> None:
        """Remember how `run_id` ended at `now` (monotonic seconds)."""
        key = _digest(run_id, 16)
        if key not in self._packed:
            self._order.append(key)
        self._packed[key] = self._FORMAT.pack(
            int(now) & 0xFFFFFFFF, ending.event, ending.execution, ending.result
        )
        self._forget_old(now)

    def get(self, run_id: str, now: float) -> RunEnding | None:
        """How `run_id` ended; None when that is not known, or no longer."""
        packed = self._packed.get(_digest(run_id, 16))
        if packed is None:
            return None
        ended, event, execution, result = self._FORMAT.unpack(packed)
        if self._age(ended, now) > TOMBSTONE_SECONDS:
            return None
        return RunEnding(_unpad(event), _unpad(execution), result)

    def _forget_old(self, now: float) -> None:
        while self._order:
            ended = self._FORMAT.unpack(self._packed[self._order[0]])[0]
            if len(self._order) <= self._limit and self._age(ended, now) <= TOMBSTONE_SECONDS:
                return
            del self._packed[self._order.popleft()]

    @staticmethod
    def _age(ended: int, now: float) -> int:
        return (int(now) - ended) & 0xFFFFFFFF


def _unpad(digest: bytes) -> bytes:
    return digest if digest != bytes(8) else b""
