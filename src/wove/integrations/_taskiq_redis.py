"""What taskiq-redis's lists and streams tell of a job that waits in them.

Taskiq itself can only send. For Wove's own loop, as the connections are.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from taskiq import AsyncBroker
from taskiq.message import BrokerMessage

from wove.executors.backend_state import BackendState, BackendStatus
from wove.integrations._taskiq_connections import started_copy

__all__ = ["TaskiqJob", "ask", "note_place", "take_out"]

LOOK_BYTES = 64 * 1024
"""A larger message is not looked for in its queue: that would send it once more."""


@dataclass
class TaskiqJob:
    """A submitted job. What `submit` returns and `cancel` and `poll` are given."""

    id: str
    """Taskiq's task id."""
    queue: str = ""
    """Key of the list or the stream that it was put into; empty if it is neither."""
    message: bytes = b""
    """What is in the list, if that is what it is."""
    entry: str = ""
    """Its id in the stream."""
    size: int = 0
    """Bytes of the message."""


def note_place(broker: AsyncBroker, job: TaskiqJob) -> None:
    """Have a broker, a copy for this job alone, note in `job` where it puts the message.

    It then also raises `LookupError` where a message would go to nobody.
    """
    try:
        from taskiq_redis import ListQueueBroker, PubSubBroker, RedisStreamBroker
    except ImportError:  # then it is none of them
        return
    mine: Any = broker
    kick = type(broker).kick

    async def into_list(message: BrokerMessage) -> None:
        await kick(broker, message)
        job.queue, job.message = _queue(mine, message), message.message
        job.size = len(message.message)

    async def into_stream(message: BrokerMessage) -> None:
        # As taskiq-redis does, which does not tell the entry's id.
        queue = _queue(mine, message)
        fields = {b"data": message.message}
        limits = {"maxlen": mine.maxlen, "approximate": mine.approximate}
        async with _client(mine) as client:
            entry = await client.xadd(queue, fields, nomkstream=True, **limits)
            if entry is None:
                # The stream is gone, and its workers' group with it. One that the workers make
                # again begins with what comes after: it must be there first.
                await started_copy(broker)
                entry = await client.xadd(queue, fields, **limits)
        job.queue, job.entry, job.size = queue, _text(entry), len(message.message)

    async def to_those_who_listen(message: BrokerMessage) -> None:
        channel = _queue(mine, message)
        async with _client(mine) as client:
            if not await client.publish(channel, message.message):
                raise LookupError(
                    f"nobody listens to the channel {channel!r}, and Redis keeps nothing of what "
                    "is published: no worker runs, or it serves another queue_name"
                )

    if isinstance(broker, ListQueueBroker) and kick is ListQueueBroker.kick:
        mine.kick = into_list
    elif isinstance(broker, RedisStreamBroker) and kick is RedisStreamBroker.kick:
        mine.kick = into_stream
    elif isinstance(broker, PubSubBroker) and kick is PubSubBroker.kick:
        mine.kick = to_those_who_listen


async def take_out(broker: AsyncBroker, job: TaskiqJob) -> bool:
    """Delete a job that waits in its list or stream; whether no worker has it, or will."""
    if not job.queue:
        return False
    async with _client(broker) as client:
        if job.message:
            return bool(await client.lrem(job.queue, 1, job.message))
        deleted = await client.xdel(job.queue, job.entry)
        return bool(deleted) and not await _was_delivered(client, broker, job)


async def ask(broker: AsyncBroker, job: TaskiqJob) -> BackendState:
    """Whether a job still waits. Of one that does not, nobody knows what became of it."""
    if not job.queue:
        return BackendState(BackendStatus.CANNOT_SAY, "Taskiq has no result of the job yet")
    async with _client(broker) as client:
        if job.message:
            return await _in_list(client, job)
        return await _in_stream(client, broker, job)


async def _in_list(client: Any, job: TaskiqJob) -> BackendState:
    if job.size > LOOK_BYTES:
        return BackendState(BackendStatus.CANNOT_SAY, "Taskiq has no result of the job yet")
    if await client.lpos(job.queue, job.message) is not None:
        return BackendState(BackendStatus.QUEUED, f"it is in the list {job.queue!r}")
    words = f"it is not in the list {job.queue!r} any more: a worker took it, or it was deleted"
    return BackendState(BackendStatus.CANNOT_SAY, words)


async def _in_stream(client: Any, broker: Any, job: TaskiqJob) -> BackendState:
    delivered = await _was_delivered(client, broker, job)
    if delivered is None:
        words = f"the stream {job.queue!r} has no group {broker.consumer_group_name!r} any more"
        return BackendState(BackendStatus.ABSENT, words)
    if delivered:
        words = f"a worker took it from the stream {job.queue!r}"
        return BackendState(BackendStatus.CANNOT_SAY, words)
    if job.size <= LOOK_BYTES and not await client.xrange(job.queue, job.entry, job.entry):
        words = f"the stream {job.queue!r} has no entry {job.entry} any more"
        return BackendState(BackendStatus.ABSENT, words)
    return BackendState(BackendStatus.QUEUED, f"it is in the stream {job.queue!r}")


async def _was_delivered(client: Any, broker: Any, job: TaskiqJob) -> bool | None:
    """Whether the workers' group has got past the entry; None: there is no such group."""
    from redis.exceptions import ResponseError

    try:
        groups: Iterable[Any] = await client.xinfo_groups(job.queue)
    except ResponseError:  # there is no such stream
        return None
    for group in groups:
        if _text(group["name"]) == broker.consumer_group_name:
            return _number(job.entry) <= _number(_text(group["last-delivered-id"]))
    return None


def _client(broker: Any) -> Any:
    from redis.asyncio import Redis

    return Redis(connection_pool=broker.connection_pool)


def _queue(broker: Any, message: BrokerMessage) -> str:
    return str(message.labels.get("queue_name") or broker.queue_name)


def _number(entry: str) -> tuple[int, int]:
    milliseconds, _, sequence = entry.partition("-")
    return int(milliseconds), int(sequence or 0)


def _text(value: Any) -> str:
    return value.decode() if isinstance(value, bytes) else str(value)
