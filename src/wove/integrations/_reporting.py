"""How a backend's own views are told what became of a task."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

__all__ = ["TaskFailedError", "run_and_show_failure", "show_failure"]


class TaskFailedError(Exception):
    """The task raised, and its weave knows: this marks the backend's job as failed."""


def show_failure(summary: Mapping[str, Any]) -> None:
    """Fail where the task did.

    Args:
        summary: what `run` returned.

    Raises:
        TaskFailedError: the task raised; the text is its kind and message.
    """
    if summary.get("outcome") == "failed":
        error = summary.get("error") or {}
        raise TaskFailedError(f"{error.get('kind', '')}: {error.get('message', '')}")


def run_and_show_failure(payload: Any) -> dict[str, Any]:
    """Run a payload and report to its weave; then fail, where the task did.

    For backends that show a job's exception and do not run it again.

    Args:
        payload: as for `wove.integrations.worker.run`.

    Returns:
        The summary of `run`.

    Raises:
        TaskFailedError: the task raised; the text is its kind and message.
        CallbackUnreachableError: the events could not be delivered.
        DeliveryError: `INVALID_PAYLOAD`: `payload` is none.
    """
    from wove.integrations.worker import run

    summary = run(payload)
    show_failure(summary)
    return summary
