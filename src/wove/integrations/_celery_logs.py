"""What Celery's own log may say about Wove's jobs: never their payload, which holds a token.

A worker that does not know a task's name logs the whole message. So do its reports of
messages that it cannot read, and of each job at level DEBUG.
"""

from __future__ import annotations

import logging
from typing import Any

__all__ = ["guard_logs", "quiet_revocations"]

_LOGGERS = ("celery.worker.consumer.consumer", "celery.pool")
"""Those that write messages as they came."""

_MARKS = ("callable_pickle", "callback_url", "<wove payload>")
"""Each is in the text of a payload, or among the headers that the adapter sends with it."""

_UNKNOWN_TASK = "Received unregistered task of type"
_NOT_SHOWN = "(a payload of Wove, not shown)"


class _PayloadFilter(logging.Filter):
    """Cuts Wove's payloads out of records; says which task name was unknown."""

    def __init__(self) -> None:
        super().__init__()
        self.names: set[str] = set()

    def filter(self, record: logging.LogRecord) -> bool:
        """Change a record that shows a payload; all records stay."""
        args = record.args if isinstance(record.args, tuple) else (record.args,)
        marked = [_is_marked(arg) for arg in args]
        if any(marked):
            if str(record.msg).startswith(_UNKNOWN_TASK):
                record.msg, record.args = self._unknown_task(args[0]), None
                record.exc_info = record.exc_text = None
            else:
                record.args = tuple(
                    _NOT_SHOWN if cut else arg for arg, cut in zip(args, marked, strict=True)
                )
        return True

    def _unknown_task(self, error: Any) -> str:
        # Celery's argument is the KeyError of its look-up.
        name = error.args[0] if isinstance(error, KeyError) and error.args else str(error)
        known = ", ".join(sorted(map(repr, self.names))) or "none"
        return (
            f"A job of Wove came for the task {name!r}, which this worker does not have, and was "
            f"discarded. Wove's tasks here: {known}. task_name in the weave's executor_config "
            f"and in this worker must be the same. {_NOT_SHOWN}"
        )


class _RevocationFilter(logging.Filter):
    """Drops what Celery says at each cancel where there is no result backend to mark."""

    def filter(self, record: logging.LogRecord) -> bool:
        """Whether the record stays."""
        return not (
            str(record.msg).startswith("Failed to mark task")
            and "No result backend is configured" in record.getMessage()
        )


_payloads = _PayloadFilter()
_revocations = _RevocationFilter()


def guard_logs(task_name: str) -> None:
    """Keep payloads out of this process's Celery logs.

    Args:
        task_name: a task that runs Wove's payloads here.
    """
    _payloads.names.add(task_name)
    for name in _LOGGERS:
        logging.getLogger(name).addFilter(_payloads)  # which adds it once


def quiet_revocations() -> None:
    """Leave out that a cancelled job could not be marked where nothing keeps such marks."""
    logging.getLogger("celery.worker.control").addFilter(_revocations)


def _is_marked(arg: Any) -> bool:
    text = str(arg)
    return any(mark in text for mark in _MARKS)
