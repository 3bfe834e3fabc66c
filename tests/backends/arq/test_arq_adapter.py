"""The arq adapter against a real Redis; what it enqueues is read with arq."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import socket
import subprocess
import time
import uuid
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest
import redis
from arq.connections import ArqRedis, RedisSettings, create_pool
from arq.jobs import JobDef

from tests import services
from tests.backends.arq import views
from tests.backends.arq.plain_json import as_json
from tests.backends.submitting import Submitting, not_started, shown
from tests.services import free_port, wait_until
from wove.errors import ErrorCode, SubmissionError
from wove.executors.backend_state import BackendStatus
from wove.integrations import _service
from wove.integrations._arq_client import disconnect
from wove.integrations.arq import ARQAdapter, ArqJob

submitting = Submitting("arq", ARQAdapter)
payload_and_frame, with_adapter = submitting.payload_and_frame, submitting.with_adapter
submit = submitting.submit


def the_job(url: str, queue: str) -> JobDef:
    (found,) = views.queued(url, queue)
    return found


def test_the_payload_arrives_unchanged_as_the_only_argument(redis_url: str, queue: str) -> None:
    job, payload = submit({"redis_settings": redis_url, "queue_name": queue})
    found = the_job(redis_url, queue)
    assert found.function == "wove_run_backend_payload"
    assert (found.args, found.kwargs) == ((payload,), {})
    assert found.job_id == job.id == payload["run_id"]


def test_what_arq_logs_of_the_arguments_is_the_tasks_name_and_no_token(
    redis_url: str, queue: str
) -> None:
    submit({"redis_settings": redis_url, "queue_name": queue})
    (payload,) = the_job(redis_url, queue).args
    assert repr(payload)[:80].startswith("{'task_name': 'report', ")
    assert "very" not in repr(payload)[:80]
    assert list(payload)[-1] == "callback_url"


def test_the_shorter_timeout_becomes_the_expiry(
    redis_url: str, connection: redis.Redis, queue: str
) -> None:
    config = {"redis_settings": redis_url, "queue_name": queue}
    job, _ = submit(config, start_timeout=19.5, delivery_timeout=60.0)
    assert 40 <= int(connection.ttl(f"arq:job:{job.id}")) <= 50
    job, _ = submit({**config, "enqueue_options": {"_expires": 33}}, start_timeout=60.0)
    assert 25 <= int(connection.ttl(f"arq:job:{job.id}")) <= 33


def test_options_beat_ours_and_the_setting_beats_their_queue(redis_url: str, queue: str) -> None:
    options = {"_job_id": f"chosen-{queue}", "_queue_name": f"{queue}-o", "_job_try": 1}
    config = {"redis_settings": redis_url, "function_name": "f", "enqueue_options": options}
    job, _ = submit({**config, "queue_name": queue})
    found = the_job(redis_url, queue)
    assert found.job_id == job.id == f"chosen-{queue}"
    assert (found.function, found.job_try, job.queue) == ("f", 1, queue)
    options["_job_id"] += "-o"
    assert submit(config)[0].queue == f"{queue}-o"
    assert the_job(redis_url, f"{queue}-o").job_id == f"chosen-{queue}-o"


@pytest.mark.parametrize("option", ["args", "kwargs", "function", "timeout", "self"])
def test_options_that_arq_would_hand_to_the_worker_are_refused(redis_url: str, option: str) -> None:
    with pytest.raises(TypeError, match=f"'{option}'.*arq's options are _defer_by, .*_job_id"):
        with_adapter({"redis_settings": redis_url, "enqueue_options": {option: 1}}, not_started)


@pytest.mark.parametrize(
    ("config", "says"),
    [
        ({}, "'redis_settings' or 'pool'"),
        ({"pool": "redis://someone:hunter2@host/0"}, r"must be an arq\.ArqRedis"),
        ({"pool": redis.Redis()}, r"must be an arq\.ArqRedis"),
        ({"redis_settings": 7}, "not int"),
        ({"redis_settings": {"hots": "redis"}}, "redis_settings.*hots"),
        ({"redis_settings": "redis://:hunter2@h/0?pasword=hunter2"}, r"redis_settings.*'pasword'"),
        ({"redis_settings": {"host": "h", "sentinel": True}}, "'host' must be .* not str"),
        ({"redis_settings": {"host": [("h", 1)]}}, "'host' must be .* not list"),
        ({"redis_settings": "redis://h", "enqueue_options": 7}, "enqueue_options.*not int"),
        ({"redis_settings": "redis://h", "enqueue_options": {"_expires": "1"}}, "'_expires'.*str"),
        (
            {
                "redis_settings": "redis://h",
                "enqueue_options": {"_defer_by": 1, "_defer_until": datetime(2030, 1, 1)},
            },
            "both '_defer_by' and '_defer_until'",
        ),
    ],
)
def test_settings_that_make_no_sense_are_named(config: dict[str, Any], says: str) -> None:
    with pytest.raises(TypeError, match=says) as caught:
        with_adapter(config, not_started)
    assert "hunter2" not in str(caught.value)


@pytest.mark.parametrize("url", ["http://someone:hunter2@host/0", "redis://:hunter2/@host:6379"])
def test_a_url_that_is_none_is_named_without_its_password(url: str) -> None:
    with pytest.raises(ValueError, match="redis_settings") as caught:
        with_adapter({"redis_settings": url}, not_started)
    assert "hunter2" not in shown(caught.value)


@pytest.mark.parametrize("kind", ["settings", "fields", "pool"])
def test_a_url_as_the_name_of_a_host_is_named_without_its_password(kind: str) -> None:
    url = "redis://someone:hunter2@host:6379"
    config = {
        "settings": {"redis_settings": RedisSettings(host=url)},
        "fields": {"redis_settings": {"host": url}},
        "pool": {"pool": ArqRedis(host=url)},
    }[kind]
    with pytest.raises(ValueError, match=r"'redis_settings'.*to that URL") as caught:
        with_adapter(config, not_started)
    assert "hunter2" not in shown(caught.value)


def test_what_redis_refuses_is_told_without_the_payload(redis_url: str) -> None:
    """redis-py quotes the command, with all that it would have written."""
    with pytest.raises(SubmissionError, match="invalid expire time in 'psetex'") as caught:
        submit({"redis_settings": redis_url, "enqueue_options": {"_expires": -1}})
    assert caught.value.code is ErrorCode.SUBMIT_FAILED
    assert "very-secret-token" not in shown(caught.value)
    assert "callable_pickle" not in shown(caught.value)


def test_settings_of_arq_do_as_well_as_a_url(redis_url: str, queue: str) -> None:
    port = int(redis_url.rpartition(":")[2].split("/")[0])
    for settings in (RedisSettings(port=port), {"host": "127.0.0.1", "port": port}):
        submit({"redis_settings": settings, "queue_name": queue})
    assert len(views.queued(redis_url, queue)) == 2


def test_a_users_pool_says_where_and_how(
    redis_url: str, connection: redis.Redis, queue: str
) -> None:
    mine = views.pool(
        redis_url,
        connections={"client_name": queue, "max_connections": 3},
        job_serializer=as_json,
        job_deserializer=json.loads,
        default_queue_name=queue,
        expires_extra_ms=50_000,
    )
    seen: list[str] = []
    made = [payload_and_frame() for _ in range(30)]

    async def use(adapter: ARQAdapter) -> list[ArqJob]:
        jobs = await asyncio.gather(*(adapter.submit(*one) for one in made))
        seen.extend(each["name"] for each in connection.client_list())
        return jobs

    jobs = with_adapter({"pool": mine}, use)
    assert {job.queue for job in jobs} == {queue}
    assert 1 <= seen.count(queue) <= 3
    assert queue not in [each["name"] for each in connection.client_list()]
    (job_id, *_) = connection.zrange(queue, 0, -1)
    kept = json.loads(connection.get(b"arq:job:" + job_id) or "")  # type: ignore[arg-type]
    assert kept["a"][0] in [payload for payload, _ in made]
    assert 40 <= int(connection.ttl(b"arq:job:" + job_id)) <= 50


@pytest.mark.parametrize("kind", ["url", "settings", "pool"])
def test_a_redis_that_is_down_is_named_without_its_password(kind: str) -> None:
    port = free_port()
    url = f"redis://someone:hunter2@127.0.0.1:{port}/0"
    settings = RedisSettings(host="127.0.0.1", port=port, username="someone", password="hunter2")
    config = {
        "url": {"redis_settings": url},
        "settings": {"redis_settings": settings},
        "pool": {"pool": views.pool(url)},
    }[kind]
    start = time.monotonic()
    with pytest.raises(SubmissionError) as caught:
        submit(config)
    assert time.monotonic() - start < 11
    assert caught.value.code is ErrorCode.BACKEND_UNAVAILABLE
    text = str(caught.value)
    assert f"127.0.0.1:{port}" in text
    assert f"executor_config['{next(iter(config))}']" in text
    assert "hunter2" not in text


def test_a_redis_behind_sentinels(tmp_path: Path, queue: str) -> None:
    """Both ways to say so. arq makes the user's pool, on a loop that is gone when it is used."""
    server = services.start_redis(tmp_path)
    port, master_port = free_port(), int(server.url.rpartition(":")[2].split("/")[0])
    file = tmp_path / "sentinel.conf"
    file.write_text(f"port {port}\nsentinel monitor theirs 127.0.0.1 {master_port} 1\n")
    with subprocess.Popen(
        ["redis-server", str(file), "--sentinel"],
        executable=f"/proc/{server.pids[0]}/exe",  # wherever that was found
        cwd=tmp_path,
        stdout=subprocess.DEVNULL,
    ) as sentinel:
        try:
            with redis.Redis(port=port) as client:
                wait_until(lambda: _answers(client), seconds=20, what="the sentinel answers")
            settings = RedisSettings(
                host=[("127.0.0.1", port)], sentinel=True, sentinel_master="theirs"
            )
            mine = asyncio.run(_made_by_arq(settings))
            for config in ({"redis_settings": settings}, {"pool": mine}, {"pool": mine}):
                submit({**config, "queue_name": queue})
            assert len(views.queued(server.url, queue)) == 3
        finally:
            sentinel.terminate()
            for pid in server.pids:
                services.stop_service(pid)


