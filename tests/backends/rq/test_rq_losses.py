"""What becomes of a weave whose job, worker or Redis is gone."""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import redis
import rq
from rq.command import send_stop_job_command
from rq.job import Job

from tests.backends.rq import work
from tests.backends.rq.test_rq_adapter import payload_and_frame, submit
from tests.backends.rq.weaves import in_background
from tests.services import Worker, wait_until
from wove import WoveResult
from wove.errors import DeliveryError, ErrorCode, WorkerLostError
from wove.executors.backend_state import BackendState, BackendStatus
from wove.integrations import _rq_state
from wove.integrations.rq import RQAdapter

StartWorker = Callable[..., Worker]


def error_of(result: WoveResult, name: str) -> DeliveryError:
    error = result[name]
    assert isinstance(error, DeliveryError), repr(error)
    return error


@contextlib.contextmanager
def staying(url: str, queue: str, pids: Path, **more: Any) -> Iterator[list[WoveResult]]:
    """A weave whose task has begun to stay, for the length of the block."""
    config = {"redis_url": url, "queue_name": queue}
    with in_background(work.stay, config, pids=str(pids), **more) as results:
        wait_until(lambda: pids.exists() and bool(pids.read_text()), seconds=30, what="it began")
        yield results


def test_a_killed_work_horse_is_a_lost_worker_in_rqs_words(
    redis_url: str, rq_worker: StartWorker, queue: str, tmp_path: Path
) -> None:
    worker = rq_worker(redis_url, queue)
    pids = tmp_path / "pids"
    with staying(redis_url, queue, pids) as results:
        os.kill(int(pids.read_text()), signal.SIGKILL)
    error = error_of(results[0], "stay")
    assert isinstance(error, WorkerLostError)
    assert "Work-horse terminated unexpectedly" in str(error)
    assert worker.stop() == 0


def test_a_worker_that_is_stopped_cold_is_lost(
    redis_url: str, rq_worker: StartWorker, queue: str, tmp_path: Path
) -> None:
    worker = rq_worker(redis_url, queue)
    with staying(redis_url, queue, tmp_path / "pids") as results:
        worker.process.send_signal(signal.SIGTERM)
        time.sleep(1.5)  # RQ takes a second signal within a second for the first
        worker.process.send_signal(signal.SIGTERM)
    error = error_of(results[0], "stay")
    assert isinstance(error, WorkerLostError)
    worker.process.wait(20)


def test_a_job_that_an_operator_stops_is_cancelled(
    redis_url: str, rq_worker: StartWorker, connection: redis.Redis, queue: str, tmp_path: Path
) -> None:
    rq_worker(redis_url, queue)
    with staying(redis_url, queue, tmp_path / "pids") as results:
        (job_id,) = running(connection, queue)
        send_stop_job_command(connection, job_id)
    error = error_of(results[0], "stay")
    assert error.code is ErrorCode.BACKEND_CANCELLED
    assert "RQ says stopped" in str(error)
    assert error.backend_job_id == job_id


def test_a_running_job_that_an_operator_deletes_goes_on(
    redis_url: str, rq_worker: StartWorker, connection: redis.Redis, queue: str, tmp_path: Path
) -> None:
    """RQ's `delete` leaves the process alone, and the record is all that it has of the job."""
    rq_worker(redis_url, queue)
    started, gate = tmp_path / "started", tmp_path / "gate"
    config = {"redis_url": redis_url, "queue_name": queue}
    with in_background(work.until, config, started=str(started), gate=str(gate)) as results:
        wait_until(started.exists, seconds=30, what="it began")
        (job_id,) = running(connection, queue)
        Job.fetch(job_id, connection=connection).delete()
        gate.touch()
    assert results[0].until == "went on"
    assert [run.state for run in results[0].runs] == ["succeeded"]


def running(connection: redis.Redis, queue: str) -> list[str]:
    registry = rq.Queue(queue, connection=connection).started_job_registry
    wait_until(lambda: bool(registry.get_job_ids(cleanup=False)), seconds=20, what="RQ runs it")
    return list(registry.get_job_ids(cleanup=False))


def ask_until(
    adapter: RQAdapter, submissions: dict[str, Any], status: BackendStatus
) -> Callable[[], Any]:
    async def ask() -> BackendState:
        deadline = time.monotonic() + 40
        while True:
            states = await adapter.poll(submissions)
            if states["run"].status is status:
                return states["run"]
            assert time.monotonic() < deadline, states
            await asyncio.sleep(0.1)

    return ask


