"""Jobs as Celery sees them: pools, results, operators' views, users' own workers."""

from __future__ import annotations

import json
import os
import textwrap
import threading
import time
import uuid
from collections.abc import Callable
from pathlib import Path
from typing import Any

import celery
import pytest

import wove
from tests.backends.celery import work
from tests.backends.celery.weaves import in_background, run_remote
from tests.services import CeleryWorker, free_port, wait_until
from wove import WoveResult, weave
from wove.backend import build_backend_payload
from wove.errors import WorkerLostError
from wove.executors.backend_state import BackendState
from wove.integrations._celery_broker import CeleryJob, kept_broker

StartWorker = Callable[..., CeleryWorker]


def summary_of(result: WoveResult, url: str) -> tuple[str, Any]:
    """What Celery's result backend has about the weave's only job."""
    (run,) = result.runs
    app = celery.Celery("reader", broker=url, backend=url, set_as_current=False)
    answer = app.AsyncResult(run.backend_job_id)
    wait_until(answer.ready, seconds=10, what="the result backend has the job's end")
    return answer.state, answer.result


@pytest.mark.parametrize("pool", ["prefork", "threads", "solo"])
def test_every_pool_runs_payloads(
    redis_url: str, celery_worker: StartWorker, queue: str, pool: str
) -> None:
    worker = celery_worker(redis_url, queue=queue, pool=pool)
    result = run_remote(work.where, {"broker_url": redis_url, "queue": queue})
    process, _ = result.where
    assert process != os.getpid()
    assert (process == worker.process.pid) is (pool != "prefork")
    assert worker.stop() == 0


def test_the_job_succeeds_with_a_summary_whatever_the_task_did(
    redis_url: str, celery_worker: StartWorker, queue: str
) -> None:
    worker = celery_worker(redis_url, "--result-backend", redis_url, queue=queue)
    config = {"broker_url": redis_url, "queue": queue}
    failed = run_remote(work.refuse, config, error_mode="return")
    assert isinstance(failed.refuse, LookupError)
    state, summary = summary_of(failed, redis_url)
    assert state == "SUCCESS"
    assert summary["outcome"] == "failed"
    assert "no such account" in json.dumps(summary["error"])
    assert summary["callback_url"].endswith("/wove/events/***")

    state, summary = summary_of(run_remote(work.where, config), redis_url)
    assert (state, summary["outcome"], summary["delivered"]) == ("SUCCESS", "succeeded", True)
    worker.stop()


def test_a_monitor_sees_the_tasks_name_and_nothing_of_the_payload(
    redis_url: str, celery_worker: StartWorker, queue: str
) -> None:
    """By Celery's events, which Flower asks the workers for, as here."""
    celery_worker(redis_url, queue=queue)
    app = celery.Celery("monitor", broker=redis_url, set_as_current=False)
    seen: list[dict[str, Any]] = []
    with app.connection() as connection:
        receiver = app.events.Receiver(connection, handlers={"*": seen.append})

        def listen() -> None:
            for _ in receiver.itercapture(limit=None, timeout=None, wakeup=False):
                pass  # it ends when the receiver is told to

        listening = threading.Thread(target=listen)
        listening.start()
        try:
            wait_until(
                lambda: app.control.enable_events(reply=True, timeout=2),
                seconds=20,
                what="a worker sends events",
            )
            result = run_remote(work.where, {"broker_url": redis_url, "queue": queue})
            run_id = result.runs[0].run_id

            def of_the_job() -> dict[str, dict[str, Any]]:
                return {event["type"]: event for event in list(seen) if event.get("uuid") == run_id}

            wait_until(
                lambda: "task-succeeded" in of_the_job(), seconds=20, what="the job is shown"
            )
        finally:
            receiver.should_stop = True
            listening.join(20)
    assert not listening.is_alive()
    events = of_the_job()
    assert events["task-received"]["name"] == "where"
    assert "/wove/events/***" in json.dumps(events["task-succeeded"], default=str)
    assert "callable" not in json.dumps(list(events.values()), default=str)


