"""Tasks of the tests, in a module that the workers import."""

from __future__ import annotations

import os
import threading
import time
from pathlib import Path


def where() -> tuple[int, int]:
    """Process and thread that run this."""
    return os.getpid(), threading.get_ident()


def refuse() -> None:
    """A task that fails."""
    raise LookupError("no such account")


def block(started: str) -> None:
    """Say so in a file, then hold the interpreter's attention in one long blocking call."""
    Path(started).touch()
    time.sleep(60)