def _answers(client: redis.Redis) -> bool:
    try:
        return bool(client.ping())
    except redis.ConnectionError:
        return False


async def _made_by_arq(settings: RedisSettings) -> ArqRedis:
    pool = await create_pool(settings)
    await disconnect(pool)
    return pool


def test_a_redis_that_refuses_the_login_is_not_called_down(redis_url: str) -> None:
    with pytest.raises(SubmissionError, match="did not take the job") as caught:
        submit({"redis_settings": redis_url.replace("//", "//someone:hunter2@")})
    assert caught.value.code is ErrorCode.SUBMIT_FAILED
    assert "hunter2" not in str(caught.value)


def test_a_redis_that_never_answers_ends_in_time(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(_service, "SUBMIT_SECONDS", 1.0)
    with socket.create_server(("127.0.0.1", 0)) as silent:
        start = time.monotonic()
        with pytest.raises(SubmissionError, match="no answer in 1 s") as caught:
            submit({"redis_settings": f"redis://127.0.0.1:{silent.getsockname()[1]}/0"})
        assert time.monotonic() - start < 5
    assert caught.value.code is ErrorCode.BACKEND_UNAVAILABLE


def test_a_submission_that_is_given_up_leaves_no_connection(tmp_path: Path) -> None:
    server = services.start_redis(tmp_path)
    port = int(server.url.rpartition(":")[2].split("/")[0])

    async def main() -> None:
        config = {"redis_settings": {"host": "127.0.0.1", "port": port}}
        adapter = ARQAdapter(name="arq", config=config, callback_url="", run_config={})
        await adapter.start()
        os.kill(server.pids[0], signal.SIGSTOP)
        given_up = asyncio.create_task(adapter.submit(*payload_and_frame()))
        await asyncio.sleep(0.5)
        given_up.cancel()
        await asyncio.wait({given_up})
        await adapter.close()
        os.kill(server.pids[0], signal.SIGCONT)
        await asyncio.sleep(0.5)  # the loop goes on, as that of an async weave does
        with redis.Redis(port=port) as client:
            assert len(client.client_list()) == 1

    try:
        asyncio.run(main())
    finally:
        os.kill(server.pids[0], signal.SIGCONT)
        services.stop_service(server.pids[0])


def test_a_request_to_abort_is_not_kept_for_ever(
    redis_url: str, connection: redis.Redis, queue: str
) -> None:
    """arq takes none back of a job whose worker is gone, and each worker reads them all."""
    payload, frame = payload_and_frame()
    month_ago = time.time() - 30 * 24 * 3600
    connection.zadd("arq:abort", {f"old-{queue}": int(month_ago * 1000)})

    async def use(adapter: ARQAdapter) -> ArqJob:
        job = await adapter.submit(payload, frame)
        connection.set(f"arq:in-progress:{job.id}", 1)
        assert await adapter.cancel("run", job, {}) == "asked"
        return job

    job = with_adapter({"redis_settings": redis_url, "queue_name": queue}, use)
    assert connection.zscore("arq:abort", f"old-{queue}") is None
    assert connection.zscore("arq:abort", job.id) is not None
    connection.zrem("arq:abort", job.id)


def test_a_key_makes_the_id_and_a_second_job_of_it_is_refused(
    redis_url: str, connection: redis.Redis, queue: str
) -> None:
    payload, frame = payload_and_frame()
    job_id = frame["job_id"] = f"key-{uuid.uuid4().hex}"

    async def refused(adapter: ARQAdapter) -> None:
        with pytest.raises(SubmissionError) as caught:
            await adapter.submit(payload, frame)
        assert caught.value.code is ErrorCode.DUPLICATE_KEY
        assert caught.value.backend_job_id == job_id

    async def use(adapter: ARQAdapter) -> None:
        job = await adapter.submit(payload, frame)
        assert job.id == job_id
        await refused(adapter)
        assert await adapter.cancel("run", job, {}) == "stopped"
        await adapter.submit(payload, frame)  # what never started may be tried again
        # A worker took it, and died; arq's keys run out one by one.
        connection.set(f"arq:in-progress:{job_id}", 1)
        connection.set(f"arq:retry:{job_id}", 1)
        await refused(adapter)
        connection.delete(f"arq:job:{job_id}")
        await refused(adapter)  # no worker would begin it
        connection.delete(f"arq:in-progress:{job_id}")
        await adapter.submit(payload, frame)
        states = await adapter.poll({"run": job})
        assert states["run"].status is BackendStatus.QUEUED  # and not on its second try

    with_adapter({"redis_settings": redis_url, "queue_name": queue}, use)


def test_cancelling_a_queued_job_leaves_nothing_of_it(
    redis_url: str, connection: redis.Redis, queue: str
) -> None:
    payload, frame = payload_and_frame()

    async def use(adapter: ARQAdapter) -> ArqJob:
        job = await adapter.submit(payload, frame)
        assert await adapter.cancel("run", job, {}) == "stopped"
        states = await adapter.poll({"run": job})
        assert states["run"].status is BackendStatus.ABSENT
        return job

    job = with_adapter({"redis_settings": redis_url, "queue_name": queue}, use)
    assert not list(connection.scan_iter(f"*{job.id}*"))
    assert not connection.exists(queue)


def test_a_deferred_job_is_queued_until_it_is_cancelled(redis_url: str, queue: str) -> None:
    payload, frame = payload_and_frame()

    async def use(adapter: ARQAdapter) -> None:
        job = await adapter.submit(payload, frame)
        states = await adapter.poll({"run": job})
        assert states["run"].status is BackendStatus.QUEUED
        assert "deferred" in states["run"].reason
        assert await adapter.cancel("run", job, {}) == "stopped"

    options = {"_defer_by": 3600}
    with_adapter(
        {"redis_settings": redis_url, "queue_name": queue, "enqueue_options": options}, use
    )


def test_a_queue_that_was_flushed_under_its_jobs_does_not_hold_them(
    redis_url: str, connection: redis.Redis, queue: str
) -> None:
    made = [payload_and_frame() for _ in range(2)]

    async def use(adapter: ARQAdapter) -> None:
        jobs = {str(n): await adapter.submit(*one) for n, one in enumerate(made)}
        states = await adapter.poll(jobs)
        assert {state.status for state in states.values()} == {BackendStatus.QUEUED}
        connection.delete(f"arq:job:{jobs['0'].id}")
        states = await adapter.poll(jobs)
        assert states["0"].status is BackendStatus.ABSENT
        assert states["1"].status is BackendStatus.QUEUED
        connection.delete(queue)
        states = await adapter.poll(jobs)
        assert states["1"].status is BackendStatus.ABSENT

    with_adapter({"redis_settings": redis_url, "queue_name": queue}, use)


def test_a_job_that_is_back_in_the_queue_may_be_on_its_way_again(
    redis_url: str, connection: redis.Redis, queue: str
) -> None:
    payload, frame = payload_and_frame()

    async def use(adapter: ARQAdapter) -> None:
        job = await adapter.submit(payload, frame)
        connection.set(f"arq:in-progress:{job.id}", 1)  # what a worker writes first
        connection.set(f"arq:retry:{job.id}", 1)
        states = await adapter.poll({"run": job})
        assert states["run"].status is BackendStatus.RUNNING
        connection.delete(f"arq:in-progress:{job.id}")
        states = await adapter.poll({"run": job})
        assert states["run"].status is BackendStatus.CANNOT_SAY  # `Retry` leaves the same keys
        assert await adapter.cancel("run", job, {}) == "stopped"  # no other worker begins it

    with_adapter({"redis_settings": redis_url, "queue_name": queue}, use)


def test_its_exports_are_there() -> None:
    from wove.integrations import arq

    assert arq.__all__ == ["ARQAdapter", "ArqJob", "worker_settings", "wove_run_backend_payload"]
    assert all(hasattr(arq, name) for name in arq.__all__)
