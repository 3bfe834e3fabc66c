"""Workers that die, jobs that are gone, a Redis that restarts."""

from __future__ import annotations

import asyncio
import contextlib
import signal
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import redis

from tests import services
from tests.backends.arq import views, work
from tests.backends.arq.test_arq_adapter import payload_and_frame, submit
from tests.backends.arq.weaves import in_background, run_remote
from tests.services import Worker, wait_until
from wove import WoveResult
from wove.errors import DeliveryError, ErrorCode, WorkerLostError
from wove.executors.backend_state import BackendStatus
from wove.executors.liveness import Liveness
from wove.integrations.arq import ARQAdapter

StartWorker = Callable[..., Worker]


def error_of(result: WoveResult, name: str) -> DeliveryError:
    error = result[name]
    assert isinstance(error, DeliveryError), repr(error)
    return error


@contextlib.contextmanager
def staying(url: str, queue: str, pids: Path, **more: Any) -> Iterator[list[WoveResult]]:
    """A weave whose task has begun to stay, for the length of the block."""
    config = {"redis_settings": url, "queue_name": queue}
    with in_background(work.stay, config, pids=str(pids), **more) as results:
        wait_until(lambda: pids.exists() and bool(pids.read_text()), seconds=30, what="it began")
        yield results


def test_a_worker_that_is_stopped_cold_cancels_its_jobs(
    redis_url: str, arq_worker: StartWorker, queue: str, tmp_path: Path
) -> None:
    worker = arq_worker(redis_url, queue)
    with staying(redis_url, queue, tmp_path / "pids") as results:
        worker.process.send_signal(signal.SIGTERM)
        time.sleep(1.0)
        worker.process.send_signal(signal.SIGTERM)
    error = error_of(results[0], "stay")
    assert error.code is ErrorCode.TASK_CANCELLED
    assert "arq cancelled it, because its worker is shutting down" in str(error)
    assert worker.process.wait(20) == 0
    assert "Task was destroyed" not in worker.log()
    assert views.queued(redis_url, queue) == []  # no other worker does it again


def test_arqs_own_command_that_is_stopped_cold_does_not_do_its_job_again(
    redis_url: str, plain_worker: StartWorker, queue: str, tmp_path: Path
) -> None:
    worker = plain_worker(redis_url, queue, "OwnFunction")  # SIGTERM cancels jobs: arq's default
    pids = tmp_path / "pids"
    with staying(redis_url, queue, pids) as results:
        worker.process.send_signal(signal.SIGTERM)
    assert error_of(results[0], "stay").code is ErrorCode.TASK_CANCELLED
    worker.process.wait(20)
    job_id = results[0].runs[0].backend_job_id or ""
    if views.queued(redis_url, queue):  # the weave may have taken it out already
        plain_worker(redis_url, queue, "OwnFunction")
        views.end_of(redis_url, queue, job_id)
    assert len(pids.read_text().splitlines()) == 1


def test_a_killed_worker_ends_the_weave_and_no_other_begins_the_job(
    redis_url: str, arq_worker: StartWorker, connection: redis.Redis, queue: str, tmp_path: Path
) -> None:
    """With the defaults: no heartbeat is asked for."""
    worker = arq_worker(redis_url, queue)
    with staying(redis_url, queue, tmp_path / "pids") as results:
        worker.kill()
        killed = time.monotonic()
    assert time.monotonic() - killed < 30
    assert isinstance(results[0]["stay"], WorkerLostError)
    assert not connection.zcard(queue)


def test_a_worker_that_falls_silent_is_lost_though_arq_says_in_progress(
    redis_url: str, arq_worker: StartWorker, queue: str, tmp_path: Path
) -> None:
    """Stopped as by a machine that loses its power: no connection is closed."""
    worker = arq_worker(redis_url, queue)
    soon = Liveness(silent_periods=2, silent_at_least=4.0, poll_seconds=1.0)
    options = {"delivery_heartbeat_seconds": 1.5}
    pids = tmp_path / "pids"
    with staying(redis_url, queue, pids, liveness=soon, options=options) as results:
        worker.process.send_signal(signal.SIGSTOP)
        try:
            wait_until(lambda: bool(results), seconds=30, what="the weave has given it up")
        finally:
            worker.process.send_signal(signal.SIGCONT)
    error = error_of(results[0], "stay")
    assert isinstance(error, WorkerLostError)
    assert "the backend cannot say whether it lives" in str(error)


def test_a_job_that_arq_would_try_again_was_lost(
    redis_url: str, arq_worker: StartWorker, connection: redis.Redis, queue: str
) -> None:
    payload, frame = payload_and_frame()

    async def main() -> str:
        config = {"redis_settings": redis_url, "queue_name": queue}
        adapter = ARQAdapter(name="arq", config=config, callback_url="", run_config={})
        await adapter.start()
        try:
            job = await adapter.submit(payload, frame)
            connection.set(f"arq:retry:{job.id}", 1)  # of the worker that died
            await asyncio.to_thread(arq_worker, redis_url, queue)
            await asyncio.to_thread(views.end_of, redis_url, queue, job.id)
            state = (await adapter.poll({"run": job}))["run"]
            assert state.status is BackendStatus.LOST
            return state.reason
        finally:
            await adapter.close()

    assert "max 1 retries exceeded" in asyncio.run(main())


