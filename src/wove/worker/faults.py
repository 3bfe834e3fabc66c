"""Faults between a worker and its receiver, for users' own tests.

`"executor_config": {"faults": {"lose_answer": 0.2, "seed": 7}}` of the `process` executor
makes its workers' requests go wrong with these probabilities, the same ones for the same
seed and the same requests.
"""

from __future__ import annotations

import random
import threading
import time
from collections.abc import Mapping
from typing import Any

from wove.worker.connection import Response
from wove.worker.endpoint import Endpoint
from wove.worker.transport import Transport, install

__all__ = ["KINDS", "FaultyTransport", "check", "inject"]

KINDS = ("lose_request", "lose_answer", "duplicate", "delay", "reorder", "corrupt")
"""What can go wrong; each is a key of `faults`, its value a probability from 0 to 1:

- lose_request: the receiver never gets it, the worker gets no answer;
- lose_answer: the receiver gets it, the worker gets no answer;
- duplicate: the receiver gets it twice;
- delay: it is held for `delay_seconds` (0.2) first;
- reorder: the worker gets no answer, and the request arrives after its next one;
- corrupt: some of its body's bytes are changed, and the worker gets no answer.
"""


class FaultyTransport:
    """A transport around a real one.

    Args:
        inner: the real one.
        faults: probabilities by kind, `delay_seconds`, and `seed` (0).
    """

    def __init__(self, inner: Transport, faults: Mapping[str, Any]) -> None:
        self._inner = inner
        self._chances = [(kind, float(faults.get(kind, 0))) for kind in KINDS]
        self._delay = float(faults.get("delay_seconds", 0.2))
        self._dice = random.Random(faults.get("seed", 0))  # noqa: S311 - repeatable on purpose
        self._lock = threading.Lock()
        self._held: list[tuple[Endpoint, bytes]] = []

    def send(
        self, endpoint: Endpoint, request: bytes, *, timeout: float, fresh: bool = False
    ) -> Response:
        """See `Transport`."""
        with self._lock:
            fault = self._draw()
            late, self._held = self._held, []
            if fault == "reorder":
                self._held.append((endpoint, request))
        if fault == "delay":
            time.sleep(self._delay)
        if fault == "corrupt":
            self._inner.send(endpoint, self._damaged(request), timeout=timeout)
        if fault in ("lose_request", "reorder", "corrupt"):
            raise ConnectionResetError(f"injected fault: {fault}")
        response = self._inner.send(endpoint, request, timeout=timeout, fresh=fresh)
        if fault == "duplicate":
            response = self._inner.send(endpoint, request, timeout=timeout)
        for earlier in late:
            self._inner.send(*earlier, timeout=timeout)
        if fault == "lose_answer":
            raise ConnectionResetError(f"injected fault: {fault}")
        return response

    def close(self) -> None:
        """See `Transport`."""
        self._inner.close()

    def _draw(self) -> str | None:
        point = self._dice.random()
        for kind, chance in self._chances:
            if point < chance:
                return kind
            point -= chance
        return None

    def _damaged(self, request: bytes) -> bytes:
        head, _, body = request.partition(b"\r\n\r\n")
        damaged = bytearray(body)
        for index in range(0, len(damaged), 7):
            damaged[index] ^= 0x55
        return head + b"\r\n\r\n" + bytes(damaged)


def check(faults: Mapping[str, Any]) -> None:
    """Refuse settings that mean nothing.

    Raises:
        ValueError: a key is unknown, or a value is not what the key takes.
    """
    for key, value in faults.items():
        if key not in (*KINDS, "delay_seconds", "seed"):
            known = ", ".join([*KINDS, "delay_seconds", "seed"])
            raise ValueError(f"unknown fault {key!r}; known are {known}")
        if key == "seed":
            continue
        top = 1.0 if key in KINDS else float("inf")
        if not isinstance(value, (int, float)) or not 0 <= value <= top:
            what = "a probability from 0 to 1" if key in KINDS else "seconds"
            raise ValueError(f"faults[{key!r}] must be {what}, not {value!r}")


def inject(faults: Mapping[str, Any]) -> None:
    """Make this process's workers suffer `faults`, which were checked, from now on."""
    install(lambda transport: FaultyTransport(transport, faults))
