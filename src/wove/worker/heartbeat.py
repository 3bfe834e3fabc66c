"""Heartbeats: a thread and a connection per receiver, for the runs of this process.

A beat says that this process lives. It is made when it is due and sent once: one
that could not be sent is forgotten, because the next says more.
"""

from __future__ import annotations

import heapq
import itertools
import logging
import math
import os
import random
import threading
import time
from collections.abc import Callable, Hashable

from wove.worker.answers import Answer, Verdict
from wove.worker.messages import Body
from wove.worker.reporter import FIRST_BACKOFF
from wove.worker.routes import Line, Route
from wovepb.v1.ack_pb2 import EventAck

__all__ = ["Pulse", "usable_interval"]

_log = logging.getLogger(__name__)

IDLE_SECONDS = 30.0
"""A thread without a run to beat for ends after this."""
MAX_PULSES = 16
"""Runs that one thread beats for. It waits for each answer: more runs get a further thread."""
BEAT_SECONDS = (1.0, 10.0)
"""An answer to a beat is waited for as long as the interval, but within these."""
INTERVALS = (0.01, 240.0)
"""Shorter ones would be a flood; after five minutes without a word a receiver hangs up."""


def usable_interval(asked: float) -> float | None:
    """An interval in seconds, within `INTERVALS`; None for what is none: 0, below, not finite."""
    shortest, longest = INTERVALS
    return min(max(asked, shortest), longest) if 0 < asked < math.inf else None


class Pulse:
    """The heartbeats of one execution, from its making until `stop`.

    Args:
        run_id: of the execution.
        route: of the execution; the connection is not shared with it.
        interval: seconds between beats.
        make: makes the next beat.
        heard: called with each accepted or final answer, from the beating thread.
    """

    def __init__(
        self,
        run_id: str,
        route: Route,
        *,
        interval: float,
        make: Callable[[], Body],
        heard: Callable[[Answer], None],
    ) -> None:
        self.run_id = run_id
        self.route = route
        self.interval = interval
        self.stopped = False
        self._make: Callable[[], Body] | None = make
        self._heard = heard
        self._failures = 0
        self._elsewhere = False
        self._heart = _start(self, route)

    def stop(self) -> None:
        """No beat is begun after this."""
        if not self.stopped:
            self.stopped = True
            self._heart.leave()
        # The heart forgets it when it is next due: let go of the execution before.
        self._make = None
        self._heard = lambda answer: None

    def cancel(self) -> None:
        """The receiver asks, out of turn, to stop the run."""
        ack = EventAck()
        ack.cancel.run_id = self.run_id
        self._heard(Answer(Verdict.ACCEPTED, "cancel", ack=ack))

    def beat(self, line: Line) -> float:
        """Send one beat; seconds until the next."""
        make, heard = self._make, self._heard
        if make is None:
            return 0.0
        shortest, longest = BEAT_SECONDS
        timeout = min(max(self.interval, shortest), longest)
        answer = self.route.post(make(), timeout=timeout, fresh=self._elsewhere, line=line)
        self._elsewhere = answer.verdict is Verdict.ELSEWHERE
        if not answer.is_final:
            self._failures += 1
            backoff = random.uniform(0.5, 1) * FIRST_BACKOFF * 2 ** min(self._failures, 16)  # noqa: S311
            return float(min(self.interval, backoff))
        self._failures = 0
        if answer.ack is not None:
            self.interval = usable_interval(answer.ack.heartbeat_seconds) or self.interval
        heard(answer)
        return self.interval


class _Heart:
    """A thread that beats to one receiver."""

    def __init__(self, route: Route) -> None:
        self._route = route
        self._pushes = False
        self._changed = threading.Condition()
        self._due: list[tuple[float, int, Pulse]] = []
        self._beating: Pulse | None = None
        self._number = itertools.count()
        self._beating_for = 0
        self._ended = False
        threading.Thread(target=self._run, name="wove-heartbeat", daemon=True).start()

    def add(self, pulse: Pulse) -> bool:
        """Beat for `pulse` too; False if this heart is full, or has ended meanwhile."""
        with self._changed:
            if self._ended or self._beating_for >= MAX_PULSES:
                return False
            self._beating_for += 1
            # Where the receiver can ask out of turn, the first beat opens the way for that.
            pause = 0.0 if self._pushes else pulse.interval
            first = (time.monotonic() + pause, next(self._number), pulse)
            heapq.heappush(self._due, first)
            if self._due[0] is first:
                self._changed.notify()
            return True

    def leave(self) -> None:
        """One pulse has stopped. It is forgotten when it is next due."""
        with self._changed:
            self._beating_for -= 1

    def _run(self) -> None:
        line = self._route.new_line()
        line.on_cancel = self._cancel
        with self._changed:
            self._pushes = line.pushes
            if line.pushes:
                self._due = [(0.0, number, pulse) for _, number, pulse in self._due]
                heapq.heapify(self._due)
        while (pulse := self._next()) is not None:
            try:
                pause = pulse.beat(line)
            except Exception:  # noqa: BLE001 - one run's trouble is not that of the others
                _log.exception("a heartbeat failed")
                pause = pulse.interval
            with self._changed:
                self._beating = None
                if not pulse.stopped:
                    due = (time.monotonic() + pause, next(self._number), pulse)
                    heapq.heappush(self._due, due)
        line.close()

    def _cancel(self, run_id: str) -> None:
        with self._changed:
            pulses = [pulse for _, _, pulse in self._due]
            if self._beating is not None:  # it may have to wait for its answer for long
                pulses.append(self._beating)
        for pulse in pulses:
            if pulse.run_id == run_id:
                pulse.cancel()

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
                        self._beating = heapq.heappop(self._due)[2]
                        return self._beating
                    self._changed.wait(self._due[0][0] - now)
                elif now - idle_since >= IDLE_SECONDS:
                    self._ended = True
                    with _lock:
                        hearts = _hearts.get(self._route.key, [])
                        if self in hearts:
                            hearts.remove(self)
                        if not hearts:
                            _hearts.pop(self._route.key, None)
                    return None
                else:
                    self._changed.wait(IDLE_SECONDS)


_lock = threading.Lock()
_hearts: dict[Hashable, list[_Heart]] = {}


def _start(pulse: Pulse, route: Route) -> _Heart:
    with _lock:
        hearts = list(_hearts.get(route.key, ()))
    for heart in hearts:
        if heart.add(pulse):
            return heart
    heart = _Heart(route)
    heart.add(pulse)
    with _lock:
        _hearts.setdefault(route.key, []).append(heart)
    return heart


def _after_fork() -> None:
    # The parent's threads are not here, and its locks may be held for ever.
    global _lock
    _lock = threading.Lock()
    _hearts.clear()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_after_fork)
