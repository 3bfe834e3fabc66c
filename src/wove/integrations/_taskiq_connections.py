"""Connections of Wove's own to a user's broker, which the user goes on using.

All coroutines here are for Wove's own loop, `_taskiq_loop`.
"""

from __future__ import annotations

import asyncio
import copy
import inspect
import os
import threading
import weakref
from collections import defaultdict
from collections.abc import Callable, Coroutine
from typing import TYPE_CHECKING, Any

from taskiq import AsyncBroker
from taskiq.result_backends.dummy import DummyResultBackend

from wove.integrations._taskiq_loop import run_later

if TYPE_CHECKING:
    from typing import TypeAlias

__all__ = ["Connections", "Source", "started_copy"]

Source: TypeAlias = "AsyncBroker | Callable[[], Any]"
"""A broker, or a function that makes one."""

CONNECT_SECONDS = 4.0
"""How long a Redis may take to accept a connection, if the user's broker does not say."""

START_SECONDS = 8.0
"""How long a broker's start may take; less than a submission, which can be told why, then."""

_OF_ONE_POOL = (
    "event_dispatcher",
    "himport_registry",
    "maint_notifications_pool_handler",
    "orig_host_address",
    "orig_socket_connect_timeout",
    "orig_socket_timeout",
    "oss_cluster_maint_notifications_handler",
)
"""What redis-py adds to the arguments of a pool's connections, for that pool alone."""

_lock = threading.Lock()
_known: weakref.WeakKeyDictionary[Any, Connections] = weakref.WeakKeyDictionary()
_of_parents: list[Any] = []


class Connections:
    """What Wove has open for one broker; kept for the next weave, as long as the broker.

    Args:
        source: the broker, or what makes one.
    """

    def __init__(self, source: Source) -> None:
        self._kept: AsyncBroker | None = None
        self._opening: asyncio.Task[None] | None = None
        self._pool = self._results = None
        if isinstance(source, AsyncBroker):
            self._pool = _pool_like(source, getattr(source, "connection_pool", None))
            self._results = _pool_like(source, getattr(source.result_backend, "redis_pool", None))

    @staticmethod
    def of(source: Source) -> Connections:
        """Those to a broker. From any thread."""
        with _lock:
            found = _known.get(source)
            if found is None:
                found = _known[source] = Connections(source)
            return found

    async def broker(self, source: Source) -> AsyncBroker:
        """A broker like `source`, connected as far as its class wants that before it sends.

        One with a pool of connections to Redis is the caller's own, to be changed at will.

        Raises:
            TypeError: `source` made something else.
            ConnectionError: it did not start in time.
            Exception: whatever else the broker's class raises when it cannot connect.
        """
        if self._opening is None or (self._opening.done() and self._opening.exception()):
            self._opening = asyncio.ensure_future(_in_time(self._open(source)))
            # Those who wait for it may have gone when it fails.
            self._opening.add_done_callback(lambda task: task.exception())
        await asyncio.shield(self._opening)
        if self._kept is None:
            return self._copy(source)
        return copy.copy(self._kept) if hasattr(self._kept, "connection_pool") else self._kept

    def results(self, broker: AsyncBroker, source: Source) -> Any:
        """The result backend of a connected broker, if it may be asked here; else None."""
        found: Any = broker.result_backend
        if isinstance(found, DummyResultBackend):
            return None
        if broker is not source and not isinstance(source, AsyncBroker):
            return found  # all of this broker is Wove's own
        if self._results is None:
            return None
        mine = copy.copy(found)
        mine.redis_pool = self._results
        mine.keep_results = True  # whoever else looks for it finds it
        return mine

    async def _open(self, source: Source) -> None:
        if not isinstance(source, AsyncBroker):
            made = source()
            made = await made if inspect.isawaitable(made) else made
            if not isinstance(made, AsyncBroker):
                raise TypeError(f"the function made a {type(made).__name__}, not a Taskiq broker")
            await made.startup()
            _when_gone(source, made.shutdown)
            self._kept = made
        elif self._pool is None:
            self._kept = await started_copy(source)
        else:
            # Not kept: it holds the user's broker, which would never be let go.
            await started_copy(self._copy(source))

    def _copy(self, source: Any) -> AsyncBroker:
        mine: AsyncBroker = copy.copy(source)
        mine.connection_pool = self._pool  # type: ignore[attr-defined]
        return mine


async def _in_time(opening: Coroutine[Any, Any, None]) -> None:
    # All that send wait for it: one that hung would never be tried again.
    try:
        await asyncio.wait_for(opening, START_SECONDS)
    except asyncio.TimeoutError as error:
        raise ConnectionError(str(error) or f"no answer in {START_SECONDS:g} s") from error
    except asyncio.CancelledError as error:  # a client library's way to fail: nobody cancels this
        raise ConnectionError("the broker's start was cancelled from within") from error


async def started_copy(broker: AsyncBroker) -> AsyncBroker:
    """A copy of a broker, connected as its class does it.

    Nothing else happens that belongs to a start: no event handlers, no middlewares, no result
    backend. They are the user's, on the user's loop.
    """
    mine = copy.copy(broker)
    mine.is_worker_process = False
    mine.event_handlers = defaultdict(list)
    mine.middlewares = []
    mine.result_backend = DummyResultBackend()
    await mine.startup()
    mine.middlewares, mine.result_backend = broker.middlewares, broker.result_backend
    return mine


def _pool_like(owner: AsyncBroker, pool: Any) -> Any:
    """A pool of the same kind with the same arguments; closed when the owner is gone."""
    if not hasattr(pool, "connection_kwargs"):
        return None
    from redis.asyncio.retry import Retry
    from redis.backoff import ExponentialBackoff

    known = {name: v for name, v in pool.connection_kwargs.items() if name not in _OF_ONE_POOL}
    known.setdefault("socket_connect_timeout", CONNECT_SECONDS)
    known.setdefault("retry", Retry(ExponentialBackoff(cap=0.5, base=0.1), 2))
    if hasattr(pool, "timeout"):
        known["timeout"] = pool.timeout
    mine = type(pool)(
        connection_class=pool.connection_class, max_connections=pool.max_connections, **known
    )
    _when_gone(owner, mine.disconnect)
    return mine


def _when_gone(owner: Any, close: Callable[[], Any]) -> None:
    weakref.finalize(owner, run_later, os.getpid(), close).atexit = False


def _forget() -> None:
    """In a forked copy: what is open is the parent's."""
    global _known, _lock
    _of_parents.append(list(_known.values()))  # their end would reach into the parent's loop
    _known, _lock = weakref.WeakKeyDictionary(), threading.Lock()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_forget)
