"""Delivery of one event: retries, backoff, deadline."""

from __future__ import annotations

import random
import threading
import time
from typing import TYPE_CHECKING

from wove.worker.answers import Answer, Verdict

if TYPE_CHECKING:
    from wove.worker.messages import Body
    from wove.worker.routes import Route

__all__ = ["Reporter", "Undelivered"]

ANSWER_SECONDS = 30.0
"""Without progress for this long a try is given up."""
FIRST_BACKOFF = 0.1
MAX_BACKOFF = 10.0


class Undelivered(Exception):  # noqa: N818 - inner signal; callers make an error of it
    """The deadline passed without a final answer.

    Attributes:
        tries: how often it was sent.
        seconds: for how long.
        last: what the last try met, in words.
    """

    def __init__(self, tries: int, seconds: float, last: str) -> None:
        super().__init__(f"{tries} tries in {seconds:.0f} s, the last: {last}")
        self.tries = tries
        self.seconds = seconds
        self.last = last


class Reporter:
    """Delivers the events of one execution over its route."""

    def __init__(self, route: Route) -> None:
        self.route = route
        self._hurry = threading.Event()
        self._latest = float("inf")

    def deliver(self, body: Body, *, seconds: float, tried: Answer | None = None) -> Answer:
        """Send until there is a final answer, with the same bytes each time.

        Args:
            body: the event.
            seconds: the deadline, from now.
            tried: the answer to a try that was made already, which was not final.

        Raises:
            Undelivered: no final answer came in time.
        """
        begin = time.monotonic()
        tries, fresh = 0, False
        while True:
            answer, tried = tried, None
            if answer is None:
                left = min(begin + seconds, self._latest) - time.monotonic()
                timeout = max(min(ANSWER_SECONDS, left), 0.1)
                answer = self.route.post(body, timeout=timeout, fresh=fresh)
            tries += 1
            if answer.is_final:
                return answer
            fresh = answer.verdict is Verdict.ELSEWHERE
            pause = random.uniform(0, min(MAX_BACKOFF, FIRST_BACKOFF * 2 ** min(tries, 16)))  # noqa: S311
            if answer.retry_after is not None:
                pause += answer.retry_after
            left = min(begin + seconds, self._latest) - time.monotonic()
            if left <= 0:
                raise Undelivered(tries, time.monotonic() - begin, answer.text)
            self._sleep(min(pause, left))

    def hurry(self, seconds: float) -> None:
        """Give up everything that is not delivered `seconds` from now, from any thread."""
        self._latest = min(self._latest, time.monotonic() + seconds)
        self._hurry.set()

    def _sleep(self, seconds: float) -> None:
        if self._hurry.is_set():
            time.sleep(min(seconds, 0.1))
        else:
            self._hurry.wait(seconds)
