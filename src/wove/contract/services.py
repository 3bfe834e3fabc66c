"""Requests and answers of the gRPC service: the messages around events and their answers."""

from __future__ import annotations

from wove.contract.errors import ContractError
from wove.contract.events import event_from_message
from wove.contract.messages import from_bytes
from wovepb.v1.ack_pb2 import EventAck
from wovepb.v1.event_pb2 import Event
from wovepb.v1.event_service_pb2 import (
    PublishEventRequest,
    PublishEventResponse,
    StreamEventsRequest,
    StreamEventsResponse,
)

__all__ = [
    "PUBLISH_METHOD",
    "SERVICE",
    "STREAM_METHOD",
    "ack_from_answer",
    "answer_from_ack",
    "event_from_request",
    "request_from_event",
]

SERVICE = "wove.v1.EventService"
PUBLISH_METHOD = f"/{SERVICE}/PublishEvent"
STREAM_METHOD = f"/{SERVICE}/StreamEvents"

# PublishEventRequest and StreamEventsRequest are the same on the wire, and so are the parts
# of their answers that hold an EventAck.


def request_from_event(event: bytes) -> bytes:
    """The request that carries an event, which is given encoded, of both methods."""
    head = bytearray(b"\x0a")  # field 1, a message
    size = len(event)
    while size > 0x7F:
        head.append(size & 0x7F | 0x80)
        size >>= 7
    head.append(size)
    return bytes(head) + event


def event_from_request(data: bytes, *, stream: bool = False) -> Event:
    """The event of a request.

    Raises:
        ContractError: the contract does not allow it.
    """
    request: PublishEventRequest | StreamEventsRequest
    request = (
        from_bytes(StreamEventsRequest, data) if stream else from_bytes(PublishEventRequest, data)
    )
    if not request.HasField("event"):
        raise ContractError("missing_field", "event", "expected an event")
    return event_from_message(request.event)


def answer_from_ack(ack: EventAck, *, stream: bool = False) -> bytes:
    """The answer that carries an acknowledgement."""
    if stream:
        return StreamEventsResponse(ack=ack).SerializeToString()
    return PublishEventResponse(ack=ack).SerializeToString()


def ack_from_answer(data: bytes) -> EventAck:
    """The acknowledgement of an answer of PublishEvent.

    Raises:
        ContractError: the contract does not allow it.
    """
    return from_bytes(PublishEventResponse, data).ack
