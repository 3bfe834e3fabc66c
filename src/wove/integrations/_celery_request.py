"""How Celery's workers tell of Wove's jobs that they hold.

A module of its own, which only workers import: Celery takes the class by its name.
"""

from __future__ import annotations

from typing import Any

from celery.worker.request import Request

__all__ = ["PayloadRequest"]


class PayloadRequest(Request):
    """A job of Wove in a worker's hands.

    What `celery inspect` and Flower list as active, reserved or scheduled are a job's
    arguments by default, and so the payload: the callback's token, and everything that
    the task was given. The adapter asks the same way whether a job runs.
    """

    def info(self, safe: bool = False) -> dict[str, Any]:
        """What the worker answers of this job: its arguments as the sender has them shown.

        Args:
            safe: what Celery was asked for; no is not an answer here.
        """
        told: dict[str, Any] = super().info(safe=True)
        return told
