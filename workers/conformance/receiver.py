"""The scripted receiver: what arrives, and what a case wants answered, over every transport."""

from __future__ import annotations

import asyncio
import contextlib
import secrets
import time
from collections.abc import Callable
from dataclasses import dataclass, field

from workers.conformance.answers import ACCEPT, OURS, Answer
from workers.conformance.checks import Failed
from wove.contract import TERMINAL, ContractError, event_type
from wovepb.v1.event_pb2 import Event

__all__ = ["Delivery", "Receiver"]


@dataclass
class Delivery:
    """One try to deliver one event.

    Attributes:
        event: decoded.
        frame: its name.
        body: as it came; over gRPC the whole request.
        encoding: "json", "protobuf" or "grpc".
        flat: JSON with `type`.
        headers: or the call's metadata, by lower-case name.
        connection: number of the TCP connection.
        call: "post", "publish" or "stream".
        at: when it had arrived whole (monotonic seconds).
        tries: how often this event has come, this time included.
        number: how many tries of events of this frame have come.
        answer: what it got.
        answered_at: when; None if the answer is still held.
    """

    event: Event
    body: bytes
    encoding: str
    connection: int
    call: str
    headers: dict[str, str]
    flat: bool = False
    at: float = field(default_factory=time.monotonic)
    frame: str = ""
    tries: int = 1
    number: int = 1
    answer: Answer = ACCEPT
    answered_at: float | None = None

    @property
    def terminal(self) -> bool:
        """It ends the run."""
        return self.frame in TERMINAL

    @property
    def outcome(self) -> str:
        """What it got, for people."""
        return "no answer" if self.answered_at is None else str(self.answer)


class Receiver:
    """Records every delivery and answers by `rule`.

    Attributes:
        rule: decides each answer.
        early: for each HTTP request in turn, an answer to its head alone; None: read it.
        problems: what no worker may send, in words.
        push_cancel: asks to stop, out of turn, on every open stream; how many there are.
        doors: called to stop listening and cut every connection.
        abandoned: no worker is left that could send anything.
        patience: factor for every wait.
    """

    def __init__(self, patience: float = 1.0) -> None:
        self.receiver_id = f"rx-{secrets.token_hex(6)}"
        self.token = secrets.token_urlsafe(24)
        self.grpc_token = secrets.token_urlsafe(24)
        self.rule: Callable[[Delivery], Answer] = lambda delivery: ACCEPT
        self.early: list[Answer | None] = []
        self.deliveries: list[Delivery] = []
        self.problems: list[str] = []
        self.push_cancel: Callable[[], int] = lambda: 0
        self.doors: list[Callable[[], None]] = []
        self.abandoned: Callable[[], bool] = lambda: False
        self.patience = patience
        self.connections = 0
        self._changed = asyncio.Condition()

    # ---- the script -------------------------------------------------------------------------

    def on(self, frame: str, *answers: Answer) -> None:
        """Answer deliveries of `frame` with these in turn, the last of them for ever.

        "terminal" stands for each terminal frame, "*" for everything.
        """
        before = self.rule
        seen = 0

        def rule(delivery: Delivery) -> Answer:
            nonlocal seen
            if frame in (delivery.frame, "*") or (frame == "terminal" and delivery.terminal):
                seen += 1
                return answers[min(seen, len(answers)) - 1]
            return before(delivery)

        self.rule = rule

    def on_each(self, *answers: Answer, frames: tuple[str, ...] = ()) -> None:
        """Answer the tries of each event with these in turn, the last of them for ever."""

        def rule(delivery: Delivery) -> Answer:
            if frames and delivery.frame not in frames:
                return ACCEPT
            return answers[min(delivery.tries, len(answers)) - 1]

        self.rule = rule

    def leave(self) -> None:
        """Be gone: nothing listens any more, and every connection is cut."""
        for close in self.doors:
            close()

    # ---- what came --------------------------------------------------------------------------

    def frames(self, *names: str) -> list[Delivery]:
        """The deliveries of these frames, or all; retries included."""
        return [found for found in self.deliveries if not names or found.frame in names]

    def events(self, *names: str) -> list[Delivery]:
        """The same, each event once."""
        return [found for found in self.frames(*names) if found.tries == 1]

    @property
    def endings(self) -> list[Delivery]:
        """The terminal events, each once."""
        return [found for found in self.deliveries if found.terminal and found.tries == 1]

    async def wait_for(self, *names: str, count: int = 1, seconds: float = 20.0) -> Delivery:
        """The delivery number `count` of these frames; "terminal" stands for each that ends."""

        def found() -> list[Delivery]:
            return [
                d
                for d in self.deliveries
                if d.frame in names or ("terminal" in names and d.terminal)
            ]

        async def enough() -> None:
            async with self._changed:
                await self._changed.wait_for(lambda: len(found()) >= count or self.abandoned())

        with contextlib.suppress(asyncio.TimeoutError):
            await asyncio.wait_for(enough(), seconds * self.patience)
        if len(found()) < count:
            what = f"{count} of {' or '.join(names)} within {seconds:g} s"
            end = ", then the worker ended" if self.abandoned() else ""
            raise Failed("what arrived", what, self.transcript() + end)
        return found()[count - 1]

    async def look(self) -> None:
        """Something has happened that a wait may be about."""
        async with self._changed:
            self._changed.notify_all()

    def transcript(self) -> str:
        """Everything that came, on one line."""
        if not self.deliveries:
            return "nothing arrived"
        begin = self.deliveries[0].at
        told = [f"{d.frame}@{d.at - begin:.2f} -> {d.outcome}" for d in self.deliveries[:40]]
        more = len(self.deliveries) - len(told)
        return ", ".join(told) + (f" and {more} more" if more > 0 else "")

    # ---- for the doors ----------------------------------------------------------------------

    def connected(self) -> int:
        """The number of a new connection."""
        self.connections += 1
        return self.connections

    def problem(self, text: str) -> None:
        """Somebody sent what no worker may send."""
        self.problems.append(text)

    def undecodable(self, error: ContractError) -> Answer:
        """An event that the contract does not allow."""
        self.problem(f"an event that is refused: {error}")
        return Answer(400)

    async def decide(self, delivery: Delivery) -> Answer:
        """Record a delivery, and what it gets, when its time has come."""
        delivery.frame = event_type(delivery.event) or "unknown"
        same = [d for d in self.deliveries if d.event.event_id == delivery.event.event_id]
        delivery.tries = len(same) + 1
        delivery.number = len(self.frames(delivery.frame)) + 1
        delivery.answer = answer = self.rule(delivery)
        async with self._changed:
            self.deliveries.append(delivery)
            self._changed.notify_all()
        if answer.hold:
            await asyncio.sleep(answer.hold)
        if answer.until is not None:
            await answer.until.wait()
        delivery.answered_at = time.monotonic()
        return answer

    def name(self, answer: Answer) -> str | None:
        """The id that an answer carries."""
        return self.receiver_id if answer.receiver == OURS else answer.receiver
