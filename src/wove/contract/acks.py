"""Acknowledgements: JSON."""

from __future__ import annotations

from typing import TYPE_CHECKING

from wove.contract.messages import from_json, to_json
from wove.contract.rules import require_interval
from wovepb.v1.ack_pb2 import EventAck

if TYPE_CHECKING:
    from wove.contract.messages import Json

__all__ = ["ack_from_json", "ack_to_json"]


def ack_to_json(ack: EventAck) -> bytes:
    """JSON of an acknowledgement, in ASCII.

    Raises:
        ContractError: a number is not finite.
    """
    return to_json(ack)


def ack_from_json(data: Json) -> EventAck:
    """An acknowledgement from its JSON.

    Raises:
        ContractError: the contract does not allow it.
    """
    ack = from_json(EventAck, data)
    if ack.HasField("heartbeat_seconds"):
        require_interval("heartbeat_seconds", ack.heartbeat_seconds)
    return ack
