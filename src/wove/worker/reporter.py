"""Delivery of one event: retries, backoff, deadline."""

from __future__ import annotations

import random
import threading
import time
from dataclasses import dataclass, field

from wove import __version__
from wove.worker.answers import Answer, Verdict, judge
from wove.worker.endpoint import Endpoint
from wove.worker.transport import Transport, shared_transport

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


@dataclass
class Reporter:
    """Sends the events of one execution.

    Attributes:
        endpoint: the callback.
        receiver_id: the payload's; empty if it has none.
        transport: carries the requests.
    """

    endpoint: Endpoint
    receiver_id: str = ""
    transport: Transport = field(default_factory=shared_transport)

    def __post_init__(self) -> None:
        self._hurry = threading.Event()
        self._latest = float("inf")

    def request(self, body: bytes, content_type: str) -> bytes:
        """The HTTP request that carries `body`."""
        receiver = f"Wove-Receiver: {self.receiver_id}\r\n" if self.receiver_id else ""
        head = (
            f"POST {self.endpoint.target} HTTP/1.1\r\n"
            f"Host: {self.endpoint.authority}\r\n"
            f"User-Agent: wove/{__version__}\r\n"
            f"Content-Type: {content_type}\r\n"
            f"Content-Length: {len(body)}\r\n"
            f"{receiver}\r\n"
        )
        return head.encode("latin-1") + body

    def once(self, request: bytes, *, timeout: float, fresh: bool = False) -> Answer:
        """One try. Having no answer is an answer too: `Verdict.RETRY`."""
        try:
            response = self.transport.send(self.endpoint, request, timeout=timeout, fresh=fresh)
        except OSError as error:
            return Answer(Verdict.RETRY, f"{type(error).__name__}: {error}")
        return judge(response, self.receiver_id)

    def deliver(self, request: bytes, *, seconds: float) -> Answer:
        """Send until there is a final answer, with the same bytes each time.

        Args:
            request: of `request()`.
            seconds: the deadline, from now.

        Raises:
            Undelivered: no final answer came in time.
        """
        begin = time.monotonic()
        tries, fresh = 0, False
        while True:
            left = min(begin + seconds, self._latest) - time.monotonic()
            answer = self.once(request, timeout=max(min(ANSWER_SECONDS, left), 0.1), fresh=fresh)
            tries += 1
            if answer.verdict not in (Verdict.RETRY, Verdict.ELSEWHERE):
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
