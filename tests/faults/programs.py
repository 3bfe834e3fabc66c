"""A backend of the tests' own: each job is one process, and the test decides what is said of it."""

from __future__ import annotations

import contextlib
import json
import os
import signal
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from wove import BackendAdapter
from wove.integrations.base import BackendState, BackendStatus, Supports

WORKER = [sys.executable, str(Path(__file__).with_name("worker.py"))]
"""A worker of this repository: payload on standard input, summary on standard output."""


@dataclass
class Job:
    """One payload that was handed over.

    Attributes:
        payload: as the adapter got it.
        processes: the workers that were given it, in order.
        says: what `poll` answers; None: what the first process shows.
        cancels: how often `cancel` was called.
    """

    payload: dict[str, Any]
    argv: list[str]
    processes: list[subprocess.Popen[bytes]] = field(default_factory=list)
    says: BackendState | None = None
    cancels: int = 0

    @property
    def id(self) -> str:
        return str(self.payload["run_id"])

    def start(self) -> subprocess.Popen[bytes]:
        """Give the payload to one more worker."""
        process = subprocess.Popen(
            self.argv, stdin=subprocess.PIPE, stdout=subprocess.PIPE, start_new_session=True
        )
        self.processes.append(process)
        assert process.stdin is not None
        process.stdin.write(json.dumps(self.payload).encode())
        process.stdin.close()
        process.stdin = None
        return process

    def summary(self, number: int = 0, *, seconds: float = 20.0) -> dict[str, Any]:
        """What `run()` of the worker with this number returned, once it has."""
        output, _ = self.processes[number].communicate(timeout=seconds)
        return dict(json.loads(output.decode().splitlines()[-1]))

    def state(self) -> BackendState:
        if self.says is not None:
            return self.says
        if not self.processes:
            return BackendState(BackendStatus.QUEUED)
        status = self.processes[0].poll()
        if status is None:
            return BackendState(BackendStatus.RUNNING)
        if status == 0:
            return BackendState(BackendStatus.SUCCEEDED)
        return BackendState(BackendStatus.LOST, f"the process ended with status {status}")

    def end(self) -> None:
        """Kill what is left of it."""
        for process in self.processes:
            if process.poll() is None:
                os.killpg(process.pid, signal.SIGKILL)
            process.wait(5)
            if process.stdout is not None:
                process.stdout.close()


class Programs(BackendAdapter):
    """Starts `argv` once per job, with the payload on standard input.

    Settings: `argv` (default: a worker of this repository); `jobs`, a list to which each
    job is added, for tests that look at it (they end the jobs); `hold`: start nothing,
    the test does; `on_job`, called with each job.
    """

    knows_queued = True
    supports = Supports(cancel_queued=True, cancel_running="stops", poll=True, idempotent=False)

    async def start(self) -> None:
        self.mine: list[Job] = []

    async def submit(self, payload: dict[str, Any], frame: dict[str, Any]) -> Job:
        job = Job(payload, list(self.config.get("argv", WORKER)))
        self.mine.append(job)
        if "jobs" in self.config:
            self.config["jobs"].append(job)
        if not self.config.get("hold"):
            await self.in_thread(job.start)
        if "on_job" in self.config:
            self.config["on_job"](job)
        return job

    async def cancel(self, run_id: str, submission: Job, frame: dict[str, Any]) -> None:
        submission.cancels += 1

    async def poll(self, submissions: Mapping[str, Job]) -> Mapping[str, BackendState]:
        return {run_id: job.state() for run_id, job in submissions.items()}

    async def close(self) -> None:
        if "jobs" not in self.config:
            for job in self.mine:
                await self.in_thread(_finish, job)


def _finish(job: Job) -> None:
    for process in job.processes:
        with contextlib.suppress(subprocess.TimeoutExpired):
            process.wait(5)  # its last event is acknowledged: it is about to go
    job.end()
