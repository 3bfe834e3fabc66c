"""Tasks of the tests, in a module that the workers import."""

from __future__ import annotations

import os
import time

from tests.adapters import tasks


def where() -> int:
    """Process that runs this."""
    return os.getpid()


def refuse() -> None:
    """A task that fails."""
    raise LookupError("no such account")


def wait_at(begun: str, gate: str) -> str:
    """Note that it runs, and wait to be let through."""
    tasks.note(begun, str(os.getpid()))
    tasks.wait_for(gate, seconds=60)
    return "let through"


def stay_once(pids: str) -> str:
    """Note this process and stay; the second time, return at once."""
    again = bool(tasks.lines(pids))
    tasks.note(pids, str(os.getpid()))
    deadline = time.monotonic() + 60
    while not again and time.monotonic() < deadline:
        time.sleep(0.01)
    return "from the second execution" if again else "was left alone"
