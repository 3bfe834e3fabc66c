"""What the connections of one receiver share: the hub, the limits and the clockwork."""

from __future__ import annotations

import asyncio
import logging
import traceback
from collections.abc import Callable
from http import HTTPStatus
from typing import Protocol

from wove.contract import ContractError, decode_event
from wove.receiver.answers import Answer
from wove.receiver.hub import Hub
from wove.receiver.limits import Limits
from wove.receiver.request import Head
from wove.receiver.responses import Responses, refused
from wove.receiver.selfcheck import CHECK_SECONDS
from wovepb.v1.event_pb2 import Event

__all__ = ["Connection", "Door", "log_failure"]

logger = logging.getLogger(__name__)


def log_failure(what: str, error: BaseException) -> None:
    """Log a bug by its type and place: its message may hold a value of the event."""
    where = "".join(traceback.format_tb(error.__traceback__))
    logger.error("%s: %s\n%s", what, type(error).__name__, where)


_REASON_CHARACTERS = 400
_INTERNAL = refused(HTTPStatus.INTERNAL_SERVER_ERROR, "the receiver failed on this event")


class Connection(Protocol):
    """What the door needs of a connection."""

    deadline: float

    def expire(self, now: float) -> None:
        """The deadline has passed."""
        ...

    def abort(self) -> None:
        """Close without another word."""
        ...


class Door:
    """Decides requests and runs the timers of all connections; lives on one loop.

    Args:
        hub: decides the events.
        limits: what is taken from callers.
        loop: the loop whose thread calls everything here.
    """

    def __init__(self, hub: Hub, limits: Limits, loop: asyncio.AbstractEventLoop) -> None:
        self.hub = hub
        self.limits = limits
        self.loop = loop
        self.responses = Responses(hub.receiver_id)
        self.buffered = 0
        """Bytes of unfinished bodies, of all connections."""
        self._connections: set[Connection] = set()
        self._sweep_every = min(1.0, limits.head_seconds / 4, limits.idle_seconds / 4)
        self._sweeping = self._flushing = self._ticking = self._told = False

    def enter(self, connection: Connection) -> bool:
        """Count a new connection in. False when there are too many."""
        self._connections.add(connection)
        if not self._sweeping:
            self._sweeping = True
            self.loop.call_later(self._sweep_every, self._sweep)
        if len(self._connections) <= self.limits.connections:
            return True
        if not self._told:
            self._told = True
            logger.warning(
                "The receiver has %d connections, the most that it takes: workers have to try "
                "again, and may seem lost. Let the process open more files (ulimit -n), if "
                "those are its workers.",
                self.limits.connections,
            )
        return False

    def leave(self, connection: Connection) -> None:
        """Count a connection out."""
        self._connections.discard(connection)

    def close(self) -> None:
        """End every connection."""
        for connection in list(self._connections):
            connection.abort()

    def decide(self, head: Head, body: bytes, connection: Connection) -> Answer:
        """Answer one complete POST whose head was not refused."""
        event = self.read(lambda: decode_event(head.content_type, body))
        if isinstance(event, Answer):
            return event
        return self.handle(
            event, token=head.token or "", receiver=head.receiver, connection=connection
        )

    def read(self, decode: Callable[[], Event]) -> Event | Answer:
        """The event that `decode` gives, or the answer to what it is instead."""
        try:
            return decode()
        except ContractError as error:
            if error.code == "unsupported_media_type":
                return refused(HTTPStatus.UNSUPPORTED_MEDIA_TYPE, "the media type is not known")
            # Neither path nor problem holds a value of the event, and both are ASCII.
            reason = f"the event is invalid: {error.code}: {error}"
            return refused(HTTPStatus.BAD_REQUEST, reason[:_REASON_CHARACTERS])
        except Exception as error:  # noqa: BLE001 - a bug of ours; the connection goes on
            log_failure("The receiver failed on an event", error)
            return _INTERNAL

    def handle(
        self, event: Event, *, token: str, receiver: str | None, connection: object | None
    ) -> Answer:
        """Have the hub decide one event, and its batches and timers looked after."""
        try:
            answer = self.hub.handle(event, token=token, receiver=receiver, connection=connection)
        except Exception as error:  # noqa: BLE001 - as in read
            log_failure("The receiver failed on an event", error)
            return _INTERNAL
        if not self._flushing and self.hub.has_batches:
            # Once per turn of the loop: everything read in this turn goes as one batch.
            self._flushing = True
            self.loop.call_soon(self._flush)
        if self.hub.needs_ticks and not self._ticking:
            self._ticking = True
            self.loop.call_later(CHECK_SECONDS, self._tick)
        return answer

    def _flush(self) -> None:
        self._flushing = False
        self.hub.flush()

    def _tick(self) -> None:
        self.hub.tick()
        self._ticking = self.hub.needs_ticks
        if self._ticking:
            self.loop.call_later(CHECK_SECONDS, self._tick)

    def _sweep(self) -> None:
        now = self.loop.time()
        for connection in list(self._connections):
            if connection.deadline < now:
                connection.expire(now)
        self._sweeping = bool(self._connections)
        if self._sweeping:
            self.loop.call_later(self._sweep_every, self._sweep)