def test_what_a_worker_answers_of_its_jobs_holds_no_payload(
    rabbitmq_url: str, celery_worker: StartWorker, queue: str, tmp_path: Path
) -> None:
    """`celery inspect`, and Flower's page of a worker: one job runs, another is reserved."""
    celery_worker(rabbitmq_url, queue=queue, concurrency=1)
    token = uuid.uuid4().hex
    config = {"broker_url": rabbitmq_url, "queue": queue, "callback_token": token}
    app = celery.Celery("monitor", broker=rabbitmq_url, set_as_current=False)
    started, gate = tmp_path / "started", tmp_path / "gate"
    told: list[dict[str, Any]] = []

    def held() -> bool:
        inspect = app.control.inspect(timeout=1)
        answers = [*(inspect.active() or {}).values(), *(inspect.reserved() or {}).values()]
        # The broker is shared with other tests.
        told[:] = [job for jobs in answers for job in jobs if queue in json.dumps(job)]
        return {job["name"] for job in told} == {"until", "where"}

    with in_background(work.until, config, started=str(started), gate=str(gate)):
        wait_until(started.exists, seconds=30, what="the first job runs")
        with in_background(work.where, config):
            try:
                wait_until(held, seconds=30, what="the worker holds both jobs")
            finally:
                gate.touch()
    assert token not in json.dumps(told)
    assert "pickle" not in json.dumps(told)


def test_the_job_fails_when_its_events_cannot_be_delivered(
    redis_url: str, celery_worker: StartWorker, queue: str
) -> None:
    """A payload that is right in everything, but for where its weave listens: nowhere."""
    celery_worker(redis_url, "--result-backend", redis_url, queue=queue)
    app = celery.Celery("sender", broker=redis_url, backend=redis_url, set_as_current=False)
    payload = build_backend_payload(
        {"run_id": "r", "task_id": "t", "callable": work.where, "args": {}},
        adapter="celery",
        callback_url=f"http://127.0.0.1:{free_port()}/wove/events/token",
    )
    # The task runs: it is the end that cannot be told.
    payload["start_gate"], payload["delivery_retry_seconds"] = "none", 1.0
    with app.connection_for_write() as connection:
        answer = app.send_task(
            "wove.run_backend_payload", args=(payload,), queue=queue, connection=connection
        )
    wait_until(answer.ready, seconds=40, what="the job has ended")
    assert answer.state == "FAILURE"
    assert type(answer.result).__name__ == "CallbackUnreachableError"
    assert "could not report the end of task 't'" in str(answer.result)


def test_a_users_own_task_around_run(
    rabbitmq_url: str, celery_worker: StartWorker, queue: str, tmp_path: Path
) -> None:
    (tmp_path / "own_app.py").write_text(
        textwrap.dedent(
            """
            from celery import Celery
            from wove.integrations.worker import run

            app = Celery("own")

            @app.task(name="own.wove")
            def wove_task(payload):
                return run(payload)
            """
        )
    )
    worker = celery_worker(
        rabbitmq_url,
        *("--app", "own_app:app", "--task-name", "own.wove", "--loglevel", "INFO"),
        queue=queue,
        env={"PYTHONPATH": str(tmp_path)},
    )
    token = uuid.uuid4().hex
    config = {
        "broker_url": rabbitmq_url,
        "task_name": "own.wove",
        "queue": queue,
        "callback_token": token,
    }
    result = run_remote(work.where, config)
    assert result.where[0] != os.getpid()
    (run,) = result.runs
    # Celery logs the summary after the weave has its result, and the pool's writes are its own.
    wait_until(
        lambda: "succeeded in" in worker.log(), seconds=20, what="Celery has logged the job's end"
    )
    log = worker.log()
    assert f"[{run.run_id}]" in log  # the run's id is Celery's
    assert "/wove/events/***" in log  # the summary's callback URL
    assert token not in log
    worker.stop()


