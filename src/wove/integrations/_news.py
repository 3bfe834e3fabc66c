"""Jobs of a backend whose client library is told at once when one is over."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Callable, Mapping
from typing import Generic, TypeVar

__all__ = ["News"]

J = TypeVar("J")

LOOK_SECONDS = 1.0
"""How old news may be: the end of a run that reports is known by its event anyway."""


class News(Generic[J]):
    """Looks now and then which jobs are over, and tells of each once.

    A callback of the library for each job costs about as much as the job's submission: it
    comes in a thread of the library's, from its loop, and wakes the weave's. Looking at all
    jobs together, at what the library was told, costs nearly nothing.

    Args:
        over: the run ids of those jobs that are over; does not block.
        changed: called with the run id of each, on the weave's loop.
    """

    def __init__(
        self,
        over: Callable[[Mapping[str, J]], list[str]],
        changed: Callable[[str], None],
    ) -> None:
        self.jobs: dict[str, J] = {}
        """By run id, until they are over."""
        self._over = over
        self._changed = changed
        self._looking: asyncio.Task[None] | None = None

    def add(self, run_id: str, job: J) -> None:
        """Look after a job that was submitted."""
        self.jobs[run_id] = job
        if self._looking is None or self._looking.done():
            self._looking = asyncio.get_running_loop().create_task(self._look())

    async def stop(self) -> list[J]:
        """Look no more, and let go of all jobs; those that were not over when last looked at."""
        if self._looking is not None:
            self._looking.cancel()
            await asyncio.wait({self._looking})
        jobs, self.jobs = list(self.jobs.values()), {}
        return jobs

    async def _look(self) -> None:
        while self.jobs:
            await asyncio.sleep(LOOK_SECONDS)
            with contextlib.suppress(Exception):  # a look that fails is no news
                for run_id in self._over(self.jobs):
                    self.jobs.pop(run_id, None)
                    self._changed(run_id)
