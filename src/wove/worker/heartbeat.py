"""Heartbeats: one thread and one connection per receiver, for all runs of this process.

A beat says that this process lives. It is made when it is due and sent once: one
that could not be sent is forgotten, because the next says more.
"""

from __future__ import annotations

import heapq
import itertools
import logging
import os
import random
import threading
import time
from collections.abc import Callable

from wove.worker.answers import Answer, Verdict
from wove.worker.reporter import FIRST_BACKOFF, Reporter
from wove.worker.transport import Transport, new_transport

__all__ = ["Pulse"]

_log = logging.getLogger(__name__)

IDLE_SECONDS = 30.0
"""A thread without a run to beat for ends after this."""
BEAT_SECONDS = 10.0
"""An answer to a beat that takes longer is not waited for."""


class Pulse:
    """The heartbeats of one execution, from its making until `stop`.

    Args:
        reporter: of the execution; the connection is not shared with it.
        interval: seconds between beats.
        make: makes the next beat's request.
        heard: called with each accepted or final answer, from the beating thread.
    """

    def __init__(
        self,
        reporter: Reporter,
        *,
        interval: float,
        make: Callable[[], bytes],
        heard: Callable[[Answer], None],
    ) -> None:
        self.interval = interval
        self.stopped = False
        self._make = make
        self._heard = heard
        self._receiver_id = reporter.receiver_id
        self._endpoint = reporter.endpoint
        self._failures = 0
        _start(self, reporter.endpoint.address)

    def stop(self) -> None:
        """No beat is begun after this."""
        self.stopped = True
        # The heart forgets it when it is next due: let go of the execution before.
        self._make = bytes
        self._heard = lambda answer: None

    def beat(self, transport: Transport) -> float:
        """Send one beat; seconds until the next."""
        make, heard = self._make, self._heard
        if self.stopped:
            return 0.0
        reporter = Reporter(self._endpoint, self._receiver_id, transport)
        answer = reporter.once(make(), timeout=min(self.interval, BEAT_SECONDS))
        if answer.verdict in (Verdict.RETRY, Verdict.ELSEWHERE):
            self._failures += 1
            backoff = random.uniform(0.5, 1) * FIRST_BACKOFF * 2 ** min(self._failures, 16)  # noqa: S311
            return float(min(self.interval, backoff))
        self._failures = 0
        if answer.ack is not None and answer.ack.HasField("heartbeat_seconds"):
            self.interval = answer.ack.heartbeat_seconds
        heard(answer)
        return self.interval


class _Heart:
    """The thread that beats to one receiver."""

    def __init__(self, address: tuple[str, str, int]) -> None:
        self._address = address
        self._changed = threading.Condition()
        self._due: list[tuple[float, int, Pulse]] = []
        self._number = itertools.count()
        self._ended = False
        threading.Thread(target=self._run, name="wove-heartbeat", daemon=True).start()

    def add(self, pulse: Pulse) -> bool:
        """Beat for `pulse` too; False if this heart has ended meanwhile."""
        with self._changed:
            if self._ended:
                return False
            first = (time.monotonic() + pulse.interval, next(self._number), pulse)
            heapq.heappush(self._due, first)
            if self._due[0] is first:
                self._changed.notify()
            return True

    def _run(self) -> None:
        transport = new_transport()
        while (pulse := self._next()) is not None:
            try:
                pause = pulse.beat(transport)
            except Exception:  # noqa: BLE001 - one run's trouble is not that of the others
                _log.exception("a heartbeat failed")
                pause = pulse.interval
            with self._changed:
                if not pulse.stopped:
                    due = (time.monotonic() + pause, next(self._number), pulse)
                    heapq.heappush(self._due, due)
        transport.close()

    def _next(self) -> Pulse | None:
        """Wait for a pulse to be due; None if there has been none for long."""
        with self._changed:
            idle_since = time.monotonic()
            while True:
                now = time.monotonic()
                while self._due and self._due[0][2].stopped:
                    heapq.heappop(self._due)
                if self._due:
                    idle_since = now
                    if self._due[0][0] <= now:
                        return heapq.heappop(self._due)[2]
                    self._changed.wait(self._due[0][0] - now)
                elif now - idle_since >= IDLE_SECONDS:
                    self._ended = True
                    with _lock:
                        if _hearts.get(self._address) is self:
                            del _hearts[self._address]
                    return None
                else:
                    self._changed.wait(IDLE_SECONDS)


_lock = threading.Lock()
_hearts: dict[tuple[str, str, int], _Heart] = {}


def _start(pulse: Pulse, address: tuple[str, str, int]) -> None:
    while True:
        with _lock:
            heart = _hearts.get(address)
            if heart is None:
                heart = _hearts[address] = _Heart(address)
        if heart.add(pulse):
            return


def _after_fork() -> None:
    # The parent's threads are not here, and its locks may be held for ever.
    global _lock
    _lock = threading.Lock()
    _hearts.clear()


os.register_at_fork(after_in_child=_after_fork)
