"""What a weave knows of its tasks: written by the scheduler, read through `WoveResult`."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Mapping
from types import TracebackType
from typing import TYPE_CHECKING, Any, NamedTuple, NoReturn

from wove.errors import TaskTimeoutError, WoveError
from wove.graph import Node

if TYPE_CHECKING:
    from wove.executors.records import RunRecord
    from wove.options import ErrorMode

__all__ = ["LocalRun", "Outcome"]


class LocalRun(NamedTuple):
    """One run in this process, kept small; `Outcome.records` makes a `RunRecord` of it."""

    task: str
    environment: str
    attempt: int
    started: float
    ended: float
    error: BaseException | None
    state: str


class Outcome:
    """Values, failures and times of one weave. Times are of `time.perf_counter`."""

    def __init__(
        self,
        nodes: dict[str, Node],
        data: Mapping[str, Any],
        error_mode: ErrorMode,
        is_local: Callable[[str | None], bool],
    ) -> None:
        self.nodes = nodes
        self.data = data
        self.error_mode = error_mode
        self._is_local = is_local
        self.values: dict[str, Any] = {}
        """Keywords and the results of finished tasks."""
        self.errors: dict[str, BaseException] = {}
        """What reading each task without a result raises."""
        self.cancelled: set[str] = set()
        self.exception: BaseException | None = None
        """The first failure."""
        self.failed: str | None = None
        """Name of the task that failed first."""
        self.merged: dict[str, float] = {}
        """Seconds spent in merged callables, by `merge:<callable>`."""
        self.local_runs: list[LocalRun] = []
        """Runs that a task's own times do not tell: tries and merges."""
        self.remote_runs: list[RunRecord] = []
        self._traces: dict[int, TracebackType | None] = {}
        self._clock = time.time() - time.perf_counter()

    def fail_with(self, error: BaseException) -> NoReturn:
        """Raise a kept exception; its traceback does not grow from one time to the next."""
        trace = self._traces.setdefault(id(error), error.__traceback__)
        raise error.with_traceback(trace)

    def note(
        self,
        node: Node,
        started: float,
        ended: float,
        error: BaseException | None,
        attempt: int = 0,
    ) -> None:
        """Keep a run that the task's own times do not tell."""
        self.local_runs.append(_local_run(node, started, ended, error, attempt))

    def begin(self) -> None:
        """Make the keywords readable; tasks replace keywords of their name."""
        self.values = {n: v for n, v in self.data.items() if n not in self.nodes}

    def timings(self) -> dict[str, float]:
        """Seconds from start to end of each task that ended, then of the merged callables."""
        times = {
            name: node.ended - node.started
            for name, node in self.nodes.items()
            if node.started and node.ended
        }
        times.update(self.merged)
        return times

    def settle(self) -> None:
        """Give every task that has no result the error that tells why.

        A task that waits for a failed one, however far, fails with the same
        exception; any other was cancelled by the first failure.
        """
        for name in list(self.errors):
            waiting = list(self.nodes[name].dependents)
            while waiting:
                node = waiting.pop()
                if node.name not in self.values and node.name not in self.errors:
                    self.errors[node.name] = self.errors[name]
                    waiting.extend(node.dependents)
        for name in self.nodes:
            if name not in self.values and name not in self.errors:
                self.cancelled.add(name)
                self.errors[name] = self._cancellation(name)

    def _cancellation(self, name: str) -> WoveError:
        if self.failed is not None:
            why = f"task {self.failed!r} failed: {_brief(self.exception)}"
        elif self.exception is not None:
            why = f"the weave failed: {_brief(self.exception)}"
        else:
            why = "the weave was cancelled"
        error = WoveError(f"Task {name!r} was cancelled because {why}")
        error.__cause__ = self.exception
        return error

    def records(self) -> list[RunRecord]:
        """One record per run, in order of their beginning.

        A task that ran here has one for each try; a task mapped here has one in all,
        because its items are not submitted anywhere.
        """
        from wove.executors.records import RunRecord

        told = {run.task for run in self.local_runs}
        runs = list(self.local_runs)
        for name, node in self.nodes.items():
            place = node.options.environment if node.options else None
            if node.started and name not in told and self._is_local(place):
                runs.append(self._own_run(node))
        records = [
            RunRecord(
                task=run.task,
                run_id=f"local-{number}",
                environment=run.environment,
                backend="local",
                attempt=run.attempt,
                state=run.state,  # type: ignore[arg-type]
                submitted_at=self._clock + run.started,
                started_at=self._clock + run.started,
                ended_at=self._clock + run.ended if run.ended else None,
                error=run.error,
            )
            for number, run in enumerate(runs)
        ]
        return sorted([*records, *self.remote_runs], key=lambda r: r.submitted_at or 0.0)

    def _own_run(self, node: Node) -> LocalRun:
        error = self.errors.get(node.name)
        run = _local_run(node, node.started, node.ended, error)
        if error is None and node.name not in self.values:
            return run._replace(state="started")
        if run.state == "failed" and node.name in self.cancelled:
            return run._replace(state="cancelled")  # the error tells why
        return run


def _local_run(
    node: Node, started: float, ended: float, error: BaseException | None, attempt: int = 0
) -> LocalRun:
    """A run and how it ended."""
    place = node.options.environment if node.options else None
    if error is None:
        state = "succeeded"
    elif isinstance(error, asyncio.CancelledError):
        error, state = None, "cancelled"
    elif isinstance(error, TaskTimeoutError) and error.task == node.name:
        state = "timed_out"
    else:
        state = "failed"
    return LocalRun(node.name, place or "", attempt, started, ended, error, state)


def _brief(error: BaseException | None) -> str:
    text = f"{type(error).__name__}: {error}"
    return text if len(text) <= 300 else text[:297] + "..."