@pytest.fixture
def own_redis(tmp_path: Path) -> Iterator[tuple[str, Callable[..., None]]]:
    """URL of a Redis of the test's own that keeps nothing, and what restarts it empty.

    `restart(pause)` leaves it away for so many seconds.
    """
    running = services.start_redis(tmp_path)
    port = int(running.url.rpartition(":")[2].split("/")[0])
    processes = list(running.pids)

    def restart(pause: float = 0.0) -> None:
        services.stop_service(processes.pop())
        time.sleep(pause)
        processes.extend(services.start_redis(tmp_path, port).pids)

    yield running.url, restart
    for pid in processes:
        services.stop_service(pid)


def test_queued_jobs_that_are_gone_end_their_tasks(
    redis_url: str, own_redis: tuple[str, Callable[..., None]], queue: str
) -> None:
    """Deleted by an operator, emptied with its queue, lost with a Redis that kept nothing."""
    own_url, restart = own_redis
    places = {"deleted": redis_url, "emptied": redis_url, "restarted": own_url}
    clients: dict[str, Any] = {}
    results: dict[str, list[WoveResult]] = {}
    with contextlib.ExitStack() as stack:
        for name, url in places.items():  # weaves of their own: a failure cancels siblings
            clients[name] = stack.enter_context(redis.Redis.from_url(url))
            config = {"redis_settings": url, "queue_name": f"{queue}-{name}"}
            results[name] = stack.enter_context(in_background(work.where, config))
        queued = lambda: all(clients[n].zcard(f"{queue}-{n}") == 1 for n in places)  # noqa: E731
        wait_until(queued, seconds=20, what="all are queued")
        (job_id,) = clients["deleted"].zrange(f"{queue}-deleted", 0, -1)
        clients["deleted"].delete(b"arq:job:" + job_id)
        clients["deleted"].zrem(f"{queue}-deleted", job_id)
        clients["emptied"].delete(f"{queue}-emptied")
        restart()
    for name in places:
        error = error_of(results[name][0], "where")
        assert error.code is ErrorCode.BACKEND_FORGOT
        assert f"job {error.backend_job_id}" in str(error)


def test_a_running_job_whose_keys_an_operator_deletes_goes_on(
    redis_url: str, arq_worker: StartWorker, connection: redis.Redis, queue: str, tmp_path: Path
) -> None:
    arq_worker(redis_url, queue)
    started, gate = tmp_path / "started", tmp_path / "gate"
    config = {"redis_settings": redis_url, "queue_name": queue}
    with in_background(work.until, config, started=str(started), gate=str(gate)) as results:
        wait_until(started.exists, seconds=30, what="it began")
        (job_id,) = connection.zrange(queue, 0, -1)
        connection.delete(b"arq:job:" + job_id, b"arq:in-progress:" + job_id, queue)
        gate.touch()
    assert results[0].until == "went on"
    assert [run.state for run in results[0].runs] == ["succeeded"]


def test_a_running_job_and_its_worker_outlive_a_restart_of_redis(
    own_redis: tuple[str, Callable[..., None]], arq_worker: StartWorker, queue: str, tmp_path: Path
) -> None:
    url, restart = own_redis
    worker = arq_worker(url, queue)
    started, gate = tmp_path / "started", tmp_path / "gate"
    config = {"redis_settings": url, "queue_name": queue}
    with in_background(work.until, config, started=str(started), gate=str(gate)) as results:
        wait_until(started.exists, seconds=30, what="it began")
        restart(1.0)
        gate.touch()
    assert results[0].until == "went on"
    assert [run.state for run in results[0].runs] == ["succeeded"]
    assert run_remote(work.where, config).where == worker.process.pid


def test_a_worker_whose_redis_is_gone_for_good_ends_after_the_jobs_in_hand(
    tmp_path: Path, queue: str
) -> None:
    code = (
        "import sys; from wove.cli import arq_worker, main; arq_worker.RETRIES = 2; "
        "sys.exit(main(['worker', 'arq', *sys.argv[1:]]))"
    )
    running = services.start_redis(tmp_path)
    argv = [sys.executable, "-c", code, "--redis-url", running.url, "--queue", queue]
    worker = services.start_worker(tmp_path, "alone", argv)
    config = {"redis_settings": running.url, "queue_name": queue}
    started, gates = [tmp_path / "s0", tmp_path / "s1"], [tmp_path / "g0", tmp_path / "g1"]
    with contextlib.ExitStack() as stack:
        results = [
            stack.enter_context(
                in_background(work.until, config, started=str(started[n]), gate=str(gates[n]))
            )
            for n in range(2)
        ]
        wait_until(lambda: all(s.exists() for s in started), seconds=30, what="both began")
        for pid in running.pids:
            services.stop_service(pid)
        gates[0].touch()
        wait_until(lambda: bool(results[0]), seconds=30, what="the first has ended")
        time.sleep(3)  # arq has tried to write that down, and given up
        assert worker.process.poll() is None
        gates[1].touch()
    assert [found[0].until for found in results] == ["went on", "went on"]
    assert worker.process.wait(60) == 1
    assert worker.log().splitlines()[-1].startswith(f"wove: lost Redis at {running.url}: ")


def test_connections_are_closed_and_a_restart_of_redis_spoils_nothing(
    own_redis: tuple[str, Callable[..., None]], queue: str
) -> None:
    url, restart = own_redis
    config = {"redis_settings": url, "queue_name": queue}
    with redis.Redis.from_url(url) as client:
        for _ in range(5):
            submit(config)
        assert len(client.client_list()) == 1
        restart()
        submit(config)
        assert client.zcard(queue) == 1
