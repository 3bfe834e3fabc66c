"""Jobs as Taskiq sees them: its own workers, results, users' tasks, streams."""

from __future__ import annotations

import asyncio
import json
import os
import subprocess
import sys
import threading
import time
import uuid
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import redis
from taskiq import TaskiqResult
from taskiq.kicker import AsyncKicker

import wove
from tests.backends.taskiq import brokers, work
from tests.backends.taskiq.weaves import in_background, run_remote
from tests.services import Worker, free_port, wait_until
from wove import WoveResult, weave
from wove.backend import build_backend_payload

StartWorker = Callable[..., Worker]
MODULE = brokers.__name__


def result_of(url: str, job_id: str) -> TaskiqResult[Any]:
    """What Taskiq keeps of a job, when it is there."""

    async def main() -> TaskiqResult[Any]:
        results = brokers.results(url)
        deadline = time.monotonic() + 20
        try:
            while not await results.is_result_ready(job_id):
                assert time.monotonic() < deadline, f"no result of {job_id}"
                await asyncio.sleep(0.05)
            return await results.get_result(job_id)
        finally:
            await results.shutdown()

    return asyncio.run(main())


def job_of(result: WoveResult) -> str:
    (run,) = result.runs
    assert run.backend_job_id is not None
    return run.backend_job_id


def test_taskiqs_own_worker_needs_one_line(redis_url: str, plain: StartWorker, queue: str) -> None:
    worker = plain(f"{MODULE}:registered", TASKIQ_TEST=f"{redis_url} {queue}")
    broker = brokers.a_list(redis_url, queue)
    result = run_remote(work.where, {"broker": broker})
    assert result.where[0] not in (os.getpid(), worker.process.pid)
    assert result_of(redis_url, job_of(result)).return_value["outcome"] == "succeeded"


def test_taskiqs_own_worker_waits_for_jobs_and_stops(
    redis_url: str, plain: StartWorker, queue: str
) -> None:
    """By itself it ends its process after redis-py's socket_timeout, and idle hears no signal."""
    worker = plain(f"{MODULE}:registered", TASKIQ_TEST=f"{redis_url}?socket_timeout=1 {queue}")
    time.sleep(3)
    assert run_remote(work.where, {"broker": brokers.a_list(redis_url, queue)}).where
    assert "Scheduling reload" not in worker.log()
    assert worker.stop() == 0
    wait_until(lambda: "Shutting down the broker" in worker.log(), seconds=10, what="its process")


def test_a_job_whose_task_returned_has_succeeded(
    redis_url: str, start: StartWorker, queue: str
) -> None:
    worker = start("--redis-url", redis_url, "--queue", queue)
    result = run_remote(work.where, {"broker": brokers.a_list(redis_url, queue)})
    assert result.where[0] == worker.process.pid
    kept = result_of(redis_url, job_of(result))
    assert job_of(result) == result.runs[0].run_id
    assert not kept.is_err
    assert (kept.return_value["outcome"], kept.return_value["delivered"]) == ("succeeded", True)
    assert kept.return_value["callback_url"].endswith("/wove/events/***")
    assert kept.labels["wove_task"] == "where"


def test_a_job_whose_task_raised_has_failed_with_its_errors_text_and_is_not_tried_again(
    redis_url: str, start: StartWorker, connection: redis.Redis, queue: str
) -> None:
    """Also where the broker's middleware tries again whatever has no label that forbids it."""
    worker = start(
        *("--broker", f"{MODULE}:retrying", "--loglevel", "DEBUG"),
        TASKIQ_TEST=f"{redis_url} {queue}",
    )
    token = uuid.uuid4().hex
    config = {"broker": brokers.a_list(redis_url, queue), "callback_token": token}
    result = run_remote(work.refuse, config, error_mode="return")
    assert isinstance(result.refuse, LookupError)
    kept = result_of(redis_url, job_of(result))
    assert kept.is_err
    assert str(kept.error) == "LookupError: no such account"
    assert not connection.exists(queue)
    assert worker.stop() == 0
    assert "LookupError: no such account" in worker.log()
    assert worker.log().count("Executing task") == 1
    assert token not in worker.log()


