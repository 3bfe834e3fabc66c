"""One start of the worker that is being judged."""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import signal
import time
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from workers.conformance.checks import Failed

__all__ = ["VARIABLE", "Ended", "Program"]

VARIABLE = "WOVE_BACKEND_PAYLOAD"
_OURS = (VARIABLE, "WOVE_ENCODING", "GRPC_ENABLE_FORK_SUPPORT")


@dataclass(frozen=True)
class Ended:
    """What a worker left behind.

    Attributes:
        status: its exit status.
        stdout: as text.
        stderr: as text.
        at: when it ended (monotonic seconds).
    """

    status: int
    stdout: str
    stderr: str
    at: float

    @property
    def summary(self) -> dict[str, Any]:
        """The RunSummary on the last line."""
        lines = self.stdout.strip().splitlines()
        try:
            found = json.loads(lines[-1] if lines else "")
        except ValueError:
            found = None
        if not isinstance(found, dict):
            raise Failed("the last line of stdout", "a RunSummary in JSON", self.stdout[-200:])
        return found


@dataclass
class Program:
    """A running worker.

    Attributes:
        began: when it was started (monotonic seconds).
        ended: how it ended; None while it runs.
    """

    argv: Sequence[str]
    environment: Mapping[str, str]
    patience: float
    on_end: Callable[[], Awaitable[None]]
    began: float = field(default_factory=time.monotonic)
    ended: Ended | None = None

    async def start(self) -> None:
        """Start it, in a session of its own so that nothing of it stays."""
        kept = {name: text for name, text in os.environ.items() if name not in _OURS}
        self._process = await asyncio.create_subprocess_exec(
            *self.argv,
            env={**kept, **self.environment},
            stdin=asyncio.subprocess.DEVNULL,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.PIPE,
            start_new_session=True,
        )
        self._reading = asyncio.create_task(self._read())

    async def end(self, seconds: float = 20.0, *, because: str = "") -> Ended:
        """Wait for its end; `because` of what it should come, where that is no answer."""
        try:
            return await asyncio.wait_for(asyncio.shield(self._reading), seconds * self.patience)
        except asyncio.TimeoutError:
            limit = f"within {seconds:g} s {because}".rstrip()
            raise Failed("the worker's end", limit, "still running") from None

    def terminate(self) -> None:
        """SIGTERM to the worker alone, as a scheduler sends it."""
        with contextlib.suppress(ProcessLookupError):
            self._process.send_signal(signal.SIGTERM)

    @property
    def running(self) -> bool:
        """It has not ended."""
        return self.ended is None

    async def kill(self) -> None:
        """The case is over. What it has started goes too."""
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(self._process.pid, signal.SIGKILL)
        await self._reading

    async def _read(self) -> Ended:
        stdout, stderr = await self._process.communicate()
        self.ended = Ended(
            self._process.returncode or 0,
            stdout.decode("utf-8", "replace"),
            stderr.decode("utf-8", "replace"),
            time.monotonic(),
        )
        await self.on_end()
        return self.ended
