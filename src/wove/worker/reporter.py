"""Delivery of one event: retries, backoff, deadline."""

from __future__ import annotations

import random
import threading
import time
from dataclasses import replace
from http import HTTPStatus
from typing import TYPE_CHECKING

from wove.worker.answers import Answer, Verdict

if TYPE_CHECKING:
    from wove.worker.messages import Body
    from wove.worker.routes import Route

__all__ = ["Reporter", "Undelivered"]

ANSWER_SECONDS = 30.0
"""A try without an answer is given up after this, and what its event takes to be sent."""
BYTES_PER_SECOND = 64 * 1024
"""The slowest link on which a large event still arrives."""
TOO_LARGE = HTTPStatus.REQUEST_ENTITY_TOO_LARGE
PROXY_REFUSALS = 3
"""413 of somebody else than a receiver, so often in a row: a proxy's limit, and no accident."""
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

    def deliver(
        self,
        body: Body,
        *,
        seconds: float,
        tried: Answer | None = None,
        replaceable: bool = False,
    ) -> Answer:
        """Send until there is a final answer, with the same bytes each time.

        Args:
            body: the event.
            seconds: the deadline, from now.
            tried: the answer to a try that was made already, which was not final.
            replaceable: a smaller event can take its place. A proxy that says 413 some times
                in a row is then believed, as `Verdict.INVALID`.

        Raises:
            Undelivered: no final answer came in time.
        """
        begin = time.monotonic()
        tries, fresh, too_large = 0, False, 0
        while True:
            answer, tried = tried, None
            if answer is None:
                left = min(begin + seconds, self._latest) - time.monotonic()
                patience = ANSWER_SECONDS + len(body.data) // BYTES_PER_SECOND
                timeout = max(min(patience, left), 0.1)
                answer = self.route.post(body, timeout=timeout, fresh=fresh)
            tries += 1
            if answer.is_final:
                return answer
            too_large = too_large + 1 if answer.status == TOO_LARGE else 0
            if replaceable and too_large >= PROXY_REFUSALS:
                return replace(answer, verdict=Verdict.INVALID)
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