def test_the_job_fails_when_its_events_cannot_be_delivered(
    redis_url: str, start: StartWorker, queue: str
) -> None:
    """A payload that is right in everything, but for where its weave listens: nowhere."""
    start("--redis-url", redis_url, "--queue", queue)
    payload = build_backend_payload(
        {"run_id": "r", "task_id": "t", "callable": work.where, "args": {}},
        adapter="taskiq",
        callback_url=f"http://127.0.0.1:{free_port()}/wove/events/token",
    )
    # The task runs: it is the end that cannot be told.
    payload["start_gate"], payload["delivery_retry_seconds"] = "none", 1.0
    job_id = uuid.uuid4().hex

    async def send() -> None:
        broker = brokers.a_list(redis_url, queue)
        kicker: Any = AsyncKicker("wove.run_backend_payload", broker, {})
        await kicker.with_task_id(job_id).kiq(payload)
        await broker.shutdown()

    asyncio.run(send())
    kept = result_of(redis_url, job_id)
    assert kept.is_err
    assert type(kept.error).__name__ == "CallbackUnreachableError"


@pytest.mark.parametrize("task", [work.where, work.where_async])
def test_a_users_own_task(
    redis_url: str, plain: StartWorker, queue: str, task: Callable[..., Any]
) -> None:
    plain(f"{MODULE}:own_task", TASKIQ_TEST=f"{redis_url} {queue}")
    broker = brokers.a_list(redis_url, queue)

    @broker.task(task_name="mine.run", team="reports")
    async def mine(payload: dict[str, Any]) -> None: ...

    for config in ({"task": mine}, {"broker": broker, "task_name": "mine.run"}):
        assert run_remote(task, config)[task.__name__][0] != os.getpid()


def test_six_tasks_of_a_second_each_run_at_once(
    redis_url: str, start: StartWorker, queue: str
) -> None:
    start("--redis-url", redis_url, "--queue", queue, "-c", "6")
    settings = {"broker": brokers.a_list(redis_url, queue)}
    wove.config(environments={"six": {"executor": "taskiq", "executor_config": settings}})
    try:
        with weave() as w:
            w.do(range(6), environment="six")(work.one_second)
    finally:
        wove.config(environments={"six": None})
    assert w.result.one_second == list(range(6))
    begun = [run.started_at for run in w.result.runs]
    over = [run.ended_at for run in w.result.runs]
    assert max(t for t in begun if t) < min(t for t in over if t)  # none waited for another


def test_no_more_than_the_asked_for_are_in_a_workers_hands(
    redis_url: str, start: StartWorker, connection: redis.Redis, queue: str, tmp_path: Path
) -> None:
    """What waits is in the list, where another worker can take it."""
    start("--redis-url", redis_url, "--queue", queue, "-c", "2")
    gate, files = tmp_path / "gate", [tmp_path / f"started-{n}" for n in range(4)]
    settings = {"broker": brokers.a_list(redis_url, queue)}
    wove.config(environments={"four": {"executor": "taskiq", "executor_config": settings}})

    def release() -> None:
        wait_until(lambda: sum(f.exists() for f in files) == 2, seconds=30, what="two began")
        wait_until(lambda: connection.llen(queue) == 2, seconds=10, what="two wait")
        gate.touch()

    releasing = threading.Thread(target=release)
    releasing.start()
    try:
        with weave(gate=str(gate)) as w:
            w.do([str(f) for f in files], environment="four")(work.until)
    finally:
        releasing.join(40)
        wove.config(environments={"four": None})
    assert w.result.until == ["went on"] * 4


