"""One process per job, started by a command of the user's: no warm worker."""

from __future__ import annotations

import base64
import errno
import os
import shutil
import signal
import subprocess
import threading
from collections import deque
from collections.abc import Mapping, Sequence
from contextlib import suppress

from wove.executors.backend_state import BackendStatus
from wove.integrations._process_job import Job, exit_words

__all__ = ["MAX_PAYLOAD_BYTES", "PAYLOAD_VARIABLE", "Commands"]

PAYLOAD_VARIABLE = "WOVE_BACKEND_PAYLOAD"

MAX_PAYLOAD_BYTES = 128 * 1024 - len(PAYLOAD_VARIABLE) - 2
"""Linux takes 128 KiB for one environment variable, its name, `=` and final zero included."""


class Commands:
    """Starts a command once per job, with the payload in `WOVE_BACKEND_PAYLOAD`.

    Args:
        command: program and arguments.
        workers: the most processes at once.
        environment: environment variables of the processes.
        cwd: working folder.
    """

    def __init__(
        self,
        command: Sequence[str],
        *,
        workers: int,
        environment: Mapping[str, str],
        cwd: str | None,
    ) -> None:
        self._command = list(command)
        self._environment = dict(environment)
        self._cwd = cwd
        self._free = workers
        self._queue: deque[Job] = deque()
        self._lock = threading.Lock()

    def submit(self, job: Job) -> bool:
        """Start the command for the job, now or when a process has ended.

        Returns:
            True, as a pool does that takes the job.

        Raises:
            FileNotFoundError: the program is not there.
        """
        self._check_program()
        with self._lock:
            self._queue.append(job)
            if self._free == 0:
                return True
            self._free -= 1
        threading.Thread(target=self._serve, name="wove-process-command", daemon=True).start()
        return True

    def take_back(self, job: Job) -> bool:
        """Remove a job that has no process yet; False if it has one, or is over."""
        with self._lock:
            try:
                self._queue.remove(job)
            except ValueError:
                return False
            job.stopping = True
            job.end(BackendStatus.CANCELLED, "cancelled before it started", news=False)
            return True

    def ask_to_stop(self, job: Job) -> None:
        """The process hears of it with its next acknowledgement; there is no other way."""
        job.stopping = True

    def kill(self, job: Job) -> None:
        """End the job's process and what it started."""
        with self._lock:
            job.stopping = True
            if job.process_group is not None:
                with suppress(OSError):
                    os.killpg(job.process_group, signal.SIGKILL)

    def _check_program(self) -> None:
        program = self._command[0]
        if os.path.dirname(program) and not os.path.isabs(program):
            return  # relative to the folder that it will run in
        if shutil.which(program, path=self._environment.get("PATH")) is None:
            raise FileNotFoundError(errno.ENOENT, "no such program", program)

    def _serve(self) -> None:
        while True:
            with self._lock:
                if not self._queue:
                    self._free += 1
                    return
                job = self._queue.popleft()
            self._run(job)

    def _run(self, job: Job) -> None:
        if job.stopping:
            job.end(BackendStatus.CANCELLED, "cancelled before it started", news=False)
            return
        payload = base64.b64encode(job.payload).decode()
        try:
            process = subprocess.Popen(  # noqa: S603 - the user's own command
                self._command,
                stdin=subprocess.DEVNULL,
                cwd=self._cwd,
                env={**self._environment, PAYLOAD_VARIABLE: payload},
                start_new_session=True,
            )
        except (OSError, ValueError) as error:
            job.end(
                BackendStatus.FAILED, f"could not start {self._command[0]!r}: {error}", news=True
            )
            return
        with self._lock:
            job.run_in(process.pid)
            stopping = job.stopping
        if stopping:
            self.kill(job)
        # WNOWAIT: the process stays a zombie, so that its id cannot be another's in `kill`.
        os.waitid(os.P_PID, process.pid, os.WEXITED | os.WNOWAIT)
        with self._lock:
            job.process_group = None
        code = process.wait()
        words = exit_words(process.pid, code)
        if code == 0:
            # Whether it has reported is for the watcher to know: a program that has not is
            # given up after the grace from now, not from the next poll of the batch.
            job.end(BackendStatus.SUCCEEDED, words, news=True)
        elif code > 0:
            job.end(BackendStatus.FAILED, words, news=True)
        else:
            job.end(BackendStatus.LOST, words, news=True)
