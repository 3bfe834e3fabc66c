"""How a worker takes jobs from taskiq-redis's lists: none is dropped on the way to it."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncGenerator
from typing import Any

from taskiq import AsyncBroker

__all__ = ["take_in_turns"]

TURN_SECONDS = 1
"""How long Redis waits for a job before it answers that there is none. A whole number:
Redis before 6 takes no other."""

ANSWER_SECONDS = 2.0
"""How much later than that the answer may come to a worker that is to stop."""


def take_in_turns(broker: AsyncBroker) -> None:
    """Change how a worker's broker listens, if it is a `ListQueueBroker`.

    Its own way asks Redis to wait without end, and drops the question when the worker is to
    stop, and whenever nothing has come for redis-py's `socket_timeout` (5 seconds since
    redis-py 8). A job that Redis hands over at that instant is lost; and Taskiq's program ends
    its process each time, with the jobs in hand. Without uvloop, it also hears no signal until
    something comes.
    """
    try:
        from taskiq_redis import ListQueueBroker
    except ImportError:  # then it is none
        return
    if isinstance(broker, ListQueueBroker) and type(broker).listen is ListQueueBroker.listen:
        mine: Any = broker
        mine.listen = lambda: _listen(broker)


async def _listen(broker: Any) -> AsyncGenerator[bytes, None]:
    while True:
        turn = asyncio.ensure_future(_pop(broker))
        try:
            message = await asyncio.shield(turn)
        except asyncio.CancelledError:
            message = await _end_of(turn)
            if message is None:
                raise
        if message is not None:
            yield message  # Taskiq's receiver runs this one still, if it is to stop


async def _end_of(turn: asyncio.Future[bytes | None]) -> bytes | None:
    with contextlib.suppress(Exception):
        return await asyncio.wait_for(turn, TURN_SECONDS + ANSWER_SECONDS)
    return None


async def _pop(broker: Any) -> bytes | None:
    from redis.asyncio import Redis

    limit = broker.connection_pool.connection_kwargs.get("socket_timeout")
    seconds = min(TURN_SECONDS, limit / 2) if limit else TURN_SECONDS
    async with Redis(connection_pool=broker.connection_pool) as client:
        found: Any = await client.brpop(broker.queue_name, timeout=seconds)
    return None if found is None else found[1]
