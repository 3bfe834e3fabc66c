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


def stay_once(pids: str) -> str:
    """Note this process in a file and stay, in Python code; the second time, return at once."""
    path = Path(pids)
    again = path.exists()
    with path.open("a") as lines:
        lines.write(f"{os.getpid()}\n")
    deadline = time.monotonic() + 60
    while not again and time.monotonic() < deadline:
        time.sleep(0.005)
    return "from the second run" if again else "was not stopped"


def until(started: str, gate: str) -> str:
    """Say that it has begun, and stay until a file is there."""
    Path(started).touch()
    deadline = time.monotonic() + 60
    while not Path(gate).exists() and time.monotonic() < deadline:
        time.sleep(0.02)
    return "went on"
