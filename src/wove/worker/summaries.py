"""What `run` gives back to the backend."""

from __future__ import annotations

from typing import Any

from wove import __version__
from wove.contract import summary_to_dict
from wove.dispatch.failures import scrub
from wove.dispatch.urls import redacted
from wovepb.v1.payload_pb2 import TaskPayload
from wovepb.v1.summary_pb2 import RunSummary

__all__ = ["summary"]

MESSAGE_CHARACTERS = 1000


def summary(
    payload: TaskPayload, outcome: str, delivered: bool, kind: str, message: str
) -> dict[str, Any]:
    """A RunSummary as a JSON-safe dictionary, without value, pickle or token.

    Args:
        payload: of the run.
        outcome: "succeeded", "failed", "cancelled" or "not_started".
        delivered: the receiver has answered the last event finally.
        kind: of the error.
        message: of the error; both empty if there is none.
    """
    found = RunSummary(
        wove_version=__version__,
        run_id=payload.run_id,
        outcome=outcome,
        delivered=delivered,
        callback_url=redacted(payload.callback_url),
    )
    if kind or message:
        found.error.kind = kind
        found.error.message = scrub(message)[:MESSAGE_CHARACTERS]
    return summary_to_dict(found)