def test_one_application_serves_weaves_of_several_threads(
    redis_url: str, celery_worker: StartWorker, queue: str
) -> None:
    celery_worker(redis_url, queue=queue)
    app = celery.Celery("mine", broker=redis_url, set_as_current=False)
    found: list[int] = []

    def one() -> None:
        found.append(run_remote(work.where, {"app": app, "queue": queue}).where[0])

    for _ in range(2):  # one after the other, and at once
        threads = [threading.Thread(target=one) for _ in range(2)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(30)
    assert len(found) == 4


@pytest.mark.parametrize("broker", ["redis", "rabbitmq"])
def test_termination_stops_a_blocking_call_and_is_proven(
    request: pytest.FixtureRequest,
    celery_worker: StartWorker,
    queue: str,
    tmp_path: Path,
    broker: str,
) -> None:
    url = str(request.getfixturevalue(f"{broker}_url"))
    celery_worker(url, queue=queue)
    started = tmp_path / "started"
    name = f"celery-{uuid.uuid4().hex[:8]}"
    config = {"broker_url": url, "queue": queue, "terminate_on_cancel": True}
    wove.config(environments={name: {"executor": "celery", "executor_config": config}})
    begun = time.monotonic()
    with weave(error_mode="return", started=str(started)) as w:
        w.do(environment=name, delivery_cancel_mode="require_ack")(work.block)

        @w.do
        def fail() -> None:
            wait_until(started.exists, seconds=30, what="the job runs")
            raise LookupError("stop")

    wove.config(environments={name: None})
    assert time.monotonic() - begun < 30  # the task blocks for a minute
    (run,) = [r for r in w.result.runs if r.task == "block"]
    assert run.cancel == "stopped"


def test_a_killed_pool_process_is_seen_by_asking_its_worker(
    redis_url: str, celery_worker: StartWorker, queue: str, tmp_path: Path
) -> None:
    """Straight at the broker: the answers of a real worker, before and after."""
    celery_worker(redis_url, queue=queue)
    started = tmp_path / "started"
    broker = kept_broker({"broker_url": redis_url})
    job = CeleryJob(queue)
    config = {
        "broker_url": redis_url,
        "queue": queue,
        "send_task_options": {"task_id": queue},
        "terminate_on_cancel": True,
    }

    def answers(status: str) -> BackendState:
        # A worker answers when it comes to it: within a second, or not this time.
        states: list[BackendState] = []

        def asked() -> bool:
            states.append(broker.ask({"run": job})["run"])
            return states[-1].status.value == status

        wait_until(asked, seconds=30, what=f"the worker says {status}")
        return states[-1]

    with in_background(work.block, config, started=str(started)) as found:
        wait_until(started.exists, seconds=30, what="the job runs")
        running = answers("running")
        assert job.worker is not None
        assert job.worker in running.reason
        broker.revoke(queue, terminate=True, wait_for_answers=True)
        assert job.worker in answers("lost").reason
    assert isinstance(found[0].block, WorkerLostError), repr(found[0].block)


def test_a_worker_elsewhere_that_cannot_load_the_task_says_so(
    redis_url: str, celery_worker: StartWorker, queue: str, tmp_path: Path
) -> None:
    celery_worker(redis_url, queue=queue)
    import importlib.util
    import sys

    module = tmp_path / "only_here.py"
    module.write_text("def task():\n    return 1\n")
    spec = importlib.util.spec_from_file_location("only_here", module)
    assert spec is not None
    assert spec.loader is not None
    loaded = importlib.util.module_from_spec(spec)
    sys.modules["only_here"] = loaded
    try:
        spec.loader.exec_module(loaded)
        result = run_remote(
            loaded.task, {"broker_url": redis_url, "queue": queue}, error_mode="return"
        )
    finally:
        del sys.modules["only_here"]
    assert result.exception is not None
    assert result.exception.code == "payload_not_loadable"  # type: ignore[attr-defined]
    assert "only_here" in str(result.exception)


def test_settings_that_are_missing_are_named_by_the_weave() -> None:
    with pytest.raises(TypeError, match="'broker_url' or 'app'"):
        run_remote(work.where, {})


def test_a_broker_that_is_down_ends_the_weave() -> None:
    port = free_port()
    with pytest.raises(wove.errors.SubmissionError, match=f"127.0.0.1:{port}") as caught:
        run_remote(work.where, {"broker_url": f"redis://127.0.0.1:{port}/0"})
    assert caught.value.task == "where"


def test_a_running_job_outlives_a_restart_of_redis(
    own_redis: tuple[str, Callable[[], None]],
    celery_worker: StartWorker,
    queue: str,
    tmp_path: Path,
) -> None:
    url, restart = own_redis
    worker = celery_worker(url, queue=queue)
    started, gate = tmp_path / "started", tmp_path / "gate"
    config = {"broker_url": url, "queue": queue}
    with in_background(work.until, config, started=str(started), gate=str(gate)) as results:
        wait_until(started.exists, seconds=30, what="it began")
        restart()
        gate.touch()
    worker.kill()
    assert results[0].until == "went on"
    assert [run.state for run in results[0].runs] == ["succeeded"]
