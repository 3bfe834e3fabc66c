"""`delivery_max_in_flight`: how many items of one weave an environment holds at once."""

from __future__ import annotations

import asyncio
from collections import deque

__all__ = ["InFlight"]


class InFlight:
    """Counts the items in flight and lets new ones wait, first come first served.

    Each item brings its own limit, because tasks of one environment may differ in it.
    An item without a limit never waits, and is counted for the others.
    """

    def __init__(self) -> None:
        self._count = 0
        self._waiting: deque[tuple[int, asyncio.Future[None]]] = deque()

    async def acquire(self, limit: int | None) -> None:
        """Enter, when fewer than `limit` items are in flight."""
        if limit is None or (self._count < limit and not self._waiting):
            self._count += 1
            return
        turn: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        entry = (limit, turn)
        self._waiting.append(entry)
        try:
            await turn  # whoever lets us in has counted us already
        except asyncio.CancelledError:
            if not turn.cancelled():
                self.release()
            elif entry in self._waiting:  # else somebody who left has passed it over
                self._waiting.remove(entry)
                self._admit()
            raise

    def release(self) -> None:
        """Leave, and let in who may enter now."""
        self._count -= 1
        self._admit()

    def _admit(self) -> None:
        while self._waiting and self._count < self._waiting[0][0]:
            _, turn = self._waiting.popleft()
            if not turn.done():
                self._count += 1
                turn.set_result(None)
