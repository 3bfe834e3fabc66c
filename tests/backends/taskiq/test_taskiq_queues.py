"""What lists, streams and channels in Redis hold of jobs, as the adapter sees it."""

from __future__ import annotations

import json
from collections.abc import Callable

import pytest
import redis
from taskiq import AsyncBroker
from taskiq_redis import PubSubBroker

from tests.backends.submitting import Submitting
from tests.backends.taskiq.brokers import a_list, a_stream
from wove.errors import ErrorCode, SubmissionError
from wove.executors.backend_state import BackendStatus
from wove.integrations.taskiq import TaskiqAdapter

submitting = Submitting("taskiq", TaskiqAdapter)
payload_and_frame, with_adapter = submitting.payload_and_frame, submitting.with_adapter
submit = submitting.submit


@pytest.mark.parametrize("make", [a_list, a_stream])
def test_cancelling_a_queued_job_leaves_nothing_of_it(
    make: Callable[..., AsyncBroker], redis_url: str, connection: redis.Redis, queue: str
) -> None:
    payload, frame = payload_and_frame()

    async def use(adapter: TaskiqAdapter) -> None:
        job = await adapter.submit(payload, frame)
        states = await adapter.poll({"run": job})
        assert states["run"].status is BackendStatus.QUEUED
        assert queue in states["run"].reason
        assert await adapter.cancel("run", job, {}) == "stopped"
        assert await adapter.cancel("run", job, {}) == "asked"
        states = await adapter.poll({"run": job})
        assert states["run"].status in (BackendStatus.CANNOT_SAY, BackendStatus.ABSENT)

    with_adapter({"broker": make(redis_url, queue)}, use)
    assert not (connection.xlen(queue) if make is a_stream else connection.llen(queue))


def test_a_job_that_a_worker_has_taken_cannot_be_taken_out(
    redis_url: str, connection: redis.Redis, queue: str
) -> None:
    payload, frame = payload_and_frame()

    async def use(adapter: TaskiqAdapter) -> None:
        job = await adapter.submit(payload, frame)
        connection.xreadgroup(f"{queue}-group", "a worker", {queue: ">"}, count=1)
        states = await adapter.poll({"run": job})
        assert states["run"].status is BackendStatus.CANNOT_SAY
        assert "a worker took it" in states["run"].reason
        assert await adapter.cancel("run", job, {}) == "asked"

    with_adapter({"broker": a_stream(redis_url, queue)}, use)


@pytest.mark.parametrize("loss", ["the entry", "the stream"])
def test_a_stream_knows_what_was_deleted(
    redis_url: str, connection: redis.Redis, queue: str, loss: str
) -> None:
    payload, frame = payload_and_frame()

    async def use(adapter: TaskiqAdapter) -> None:
        job = await adapter.submit(payload, frame)
        if loss == "the entry":
            connection.xdel(queue, job.entry)
        else:
            connection.delete(queue)
        states = await adapter.poll({"run": job})
        assert states["run"].status is BackendStatus.ABSENT
        assert queue in states["run"].reason

    with_adapter({"broker": a_stream(redis_url, queue)}, use)


def test_a_stream_that_was_deleted_has_its_group_before_its_next_job(
    redis_url: str, connection: redis.Redis, queue: str
) -> None:
    """Workers make the group again as well, but for what comes after that."""
    broker = a_stream(redis_url, queue)
    submit({"broker": broker})
    connection.delete(queue)
    job, _ = submit({"broker": broker})
    ((_, entries),) = connection.xreadgroup(f"{queue}-group", "a worker", {queue: ">"})
    assert [entry.decode() for entry, _ in entries] == [job.entry]


def test_what_is_published_to_nobody_is_not_taken(
    redis_url: str, connection: redis.Redis, queue: str
) -> None:
    config = {"broker": PubSubBroker(redis_url, queue_name=queue)}
    with pytest.raises(SubmissionError, match=f"nobody listens to the channel '{queue}'") as caught:
        submit(config)
    assert caught.value.code is ErrorCode.SUBMIT_FAILED
    with connection.pubsub() as listening:
        listening.subscribe(queue)
        assert listening.get_message(timeout=10)["type"] == "subscribe"
        job, _ = submit(config)
        assert json.loads(listening.get_message(timeout=10)["data"])["task_id"] == job.id
