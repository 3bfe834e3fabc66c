"""What both sides of Temporal call things. Imports nothing: a workflow's sandbox loads it."""

from __future__ import annotations

__all__ = ["DEFAULT_ACTIVITY", "DEFAULT_TASK_QUEUE", "DEFAULT_WORKFLOW", "START_TIMEOUT"]

DEFAULT_WORKFLOW = "WoveWorkflow"
"""Type of the ready workflow."""

DEFAULT_ACTIVITY = "wove_activity"
"""Type of the ready activity."""

DEFAULT_TASK_QUEUE = "wove"
"""Task queue of both sides where neither names one."""

START_TIMEOUT = "wove_start_timeout"
"""Name in a workflow's memo of the seconds after which its activity is not to start any more."""
