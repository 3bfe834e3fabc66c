"""The RQ adapter against a real Redis; what it enqueues is read with RQ."""

from __future__ import annotations

import asyncio
import socket
import time
import uuid

import pytest
import redis
import rq
from rq.registry import CanceledJobRegistry
from rq.serializers import JSONSerializer

from tests.backends.submitting import Submitting, not_started, shown
from tests.services import free_port
from wove.errors import ErrorCode, SubmissionError
from wove.executors.backend_state import BackendStatus
from wove.integrations import _service
from wove.integrations.rq import RQAdapter, RQJob

submitting = Submitting("rq", RQAdapter)
payload_and_frame, with_adapter = submitting.payload_and_frame, submitting.with_adapter
submit = submitting.submit


def test_the_payload_arrives_unchanged_as_the_only_argument(
    redis_url: str, connection: redis.Redis, queue: str
) -> None:
    job, payload = submit({"redis_url": redis_url, "queue_name": queue})
    (found,) = rq.Queue(queue, connection=connection).jobs
    assert found.func_name == "wove.integrations.worker.run"
    assert (list(found.args), found.kwargs) == ([payload], {})
    assert found.id == job.id == payload["run_id"]
    assert found.description == "report"
    assert (found.timeout, found.ttl, found.retries_left) == (-1, None, None)


def test_what_rq_shows_and_logs_holds_nothing_of_the_payload(
    redis_url: str, connection: redis.Redis, queue: str
) -> None:
    job, payload = submit({"redis_url": redis_url, "queue_name": queue})
    # What a monitor shows of a running job, shortened by RQ.
    called = rq.job.Job.fetch(job.id, connection=connection).get_call_string() or ""
    assert called.startswith("wove.integrations.worker.run({'task_name': 'report', 'run_id'")
    assert payload["run_id"] in called
    assert "callback" not in called
    fields = connection.hgetall(f"rq:job:{job.id}")
    fields.pop(b"data")  # the call itself, packed
    assert b"very-secret-token" not in repr(fields).encode()


def test_the_shorter_timeout_becomes_the_expiry(
    redis_url: str, connection: redis.Redis, queue: str
) -> None:
    config = {"redis_url": redis_url, "queue_name": queue}
    job, _ = submit(config, start_timeout=19.5, delivery_timeout=60.0)
    assert 40 <= int(connection.ttl(f"rq:job:{job.id}")) <= 50


def test_options_beat_ours_and_the_queue_is_a_setting(
    redis_url: str, connection: redis.Redis, queue: str
) -> None:
    options = {"job_id": f"chosen-{queue}", "description": "mine", "job_timeout": 77, "ttl": 33}
    job, _ = submit({"redis_url": redis_url, "queue_name": queue, "enqueue_options": options})
    (found,) = rq.Queue(queue, connection=connection).jobs
    assert found.id == job.id == f"chosen-{queue}"
    assert (found.description, found.timeout, found.ttl) == ("mine", 77, 33)


@pytest.mark.parametrize("option", ["args", "kwargs", "pipeline", "timeout", "priority"])
def test_options_that_rq_would_hand_to_the_worker_are_refused(redis_url: str, option: str) -> None:
    with pytest.raises(TypeError, match=f"'{option}'.*RQ's options are .*job_timeout"):
        with_adapter({"redis_url": redis_url, "enqueue_options": {option: 1}}, not_started)


def test_no_redis_is_a_type_error_that_names_the_setting() -> None:
    with pytest.raises(TypeError, match="'redis_url' or 'queue'"):
        with_adapter({}, not_started)


@pytest.mark.parametrize("url", ["http://someone:hunter2@host/0", "redis://:hunter2/x@host/0"])
def test_a_url_that_is_none_is_named_without_its_password(url: str) -> None:
    with pytest.raises(ValueError, match="redis_url") as caught:
        with_adapter({"redis_url": url}, not_started)
    assert "hunter2" not in shown(caught.value)


def test_a_queue_that_is_none_or_runs_jobs_itself_is_refused(redis_url: str) -> None:
    with pytest.raises(TypeError, match=r"must be an rq\.Queue"):
        with_adapter({"queue": "reports"}, not_started)
    with redis.Redis.from_url(redis_url) as client:
        here = rq.Queue("here", connection=client, is_async=False)
        with pytest.raises(TypeError, match="is_async=False"):
            with_adapter({"queue": here}, not_started)


def test_a_users_queue_keeps_its_timeout_and_its_serializer(
    connection: redis.Redis, queue: str
) -> None:
    mine = rq.Queue(queue, connection=connection, default_timeout=99, serializer=JSONSerializer)
    _, payload = submit({"queue": mine})
    (found,) = mine.jobs
    assert list(found.args) == [payload]
    assert found.timeout == 99


def test_a_redis_that_is_down_is_named_without_its_password() -> None:
    port = free_port()
    start = time.monotonic()
    with pytest.raises(SubmissionError) as caught:
        submit({"redis_url": f"redis://someone:hunter2@127.0.0.1:{port}/0"})
    assert time.monotonic() - start < 11
    assert caught.value.code is ErrorCode.BACKEND_UNAVAILABLE
    text = str(caught.value)
    assert f"127.0.0.1:{port}" in text
    assert "executor_config['redis_url']" in text
    assert "hunter2" not in text


