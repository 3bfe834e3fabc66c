"""`process`: tasks run in worker processes on this machine, with nothing to install.

The embedded default: the same payload, receiver and events as every other backend,
so what works here works there. The processes are warm, shared by the weaves of
this process, and end with it.
"""

from __future__ import annotations

import asyncio
import contextlib
import errno
import json
import os
import sys
from collections.abc import Callable, Mapping
from typing import Any

from wove.errors import PayloadTooLargeError
from wove.executors.backend_state import BackendState, BackendStatus, Supports
from wove.executors.records import CancelOutcome
from wove.integrations._process_end import is_stopped
from wove.integrations._process_job import Job
from wove.integrations._process_pipe import MAX_MESSAGE_BYTES
from wove.integrations.base import BackendAdapter

__all__ = ["ProcessAdapter"]

CANCEL_GRACE_SECONDS = 1.0
"""A running job that was asked to stop is killed, with its process, after this."""


class ProcessAdapter(BackendAdapter):
    """Runs payloads in worker processes of this machine.

    Settings (`executor_config`), beside those of the callback:

    - `workers` (the number of processors): the most processes at once; more jobs wait.
    - `env`: environment variables of the workers, beside this process's own.
    - `cwd` (this process's): their working folder.
    - `command`: start this program once per job, with the payload in
      `WOVE_BACKEND_PAYLOAD`, in place of the warm workers.
    - `faults`: faults to inject between worker and receiver, for tests
      (`wove.worker.faults` lists them).
    """

    settings = frozenset({"workers", "env", "cwd", "command", "faults"})
    """Its keys of `executor_config`."""

    knows_queued = True
    start_gate = False  # a worker's pipe ends with the weave's process
    supports = Supports(cancel_queued=True, cancel_running="stops", poll=True)

    async def start(self) -> None:
        """Take the settings. Processes start with the first jobs.

        Raises:
            TypeError: a setting has the wrong type.
            ValueError: `workers` is less than 1; `faults` names an unknown fault, or no
                probability.
            NotADirectoryError: `cwd` is no folder.
        """
        config = self.config
        workers, cwd = _workers(config.get("workers")), _folder(config.get("cwd"))
        env, command = config.get("env"), config.get("command")
        env = {} if env is None else env
        if not isinstance(env, Mapping):
            raise TypeError("the process executor's 'env' must map names to values")
        env = {str(name): str(value) for name, value in env.items()}
        if command is not None and (isinstance(command, str) or not command):
            raise TypeError("the process executor's 'command' must be a list, such as ['python']")
        if command is not None:
            from wove.integrations._process_command import MAX_PAYLOAD_BYTES, commands_for
            from wove.integrations._process_worker import worker_environment

            self.start_gate = True
            self.max_payload_bytes = MAX_PAYLOAD_BYTES
            self._jobs: Any = commands_for(
                [str(part) for part in command],
                workers=workers,
                environment=worker_environment(env),
                cwd=cwd,
            )
            return
        from wove.integrations._process_pool import PoolSettings
        from wove.integrations._process_pools import pool_for

        faults = config.get("faults")
        if faults is not None:
            from wove.worker.faults import check

            check(faults)
        settings = PoolSettings(
            workers=workers,
            env=tuple(sorted(env.items())),
            cwd=cwd or os.getcwd(),
            sys_path=_sys_path(),
            faults=None if faults is None else json.dumps(faults, sort_keys=True),
        )
        self._new_jobs: Callable[[], Any] = lambda: pool_for(settings)
        self._jobs = self._new_jobs()

    async def submit(self, payload: dict[str, Any], frame: dict[str, Any]) -> Job:
        """Give the payload to an idle worker, or queue it for the next one.

        Raises:
            PayloadTooLargeError: no message to a worker holds the payload.
        """
        run_id, data = payload["run_id"], json.dumps(payload).encode()
        if len(data) > MAX_MESSAGE_BYTES:
            raise PayloadTooLargeError(
                f"the payload is {len(data)} bytes as JSON, and a worker process takes "
                f"{MAX_MESSAGE_BYTES}: store the data, and pass where it is",
                size=len(data),
                limit=MAX_MESSAGE_BYTES,
            )
        job = Job(
            self.job_id_for(payload, frame),
            run_id,
            data,
            lambda: self.changed(run_id),
        )
        while not self._jobs.submit(job):
            self._jobs = self._new_jobs()  # the pool went because nobody used it
        return job

    async def cancel(
        self, run_id: str, submission: Job, frame: dict[str, Any]
    ) -> CancelOutcome | None:
        """Take a queued job back; ask a running one to stop, then kill its process.

        Returns:
            `stopped`, always: either the job was still here, or it has ended, or its
            process has.
        """
        if self._jobs.take_back(submission):
            return "stopped"
        self._jobs.ask_to_stop(submission)
        if not await self._has_ended(submission, CANCEL_GRACE_SECONDS):
            self._jobs.kill(submission)
            await self._has_ended(submission, CANCEL_GRACE_SECONDS)
        return "stopped" if submission.ended else "unconfirmed"

    async def poll(self, submissions: Mapping[str, Job]) -> Mapping[str, BackendState]:
        """What became of the jobs: nobody else can know better."""
        return {run_id: _seen(job) for run_id, job in submissions.items()}

    def payload_size(self, payload: dict[str, Any]) -> int:
        """Bytes of the payload in base64, as a `command` gets it."""
        return 4 * ((len(json.dumps(payload)) + 2) // 3)

    async def _has_ended(self, job: Job, seconds: float) -> bool:
        loop = asyncio.get_running_loop()
        ended: asyncio.Future[None] = loop.create_future()

        def tell() -> None:
            if not ended.done():
                ended.set_result(None)

        def on_end() -> None:
            with contextlib.suppress(RuntimeError):  # the weave's loop is closed
                loop.call_soon_threadsafe(tell)

        job.when_ended(on_end)
        done, _ = await asyncio.wait({ended}, timeout=seconds)
        return bool(done)


def _sys_path() -> tuple[str, ...]:
    """Where this process imports from, in words that hold in any folder.

    Imports pass over what is not text. What is no path stays: it is some finder's word.
    """
    texts = [each for each in sys.path if isinstance(each, str)]
    return tuple(os.path.abspath(t) if not t or os.path.exists(t) else t for t in texts)


def _workers(workers: Any) -> int:
    if workers is None:
        return os.cpu_count() or 1
    problem = f"the process executor's 'workers' must be a positive int, not {workers!r}"
    if not isinstance(workers, int) or isinstance(workers, bool):
        raise TypeError(problem)
    if workers < 1:
        raise ValueError(problem)
    return workers


def _folder(cwd: Any) -> str | None:
    if cwd is None:
        return None
    try:
        folder = os.path.abspath(os.fsdecode(cwd))
    except TypeError:
        raise TypeError(f"the process executor's 'cwd' must be a path, not {cwd!r}") from None
    if not os.path.isdir(folder):
        problem = "the process executor's 'cwd' is no folder"
        raise NotADirectoryError(errno.ENOTDIR, problem, folder)
    return folder


def _seen(job: Job) -> BackendState:
    state, pid = job.state, job.process_group
    if state.status is BackendStatus.RUNNING and pid is not None and is_stopped(pid):
        return BackendState(state.status, f"{state.reason}, which is stopped (SIGSTOP)")
    return state
