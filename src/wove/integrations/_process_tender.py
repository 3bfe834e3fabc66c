"""A pool's one thread: starts its workers, reads and fills their pipes, and buries them."""

from __future__ import annotations

import logging
import os
import selectors
import subprocess
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from typing import TYPE_CHECKING

from wove.integrations._process_job import exit_words
from wove.integrations._process_pipe import UnexpectedMessageError
from wove.integrations._process_worker import WarmWorker

if TYPE_CHECKING:
    from wove.integrations._process_pool import Pool

__all__ = ["Tender"]

logger = logging.getLogger("wove.integrations")

REAP_SECONDS = 1.0
"""A worker whose output has ended is killed if it lives this much longer."""

EXIT_SECONDS = 0.5
"""When the pool is closed, how long its idle workers have to end by themselves."""

LOOK_SECONDS = 0.5
"""How often a worker is looked at, where nothing tells that its process has ended."""

LAST_READS = 32
"""Reads from a dead worker's pipe: more than a pipe holds, and not for ever where what
the task has left behind writes on."""

TROUBLE_SECONDS = 0.1
"""Pause after an error of our own, so that one that stays does not take a processor."""


class Tender:
    """Lets a pool's workers live and die, in a thread that ends when the pool is closed.

    Args:
        pool: whose workers.

    Raises:
        OSError: no descriptors are left.
        RuntimeError: no thread can be started.
    """

    def __init__(self, pool: Pool) -> None:
        self._pool = pool
        self._living: set[WarmWorker] = set()
        self._congested: set[WarmWorker] = set()  # bytes wait for room in their pipes
        self._unwatched: set[WarmWorker] = set()  # no descriptor tells of their end
        self._wake_read, self._wake_write = os.pipe()
        os.set_blocking(self._wake_read, False)
        os.set_blocking(self._wake_write, False)
        self._selector = selectors.DefaultSelector()
        self._selector.register(self._wake_read, selectors.EVENT_READ)
        self._thread = threading.Thread(target=self._serve, name="wove-process-pool", daemon=True)
        try:
            self._thread.start()
        except RuntimeError:
            self.close()
            raise

    def wake(self) -> None:
        """There is something to do. From elsewhere: under the lock of a pool that is not closed."""
        with suppress(BlockingIOError):  # it is awake already
            os.write(self._wake_write, b"\0")

    def join(self) -> None:
        """The pool has been closed: wait until its workers have ended."""
        self._thread.join(EXIT_SECONDS + REAP_SECONDS)

    def close(self) -> None:
        """Release the descriptors, and tell the selector nothing: a forked child shares it."""
        self._selector.close()
        for descriptor in (self._wake_read, self._wake_write):
            os.close(descriptor)

    # ---- the thread -------------------------------------------------------------------

    def _serve(self) -> None:
        while not self._pool.closed:
            self._turn_safely()
        self._end_all()
        self.close()

    def _turn_safely(self) -> None:
        try:
            self._turn()
        except Exception:  # whatever it is, other jobs still wait for their workers
            logger.exception("the pool of worker processes met an error")
            time.sleep(TROUBLE_SECONDS)
            self.wake()  # to do what was not come to

    def _turn(self) -> None:
        for key, _ in self._selector.select(self._patience()):
            if key.data is None:
                with suppress(BlockingIOError):
                    os.read(self._wake_read, 4096)
            else:
                self._attend(*key.data)
        for worker in [worker for worker in self._unwatched if worker.end.has_come()]:
            self._attend(worker, self._ended)
        while self._pool.wants_worker() and not self._pool.closed:
            self._start()
        for worker in self._living:
            if worker.has_output is not (worker in self._congested):
                self._watch_output(worker)

    def _patience(self) -> float | None:
        left = self._pool.idle_seconds_left()
        if left == 0:
            self._pool.close_if_idle()
        if not self._unwatched:
            return left
        return LOOK_SECONDS if left is None else min(left, LOOK_SECONDS)

    def _attend(self, worker: WarmWorker, act: Callable[[WarmWorker], None]) -> None:
        if worker not in self._living:
            return  # it was buried since the selector spoke
        try:
            act(worker)
        except Exception as error:  # one worker's trouble is not the others'
            known = isinstance(error, UnexpectedMessageError)
            if not known:
                logger.exception("worker process %d met an error of its pool", worker.pid)
            if worker in self._living:
                self._bury(worker, f"sent {error}" if known else f"met {error!r}")

    def _end_all(self) -> None:
        for worker in self._living:
            worker.hang_up()
            if worker.job is not None:
                worker.kill()
        deadline = time.monotonic() + EXIT_SECONDS
        for worker in self._living:
            with suppress(subprocess.TimeoutExpired):
                worker.reap(max(0.0, deadline - time.monotonic()))

    # ---- what happens to one worker ---------------------------------------------------

    def _start(self) -> None:
        try:
            worker = self._pool.start()
        except Exception as error:  # noqa: BLE001 - the job that pays for it tells
            self._pool.not_started(str(error))
            return
        self._living.add(worker)
        self._pool.started(worker)
        self._selector.register(worker.stdout, selectors.EVENT_READ, (worker, self._read))
        end = worker.end.descriptor
        if end is None:
            self._unwatched.add(worker)
        else:
            self._selector.register(end, selectors.EVENT_READ, (worker, self._ended))

    def _read(self, worker: WarmWorker) -> None:
        messages = worker.read()
        for message in messages or ():
            self._pool.heard(worker, message)
        if messages is None:
            worker.end.wait(REAP_SECONDS)
            self._bury(worker, None if worker.end.has_come() else "closed its output")

    def _ended(self, worker: WarmWorker) -> None:
        self._pool.remove(worker)
        for _ in range(LAST_READS):  # what it said before
            messages = worker.read()
            if not messages:
                break
            for message in messages:
                self._pool.heard(worker, message)
        self._bury(worker)

    def _watch_output(self, worker: WarmWorker) -> None:
        if worker.has_output:
            self._congested.add(worker)
            self._selector.register(worker.stdin, selectors.EVENT_WRITE, (worker, self._pool.flush))
        else:
            self._congested.discard(worker)
            self._selector.unregister(worker.stdin)

    def _bury(self, worker: WarmWorker, trouble: str | None = None) -> None:
        """Have it ended, and tell the pool why.

        Args:
            worker: it is dead, or of no use any more.
            trouble: what is wrong with it; None: its exit status says that.
        """
        for workers in (self._living, self._congested, self._unwatched):
            workers.discard(worker)
        for descriptor in (worker.stdin, worker.stdout, worker.end.descriptor):
            with suppress(KeyError, ValueError):
                self._selector.unregister(descriptor)  # type: ignore[arg-type]
        self._pool.remove(worker)
        if trouble is not None:
            worker.kill()
        try:
            words = exit_words(worker.pid, worker.reap(REAP_SECONDS))
        except (OSError, subprocess.TimeoutExpired) as error:
            words = f"worker process {worker.pid} could not be ended: {error}"
        if trouble is not None:
            words = f"worker process {worker.pid} {trouble}, and was killed"
        self._pool.lost(worker, words)
