"""Run summaries: JSON."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from wove.contract.fields import to_dict
from wove.contract.messages import from_json
from wovepb.v1.summary_pb2 import RunSummary

if TYPE_CHECKING:
    from wove.contract.messages import Json

__all__ = ["summary_from_json", "summary_to_dict"]

_ALWAYS: dict[str, Any] = {
    "wove_version": "",
    "run_id": "",
    "outcome": "",
    "delivered": False,
    "error": None,
    "callback_url": "",
}


def summary_to_dict(summary: RunSummary) -> dict[str, Any]:
    """The summary as a backend stores it, with all its keys: `error` is None or a dictionary."""
    return {**_ALWAYS, **to_dict(summary)}


def summary_from_json(data: Json) -> RunSummary:
    """A summary from its JSON or from `summary_to_dict`.

    Raises:
        ContractError: the contract does not allow it.
    """
    return from_json(RunSummary, data)
