"""Mapped tasks: one call per item, concurrently, results in the order of the items."""

from __future__ import annotations

import asyncio
import inspect
from collections.abc import AsyncIterable, AsyncIterator, Iterator, Sized
from itertools import islice
from typing import TYPE_CHECKING, Any

from wove.waiting import outlast, request_cancel, take_back_cancel

if TYPE_CHECKING:
    from wove.graph import Node
    from wove.scheduler import Run

__all__ = ["run_map"]

SLICE = 0.005
"""Seconds of reading after which the items that were read get their turn on the event loop."""


async def run_map(run: Run, node: Node, arguments: dict[str, Any], source: Any) -> list[Any]:
    """Call the task for every item of `source`; the first failure cancels the rest.

    Raises:
        TypeError: the source cannot be iterated.
        RuntimeError: it has more items than `max_pending`.
    """
    if run.max_pending is not None:
        source = await _counted(node, source, run.max_pending)
    mapped = _Map(run, node, arguments)
    try:
        if isinstance(source, AsyncIterable):
            await mapped.feed_async(source)
        else:
            await mapped.feed(_iterator(node, source))
        await mapped.wait_for_all()
    finally:
        await mapped.cancel_rest()
    return mapped.results


def _iterator(node: Node, source: Any) -> Iterator[Any]:
    """Asked for once: an iterable may be one that can be read only once."""
    try:
        return iter(source)
    except TypeError:
        kind = repr(type(source).__name__)
        if not node.mapped:
            raise TypeError(f"{_called(node)} cannot run over {kind}: it is not iterable") from None
        of = f" {node.source!r}" if isinstance(node.source, str) else ""
        raise TypeError(
            f"{_called(node)} cannot run over{of}: result of type {kind} is not iterable"
        ) from None


def _called(node: Node) -> str:
    if node.mapped:
        return f"Mapped task {node.name!r}"
    return f"merge({node.name.removeprefix('merge:')}, ...)"


async def _counted(node: Node, source: Any, most: int) -> Any:
    """The source again, if it has at most `most` items; one without a length is read."""
    if isinstance(source, Sized):
        count, exact = len(source), True
    elif isinstance(source, AsyncIterable):
        kept = []
        iterator = aiter(source)
        try:
            async for item in iterator:
                kept.append(item)
                if len(kept) > most:
                    break
        finally:
            await _close(iterator)
        source, count, exact = kept, len(kept), False
    else:
        source = list(islice(_iterator(node, source), most + 1))
        count, exact = len(source), False
    if count > most:
        raise RuntimeError(
            f"{_called(node)} has {'' if exact else 'at least '}{count} items, "
            f"which exceeds max_pending={most}."
        )
    return source


async def _close(iterator: AsyncIterator[Any]) -> None:
    if inspect.isasyncgen(iterator):
        await iterator.aclose()


class _Map:
    """The items of one mapped task that are running, and the results so far.

    Each item has an asyncio task and context of its own, made when a place is
    free; so a large source costs no more than the items that run.
    """

    def __init__(self, run: Run, node: Node, arguments: dict[str, Any]) -> None:
        options = node.options
        assert options is not None  # noqa: S101 - for the type checker
        self.results: list[Any] = []
        self._run = run
        self._node = node
        self._arguments = arguments
        self._item = node.item or "item"
        self._plain = run.is_plain(node) and node.is_async
        self._live: dict[int, asyncio.Task[None]] = {}
        self._error: BaseException | None = None
        self._waiter: asyncio.Future[None] | None = None
        self._wanted = 0
        self._feeder: asyncio.Task[Any] | None = None
        self._interval = 60 / options.limit_per_minute if options.limit_per_minute else 0.0
        self._next_start = 0.0
        self._most = options.workers
        if not node.is_async and run.places.is_local(options.environment):
            # More could not run anyway, and each would hold a task and a place in the queue.
            self._most = min(options.workers or run.max_workers, run.max_workers)

    async def feed(self, source: Iterator[Any]) -> None:
        """Start an item as soon as it may start, until the source ends or an item fails.

        What the source does itself runs here, in the thread of the event loop. One that takes
        its time for each item lets those that are there run between two of them.
        """
        limited = self._most is not None or self._interval > 0
        time = self._run.loop.time
        until = time() + SLICE
        try:
            for item in source:
                if limited:
                    await self._may_start()
                if self._error is not None:
                    return
                self._start(item)
                if time() >= until:
                    await asyncio.sleep(0)
                    until = time() + SLICE
        finally:
            if inspect.isgenerator(source):
                source.close()

    async def feed_async(self, source: AsyncIterable[Any]) -> None:
        """The same for an async iterable; it is closed early when an item fails."""
        iterator = aiter(source)
        self._feeder = feeder = asyncio.current_task()  # a failure reaches it in mid-wait
        time = self._run.loop.time
        until = time() + SLICE
        try:
            async for item in iterator:
                await self._may_start()
                if self._error is not None:
                    break
                self._start(item)
                if time() >= until:  # a source that never waits must not keep them from running
                    await asyncio.sleep(0)
                    until = time() + SLICE
        except asyncio.CancelledError:
            if self._error is None or take_back_cancel(feeder, self._run.stopping):
                raise
        finally:
            self._feeder = None
            await _close(iterator)

    async def wait_for_all(self) -> None:
        """Wait until every started item has ended, or one has failed."""
        while self._live and self._error is None:
            await self._until(0)
        if self._error is not None:
            raise self._error

    async def cancel_rest(self) -> None:
        """Cancel the items that still run and wait for their end."""
        if self._live:
            for task in self._live.values():
                request_cancel(task)
            await outlast(self._live.values())

    async def _may_start(self) -> None:
        while self._most is not None and len(self._live) >= self._most and self._error is None:
            await self._until(self._most - 1)
        if self._interval and self._error is None:
            loop = self._run.loop
            now = loop.time()
            if self._next_start > now:
                await self._until(-1, timeout=self._next_start - now)
            self._next_start = max(now, self._next_start) + self._interval

    async def _until(self, wanted: int, timeout: float | None = None) -> None:
        """Wait until at most `wanted` items run, an item has failed, or `timeout` is over."""
        self._wanted = wanted
        self._waiter = waiter = self._run.loop.create_future()
        timer = None
        if timeout is not None:
            timer = self._run.loop.call_later(timeout, self._wake)
        try:
            await waiter
        finally:
            self._waiter = None
            if timer is not None:
                timer.cancel()

    def _wake(self) -> None:
        if self._waiter is not None and not self._waiter.done():
            self._waiter.set_result(None)

    def _start(self, item: Any) -> None:
        index = len(self.results)
        self.results.append(None)
        # Not through `loop.create_task`: see `Run._task`.
        self._live[index] = asyncio.Task(self._one(index, item), loop=self._run.loop)

    async def _one(self, index: int, item: Any) -> None:
        try:
            if not self._plain:
                arguments = {**self._arguments, self._item: item}
                value = await self._run.call(self._node, arguments, index)
            elif self._arguments:
                value = await self._node.function(**self._arguments, **{self._item: item})
            else:
                value = await self._node.function(**{self._item: item})
        except BaseException as error:  # noqa: BLE001 - it is the item's outcome
            if self._error is None:
                self._error = error
            del self._live[index]
            self._wake()
            if self._feeder is not None:
                self._feeder.cancel()
                self._feeder = None
            return
        self.results[index] = value
        del self._live[index]
        if self._waiter is not None and len(self._live) <= self._wanted:
            self._wake()
