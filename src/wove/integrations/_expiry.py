"""When a backend may drop a job that no worker has taken."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

__all__ = ["EXPIRY_MARGIN_SECONDS", "expiry_seconds"]

EXPIRY_MARGIN_SECONDS = 30.0
"""Added to the timeouts when they become a backend's own: the weave keeps the exact time, and
the clock that the backend judges by may differ from ours."""


def expiry_seconds(payload: Mapping[str, Any], frame: Mapping[str, Any]) -> float | None:
    """Seconds after which nobody waits for a job that has not begun; None: somebody always does.

    Args:
        payload: of the run.
        frame: the `run_task` command.
    """
    delivery = payload.get("delivery") or {}
    limits = [frame.get("start_timeout"), delivery.get("delivery_timeout")]
    seconds = min((s for s in limits if s), default=None)
    return None if seconds is None else seconds + EXPIRY_MARGIN_SECONDS