def test_a_users_queue_whose_redis_is_down_names_its_address() -> None:
    port = free_port()
    client = redis.Redis(port=port, password="hunter2")
    with client, pytest.raises(SubmissionError) as caught:
        submit({"queue": rq.Queue("reports", connection=client)})
    assert caught.value.code is ErrorCode.BACKEND_UNAVAILABLE
    assert f"localhost:{port}" in str(caught.value)
    assert "executor_config['queue']" in str(caught.value)
    assert "hunter2" not in str(caught.value)


def test_a_redis_that_refuses_the_login_is_not_called_down(redis_url: str) -> None:
    with pytest.raises(SubmissionError, match="did not take the job") as caught:
        submit({"redis_url": redis_url.replace("//", "//someone:hunter2@")})
    assert caught.value.code is ErrorCode.SUBMIT_FAILED
    assert "hunter2" not in str(caught.value)


def test_a_redis_that_never_answers_ends_in_time(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(_service, "SUBMIT_SECONDS", 1.0)
    with socket.create_server(("127.0.0.1", 0)) as silent:
        start = time.monotonic()
        with pytest.raises(SubmissionError, match="no answer in 1 s") as caught:
            submit({"redis_url": f"redis://127.0.0.1:{silent.getsockname()[1]}/0"})
        assert time.monotonic() - start < 5
    assert caught.value.code is ErrorCode.BACKEND_UNAVAILABLE


def test_submissions_at_once_all_arrive(
    redis_url: str, connection: redis.Redis, queue: str
) -> None:
    made = [payload_and_frame() for _ in range(30)]

    async def use(adapter: RQAdapter) -> list[RQJob]:
        return await asyncio.gather(*(adapter.submit(*one) for one in made))

    jobs = with_adapter({"redis_url": redis_url, "queue_name": queue}, use)
    arrived = set(rq.Queue(queue, connection=connection).job_ids)
    assert arrived == {job.id for job in jobs} == {payload["run_id"] for payload, _ in made}


def test_a_key_makes_the_id_and_a_second_job_of_it_is_refused(redis_url: str, queue: str) -> None:
    payload, frame = payload_and_frame()
    frame["job_id"] = f"key-{uuid.uuid4().hex}"

    async def use(adapter: RQAdapter) -> None:
        job = await adapter.submit(payload, frame)
        assert job.id == frame["job_id"]
        with pytest.raises(SubmissionError) as caught:
            await adapter.submit(payload, frame)
        assert caught.value.code is ErrorCode.DUPLICATE_KEY
        assert caught.value.backend_job_id == job.id
        assert await adapter.cancel("run", job, {}) == "stopped"
        await adapter.submit(payload, frame)  # what never started may be tried again

    with_adapter({"redis_url": redis_url, "queue_name": queue}, use)


def test_cancelling_a_queued_job_leaves_nothing_of_it(
    redis_url: str, connection: redis.Redis, queue: str
) -> None:
    payload, frame = payload_and_frame()

    async def use(adapter: RQAdapter) -> RQJob:
        job = await adapter.submit(payload, frame)
        assert await adapter.cancel("run", job, {}) == "stopped"
        states = await adapter.poll({"run": job})
        assert states["run"].status is BackendStatus.ABSENT
        return job

    job = with_adapter({"redis_url": redis_url, "queue_name": queue}, use)
    assert not list(connection.scan_iter(f"*{job.id}*"))
    assert not CanceledJobRegistry(queue, connection=connection).get_job_ids()


def test_cancelling_a_job_that_waits_elsewhere_in_rq(
    redis_url: str, connection: redis.Redis, queue: str
) -> None:
    first = rq.Queue(queue, connection=connection).enqueue("builtins.print")
    payload, frame = payload_and_frame()

    async def use(adapter: RQAdapter) -> None:
        job = await adapter.submit(payload, frame)
        states = await adapter.poll({"run": job})
        assert (states["run"].status, states["run"].reason) == (
            BackendStatus.QUEUED,
            "RQ says deferred",
        )
        assert await adapter.cancel("run", job, {}) == "stopped"
        states = await adapter.poll({"run": job})
        assert states["run"].status is BackendStatus.CANCELLED

    options = {"depends_on": first}
    with_adapter({"redis_url": redis_url, "queue_name": queue, "enqueue_options": options}, use)


def test_a_queue_that_was_flushed_under_its_jobs_does_not_hold_them(
    redis_url: str, connection: redis.Redis, queue: str
) -> None:
    payload, frame = payload_and_frame()

    async def use(adapter: RQAdapter) -> None:
        job = await adapter.submit(payload, frame)
        states = await adapter.poll({"run": job})
        assert states["run"].status is BackendStatus.QUEUED
        assert queue in states["run"].reason
        connection.delete(f"rq:queue:{queue}")
        states = await adapter.poll({"run": job})
        assert states["run"].status is BackendStatus.ABSENT

    with_adapter({"redis_url": redis_url, "queue_name": queue}, use)
