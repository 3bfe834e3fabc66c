"""arq's own views of its jobs, for tests that are not async."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any, TypeVar

from arq import ArqRedis
from arq.jobs import Job, JobDef, JobResult, JobStatus
from redis.asyncio import ConnectionPool

from tests.services import wait_until

T = TypeVar("T")


def pool(url: str, **options: Any) -> ArqRedis:
    """A pool as a user has it, not connected yet."""
    connections = options.pop("connections", {})
    return ArqRedis(ConnectionPool.from_url(url, **connections), **options)


def asked(url: str, question: Callable[[ArqRedis], Awaitable[T]]) -> T:
    async def main() -> T:
        client = pool(url)
        try:
            return await question(client)
        finally:
            await client.connection_pool.disconnect()

    return asyncio.run(main())


def queued(url: str, queue: str) -> list[JobDef]:
    return asked(url, lambda client: client.queued_jobs(queue_name=queue))


def status(url: str, queue: str, job_id: str) -> JobStatus:
    return asked(url, lambda client: Job(job_id, client, queue).status())


def end_of(url: str, queue: str, job_id: str) -> JobResult:
    """How a job ended, when arq has written it down."""
    over = lambda: status(url, queue, job_id) is JobStatus.complete  # noqa: E731
    wait_until(over, seconds=60, what="arq has the job's end")
    found = asked(url, lambda client: Job(job_id, client, queue).result_info())
    assert found is not None
    return found
