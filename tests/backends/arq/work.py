"""Tasks of the tests, in a module that the workers import."""

from __future__ import annotations

import asyncio
import os
import time
from pathlib import Path


def where() -> int:
    """The process that runs this."""
    return os.getpid()


def refuse() -> None:
    """A task that fails."""
    raise LookupError("no such account")


def one_second(n: int) -> int:
    """A task that waits, as one does for a database."""
    time.sleep(1)
    return n


async def stay(pids: str) -> str:
    """Note this process in a file and stay for a minute."""
    with Path(pids).open("a") as lines:
        lines.write(f"{os.getpid()}\n")
    await asyncio.sleep(60)
    return "was not stopped"


def until(started: str, gate: str) -> str:
    """Say that it has begun, and stay until a file is there."""
    Path(started).touch()
    deadline = time.monotonic() + 60
    while not Path(gate).exists() and time.monotonic() < deadline:
        time.sleep(0.02)
    return "went on"
