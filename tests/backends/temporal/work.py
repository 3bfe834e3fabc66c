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


def unspeakable(tries: str) -> object:
    """A result that neither JSON nor a pickle can carry; each try adds a line to a file."""
    with open(tries, "a") as lines:
        lines.write("tried\n")
    return threading.Lock()


def stay(started: str, seconds: float = 60.0) -> str:
    """Say so in a file and stay, in Python code."""
    Path(started).write_text(str(os.getpid()))
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        time.sleep(0.01)
    return "stayed"


def stay_a_while(started: str) -> str:
    """`stay` for so long that a server can be restarted meanwhile."""
    return stay(started, 15.0)


def one_second(n: int) -> int:
    """A blocking call."""
    time.sleep(1)
    return n


async def one_blocking_second(n: int) -> int:
    """A blocking call where none should be."""
    time.sleep(1)
    return n


def length(block: bytes) -> int:
    """Of a large argument."""
    return len(block)


def stay_briefly(started: str) -> str:
    """`stay` for as long as somebody needs to ask the worker to stop."""
    return stay(started, 4.0)
