"""Tasks of the tests, in a module that the workers import."""

from __future__ import annotations

import asyncio
import os
import threading
import time
from pathlib import Path


def where() -> tuple[int, int]:
    """Process and thread that run this."""
    return os.getpid(), threading.get_ident()


async def where_async() -> tuple[int, int]:
    """Process and thread that run this."""
    await asyncio.sleep(0)
    return os.getpid(), threading.get_ident()


def refuse() -> None:
    """A task that fails."""
    raise LookupError("no such account")


def one_second(n: int) -> int:
    """A task that waits, as one does for a database."""
    time.sleep(1)
    return n


def until(started: str, gate: str) -> str:
    """Note in a file that it has begun, and stay until another is there."""
    with Path(started).open("a") as lines:
        lines.write(f"{os.getpid()}\n")
    deadline = time.monotonic() + 60
    while not Path(gate).exists() and time.monotonic() < deadline:
        time.sleep(0.02)
    return "went on"
