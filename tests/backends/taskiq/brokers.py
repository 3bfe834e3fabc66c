"""Brokers as users write them down, for the weave and for the workers.

The environment variable `TASKIQ_TEST` holds Redis's URL and the queue's name.
"""

from __future__ import annotations

import os
from typing import Any

from taskiq import AsyncBroker, SimpleRetryMiddleware
from taskiq_redis import ListQueueBroker, RedisAsyncResultBackend, RedisStreamBroker

from wove.integrations.taskiq import register
from wove.integrations.worker import arun


def results(url: str) -> RedisAsyncResultBackend[Any]:
    """What keeps results for ten minutes."""
    return RedisAsyncResultBackend(url, result_ex_time=600)


def a_list(url: str, queue: str) -> ListQueueBroker:
    """A list, with results."""
    return ListQueueBroker(url, queue_name=queue).with_result_backend(results(url))


def a_stream(url: str, queue: str, **options: Any) -> RedisStreamBroker:
    """A stream, with results; a worker takes one entry at a time."""
    broker = RedisStreamBroker(
        url, queue_name=queue, consumer_group_name=f"{queue}-group", xread_count=1, **options
    )
    return broker.with_result_backend(results(url))


def _named() -> tuple[str, str]:
    url, queue = os.environ["TASKIQ_TEST"].split(" ")
    return url, queue


def registered() -> AsyncBroker:
    """A list with Wove's task."""
    broker = a_list(*_named())
    register(broker)
    return broker


def retrying() -> AsyncBroker:
    """A list whose workers try failed tasks again, if nobody says otherwise."""
    broker = a_list(*_named()).with_middlewares(SimpleRetryMiddleware(default_retry_label=True))
    register(broker)
    return broker


def streaming() -> AsyncBroker:
    """A stream whose entries another worker takes, if one has not acknowledged it for a second."""
    broker = a_stream(*_named(), idle_timeout=1000, xread_block=200)
    register(broker)
    return broker


def own_task() -> AsyncBroker:
    """A list with a task of the user's that runs Wove's payloads."""
    broker = a_list(*_named())

    @broker.task(task_name="mine.run", team="reports")
    async def run(payload: dict[str, Any]) -> dict[str, Any]:
        return await arun(payload)

    return broker
