"""Which worker process has which job: a pool's books.

A job goes to an idle worker straight from the thread that submits it. A job is never
given to a busy worker: it waits here, where it can still be taken back. What it takes
to start, hear and bury the workers is the `Tender`'s, on the pool's one thread.
"""

from __future__ import annotations

import json
import os
import threading
import time
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from wove.executors.backend_state import BackendStatus
from wove.integrations._process_job import Job
from wove.integrations._process_pipe import UnexpectedMessageError
from wove.integrations._process_tender import Tender
from wove.integrations._process_worker import WarmWorker, worker_environment

__all__ = ["Pool", "PoolSettings"]

IDLE_SECONDS = 30.0
"""A pool that has had no job for this long ends its workers and its thread."""


@dataclass(frozen=True, kw_only=True)
class PoolSettings:
    """What makes one pool different from another."""

    workers: int
    """The most processes at once."""
    env: tuple[tuple[str, str], ...] = ()
    """Environment variables beside ours."""
    cwd: str | None = None
    """Working folder."""
    sys_path: tuple[str, ...] = ()
    """Where the workers import from."""
    faults: str | None = None
    """Faults to inject, as JSON."""


class Pool:
    """A set of warm workers and the jobs that wait for one.

    Args:
        settings: what kind of workers.
        on_idle: called when the pool has closed itself because it had no job for long.
    """

    def __init__(self, settings: PoolSettings, on_idle: Callable[[Pool], object]) -> None:
        self._settings = settings
        self._on_idle = on_idle
        self._used_at = time.monotonic()
        self._lock = threading.Lock()
        self._queue: deque[Job] = deque()
        self._idle: list[WarmWorker] = []
        self._workers: set[WarmWorker] = set()
        self._wanted = 0  # processes that the tender is to start
        self._boot_failed = False  # the newest news of a start is that it failed
        self._closed = False
        self._tender: Tender | None = None

    def submit(self, job: Job) -> bool:
        """Give the job to an idle worker, or queue it and start a worker for it.

        Returns:
            False if the pool has been closed, and does not take it.
        """
        with self._lock:
            if self._closed:
                return False
            if self._idle:
                self._assign(self._idle.pop(), job)
                return True
            if self._has_room():
                self._wake()  # first, as it may fail
                self._wanted += 1
            self._queue.append(job)
            return True

    def take_back(self, job: Job) -> bool:
        """Remove a job that no worker has; False if one has it, or it is over."""
        with self._lock:
            try:
                self._queue.remove(job)
            except ValueError:
                return False
            job.stopping = True
            job.end(BackendStatus.CANCELLED, "cancelled before it started", news=False)
            return True

    def ask_to_stop(self, job: Job) -> None:
        """Tell the worker that runs the job to cancel it."""
        with self._lock:
            worker = self._worker_of(job)
            if worker is not None:
                job.stopping = True
                worker.ask_to_stop(job.run_id)

    def kill(self, job: Job) -> None:
        """End the process that runs the job."""
        with self._lock:
            worker = self._worker_of(job)
            if worker is not None:
                job.stopping = True
                worker.kill()

    def close(self) -> None:
        """End every worker: soon if it is idle, by force if it is not."""
        with self._lock:
            if self._tender is not None and not self._closed:
                self._tender.wake()
            self._closed = True
            self._queue.clear()
        if self._tender is not None:
            self._tender.join()

    def forget(self) -> None:
        """In a forked child: close what belongs to the parent and touch nothing else."""
        self._lock = threading.Lock()
        if self._tender is not None and not self._closed:
            self._tender.close()
        self._closed = True
        for worker in self._workers:
            worker.drop()
            worker.process.returncode = 0  # the parent's to wait for

    # ---- under the lock ---------------------------------------------------------------

    def _assign(self, worker: WarmWorker, job: Job) -> None:
        worker.job = job
        job.run_in(worker.pid)
        worker.write(job.payload)
        if worker.has_output:
            self._wake()

    def _worker_of(self, job: Job) -> WarmWorker | None:
        return next((worker for worker in self._workers if worker.job is job), None)

    def _has_room(self) -> bool:
        return len(self._workers) + self._wanted < self._settings.workers

    def _idle_seconds_left(self) -> float | None:
        if self._queue or self._wanted or len(self._idle) < len(self._workers):
            return None
        return max(0.0, self._used_at + IDLE_SECONDS - time.monotonic())

    def _wake(self) -> None:
        if self._tender is None:
            self._tender = Tender(self)  # its thread waits for the lock
        self._tender.wake()

    def _fail_oldest(self, reason: str) -> None:
        if self._queue:
            self._queue.popleft().end(BackendStatus.LOST, reason, news=True)

    def _replace(self) -> None:
        if self._queue and self._has_room():
            self._wanted += 1

    # ---- for the tender ---------------------------------------------------------------

    @property
    def closed(self) -> bool:
        """It takes no more jobs, and its workers are to end."""
        return self._closed

    def idle_seconds_left(self) -> float | None:
        """How long the pool stays if no job comes; None: it has one."""
        with self._lock:
            return self._idle_seconds_left()

    def close_if_idle(self) -> None:
        """Close the pool if it has had no job for long."""
        with self._lock:
            left = self._idle_seconds_left()
            if self._closed or left is None or left > 0:
                return
            self._closed = True
        self._on_idle(self)

    def wants_worker(self) -> bool:
        """Whether a process is to be started."""
        with self._lock:
            return self._wanted > 0

    def start(self) -> WarmWorker:
        """A new process, which the pool does not know yet; it says when it is ready."""
        settings = self._settings
        hello = {
            "sys_path": list(settings.sys_path),
            "cwd": settings.cwd or os.getcwd(),
            "faults": None if settings.faults is None else json.loads(settings.faults),
            "main": None,
        }
        return WarmWorker(hello, worker_environment(dict(settings.env)), settings.cwd)

    def started(self, worker: WarmWorker) -> None:
        """A process that was wanted is there."""
        with self._lock:
            self._wanted -= 1
            self._workers.add(worker)
            worker.second_try = self._boot_failed

    def not_started(self, reason: str) -> None:
        """A process that was wanted could not be started: one job pays."""
        with self._lock:
            self._wanted -= 1
            self._fail_oldest(f"a worker process could not be started: {reason}")
            if not self._workers and not self._wanted:
                self._replace()

    def flush(self, worker: WarmWorker) -> None:
        """There is room in the worker's pipe."""
        with self._lock:
            worker.flush()

    def heard(self, worker: WarmWorker, message: dict[str, Any]) -> None:
        """A worker is ready, or has ended its job; it gets the next one.

        Raises:
            UnexpectedMessageError: it is about something else.
        """
        with self._lock:
            job, alive = worker.job, worker in self._workers
            if not worker.ready:
                if message.get("ready") != worker.pid:
                    raise UnexpectedMessageError("something before it was ready")
                worker.ready = alive
                self._boot_failed = self._boot_failed and not alive
            elif job is None:
                raise UnexpectedMessageError("an answer, and has no job")
            elif message.get("run_id") != job.run_id:
                raise UnexpectedMessageError("an answer to another job than its own")
            else:
                worker.job = None
                self._used_at = time.monotonic()
                _finish(job, message)
            if not alive:
                return  # these were its last words
            if self._queue:
                self._assign(worker, self._queue.popleft())
            else:
                self._idle.append(worker)

    def remove(self, worker: WarmWorker) -> None:
        """It gets no job any more, and nobody signals to it."""
        with self._lock:
            self._workers.discard(worker)
            if worker in self._idle:
                self._idle.remove(worker)

    def lost(self, worker: WarmWorker, words: str) -> None:
        """A removed worker has ended, as the words say."""
        with self._lock:
            job, worker.job = worker.job, None
            self._used_at = time.monotonic()
            if job is not None:
                job.end(BackendStatus.LOST, words, news=True)
            elif not worker.ready:
                self._boot_failed = True
                if worker.second_try:
                    # Its successor would end the same way: one job pays, and none waits for ever.
                    self._fail_oldest(f"{words} before it was ready, as one before it had")
            self._replace()


def _finish(job: Job, summary: dict[str, Any]) -> None:
    raised = summary.get("raised")
    if raised is not None:
        job.end(BackendStatus.FAILED, str(raised), news=True)
    else:
        delivered = bool(summary.get("delivered", True))
        job.end(BackendStatus.SUCCEEDED, "", news=not delivered)
