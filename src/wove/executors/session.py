"""One weave's dealings with one environment: what the scheduler uses."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Coroutine, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from wove.errors import DeliveryError, ErrorCode
from wove.executors.admission import InFlight
from wove.executors.frames import describe
from wove.executors.item import Item
from wove.executors.liveness import Liveness
from wove.executors.records import RunRecord
from wove.executors.registry import executor_for
from wove.executors.run import Outcome, Run

if TYPE_CHECKING:
    from wove.executors.base import EnvironmentExecutor, Frame
    from wove.options import TaskOptions

__all__ = ["EnvironmentSession", "TaskCall"]

logger = logging.getLogger("wove.executors")


@dataclass(frozen=True, kw_only=True, slots=True)
class TaskCall:
    """One item to be executed: a task, or one element of a mapped task."""

    task_id: str
    """The task's name, or `merge:<callable>`."""

    callable: Callable[..., Any]
    """What to run."""

    args: Mapping[str, Any]
    """Keyword arguments, as the callable would be called locally."""

    options: TaskOptions
    """Resolved: None means that the built-in default was already applied."""

    on_run: Callable[[RunRecord], None]
    """Called once per run as it is made; the record is updated in place."""

    item: int | None = None
    """Index of the item in a mapped task."""

    shared: dict[str, Any] | None = None
    """What the items of one map share, kept for them by whoever makes their payloads."""


class EnvironmentSession:
    """Executes items in one environment, for one weave, on the weave's event loop.

    Args:
        name: the environment's name.
        environment: its settings; `executor` and `executor_config` are read.
        run_config: `error_mode`, `max_pending`, `delivery_heartbeat_seconds` and
            `delivery_orphan_policy` of the weave.
    """

    executor: EnvironmentExecutor

    def __init__(
        self, name: str, environment: Mapping[str, Any], run_config: Mapping[str, Any]
    ) -> None:
        self.name = name
        self.liveness = Liveness()
        self._environment = environment
        self._run_config = run_config
        self._in_flight = InFlight()
        self._runs: dict[str, Run] = {}
        self._lingering: list[Item] = []
        self._unconfirmed: list[DeliveryError] = []
        self._background: set[asyncio.Task[None]] = set()
        self._reader: asyncio.Task[None] | None = None
        self._broken: BaseException | None = None
        self._stopping = False

    @property
    def backend_name(self) -> str:
        """What the records call the backend."""
        return self.executor.backend_name or type(self.executor).__name__

    async def start(self) -> None:
        """Start the environment's executor; once per weave, before its first task there.

        Raises:
            ValueError: the executor's name is unknown.
            MissingPackageError: the backend's package is not installed.
            TypeError: settings are missing.
        """
        self.executor = executor_for(self._environment.get("executor", "local")).for_weave()
        self.liveness = getattr(self.executor, "liveness", self.liveness)
        pushes = self.executor.listen(self._on_frame)
        await self.executor.start(
            environment_name=self.name,
            environment_config=dict(self._environment.get("executor_config") or {}),
            run_config=dict(self._run_config),
        )
        if not pushes:
            self._reader = asyncio.create_task(self._read())

    async def execute(self, call: TaskCall) -> Any:
        """Carry one item through its runs and return its result.

        Cancelling the awaiting task cancels the item.

        Raises:
            TaskTimeoutError: the last try ran longer than `timeout`.
            DeliveryError: the task could not be delivered, or its outcome not brought back.
            Exception: what the task itself raised.
        """
        item = Item(self, call)
        await self._in_flight.acquire(call.options.delivery.delivery_max_in_flight)
        try:
            return await item.execute()
        finally:
            self._in_flight.release()

    async def stop(self, *, failed: BaseException | None) -> None:
        """Finish telling the backends what was cancelled, then stop the executor.

        Takes at most `Liveness.stop_seconds`, and no time when nothing is outstanding.

        Args:
            failed: the weave's first failure; errors about cancellations chain to it.
        """
        self._stopping = True
        loop = asyncio.get_running_loop()
        deadline = loop.time() + self.liveness.stop_seconds
        for error in self._unconfirmed:
            if error is not failed:
                error.__cause__ = failed
        self._unconfirmed.clear()
        if self._background:
            await asyncio.wait(self._background, timeout=self.liveness.stop_seconds)
        for item in self._lingering:
            self._forget(item)
        self._lingering.clear()
        tasks = [*self._background]
        if self._reader is not None:
            tasks.append(self._reader)
        for task in tasks:
            task.cancel()
        if tasks:
            await asyncio.wait(tasks, timeout=max(0.0, deadline - loop.time()))
        await self._stop_executor(max(1.0, deadline - loop.time()))

    async def abort(self) -> None:
        """Stop an executor whose start was cancelled; no longer than `Liveness.stop_seconds`."""
        if hasattr(self, "executor"):  # else the start had not come to it
            await self._stop_executor(self.liveness.stop_seconds, shutdown=False)

    # ---- for the items ----------------------------------------------------------------

    def register(self, run: Run) -> None:
        """Route the events of a new run to it."""
        self._runs[run.run_id] = run
        if self._broken is not None:
            self._fail(run, self._broken)

    def release(self, item: Item) -> None:
        """The item is over. Runs under cancellation are followed until the weave stops."""
        if any(run.record.cancel in ("asked", "unconfirmed") for run in item.runs):
            self._lingering.append(item)
        else:
            self._forget(item)

    def spawn(self, work: Coroutine[Any, Any, None]) -> None:
        """Do something beside the items; `stop` waits for it."""
        task = asyncio.get_running_loop().create_task(work)
        self._background.add(task)
        task.add_done_callback(self._background.discard)

    def unconfirmed(self, error: DeliveryError) -> DeliveryError:
        """Note an error that is to be chained to the weave's first failure."""
        self._unconfirmed.append(error)
        return error

    # ---- inside -----------------------------------------------------------------------

    def _forget(self, item: Item) -> None:
        for run in item.runs:
            self._runs.pop(run.run_id, None)
        if item.runs:
            self.executor.close_item(item.runs[-1].run_id)

    async def _read(self) -> None:
        try:
            while True:
                self._on_frame(await self.executor.recv())
        except (Exception, asyncio.CancelledError) as error:
            if self._stopping and isinstance(error, asyncio.CancelledError):
                raise  # ours; any other is a client library's way to fail
            self._broken = error
            for run in list(self._runs.values()):
                self._fail(run, error)

    def _on_frame(self, frame: Frame) -> None:
        run = self._runs.get(frame.get("run_id", ""))
        if run is not None:
            run.item.on_frame(run, frame)

    def _fail(self, run: Run, cause: BaseException) -> None:
        words = f"{type(cause).__name__}: {cause}"
        error = DeliveryError(
            f"Environment '{self.name}': its executor {self.backend_name} failed while task "
            f"'{run.record.task}' was there: {words}",
            code=ErrorCode.EXECUTOR_FAILED,
            reason=words,
            **describe(run.record),
        )
        error.__cause__ = cause
        run.end("failed", Outcome(error=error))

    async def _stop_executor(self, seconds: float, *, shutdown: bool = True) -> None:
        async def stop() -> None:
            try:
                if shutdown:
                    await self.executor.send({"type": "shutdown"})
            finally:
                await self.executor.stop()

        try:
            await asyncio.wait_for(stop(), seconds)
        except asyncio.TimeoutError:
            logger.warning("environment %r did not stop within %g s", self.name, seconds)
        except Exception:
            logger.warning("environment %r failed to stop", self.name, exc_info=True)
