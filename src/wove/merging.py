"""`merge`: tasks that a running task decides on."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable
from contextvars import Context, ContextVar, copy_context
from time import perf_counter
from typing import TYPE_CHECKING, Any

from wove.graph import UNMAPPED, Node
from wove.options import MAPPING_OPTIONS, TASK_OPTIONS, check_options
from wove.pool import ThreadPool
from wove.scheduler import CURRENT, Run
from wove.signatures import read_parameters
from wove.waiting import outlast

if TYPE_CHECKING:
    from typing_extensions import Unpack

    from wove.options import TaskOptionValues

__all__ = ["MAX_DEPTH", "merge"]

MAX_DEPTH = 100
"""How deep a merged callable may merge others."""

_DEPTH: ContextVar[int] = ContextVar("wove_merge_depth", default=0)


def merge(
    callable: Callable[..., Any],  # noqa: A002 - the documented keyword
    iterable: Any = None,
    **options: Unpack[TaskOptionValues],
) -> Any:
    """Run a callable as part of the running weave.

    In an async task the answer is awaitable; in a sync task, or in a thread that
    carries the task's context, it is the result itself.

    Args:
        callable: sync or async. Called without arguments, or with one item.
        iterable: call once for each item, concurrently; the result is a list.
        **options: any option of a task.

    Raises:
        RuntimeError: no weave's task is running here.
        RecursionError: merged callables are nested more than 100 deep.
        TypeError: not a callable, or an unknown option.
        ValueError: a wrong value of an option.
        NameError: the environment is not configured.
    """
    run = CURRENT.get(None)
    if run is None or run.closed:
        raise RuntimeError("merge() can only be called inside a running task of a weave")
    depth = _DEPTH.get() + 1
    if depth > MAX_DEPTH:
        raise RecursionError(f"Merge call depth exceeded {MAX_DEPTH}")
    node = _node(run, callable, iterable is not None, dict(options))
    context = copy_context()
    context.run(_DEPTH.set, depth)
    source = UNMAPPED if iterable is None else iterable
    try:
        loop = asyncio.get_running_loop()
    except RuntimeError:
        return _from_thread(run, node, source, context)
    if loop is run.loop:
        return _from_loop(run, node, source, context)
    return _from_other_loop(run, node, source, context)


def _node(run: Run, function: Any, mapped: bool, options: dict[str, Any]) -> Node:
    if not callable(function):
        raise TypeError(f"merge() needs a callable, not {type(function).__name__!r}")
    given = check_options(options, TASK_OPTIONS, "merge()")
    if not mapped:
        for option in MAPPING_OPTIONS & given.keys():
            if given[option] is not None:
                raise ValueError(f"{option} needs an iterable: merge(callable, iterable, ...)")
    name = getattr(function, "__name__", None) or type(function).__name__
    node = Node(f"merge:{name}", function, UNMAPPED, given)
    node.options = run.resolve(given, mapped=mapped)
    if mapped:
        node.item = "item"
        node.function = _ItemCall(function)
    return node


class _ItemCall:
    """Gives a callable, whatever its parameter is called, the argument `item`. Picklable."""

    def __init__(self, function: Callable[..., Any]) -> None:
        self._function = function
        self.__wrapped__ = function

    def __call__(self, item: Any) -> Any:
        return self._function(item)

    @property
    def item_parameter(self) -> str:
        """What the callable's own parameter is called; `item` where that is not to be seen."""
        required, optional, _ = read_parameters(self._function)
        return (*required, *optional, "item")[0]


async def _perform(run: Run, node: Node, source: Any) -> Any:
    started = perf_counter()
    error: BaseException | None = None
    try:
        return await run.perform(node, {}, source)
    except BaseException as failure:
        error = failure
        raise
    finally:
        ended = perf_counter()
        run.outcome.merged[node.name] = run.outcome.merged.get(node.name, 0.0) + ended - started
        if source is not UNMAPPED:  # else each try has told of itself
            run.record(node, started, ended, error)


async def _from_loop(run: Run, node: Node, source: Any, context: Context) -> Any:
    # In a task of its own, because a timeout cancels the task that it bounds.
    inner = context.run(asyncio.Task, _perform(run, node, source), loop=run.loop)
    try:
        await asyncio.wait([inner])
    except asyncio.CancelledError:
        inner.cancel()
        await outlast([inner])
        if not inner.cancelled():
            inner.exception()  # told to nobody: the caller is cancelled
        raise
    return inner.result()


class _Handover:
    """Carries a merge from a thread to the weave's loop, and its outcome back."""

    def __init__(self, run: Run, node: Node, source: Any, context: Context) -> None:
        self._run = run
        self._work = (node, source)
        self._context = context
        self._job = ThreadPool.current_job()
        self._inner: asyncio.Task[Any] | None = None
        self.over = threading.Event()

    def start(self) -> None:
        """On the loop: run the merge, and lend its thread's place in the pool meanwhile."""
        run = self._run
        if self._job is not None:
            run.pool().block()
        work = _perform(run, *self._work)
        self._inner = inner = self._context.run(asyncio.Task, work, loop=run.loop)
        run.merges[inner] = self._job
        inner.add_done_callback(self._done)
        if run.stopping or (self._job is not None and self._job.dropped):
            inner.cancel()

    def cancel(self) -> None:
        """On the loop: nobody waits any more."""
        if self._inner is not None:
            self._inner.cancel()

    def result(self) -> Any:
        """In the thread, once it is over."""
        assert self._inner is not None  # noqa: S101 - `over` is set after `start`
        return self._inner.result()

    def _done(self, inner: asyncio.Task[Any]) -> None:
        del self._run.merges[inner]
        if self._job is not None:
            self._run.pool().unblock()
        if not inner.cancelled():
            inner.exception()  # looked at, should the thread be gone
        self.over.set()


def _from_thread(run: Run, node: Node, source: Any, context: Context) -> Any:
    handover = _Handover(run, node, source, context)
    run.loop.call_soon_threadsafe(handover.start)
    handover.over.wait()
    return handover.result()


async def _from_other_loop(run: Run, node: Node, source: Any, context: Context) -> Any:
    """A sync task that runs an event loop of its own, such as `asyncio.run(...)`."""
    here = asyncio.get_running_loop()
    told = asyncio.Event()
    handover = _Handover(run, node, source, context)

    def watch() -> None:
        handover.start()
        assert handover._inner is not None  # noqa: S101 - just started
        handover._inner.add_done_callback(lambda _: here.call_soon_threadsafe(told.set))

    run.loop.call_soon_threadsafe(watch)
    try:
        await told.wait()
    except asyncio.CancelledError:
        run.loop.call_soon_threadsafe(handover.cancel)
        raise
    return handover.result()
