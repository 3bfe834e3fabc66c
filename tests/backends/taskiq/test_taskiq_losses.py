"""What becomes of a weave whose job, worker or Redis is gone."""

from __future__ import annotations

import contextlib
import os
import signal
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import redis

from tests import services
from tests.backends.taskiq import brokers, work
from tests.backends.taskiq.weaves import in_background, run_remote
from tests.services import Worker, wait_until
from wove import WoveResult
from wove.errors import DeliveryError, ErrorCode, WorkerLostError

StartWorker = Callable[..., Worker]
MODULE = brokers.__name__


def error_of(result: WoveResult, name: str) -> DeliveryError:
    error = result[name]
    assert isinstance(error, DeliveryError), repr(error)
    return error


@pytest.fixture
def own_redis(tmp_path: Path) -> Iterator[tuple[str, Callable[[], None]]]:
    """URL of a Redis of the test's own that keeps nothing, and what restarts it empty."""
    running = services.start_redis(tmp_path)
    port = int(running.url.rpartition(":")[2].split("/")[0])
    processes = list(running.pids)

    def restart() -> None:
        services.stop_service(processes.pop())
        processes.extend(services.start_redis(tmp_path, port).pids)

    yield running.url, restart
    for pid in processes:
        services.stop_service(pid)


def test_a_killed_worker_is_lost_with_the_defaults(
    redis_url: str, start: StartWorker, queue: str, tmp_path: Path
) -> None:
    """No heartbeat is asked for, and Taskiq knows nothing of its workers."""
    worker = start("--redis-url", redis_url, "--queue", queue)
    started = tmp_path / "started"
    config = {"broker": brokers.a_list(redis_url, queue)}
    gate = str(tmp_path / "never")
    with in_background(work.until, config, started=str(started), gate=gate, seconds=30) as found:
        wait_until(started.exists, seconds=30, what="it began")
        worker.kill()
    error = error_of(found[0], "until")
    assert isinstance(error, WorkerLostError)
    assert "heartbeat connection closed" in str(error)


def test_a_worker_that_is_told_to_stop_twice_loses_its_job(
    redis_url: str, start: StartWorker, queue: str, tmp_path: Path
) -> None:
    worker = start("--redis-url", redis_url, "--queue", queue)
    started = tmp_path / "started"
    config = {"broker": brokers.a_list(redis_url, queue)}
    more: dict[str, Any] = {"options": {"delivery_heartbeat_seconds": 1}}
    with in_background(
        work.until, config, started=str(started), gate=str(tmp_path / "never"), **more
    ) as found:
        wait_until(started.exists, seconds=30, what="it began")
        for _ in range(2):
            worker.process.send_signal(signal.SIGTERM)
            with contextlib.suppress(services.subprocess.TimeoutExpired):
                worker.process.wait(1)
        assert worker.process.wait(15) == -signal.SIGTERM
    assert isinstance(error_of(found[0], "until"), WorkerLostError)


@pytest.mark.parametrize("loss", ["deleted", "emptied", "restarted"])
def test_a_job_that_is_gone_from_its_list_is_found_by_the_start_timeout(
    own_redis: tuple[str, Callable[[], None]], queue: str, loss: str
) -> None:
    """Deleted by an operator, emptied with its list, lost with a Redis that kept nothing."""
    url, restart = own_redis
    config = {"broker": brokers.a_list(url, queue)}
    with (
        redis.Redis.from_url(url) as operator,
        in_background(work.where, config, options={"start_timeout": 4.0}) as found,
    ):
        wait_until(lambda: operator.llen(queue) == 1, seconds=20, what="it is queued")
        if loss == "deleted":
            (message,) = operator.lrange(queue, 0, -1)
            assert operator.lrem(queue, 1, message) == 1
        elif loss == "emptied":
            operator.delete(queue)
        else:
            restart()
    error = error_of(found[0], "where")
    assert error.code is ErrorCode.START_TIMEOUT
    assert f"it is not in the list {queue!r} any more" in str(error)


