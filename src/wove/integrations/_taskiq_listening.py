"""How a worker listens to its broker: no job is dropped on the way, and a stop is heard."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncGenerator, Callable
from typing import Any, TypeVar

from taskiq import AsyncBroker

__all__ = ["stop_for_sure", "take_in_turns"]

T = TypeVar("T")

TURN_SECONDS = 1
"""How long Redis waits for a job before it answers that there is none. A whole number:
Redis before 6 takes no other."""

ANSWER_SECONDS = 2.0
"""How much later than that the answer may come to a worker that is to stop."""

AGAIN_SECONDS = 0.5
"""A broker that goes on listening after it was cancelled is cancelled again after this."""


def take_in_turns(broker: AsyncBroker) -> bool:
    """Change how a worker's broker listens, if it is a `ListQueueBroker`; whether it is one.

    Its own way asks Redis to wait without end, and drops the question when the worker is to
    stop, and whenever nothing has come for redis-py's `socket_timeout` (5 seconds since
    redis-py 8). A job that Redis hands over at that instant is lost; and Taskiq's program ends
    its process each time, with the jobs in hand. Without uvloop, it also hears no signal until
    something comes.
    """
    try:
        from taskiq_redis import ListQueueBroker
    except ImportError:  # then it is none
        return False
    if not isinstance(broker, ListQueueBroker) or type(broker).listen is not ListQueueBroker.listen:
        return False
    mine: Any = broker
    mine.listen = lambda: _turns(broker)
    return True


async def stop_for_sure(listen: Callable[[], AsyncGenerator[T, None]]) -> AsyncGenerator[T, None]:
    """What `listen()` gives; it ends when it is cancelled, also where `listen` swallows that.

    Taskiq cancels once and waits for the end. Until Python 3.12 `asyncio.wait_for`, which
    redis-py sends with, swallows a cancellation that comes as the command goes out. A broker on
    a stream then asks again and again, and its worker never stops (with a question every 5 ms,
    2 of 3,000 stops).
    """
    async with contextlib.aclosing(listen()) as messages:
        while True:
            turn = asyncio.ensure_future(anext(messages))
            try:
                message = await asyncio.shield(turn)
            except StopAsyncIteration:
                return
            except asyncio.CancelledError:
                while not turn.done():
                    turn.cancel()
                    await asyncio.wait({turn}, timeout=AGAIN_SECONDS)
                if turn.cancelled() or turn.exception() is not None:
                    raise
                message = turn.result()
            yield message  # Taskiq's receiver runs this one still, if it is to stop


async def _turns(broker: Any) -> AsyncGenerator[bytes, None]:
    while True:
        turn = asyncio.ensure_future(_pop(broker))
        try:
            message = await asyncio.shield(turn)
        except asyncio.CancelledError:
            message = await _end_of(turn)
            if message is None:
                raise
        if message is not None:
            yield message


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
