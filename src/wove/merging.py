"""`merge`: tasks that a running task decides on."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable
from contextlib import suppress
from contextvars import Context, ContextVar, copy_context
from time import perf_counter
from typing import TYPE_CHECKING, Any

from wove.graph import UNMAPPED, Node
from wove.options import MAPPING_OPTIONS, TASK_OPTIONS, check_options
from wove.pool import ThreadPool
from wove.scheduler import CURRENT, Run
from wove.signatures import read_parameters
from wove.waiting import outlast, request_cancel

if TYPE_CHECKING:
    from typing_extensions import Unpack

    from wove.options import TaskOptionValues

__all__ = ["MAX_DEPTH", "merge"]

MAX_DEPTH = 100
"""How deep a merged callable may merge others."""

_ENDED = "the weave has ended"

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
        raise RuntimeError(
            "merge() can only be called inside a running task of a weave, in the weave's own "
            "process: tasks that run elsewhere cannot merge"
        )
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
        if source is not UNMAPPED and _is_local(run, node):  # else each try has told of itself
            run.outcome.note(node, started, ended, error)


_Ending = tuple[Any, BaseException | None]
"""What a merge came to: its result, or what it raised."""


async def _ending(run: Run, node: Node, source: Any) -> _Ending:
    """Perform a merge; only a cancellation is raised.

    An event loop stops for a `SystemExit` or `KeyboardInterrupt` that an asyncio task
    raises. Here it is for whoever merges, as any other exception is.
    """
    try:
        return await _perform(run, node, source), None
    except asyncio.CancelledError:
        raise
    except BaseException as error:  # noqa: BLE001 - raised where the merge was called
        return None, error


def _unpacked(ending: _Ending) -> Any:
    value, error = ending
    if error is not None:
        raise error
    return value


def _is_local(run: Run, node: Node) -> bool:
    return run.places.is_local(node.options.environment if node.options else None)


async def _from_loop(run: Run, node: Node, source: Any, context: Context) -> Any:
    if run.ending:
        raise RuntimeError(_ENDED)
    # In a task of its own, because a timeout cancels the task that it bounds.
    inner = context.run(asyncio.Task, _ending(run, node, source), loop=run.loop)
    run.inner.add(inner)
    try:
        await asyncio.wait([inner])
    except asyncio.CancelledError:
        request_cancel(inner)
        await outlast([inner])
        raise
    finally:
        run.inner.discard(inner)
    return _unpacked(inner.result())


class _Handover:
    """Carries a merge from a thread to the weave's loop; `tell()` is called there at its end."""

    def __init__(
        self, run: Run, node: Node, source: Any, context: Context, tell: Callable[[], object]
    ) -> None:
        self._run = run
        self._work = (node, source)
        self._context = context
        self._tell = tell
        self._job = ThreadPool.current_job()
        self._inner: asyncio.Task[_Ending] | None = None
        self._refused: Exception | None = None

    def begin(self) -> None:
        """In the thread that merges.

        Raises:
            RuntimeError: the weave has ended, and its loop with it.
        """
        try:
            self._run.loop.call_soon_threadsafe(self._start)
        except RuntimeError:
            raise RuntimeError(_ENDED) from None

    def _start(self) -> None:
        """Run the merge, and lend its thread's place in the pool meanwhile."""
        run, job = self._run, self._job
        try:
            self._pool = pool = run.pool()
            self._lent = job if pool.lend(job) else None
        except RuntimeError as error:  # the weave has ended, or no thread can be started
            self._refused = error
            self._tell()
            return
        work = _ending(run, *self._work)
        self._inner = inner = self._context.run(asyncio.Task, work, loop=run.loop)
        run.merges[inner] = job
        inner.add_done_callback(self._done)
        if run.stopping or run.ending or (job is not None and job.dropped):
            inner.cancel()

    def cancel(self) -> None:
        """On the loop: nobody waits any more."""
        if self._inner is not None:
            request_cancel(self._inner)

    def result(self) -> Any:
        """What the merge came to, once `tell` was called."""
        if self._inner is None:
            assert self._refused is not None  # noqa: S101 - `_start` was one or the other
            raise self._refused
        return _unpacked(self._inner.result())

    def _done(self, inner: asyncio.Task[_Ending]) -> None:
        del self._run.merges[inner]
        self._pool.take_back(self._lent)
        self._tell()


def _from_thread(run: Run, node: Node, source: Any, context: Context) -> Any:
    over = threading.Event()
    handover = _Handover(run, node, source, context, over.set)
    handover.begin()
    # A loop that is closed calls nobody back: a thread that outlives its weave looks.
    while not over.wait(1.0):
        if run.loop.is_closed() and not over.is_set():
            raise RuntimeError(_ENDED)
    return handover.result()


async def _from_other_loop(run: Run, node: Node, source: Any, context: Context) -> Any:
    """A sync task that runs an event loop of its own, such as `asyncio.run(...)`."""
    here = asyncio.get_running_loop()
    told = asyncio.Event()

    def tell() -> None:
        with suppress(RuntimeError):  # that loop is closed: nobody waits any more
            here.call_soon_threadsafe(told.set)

    handover = _Handover(run, node, source, context, tell)
    handover.begin()
    try:
        await told.wait()
    except asyncio.CancelledError:
        with suppress(RuntimeError):  # the weave was given up
            run.loop.call_soon_threadsafe(handover.cancel)
        raise
    return handover.result()


# A coroutine that is never awaited is reported under this name.
_from_loop.__qualname__ = _from_other_loop.__qualname__ = "merge"