def test_a_stream_forgets_a_job_when_it_begins_and_gives_it_to_nobody_else(
    redis_url: str, start: StartWorker, connection: redis.Redis, queue: str, tmp_path: Path
) -> None:
    """Although its workers take from others what those have had for a second."""
    env = {"TASKIQ_TEST": f"{redis_url} {queue}"}
    for _ in range(2):
        start("--broker", f"{MODULE}:streaming", **env)
    started, gate = tmp_path / "started", tmp_path / "gate"
    config = {"broker": brokers.a_stream(redis_url, queue)}
    with in_background(work.until, config, started=str(started), gate=str(gate)) as found:
        wait_until(started.exists, seconds=30, what="it began")
        assert connection.xpending(queue, f"{queue}-group")["pending"] == 0
        # Taskiq looks for such entries when it has taken another one.
        for _ in range(4):
            assert run_remote(work.where, config).where
        gate.touch()
    assert found[0].until == "went on"
    assert len(started.read_text().splitlines()) == 1


@pytest.mark.parametrize("make", ["stream", "list"])
def test_a_job_that_is_delivered_twice_runs_once(
    make: str,
    redis_url: str,
    start: StartWorker,
    connection: redis.Redis,
    queue: str,
    tmp_path: Path,
) -> None:
    """Twice while it runs: an operator sent it once more, or the broker did."""
    if make == "list":
        start("--redis-url", redis_url, "--queue", queue)
        broker: Any = brokers.a_list(redis_url, queue)
    else:
        start("--broker", f"{MODULE}:streaming", TASKIQ_TEST=f"{redis_url} {queue}")
        broker = brokers.a_stream(redis_url, queue)
    started, gate = tmp_path / "started", tmp_path / "gate"
    config = {"broker": lambda: _twice(broker)}
    with in_background(work.until, config, started=str(started), gate=str(gate)) as found:
        wait_until(started.exists, seconds=30, what="it began")
        gate.touch()
    assert found[0].until == "went on"
    (run,) = found[0].runs
    assert (run.state, run.attempt) == ("succeeded", 0)
    kept = result_of(redis_url, job_of(found[0]))
    assert kept.return_value["outcome"] in ("succeeded", "not_started")
    assert len(started.read_text().splitlines()) == 1


def _twice(broker: Any) -> Any:
    kind = type(broker)

    class Twice(kind):  # type: ignore[misc, valid-type]
        async def kick(self, message: Any) -> None:
            await super().kick(message)
            await super().kick(message)

    broker.__class__ = Twice
    return broker


FORKING = """
import os, sys
import wove
from tests.backends.taskiq import brokers, work
from wove import weave

broker = brokers.a_list(*sys.argv[1:3])
wove.config(environments={"w": {"executor": "taskiq", "executor_config": {"broker": broker}}})

def once():
    with weave() as w:
        w.do(environment="w")(work.where)
    return w.result.where[0]

there = once()
child = os.fork()
if child == 0:
    os._exit(0 if once() == there else 1)
assert os.waitpid(child, 0)[1] == 0
assert once() == there
print("all three")
"""


def test_a_process_that_forks_between_weaves(
    redis_url: str, start: StartWorker, queue: str
) -> None:
    start("--redis-url", redis_url, "--queue", queue)
    done = subprocess.run(
        [sys.executable, "-W", "ignore::DeprecationWarning", "-c", FORKING, redis_url, queue],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert (done.stdout, done.returncode) == ("all three\n", 0), done.stderr


def test_what_the_weaves_side_logs_at_its_end_is_nothing(
    redis_url: str, start: StartWorker, queue: str
) -> None:
    """The connections that stay open for the next weave do not complain when there is none."""
    start("--redis-url", redis_url, "--queue", queue)
    script = FORKING.partition("child =")[0] + "print(json.dumps(there))"
    done = subprocess.run(
        [sys.executable, "-X", "dev", "-c", "import json" + script, redis_url, queue],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout)
    assert "unclosed" not in done.stderr
    assert "Traceback" not in done.stderr