@pytest.mark.parametrize("known", [True, False])
def test_the_connection_of_a_killed_worker_tells(
    redis_url: str,
    rq_worker: StartWorker,
    connection: redis.Redis,
    queue: str,
    monkeypatch: pytest.MonkeyPatch,
    known: bool,
) -> None:
    """A worker that was seen connected and is not any more is lost, well before its key expires.

    One that was never seen so may be without a connection for another reason.
    """
    monkeypatch.setattr(_rq_state, "CONFIRM_SECONDS", 2.0)
    worker = rq_worker(redis_url, queue)
    payload, frame = payload_and_frame()
    # Its worker tries for a minute to report its start, to a place where nobody is.
    payload.update(callback_url="http://127.0.0.1:1/wove/events/token")

    async def main() -> tuple[BackendState, BackendState]:
        config = {"redis_url": redis_url, "queue_name": queue}
        adapter = RQAdapter(name="rq", config=config, callback_url="", run_config={})
        await adapter.start()
        try:
            job = await adapter.submit(payload, frame)
            runs = {"run": job}
            before = await ask_until(adapter, runs, BackendStatus.RUNNING)()
            assert job.seen is not None
            channel = f"rq:pubsub:{job.seen[0]}"
            worker.kill()
            while dict(connection.pubsub_numsub(channel))[channel.encode()]:
                await asyncio.sleep(0.02)
            if not known:
                job.seen = None
            last = BackendStatus.LOST if known else BackendStatus.CANNOT_SAY
            return before, await ask_until(adapter, runs, last)()
        finally:
            await adapter.close()

    before, after = asyncio.run(main())
    assert before.reason.startswith("RQ's worker ")
    assert "has no connection to Redis; its last heartbeat was " in after.reason


def test_a_killed_worker_ends_the_weave_in_rqs_words_or_by_silence(
    redis_url: str, rq_worker: StartWorker, queue: str, tmp_path: Path
) -> None:
    """With the defaults: no heartbeat is asked for."""
    worker = rq_worker(redis_url, queue)
    begun = time.monotonic()
    with staying(redis_url, queue, tmp_path / "pids") as results:
        worker.kill()
        killed = time.monotonic()
    assert time.monotonic() - killed < 30, time.monotonic() - begun
    assert isinstance(results[0]["stay"], WorkerLostError)


def test_queued_jobs_that_are_gone_end_their_tasks(
    redis_url: str, own_redis: tuple[str, Callable[[], None]], queue: str
) -> None:
    """Deleted by an operator, emptied with its queue, lost with a Redis that kept nothing."""
    own_url, restart = own_redis
    places = {"deleted": redis_url, "emptied": redis_url, "restarted": own_url}
    jobs: dict[str, Any] = {}
    results: dict[str, list[WoveResult]] = {}
    with contextlib.ExitStack() as stack:
        for name, url in places.items():  # weaves of their own: a failure cancels siblings
            client = stack.enter_context(redis.Redis.from_url(url))
            jobs[name] = rq.Queue(f"{queue}-{name}", connection=client)
            config = {"redis_url": url, "queue_name": jobs[name].name}
            results[name] = stack.enter_context(in_background(work.where, config))
        queued = lambda: all(len(each) == 1 for each in jobs.values())  # noqa: E731
        wait_until(queued, seconds=20, what="all are queued")
        jobs["deleted"].jobs[0].delete()
        jobs["emptied"].empty()
        restart()
    for name in places:
        error = error_of(results[name][0], "where")
        assert error.code is ErrorCode.BACKEND_FORGOT
        assert f"RQ has no job {error.backend_job_id}" in str(error)


def test_a_running_job_outlives_a_restart_of_redis(
    own_redis: tuple[str, Callable[[], None]], rq_worker: StartWorker, queue: str, tmp_path: Path
) -> None:
    url, restart = own_redis
    rq_worker(url, queue)
    started, gate = tmp_path / "started", tmp_path / "gate"
    config = {"redis_url": url, "queue_name": queue}
    with in_background(work.until, config, started=str(started), gate=str(gate)) as results:
        wait_until(started.exists, seconds=30, what="it began")
        restart()
        gate.touch()
    assert results[0].until == "went on"
    assert [run.state for run in results[0].runs] == ["succeeded"]


def test_weaves_share_connections_which_a_restart_of_redis_does_not_spoil(
    own_redis: tuple[str, Callable[[], None]], queue: str
) -> None:
    url, restart = own_redis
    config = {"redis_url": url, "queue_name": queue}
    with redis.Redis.from_url(url) as client:
        for _ in range(5):
            submit(config)
        assert len(client.client_list()) == 2  # this client's, and that of the five
        restart()
        submit(config)
        assert rq.Queue(queue, connection=client).count == 1
