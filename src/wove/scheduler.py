"""Runs a connected graph: each task starts as soon as its own dependencies are there.

There are no tiers and no central loop. Every task's own wrapper records its
result, counts down what its dependents still wait for, and starts those that
wait for nothing more. Pure asyncio; where remote tasks go is somebody else's
(`Places`).
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine
from contextvars import ContextVar, copy_context
from time import perf_counter
from typing import Any, Protocol

from wove.errors import TaskTimeoutError, WoveError
from wove.graph import UNMAPPED, Node
from wove.mapping import run_map
from wove.nested import Nested
from wove.options import TaskOptions
from wove.outcome import Outcome
from wove.pool import Job, ThreadPool
from wove.tries import run_tries
from wove.waiting import outlast, request_cancel

__all__ = ["CURRENT", "Places", "Run"]

CURRENT: ContextVar[Run] = ContextVar("wove_run")
"""The weave that the running task belongs to."""


class Places(Protocol):
    """Where tasks run that do not run here."""

    def is_local(self, name: str | None) -> bool:
        """Whether tasks of the environment run in this process, by the weave itself."""
        ...

    async def execute(
        self, node: Node, arguments: dict[str, Any], item: int | None, outcome: Outcome
    ) -> Any:
        """Carry one item through its runs and return its result."""

    @property
    def started(self) -> bool:
        """Whether there is anything to stop."""
        ...

    async def stop(self, failed: BaseException | None) -> None:
        """End everything that was started there."""


class Run:
    """One run of one weave, on one event loop.

    Args:
        nodes: the tasks, connected, with their `options` resolved.
        outcome: where results, failures and times go.
        places: the environments.
        resolve: the options of a task from those it was given, and `mapped=`.
        max_workers: threads for sync tasks.
        max_pending: most items of a mapped task, or `None`.
    """

    def __init__(
        self,
        nodes: dict[str, Node],
        outcome: Outcome,
        places: Places,
        resolve: Callable[..., TaskOptions],
        *,
        max_workers: int,
        max_pending: int | None,
    ) -> None:
        self.nodes = nodes
        self.outcome = outcome
        self.places = places
        self.resolve = resolve
        self.max_workers = max_workers
        self.max_pending = max_pending
        self.stopping = False
        """A task failed or the weave was cancelled: nothing new starts."""
        self.ending = False
        """All tasks have ended: what they have left behind may begin nothing more."""
        self.closed = False
        """Nothing of the weave runs any more."""
        self.merges: dict[asyncio.Task[Any], Job | None] = {}
        """What sync tasks wait for in `merge`, by whose job; async ones cancel their own."""
        self.inner: set[asyncio.Task[Any]] = set()
        """What async tasks wait for in `merge`."""
        self.nested = Nested()
        """Weaves inside tasks, other than those that async tasks await."""
        self._left = len(nodes)
        self._pool: ThreadPool | None = None
        self._values = outcome.values

    async def execute(self) -> None:
        """Run everything and return when nothing of it runs any more.

        Failures are in the outcome.

        Raises:
            asyncio.CancelledError: the weave was cancelled; so were its tasks.
        """
        self.loop = asyncio.get_running_loop()
        token = CURRENT.set(self)
        self._base = copy_context()
        CURRENT.reset(token)
        self._ended = self.loop.create_future()
        for node in self.nodes.values():
            if not node.missing and not self.stopping:
                self._start(node)
        asked = False
        if self._left and not self.stopping:
            try:
                await self._ended
            except asyncio.CancelledError:
                asked = True
                self._stop()
        asked = await self._wind_down() or asked
        if asked:
            raise asyncio.CancelledError

    def pool(self) -> ThreadPool:
        """The threads of this weave, made at the first need.

        Raises:
            RuntimeError: it has ended.
        """
        if self.closed:
            raise RuntimeError("the weave has ended")
        if self._pool is None:
            self._pool = ThreadPool(self.max_workers, self.loop)
        return self._pool

    def merges_of(self, job: Job) -> list[asyncio.Task[Any]]:
        """What the sync task of this job waits for in `merge`."""
        return [merge for merge, owner in self.merges.items() if owner is job]

    def abandon(self) -> None:
        """Wait for nothing more: the user pressed Ctrl-C again, or the time for it is up."""
        self.stopping = self.ending = self.closed = True
        if self._pool is not None:
            self._pool.abandon()

    async def call(self, node: Node, arguments: dict[str, Any], item: int | None = None) -> Any:
        """Carry one item of a task through its tries, here or elsewhere."""
        assert node.options is not None  # noqa: S101 - for the type checker
        if self.places.is_local(node.options.environment):
            return await run_tries(self, node, arguments, item)
        return await self.places.execute(node, arguments, item, self.outcome)

    async def perform(self, node: Node, arguments: dict[str, Any], source: Any) -> Any:
        """Run a whole task, mapped or not, and return its result."""
        if source is UNMAPPED:
            return await self.call(node, arguments)
        return await run_map(self, node, arguments, source)

    def is_plain(self, node: Node) -> bool:
        """Whether an item of the task is one local call, without tries or a time limit."""
        options = node.options
        assert options is not None  # noqa: S101 - for the type checker
        return (
            not options.retries
            and options.timeout is None
            and self.places.is_local(options.environment)
        )

    # --- starting ---

    def _start(self, node: Node) -> None:
        if node.source is not UNMAPPED or not self.is_plain(node):
            node.handle = self._task(self._general(node))
        elif node.is_async:
            node.handle = self._task(self._simple(node))
        else:
            self._submit(node)

    def _task(self, work: Coroutine[Any, Any, None]) -> asyncio.Task[None]:
        # Made inside the weave's own context, of which each task gets a copy: started by a
        # dependency's wrapper, it would get what that task has set. Not through
        # `loop.create_task`, whose factory may be an eager one, which would nest the
        # whole graph in one call.
        return self._base.run(asyncio.Task, work, loop=self.loop)

    def _arguments(self, node: Node) -> dict[str, Any]:
        values = self._values
        return {name: values[name] for name in node.dependencies}

    async def _simple(self, node: Node) -> None:
        """An async task without anything special: one call."""
        node.started = perf_counter()
        try:
            if node.dependencies:
                value = await node.function(**self._arguments(node))
            else:
                value = await node.function()
        except BaseException as error:  # noqa: BLE001 - it is the task's outcome
            self._fail(node, error)
        else:
            self._finish(node, value)

    async def _general(self, node: Node) -> None:
        """Any other task: mapped, remote, with retries or a timeout."""
        node.started = perf_counter()
        try:
            source = node.source
            if isinstance(source, str):
                source = self._values[source]
            value = await self.perform(node, self._arguments(node), source)
        except BaseException as error:  # noqa: BLE001 - it is the task's outcome
            self._fail(node, error)
        else:
            self._finish(node, value)

    def _submit(self, node: Node) -> None:
        """A sync task without anything special: one job of the pool."""

        def done(job: Job) -> None:
            if job.error is not None:
                self._fail(node, job.error)
            elif not job.taken:
                self._fail(node, asyncio.CancelledError())
            elif isinstance(job.value, Coroutine):
                if self.stopping:
                    job.value.close()
                    self._fail(node, asyncio.CancelledError())
                    return
                awaited = self._awaited(node, job.value)
                node.handle = context.run(asyncio.Task, awaited, loop=self.loop)
            else:
                self._finish(node, job.value)

        context = self._base.copy()
        node.started = perf_counter()
        job = Job(context, node.function, self._arguments(node), done)
        node.handle = job
        try:
            self.pool().submit(job)
        except RuntimeError as error:  # no thread can be started
            self._fail(node, error)

    async def _awaited(self, node: Node, value: Coroutine[Any, Any, Any]) -> None:
        """The coroutine that a sync task returned."""
        try:
            result = await value
        except BaseException as error:  # noqa: BLE001 - it is the task's outcome
            self._fail(node, error)
        else:
            self._finish(node, result)

    # --- ending ---

    def _finish(self, node: Node, value: Any) -> None:
        node.ended = perf_counter()
        node.handle = None
        self._values[node.name] = value
        self._left -= 1
        if node.dependents and not self.stopping:
            for dependent in node.dependents:
                dependent.missing -= 1
                if not dependent.missing and not self.stopping:
                    self._start(dependent)
        if not self._left and not self._ended.done():
            self._ended.set_result(None)

    def _fail(self, node: Node, error: BaseException) -> None:
        node.ended = perf_counter()
        node.handle = None
        self._left -= 1
        outcome = self.outcome
        if isinstance(error, asyncio.CancelledError):
            outcome.cancelled.add(node.name)
            if self.stopping:
                return
            cancelled = WoveError(f"Task {node.name!r} was cancelled from inside")
            cancelled.__cause__ = error
            error = cancelled
        elif isinstance(error, TaskTimeoutError) and error.task == node.name:
            outcome.cancelled.add(node.name)
        outcome.errors[node.name] = error
        if outcome.exception is None:
            outcome.exception = error
            outcome.failed = node.name
        self._stop()

    def _stop(self) -> None:
        """Cancel what runs; nothing new starts."""
        if self.stopping:
            return
        self.stopping = True
        for node in self.nodes.values():
            handle = node.handle
            if isinstance(handle, Job):
                handle.dropped = True
            elif handle is not None:
                handle.cancel()
        for merge in self.merges:
            request_cancel(merge)
        self.nested.cancel()
        if not self._ended.done():
            self._ended.set_result(None)

    async def _wind_down(self) -> bool:
        """Wait for all that still runs; whether this was asked to cancel meanwhile."""
        asked = False
        if self.stopping:
            handles = [n.handle for n in self.nodes.values() if isinstance(n.handle, asyncio.Task)]
            asked = await outlast([*handles, *self.merges])
        self.ending = True
        left = [*self.inner, *self.merges]
        for merge in left:
            request_cancel(merge)
        asked = await outlast(left) or asked
        if self._pool is not None:
            asked = await outlast([self.loop.create_task(self._pool.close())]) or asked
        if self.places.started:
            stop = self.loop.create_task(self.places.stop(self.outcome.exception))
            asked = await outlast([stop]) or asked
            if not stop.cancelled() and self.outcome.exception is None:
                self.outcome.exception = stop.exception()
        self.closed = True
        del self._base  # it holds this run, and the cycle would wait for the collector
        if self.stopping:
            self.outcome.settle()
        return asked
