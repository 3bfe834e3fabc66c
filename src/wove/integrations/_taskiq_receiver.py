"""Taskiq's receiver, which outlives an outage of its broker and ends after the jobs in hand."""

from __future__ import annotations

import asyncio
import contextlib
import functools
import logging
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from taskiq import AsyncBroker
from taskiq.receiver import Receiver

from wove.integrations._taskiq_connections import started_copy
from wove.integrations._taskiq_listening import stop_for_sure, take_in_turns

__all__ = ["JobsReceiver", "connect"]

AGAIN_SECONDS = 1.0
"""Pause before jobs are taken again from a broker that could not be reached."""

logger = logging.getLogger("taskiq.wove")


async def connect(broker: AsyncBroker) -> None:
    """Start a broker, and have an answer of its server where the start does not need one.

    Raises:
        Exception: whatever the broker's class raises when it cannot connect.
    """
    await broker.startup()
    await _ask(broker)


async def _ask(broker: AsyncBroker) -> None:
    pool: Any = getattr(broker, "connection_pool", None)
    if hasattr(pool, "connection_kwargs"):
        from redis.asyncio import Redis

        async with Redis(connection_pool=pool) as client:
            await client.ping()


class JobsReceiver(Receiver):
    """Takes jobs from a started broker.

    Args:
        broker: the broker.
        jobs: at once.
    """

    def __init__(self, broker: AsyncBroker, jobs: int) -> None:
        if not take_in_turns(broker):
            mine: Any = broker
            mine.listen = functools.partial(stop_for_sure, broker.listen)
        super().__init__(
            broker=broker,
            # For sync tasks of the user's own; Wove's task is a coroutine.
            executor=ThreadPoolExecutor(thread_name_prefix="taskiq"),
            max_async_tasks=jobs,
            max_prefetch=0,  # what is taken and not begun is lost with its worker
            run_startup=False,
        )
        self._in_hand: set[asyncio.Task[Any]] = set()
        logging.getLogger("taskiq.receiver.receiver").addFilter(_without_payloads)

    async def serve(self, stop: asyncio.Event) -> None:
        """Take jobs until `stop` is set; return when those in hand have ended."""
        while not stop.is_set():
            failure = await self._listen(stop)
            if failure is None:
                break
            logger.warning("jobs cannot be taken: %s; trying again", _words(failure))
            with contextlib.suppress(asyncio.TimeoutError):
                await asyncio.wait_for(stop.wait(), AGAIN_SECONDS)
            if not stop.is_set() and _is_of_redis(self.broker):
                with contextlib.suppress(Exception):
                    # A Redis that restarted has forgotten the consumers of its streams.
                    await started_copy(self.broker)
        while self._in_hand:
            await asyncio.wait(self._in_hand)

    async def _listen(self, stop: asyncio.Event) -> Exception | None:
        try:
            await self.listen(stop)
        except Exception as error:  # noqa: BLE001 - of whatever broker
            return error
        return None

    async def callback(self, *args: Any, **options: Any) -> None:
        """Handle one message, as Taskiq does. An outage does not make us forget its task."""
        task = asyncio.current_task()
        assert task is not None  # noqa: S101 - this is a coroutine
        self._in_hand.add(task)
        try:
            await super().callback(*args, **options)
        finally:
            self._in_hand.discard(task)


def _is_of_redis(broker: AsyncBroker) -> bool:
    # Of any other kind a started copy might have a connection of its own, each time.
    return any(kind.__module__.startswith("taskiq_redis") for kind in type(broker).__mro__)


def _words(error: BaseException) -> str:
    inner = getattr(error, "exceptions", ())
    return _words(inner[0]) if inner else str(error) or type(error).__name__


def _without_payloads(record: logging.LogRecord) -> bool:
    """Refuse what holds a message as it came: a payload has a token in it."""
    return not str(record.msg).startswith(("Received message", "Cannot parse message"))
