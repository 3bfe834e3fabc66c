"""RQ's own worker programs, which say when they take jobs."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

from rq import Worker
from rq.worker_pool import WorkerPool

from wove.integrations._rq_queue import FUNCTION

if TYPE_CHECKING:
    from redis import Redis

__all__ = ["serve"]


def serve(
    connection: Redis, queues: Sequence[str], *, jobs: int, level: str, ready: Callable[[], None]
) -> None:
    """Run RQ's worker until a signal stops it; the jobs in hand are finished first.

    Args:
        connection: to Redis, for this process alone.
        queues: their names, the first one first.
        jobs: at once: workers, each with one job in a process forked for it.
        level: of RQ's logging.
        ready: called when jobs are taken.
    """
    # Before the forks, and not after each: what a job needs of Wove, and of Python's own.
    import resource  # noqa: F401

    import wove.integrations._rq_job
    import wove.integrations.worker  # noqa: F401

    time.strptime("2026", "%Y")  # imports, as RQ's dates do

    logging.getLogger("rq.worker").addFilter(_without_payloads)
    if jobs == 1:
        _Worker(queues, connection=connection, ready=ready).work(logging_level=level)
    else:
        _Pool(queues, connection, jobs, level, ready).start(logging_level=level)


class _Worker(Worker):
    def __init__(self, *args: Any, ready: Callable[[], None], **options: Any) -> None:
        super().__init__(*args, **options)
        self._ready = ready

    def _install_signal_handlers(self) -> None:
        install: Any = super()._install_signal_handlers  # has no types
        install()
        self._ready()  # registered, and a signal now stops it in order


class _Pool(WorkerPool):
    def __init__(
        self,
        queues: Sequence[str],
        connection: Redis,
        jobs: int,
        level: str,
        ready: Callable[[], None],
    ) -> None:
        super().__init__(queues, connection=connection, num_workers=jobs)
        self._level = level
        self._ready: Callable[[], None] | None = ready

    def start_worker(self, *args: Any, **options: Any) -> None:
        # RQ starts a worker again with its own level.
        super().start_worker(*args, **{**options, "logging_level": self._level})

    def check_workers(self, respawn: bool = True) -> None:
        super().check_workers(respawn)
        if self._ready is not None and self._are_registered():
            self._ready()
            self._ready = None

    def _are_registered(self) -> bool:
        prefix = self.worker_class.redis_worker_namespace_prefix
        keys = [f"{prefix}{name}" for name in self.worker_dict]
        return int(self.connection.exists(*keys)) == len(keys)


def _without_payloads(record: logging.LogRecord) -> bool:
    """Take the payload out of what RQ adds to the records of a failed job."""
    if getattr(record, "func", None) == FUNCTION:
        record.arguments = ("(a payload of Wove, not shown)",)
    return True
