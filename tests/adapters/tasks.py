"""What the tasks of the suites use; workers import it, as they would a user's module."""

from __future__ import annotations

import os
import time
from pathlib import Path


def note(path: str | os.PathLike[str], text: str = "") -> None:
    """Add one line to a file, at once: a side effect that can be counted."""
    descriptor = os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)
    try:
        os.write(descriptor, f"{text}\n".encode())
    finally:
        os.close(descriptor)


def lines(path: str | os.PathLike[str]) -> list[str]:
    """What was noted in a file so far."""
    file = Path(path)
    return file.read_text().splitlines() if file.exists() else []


def wait_for(path: str | os.PathLike[str], *, seconds: float = 30.0, lines_: int = 1) -> str:
    """Wait in small steps, in Python code, until so many lines were noted; the first one."""
    deadline = time.monotonic() + seconds
    while len(found := lines(path)) < lines_:
        if time.monotonic() > deadline:
            raise TimeoutError(f"{Path(path).name} has {len(found)} lines after {seconds} s")
        time.sleep(0.01)
    return found[0]


class Refused(Exception):
    """An application's own exception."""


class Overdrawn(Exception):
    """An exception whose `__init__` does not take what `args` holds."""

    def __init__(self, account: str, missing: float) -> None:
        super().__init__(f"{account} is overdrawn by {missing}")
        self.account = account
        self.missing = missing


class Unloadable(Exception):
    """Pickles, and does not unpickle anywhere."""

    def __reduce__(self) -> tuple[object, ...]:
        return (_refuse_to_load, (os.getpid(),))


class LoadsOnlyThere(Exception):
    """Unpickles in the process that made it, and nowhere else."""

    def __reduce__(self) -> tuple[object, ...]:
        return (_load_in, (os.getpid(), str(self)))


def _refuse_to_load(pid: int) -> object:
    raise RuntimeError("this exception cannot be rebuilt")


def _load_in(pid: int, text: str) -> object:
    if os.getpid() != pid:
        raise RuntimeError("this object can be rebuilt in its own process only")
    return LoadsOnlyThere(text)
