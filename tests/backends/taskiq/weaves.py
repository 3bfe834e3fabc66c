"""Weaves of one task in Taskiq."""

from __future__ import annotations

import functools

from tests.backends import weaves

__all__ = ["in_background", "run_remote"]

run_remote = functools.partial(weaves.run_remote, "taskiq")
in_background = functools.partial(weaves.in_background, "taskiq")
