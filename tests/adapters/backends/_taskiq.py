"""Brokers of the behaviour suite's `taskiq`, as a user would write them down."""

from __future__ import annotations

import os

from taskiq import AsyncBroker
from taskiq_redis import ListQueueBroker, RedisAsyncResultBackend

VARIABLE = "WOVE_TEST_TASKIQ"
"""Holds the URL and the queue of the shared workers, with a blank between them."""


def make(url: str, queue: str) -> AsyncBroker:
    """A broker on a list in Redis."""
    results: RedisAsyncResultBackend[object] = RedisAsyncResultBackend(url, result_ex_time=600)
    return ListQueueBroker(url, queue_name=queue).with_result_backend(results)


def shared() -> AsyncBroker:
    """The one of the shared workers."""
    return make(*os.environ[VARIABLE].split(" "))
