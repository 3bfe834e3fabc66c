"""The receiver: where workers' events arrive, and where it is decided what they mean."""

from __future__ import annotations

from wove.receiver.answers import Answer
from wove.receiver.hub import Hub
from wove.receiver.limits import Limits
from wove.receiver.records import RunEntry, Sink
from wove.receiver.server import Receiver, open_receiver, receiver_for
from wove.receiver.settings import CallbackSettings

__all__ = [
    "Answer",
    "CallbackSettings",
    "Hub",
    "Limits",
    "Receiver",
    "RunEntry",
    "Sink",
    "open_receiver",
    "receiver_for",
]
