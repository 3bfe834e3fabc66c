"""What the behaviour suite needs to know of a backend: one subclass of `Backend` each."""

from __future__ import annotations

import contextlib
import os
import signal
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from wove.errors import ErrorCode


@dataclass(frozen=True, kw_only=True)
class Capabilities:
    """What differs between backends, as data: every test runs for every backend.

    Attributes:
        cancelled_running: what `.runs` says after a running job was cancelled.
        cancelled_queued: what `.runs` says after a queued job was cancelled.
        lost_process: codes that a job may end with whose own process was killed.
        lost_worker: codes that a job may end with whose whole worker was killed.
        down: code of a submission to a backend that is down.
        start_seconds: what a job may need from its submission to its first statement, on a
            busy machine. Tests that end a job while it runs wait so much longer.
        at_once: how many jobs this machine can run at the same time there, 50 at most.
    """

    cancelled_running: frozenset[str]
    cancelled_queued: frozenset[str]
    lost_process: frozenset[ErrorCode]
    lost_worker: frozenset[ErrorCode]
    down: ErrorCode
    start_seconds: float = 1.0
    at_once: int = 50


def kill_process(pid: int) -> None:
    """End one process as the kernel does when memory runs out."""
    os.kill(pid, signal.SIGKILL)


@dataclass
class Workers:
    """Workers of one test's own.

    Attributes:
        config: the `executor_config` that leads to them.
        kill: ends all of them at once, as a lost machine would.
        kill_process: ends the process of a task, which is the one that the task itself
            names unless the backend puts something between them.
    """

    config: dict[str, Any]
    kill: Callable[[], None]
    kill_process: Callable[[int], None] = kill_process


@dataclass
class Stalled:
    """A backend that takes jobs and starts none.

    Attributes:
        config: the `executor_config` that leads to it.
        resume: lets it start jobs; returns when a job sent afterwards would run.
    """

    config: dict[str, Any]
    resume: Callable[[], None]


class Backend(ABC):
    """One backend, running. The suite's tests share it; what they break is their own."""

    name: str
    executor: str
    capabilities: Capabilities

    @classmethod
    @abstractmethod
    def running(cls, request: pytest.FixtureRequest) -> Backend:
        """The backend, with workers that take jobs.

        Services are the whole run's (`tests.services.shared`); what is started here is
        stopped by `request.addfinalizer`.
        """

    @abstractmethod
    def executor_config(self) -> dict[str, Any]:
        """Leads to the shared workers, which do at least two jobs at once. JSON-safe."""

    @abstractmethod
    def own_workers(self, folder: Path) -> contextlib.AbstractContextManager[Workers]:
        """Workers of the test's own: at least two jobs at once.

        They must go on after three deaths of the process of a task. Where such a process
        is the whole worker, that takes four workers, or somebody who starts them again.
        """

    @abstractmethod
    def many_at_once(
        self, folder: Path, count: int
    ) -> contextlib.AbstractContextManager[dict[str, Any]]:
        """An `executor_config` that runs `count` jobs at the same time."""

    @abstractmethod
    def two_workers(self, folder: Path) -> contextlib.AbstractContextManager[dict[str, Any]]:
        """An `executor_config` that leads to two workers, each a session of processes."""

    @abstractmethod
    def stalled(self, folder: Path) -> contextlib.AbstractContextManager[Stalled]:
        """A backend that queues jobs until it is told to go on."""

    @abstractmethod
    def down(self) -> dict[str, Any]:
        """An `executor_config` that leads to a backend that is not there."""

    @abstractmethod
    def shared_object(self) -> contextlib.AbstractContextManager[dict[str, Any]]:
        """An environment built around one object of the user's, to be used many times."""

    def environment(
        self, config: Mapping[str, Any] | None = None, **options: Any
    ) -> dict[str, Any]:
        """An environment as a user would write it.

        Args:
            config: the `executor_config`; the shared workers' if none is given.
            options: defaults for the environment's tasks.
        """
        executor_config = self.executor_config() if config is None else dict(config)
        return {"executor": self.executor, "executor_config": executor_config, **options}


@contextlib.contextmanager
def nothing_to_stop(config: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """For what needs no cleaning up."""
    yield config
