"""What the hub says to one event: the rows of the response table.

An `Answer` is independent of the transport. The HTTP door sends `status` as it
is; a gRPC door maps it to a status code.
"""

from __future__ import annotations

from dataclasses import dataclass

from wovepb.v1.ack_pb2 import EventAck

__all__ = [
    "ACCEPTED",
    "ANOTHER_EXECUTION",
    "ANOTHER_RECEIVER",
    "ENDED_WITHOUT_EVENT",
    "ENDED_WITH_ANOTHER_EVENT",
    "SHUTTING_DOWN",
    "UNKNOWN_RUN",
    "WRONG_TOKEN",
    "Answer",
    "wait",
]


@dataclass(frozen=True)
class Answer:
    """The receiver's word on one event.

    Attributes:
        status: an HTTP status code; 200 and 204 mean accepted.
        ack: the acknowledgement to send as the body of a 200; None otherwise.
        retry_after: seconds after which the worker should try again; only with 503.
        reason: why it was refused, for people. Never holds a token or a value.
    """

    status: int
    ack: EventAck | None = None
    retry_after: float | None = None
    reason: str = ""


ACCEPTED = Answer(204)
WRONG_TOKEN = Answer(404, reason="the token is not one of this receiver's")
ANOTHER_RECEIVER = Answer(421, reason="this event is addressed to another receiver")
UNKNOWN_RUN = Answer(410, reason="this receiver does not know the run")
ENDED_WITHOUT_EVENT = Answer(410, reason="the run has ended: nobody waits for it any more")
ENDED_WITH_ANOTHER_EVENT = Answer(409, reason="the run has already ended with another event")
ANOTHER_EXECUTION = Answer(409, reason="another execution of this run has it")
SHUTTING_DOWN = Answer(503, retry_after=1.0, reason="the receiver is shutting down")


def wait(seconds: float) -> Answer:
    """A 503 for a second execution whose first one may still live."""
    return Answer(
        503, retry_after=seconds, reason="another execution of this run may still be alive"
    )
