"""One process per job, started by a command of the user's: no warm worker."""

from __future__ import annotations

import base64
import errno
import logging
import os
import shutil
import signal
import subprocess
import threading
import weakref
from collections import deque
from collections.abc import Mapping, Sequence
from contextlib import suppress

from wove.executors.backend_state import BackendStatus
from wove.integrations._process_end import ProcessEnd
from wove.integrations._process_job import Job, exit_words

__all__ = ["MAX_PAYLOAD_BYTES", "PAYLOAD_VARIABLE", "Commands", "commands_for"]

logger = logging.getLogger("wove.integrations")

PAYLOAD_VARIABLE = "WOVE_BACKEND_PAYLOAD"

MAX_PAYLOAD_BYTES = 128 * 1024 - len(PAYLOAD_VARIABLE) - 2
"""Linux takes 128 KiB for one environment variable, its name, `=` and final zero included."""

_shared: weakref.WeakValueDictionary[object, Commands] = weakref.WeakValueDictionary()
_shared_lock = threading.Lock()


def commands_for(
    command: Sequence[str], *, workers: int, environment: Mapping[str, str], cwd: str | None
) -> Commands:
    """The `Commands` of these settings, the same for all weaves: `workers` bounds them all."""
    key = (tuple(command), workers, tuple(sorted(environment.items())), cwd)
    with _shared_lock:
        commands = _shared.get(key)
        if commands is None:
            commands = Commands(command, workers=workers, environment=environment, cwd=cwd)
            _shared[key] = commands
        return commands


def _forget_all() -> None:
    """In a forked child: the threads that serve them are the parent's."""
    global _shared, _shared_lock
    _shared, _shared_lock = weakref.WeakValueDictionary(), threading.Lock()


os.register_at_fork(after_in_child=_forget_all)


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
            PermissionError: it may not be executed.
            RuntimeError: no thread can be started.
        """
        self._check_program()
        with self._lock:
            self._queue.append(job)
            if self._free == 0:
                return True
            self._free -= 1
        serving = threading.Thread(target=self._serve, name="wove-process-command", daemon=True)
        try:
            serving.start()
        except RuntimeError:
            with self._lock:
                self._free += 1
                with suppress(ValueError):  # another thread has it, and it runs
                    self._queue.remove(job)
                    raise
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
        """SIGTERM to the job's process and what it started: the task can still clean up."""
        self._signal(job, signal.SIGTERM)

    def kill(self, job: Job) -> None:
        """End the job's process and what it started."""
        self._signal(job, signal.SIGKILL)

    def _signal(self, job: Job, number: signal.Signals) -> None:
        with self._lock:
            job.stopping = True
            if job.process_group is not None:
                with suppress(OSError):
                    os.killpg(job.process_group, number)

    def _check_program(self) -> None:
        program = self._command[0]
        place = os.path.abspath(self._cwd or os.curdir)
        where, path = "", program
        if os.path.dirname(program) and not os.path.isabs(program):
            # A relative one is looked for in the folder that it will run in.
            where, path = f" in {place}", os.path.join(place, program)
        if shutil.which(path, path=self._environment.get("PATH")) is not None:
            return
        setting = "which executor_config['command'] names"
        if os.path.dirname(path) and os.path.isfile(path):
            words = f"this file{where}, {setting}, may not be executed"
            raise PermissionError(errno.EACCES, words, program)
        raise FileNotFoundError(errno.ENOENT, f"no such program{where}, {setting}", program)

    def _serve(self) -> None:
        while True:
            with self._lock:
                if not self._queue:
                    self._free += 1
                    return
                job = self._queue.popleft()
            try:
                self._run(job)
            except Exception as error:  # the next job still needs this thread
                logger.exception("the command of job %s met an error", job.id)
                job.end(BackendStatus.LOST, f"its command met {error!r}", news=True)

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
        end = ProcessEnd(process)
        try:
            end.wait(None)  # it stays a zombie, so that its id cannot be another's in `kill`
            if job.stopping:  # nothing that it has left behind goes on
                self.kill(job)
            with self._lock:
                job.process_group = None
            code = end.reap(None)
        finally:
            end.close()
        words = exit_words(process.pid, code)
        if code == 0:
            # Whether it has reported is for the watcher to know: a program that has not is
            # given up after the grace from now, not from the next poll of the batch.
            job.end(BackendStatus.SUCCEEDED, words, news=True)
        elif code is not None and code > 0:
            job.end(BackendStatus.FAILED, words, news=True)
        else:
            job.end(BackendStatus.LOST, words, news=True)
