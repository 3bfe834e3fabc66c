"""One answer of the scripted receiver, in the words of HTTP; gRPC translates it."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, replace
from typing import Literal

import grpc

__all__ = ["ACCEPT", "OURS", "Answer", "grpc_code"]

OURS = "<ours>"
"""Stands for the receiver's own id."""


@dataclass(frozen=True)
class Answer:
    """What the receiver does with one event.

    Attributes:
        status: of HTTP; gRPC sends its counterpart.
        cancel: ask to stop the task; makes 200 of 204.
        heartbeat_seconds: a new interval; makes 200 of 204.
        retry_after: seconds.
        receiver: the id that the answer carries; None: it carries none.
        hold: seconds until it is given.
        until: set when it may be given.
        body: over HTTP, in place of the acknowledgement.
        wire: "drop": no answer, the connection is cut; "cut": half an answer, then that;
            "close": answered, then the connection is closed without a word.
    """

    status: int = 204
    cancel: bool = False
    heartbeat_seconds: float | None = None
    retry_after: float | None = None
    receiver: str | None = OURS
    hold: float = 0.0
    until: asyncio.Event | None = None
    body: bytes | None = None
    wire: Literal["", "drop", "cut", "close"] = ""

    @property
    def accepts(self) -> bool:
        """The event was taken, and the worker can know it."""
        return 200 <= self.status < 300 and self.wire in ("", "close") and self.receiver == OURS

    def after(self, seconds: float) -> Answer:
        """The same, given later."""
        return replace(self, hold=seconds)

    def __str__(self) -> str:
        parts = [self.wire if self.wire in ("drop", "cut") else str(self.status)]
        if self.cancel:
            parts.append("cancel")
        if self.receiver is None:
            parts.append("no Wove-Receiver")
        elif self.receiver != OURS:
            parts.append("another receiver")
        if self.retry_after is not None:
            parts.append(f"Retry-After {self.retry_after:g}")
        return " ".join(parts)


ACCEPT = Answer()

_CODES = {
    400: grpc.StatusCode.INVALID_ARGUMENT,
    401: grpc.StatusCode.UNAUTHENTICATED,
    403: grpc.StatusCode.PERMISSION_DENIED,
    404: grpc.StatusCode.UNAUTHENTICATED,
    408: grpc.StatusCode.DEADLINE_EXCEEDED,
    409: grpc.StatusCode.FAILED_PRECONDITION,
    410: grpc.StatusCode.NOT_FOUND,
    413: grpc.StatusCode.RESOURCE_EXHAUSTED,
    415: grpc.StatusCode.INVALID_ARGUMENT,
    421: grpc.StatusCode.ABORTED,
    429: grpc.StatusCode.UNAVAILABLE,
    500: grpc.StatusCode.INTERNAL,
    502: grpc.StatusCode.UNKNOWN,
    503: grpc.StatusCode.UNAVAILABLE,
    504: grpc.StatusCode.CANCELLED,
}


def grpc_code(status: int) -> grpc.StatusCode:
    """The status code of event_service.proto for one of ack.proto."""
    return _CODES[status]
