"""Warm worker processes, shared by all weaves of this process that want the same kind.

One daemon thread per pool starts the processes, reads their pipes and reaps them;
a job goes to an idle worker straight from the thread that submits it. A job is
never given to a busy worker: it waits here, where it can still be taken back.
"""

from __future__ import annotations

import atexit
import json
import os
import selectors
import threading
import time
from collections import deque
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

from wove.executors.backend_state import BackendStatus
from wove.integrations._process_job import Job, exit_words
from wove.integrations._process_worker import WarmWorker, worker_environment

__all__ = ["Pool", "PoolSettings", "pool_for"]

REAP_SECONDS = 1.0
"""A worker whose output has ended is killed if it lives this much longer."""

EXIT_SECONDS = 0.5
"""At interpreter exit, how long the workers have to end by themselves."""


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
    """A set of warm workers and the jobs that wait for one."""

    def __init__(self, settings: PoolSettings) -> None:
        self._settings = settings
        self._lock = threading.Lock()
        self._queue: deque[Job] = deque()
        self._idle: list[WarmWorker] = []
        self._workers: set[WarmWorker] = set()
        self._wanted = 0  # processes that the thread is to start
        self._closed = False
        self._wake_read, self._wake_write = os.pipe()
        os.set_blocking(self._wake_read, False)
        os.set_blocking(self._wake_write, False)
        self._selector = selectors.DefaultSelector()
        self._selector.register(self._wake_read, selectors.EVENT_READ)
        self._thread: threading.Thread | None = None

    def submit(self, job: Job) -> None:
        """Give the job to an idle worker, or queue it and start a worker for it."""
        with self._lock:
            if self._idle:
                self._assign(self._idle.pop(), job)
                return
            self._queue.append(job)
            if len(self._workers) + self._wanted < self._settings.workers:
                self._wanted += 1
                self._wake()

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
        """End every worker: at once if it is idle, by force if it is not."""
        with self._lock:
            self._closed = True
            self._queue.clear()
            workers = list(self._workers)
            self._wake()
        for worker in workers:
            worker.hang_up()
        deadline = time.monotonic() + EXIT_SECONDS
        for worker in workers:
            if worker.job is not None:
                worker.kill()
            worker.reap(max(0.0, deadline - time.monotonic()))

    def forget(self) -> None:
        """In a forked child: close what belongs to the parent and touch nothing else."""
        self._lock = threading.Lock()
        self._closed = True
        self._selector.close()
        for descriptor in (self._wake_read, self._wake_write):
            os.close(descriptor)
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

    def _wake(self) -> None:
        if self._thread is None:
            self._thread = threading.Thread(
                target=self._serve, name="wove-process-pool", daemon=True
            )
            self._thread.start()
        with suppress(BlockingIOError):  # it is awake already
            os.write(self._wake_write, b"\0")

    # ---- the pool's thread ------------------------------------------------------------

    def _serve(self) -> None:
        while True:
            for key, _ in self._selector.select():
                if key.fd == self._wake_read:
                    with suppress(BlockingIOError):
                        os.read(self._wake_read, 4096)
                elif key.data[1] == "out":
                    with self._lock:
                        key.data[0].flush()
                else:
                    self._read(key.data[0])
            if self._closed:
                return
            self._start_wanted()
            self._watch_output()

    def _start_wanted(self) -> None:
        while True:
            with self._lock:
                if self._wanted == 0:
                    return
            try:
                worker = self._start()
            except (OSError, ValueError) as error:
                with self._lock:
                    self._wanted -= 1
                    self._fail_oldest(f"a worker process could not be started: {error}")
                continue
            with self._lock:
                self._wanted -= 1
                self._workers.add(worker)
            self._selector.register(worker.stdout, selectors.EVENT_READ, (worker, "in"))

    def _start(self) -> WarmWorker:
        settings = self._settings
        hello = {
            "sys_path": list(settings.sys_path),
            "cwd": settings.cwd or os.getcwd(),
            "faults": None if settings.faults is None else json.loads(settings.faults),
            "main": None,
        }
        return WarmWorker(hello, worker_environment(dict(settings.env)), settings.cwd)

    def _watch_output(self) -> None:
        registered = self._selector.get_map()
        for worker in self._workers:
            if worker.has_output and worker.stdin not in registered:
                self._selector.register(worker.stdin, selectors.EVENT_WRITE, (worker, "out"))
            elif not worker.has_output and worker.stdin in registered:
                self._selector.unregister(worker.stdin)

    def _read(self, worker: WarmWorker) -> None:
        messages = worker.read()
        if messages is None:
            self._bury(worker)
            return
        for message in messages:
            with self._lock:
                if not worker.ready:
                    worker.ready = True
                else:
                    self._finish(worker, message)
                if self._queue:
                    self._assign(worker, self._queue.popleft())
                else:
                    self._idle.append(worker)

    def _finish(self, worker: WarmWorker, summary: dict[str, Any]) -> None:
        job, worker.job = worker.job, None
        if job is None:
            return
        raised = summary.get("raised")
        if raised is not None:
            job.end(BackendStatus.FAILED, str(raised), news=True)
        else:
            delivered = bool(summary.get("delivered", True))
            job.end(BackendStatus.SUCCEEDED, "", news=not delivered)

    def _bury(self, worker: WarmWorker) -> None:
        for descriptor in (worker.stdout, worker.stdin):
            with suppress(KeyError, ValueError):
                self._selector.unregister(descriptor)
        with self._lock:
            self._workers.discard(worker)
            if worker in self._idle:
                self._idle.remove(worker)
        words = exit_words(worker.pid, worker.reap(REAP_SECONDS))
        with self._lock:
            job, worker.job = worker.job, None
            if job is not None:
                job.end(BackendStatus.LOST, words, news=True)
            elif not worker.ready:
                # Its successor would end the same way: one job pays, and none waits for ever.
                self._fail_oldest(f"{words} before it was ready")
            if self._queue and len(self._workers) + self._wanted < self._settings.workers:
                self._wanted += 1

    def _fail_oldest(self, reason: str) -> None:
        if self._queue:
            self._queue.popleft().end(BackendStatus.LOST, reason, news=True)
        if self._queue and not self._workers and not self._wanted:
            self._wanted += 1


_pools: dict[PoolSettings, Pool] = {}
_pools_lock = threading.Lock()
_inherited: list[Pool] = []


def pool_for(settings: PoolSettings) -> Pool:
    """The pool of this process for these settings; made at the first call."""
    with _pools_lock:
        pool = _pools.get(settings)
        if pool is None:
            pool = _pools[settings] = Pool(settings)
        return pool


def _close_all() -> None:
    with _pools_lock:
        pools = list(_pools.values())
        _pools.clear()
    for pool in pools:
        pool.close()


def _forget_all() -> None:
    global _pools_lock
    _pools_lock = threading.Lock()
    for pool in _pools.values():
        pool.forget()
        _inherited.append(pool)
    _pools.clear()


atexit.register(_close_all)
os.register_at_fork(after_in_child=_forget_all)