def test_jobs_that_are_gone_from_their_streams_end_their_tasks(
    redis_url: str,
    connection: redis.Redis,
    own_redis: tuple[str, Callable[[], None]],
    queue: str,
) -> None:
    """Deleted by an operator, emptied with its stream, lost with a Redis that kept nothing."""
    own_url, restart = own_redis
    places = {"deleted": redis_url, "emptied": redis_url, "restarted": own_url}
    results: dict[str, list[WoveResult]] = {}
    with contextlib.ExitStack() as stack:
        own = stack.enter_context(redis.Redis.from_url(own_url))
        clients = {"deleted": connection, "emptied": connection, "restarted": own}
        for name, url in places.items():  # weaves of their own: a failure cancels siblings
            config = {"broker": brokers.a_stream(url, f"{queue}-{name}")}
            results[name] = stack.enter_context(in_background(work.where, config))

        def queued() -> bool:
            return all(client.xlen(f"{queue}-{name}") == 1 for name, client in clients.items())

        wait_until(queued, seconds=20, what="all are queued")
        ((entry, _),) = connection.xrange(f"{queue}-deleted")
        connection.xdel(f"{queue}-deleted", entry)
        connection.delete(f"{queue}-emptied")
        restart()
    for name in places:
        error = error_of(results[name][0], "where")
        assert error.code is ErrorCode.BACKEND_FORGOT, str(error)
        assert f"the stream '{queue}-{name}'" in str(error)


def test_a_job_that_a_dead_worker_had_taken_and_not_begun_is_given_to_another(
    redis_url: str, start: StartWorker, connection: redis.Redis, queue: str
) -> None:
    config = {"broker": brokers.a_stream(redis_url, queue)}
    with in_background(work.where, config) as found:
        wait_until(lambda: connection.exists(queue) == 1, seconds=20, what="it is queued")
        wait_until(lambda: connection.xlen(queue) == 1, seconds=20, what="it is queued")
        connection.xreadgroup(f"{queue}-group", "the dead one", {queue: ">"}, count=1)
        start("--broker", f"{MODULE}:streaming", TASKIQ_TEST=f"{redis_url} {queue}")

        def again() -> bool:  # Taskiq looks for such jobs when it has taken another one
            run_remote(work.where, config)
            return bool(found)

        wait_until(again, seconds=30, what="the job is taken over")
    (run,) = found[0].runs
    assert (run.state, run.attempt) == ("succeeded", 0)


@pytest.mark.parametrize("kind", ["list", "stream"])
def test_a_redis_that_restarts_without_its_data_under_a_running_job(
    own_redis: tuple[str, Callable[[], None]],
    start: StartWorker,
    queue: str,
    tmp_path: Path,
    kind: str,
) -> None:
    """The job does not need it to report, and the worker takes jobs again."""
    url, restart = own_redis
    if kind == "list":
        start("--redis-url", url, "--queue", queue)
        broker: Any = brokers.a_list(url, queue)
    else:
        start("--broker", f"{MODULE}:streaming", TASKIQ_TEST=f"{url} {queue}")
        broker = brokers.a_stream(url, queue)
    started, gate = tmp_path / "started", tmp_path / "gate"
    config = {"broker": broker}
    with in_background(work.until, config, started=str(started), gate=str(gate)) as found:
        wait_until(started.exists, seconds=30, what="it began")
        restart()
        if kind == "stream":
            with redis.Redis.from_url(url) as client:
                wait_until(lambda: bool(client.exists(queue)), seconds=20, what="a group is back")
        assert run_remote(work.where, config).where[0] == int(started.read_text())
        gate.touch()
    assert found[0].until == "went on"


def test_a_task_that_ends_its_process(redis_url: str, start: StartWorker, queue: str) -> None:
    worker = start("--redis-url", redis_url, "--queue", queue)
    config = {"broker": brokers.a_list(redis_url, queue)}
    more: dict[str, Any] = {"options": {"delivery_heartbeat_seconds": 1}}
    with in_background(os.abort, config, **more) as found:
        waiting = threading.Thread(target=worker.process.wait)
        waiting.start()
        waiting.join(30)
    assert isinstance(error_of(found[0], "abort"), WorkerLostError)
