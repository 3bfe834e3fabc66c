"""The Celery adapter against real brokers; what it publishes is read from the queue."""

from __future__ import annotations

import asyncio
import contextlib
import gc
import json
import os
import socket
import time
import uuid
from collections.abc import Callable, Iterator
from datetime import datetime, timezone
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import celery
import pytest

from tests.backends.submitting import Submitting
from tests.faults.tcp import BytesProxy
from tests.services import free_port, start_redis, stop_service
from wove.errors import ErrorCode, SubmissionError
from wove.executors.backend_state import BackendStatus
from wove.integrations import _service
from wove.integrations._celery_broker import make_broker
from wove.integrations.celery import CeleryAdapter, CeleryJob


@pytest.fixture(params=["redis", "rabbitmq"])
def broker_url(request: pytest.FixtureRequest) -> str:
    return str(request.getfixturevalue(f"{request.param}_url"))


@pytest.fixture
def queue() -> str:
    return f"test-{uuid.uuid4().hex[:12]}"


submitting = Submitting("celery", CeleryAdapter)
payload_and_frame, with_adapter = submitting.payload_and_frame, submitting.with_adapter
submit = submitting.submit


@pytest.fixture
def read_message(broker_url: str) -> Iterator[Callable[[str], Any]]:
    app = celery.Celery("reader", broker=broker_url, set_as_current=False)
    with app.connection_for_read() as connection:

        def read(name: str) -> Any:
            queue = app.amqp.queues[name](connection.default_channel)
            deadline = time.monotonic() + 5
            while (message := queue.get(no_ack=True)) is None:
                assert time.monotonic() < deadline, f"nothing in queue {name}"
                time.sleep(0.01)
            return message

        yield read


def test_the_payload_arrives_unchanged_as_the_only_argument(
    broker_url: str, queue: str, read_message: Callable[[str], Any]
) -> None:
    config = {"broker_url": broker_url, "queue": queue, "task_name": "app.wove"}
    job, payload = submit(config)
    message = read_message(queue)
    args, kwargs, _ = message.payload
    assert args == [payload]
    assert kwargs == {}
    assert message.headers["task"] == "app.wove"
    assert message.headers["id"] == job.id == payload["run_id"]
    assert message.headers["shadow"] == "report"
    # A worker with a result backend keeps its summary, which poll asks for.
    assert message.headers["ignore_result"] is False
    assert message.headers["expires"] is None


def test_what_celery_logs_and_shows_holds_nothing_of_the_payload(
    broker_url: str, queue: str, read_message: Callable[[str], Any]
) -> None:
    submit({"broker_url": broker_url, "queue": queue})
    headers = json.dumps(read_message(queue).headers)
    assert "very-secret-token" not in headers
    assert "gASV" not in headers


def test_the_shorter_timeout_becomes_the_expiry(
    broker_url: str, queue: str, read_message: Callable[[str], Any]
) -> None:
    before = datetime.now(timezone.utc)
    submit({"broker_url": broker_url, "queue": queue}, start_timeout=20.0, delivery_timeout=60.0)
    message = read_message(queue)
    seconds = (datetime.fromisoformat(message.headers["expires"]) - before).total_seconds()
    assert 50 <= seconds <= 60


def test_options_beat_ours_and_queue_beats_options(
    broker_url: str, queue: str, read_message: Callable[[str], Any]
) -> None:
    config = {
        "broker_url": broker_url,
        "queue": queue,
        "send_task_options": {"task_id": "chosen", "queue": "elsewhere", "priority": 3},
    }
    job, _ = submit(config)
    message = read_message(queue)
    assert job.id == message.headers["id"] == "chosen"
    assert message.properties["priority"] == 3


def test_the_broker_of_the_settings_beats_that_of_the_environment(
    monkeypatch: pytest.MonkeyPatch, redis_url: str, queue: str
) -> None:
    monkeypatch.setenv("CELERY_BROKER_URL", f"redis://127.0.0.1:{free_port()}/0")
    submit({"broker_url": redis_url, "queue": queue})
    import redis

    with redis.Redis.from_url(redis_url) as client:
        assert client.llen(queue) == 1


def test_no_broker_is_a_type_error_that_names_the_setting() -> None:
    async def use(adapter: CeleryAdapter) -> None:
        raise AssertionError("started")

    with pytest.raises(TypeError, match="'broker_url' or 'app'"):
        with_adapter({}, use)


@pytest.mark.parametrize("scheme", ["redis", "amqp"])
def test_a_broker_that_is_down_is_named_without_its_password(scheme: str) -> None:
    port = free_port()
    config = {"broker_url": f"{scheme}://someone:hunter2@127.0.0.1:{port}//"}
    start = time.monotonic()
    with pytest.raises(SubmissionError) as caught:
        submit(config)
    assert time.monotonic() - start < 11
    assert caught.value.code is ErrorCode.BACKEND_UNAVAILABLE
    text = str(caught.value)
    assert f"127.0.0.1:{port}" in text
    assert "executor_config['broker_url']" in text
    assert "hunter2" not in text
    assert "hunter2" not in str(caught.value.reason)


def test_a_broker_that_refuses_the_login_is_not_called_down(rabbitmq_url: str) -> None:
    with pytest.raises(SubmissionError, match="did not take the job") as caught:
        submit({"broker_url": rabbitmq_url.replace("guest:guest", "guest:hunter2")})
    assert caught.value.code is ErrorCode.SUBMIT_FAILED
    assert "hunter2" not in str(caught.value)
    assert "ACCESS_REFUSED" in str(caught.value.reason)


@pytest.mark.parametrize("login", [":hunter2@", ""])
def test_a_redis_that_refuses_the_login_is_not_called_down(tmp_path: Path, login: str) -> None:
    started = start_redis(tmp_path)
    try:
        import redis

        with redis.Redis.from_url(started.url) as client:
            client.config_set("requirepass", "another")
        with pytest.raises(SubmissionError, match="did not take the job") as caught:
            submit({"broker_url": started.url.replace("://", f"://{login}")})
    finally:
        for pid in started.pids:
            stop_service(pid)
    assert caught.value.code is ErrorCode.SUBMIT_FAILED
    assert "hunter2" not in str(caught.value)


@pytest.mark.parametrize("scheme", ["redis", "amqp"])
def test_a_broker_that_never_answers_ends_in_time(
    monkeypatch: pytest.MonkeyPatch, scheme: str
) -> None:
    monkeypatch.setattr(_service, "SUBMIT_SECONDS", 1.0)
    with socket.create_server(("127.0.0.1", 0)) as silent:
        config = {"broker_url": f"{scheme}://127.0.0.1:{silent.getsockname()[1]}//"}
        start = time.monotonic()
        with pytest.raises(SubmissionError, match="no answer in 1 s") as caught:
            submit(config)
        assert time.monotonic() - start < 5
    assert caught.value.code is ErrorCode.BACKEND_UNAVAILABLE


def test_a_users_application_serves_weave_after_weave_and_stays_open(
    broker_url: str, queue: str, read_message: Callable[[str], Any]
) -> None:
    app = celery.Celery("mine", broker=broker_url, set_as_current=False)
    config = {"app": app, "queue": queue}
    jobs = [submit(config)[0].id for _ in range(3)]  # each on an event loop of its own
    app.send_task("still.usable", args=(1,), queue=queue)
    arrived = [read_message(queue).headers["id"] for _ in range(4)]
    assert arrived[:3] == jobs


def sockets_to(url: str) -> set[int]:
    """File descriptors of this process that are connected to a broker."""
    port = int(url.rpartition(":")[2].partition("/")[0])
    found = set()
    for name in os.listdir("/proc/self/fd"):
        with contextlib.suppress(OSError), socket.socket(fileno=os.dup(int(name))) as each:
            if each.family == socket.AF_INET and each.getpeername()[1] == port:
                found.add(int(name))
    return found


def test_weaves_share_a_connection_whose_loss_costs_no_job(
    broker_url: str, queue: str, read_message: Callable[[str], Any]
) -> None:
    config = {"broker_url": broker_url, "queue": queue, "app_name": queue}  # nobody else's
    before = sockets_to(broker_url)
    jobs = [submit(config)[0].id]
    kept = sockets_to(broker_url) - before
    assert kept
    jobs += [submit(config)[0].id for _ in range(2)]
    assert sockets_to(broker_url) - before == kept
    for each in kept:
        with socket.socket(fileno=os.dup(each)) as connection:
            connection.shutdown(socket.SHUT_RDWR)
    jobs += [submit(config)[0].id for _ in range(2)]
    assert [read_message(queue).headers["id"] for _ in range(5)] == jobs


class Silencing(BytesProxy):
    """Carries everything, until `silence`: then no byte more on the connections of that moment."""

    def __init__(self, upstream: int) -> None:
        self.silent = 0
        super().__init__(upstream)

    def silence(self) -> None:
        self.silent = self.connections

    async def before(self, number: int, data: bytes, *, answer: bool) -> None:
        if number < self.silent:
            await asyncio.Event().wait()


def test_a_kept_connection_that_has_gone_silent_costs_one_submission(
    broker_url: str, queue: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As behind a firewall that forgot it: the broker is there, and this connection is not."""
    monkeypatch.setattr(_service, "SUBMIT_SECONDS", 1.0)
    parts = urlsplit(broker_url)
    proxy = Silencing(parts.port or 0)
    try:
        there = broker_url.replace(f":{parts.port}", f":{proxy.port}")
        config = {"broker_url": there, "queue": queue}
        submit(config)
        proxy.silence()
        with pytest.raises(SubmissionError, match="no answer in 1 s"):
            submit(config)
        submit(config)
    finally:
        proxy.close()


@pytest.mark.parametrize("leave", [True, False], ids=["left", "with its broker"])
def test_a_connection_that_nobody_has_any_more_is_closed(
    rabbitmq_url: str, queue: str, leave: bool
) -> None:
    broker = make_broker(rabbitmq_url)
    payload, options = {"run_id": "r"}, {"queue": queue, "task_id": queue}
    broker.send("task", payload, options)
    with broker._connected() as connection:
        sock = connection.connection.transport.sock
        if leave:
            broker.leave_connection()
            broker.send("task", payload, options)  # over another one
        assert sock.fileno() != -1  # it is in use
    if not leave:
        del broker
    del connection
    gc.collect()
    assert sock.fileno() == -1


def test_a_forked_process_has_a_connection_of_its_own(
    broker_url: str, queue: str, read_message: Callable[[str], Any]
) -> None:
    config = {"broker_url": broker_url, "queue": queue, "app_name": queue}
    submit(config)
    child = os.fork()
    if not child:
        try:
            submit(config)
        finally:
            os._exit(0)
    os.waitpid(child, 0)
    submit(config)
    for _ in range(3):
        read_message(queue)


def test_a_forked_process_does_not_end_its_parents_connection(
    rabbitmq_url: str, queue: str
) -> None:
    broker = make_broker(rabbitmq_url)
    broker.send("task", {"run_id": "r"}, {"queue": queue})
    child = os.fork()
    if not child:
        try:
            del broker
            gc.collect()
        finally:
            os._exit(0)
    os.waitpid(child, 0)
    with broker._connected() as connection:
        sock = connection.connection.transport.sock
        sock.settimeout(0.2)
        with pytest.raises(TimeoutError):  # and no end of the stream
            sock.recv(1)


def test_submissions_at_once_all_arrive(
    broker_url: str, queue: str, read_message: Callable[[str], Any]
) -> None:
    made = [payload_and_frame() for _ in range(20)]

    async def use(adapter: CeleryAdapter) -> list[CeleryJob]:
        return await asyncio.gather(*(adapter.submit(*one) for one in made))

    jobs = with_adapter({"broker_url": broker_url, "queue": queue}, use)
    arrived = {read_message(queue).headers["id"] for _ in made}
    assert arrived == {job.id for job in jobs} == {payload["run_id"] for payload, _ in made}


def test_a_result_backend_that_is_down_leaves_the_question_to_the_workers(
    redis_url: str, queue: str
) -> None:
    payload, frame = payload_and_frame()

    async def use(adapter: CeleryAdapter) -> Any:
        job = await adapter.submit(payload, frame)
        return await adapter.poll({"run": job})

    config = {
        "broker_url": redis_url,
        "result_backend": f"redis://127.0.0.1:{free_port()}/0",
        "queue": queue,
    }
    states = with_adapter(config, use)
    assert states["run"].status is BackendStatus.CANNOT_SAY
    assert "no worker has it" in states["run"].reason


def test_a_silent_result_backend_leaves_the_next_question_to_the_workers(
    redis_url: str, queue: str
) -> None:
    payload, frame = payload_and_frame()

    async def use(adapter: CeleryAdapter) -> Any:
        job = await adapter.submit(payload, frame)
        first = asyncio.ensure_future(adapter.poll({"run": job}))
        await asyncio.sleep(0.1)
        states = await asyncio.wait_for(adapter.poll({"run": job}), 20)
        first.cancel()
        return states

    with socket.create_server(("127.0.0.1", 0)) as silent:
        results = f"redis://127.0.0.1:{silent.getsockname()[1]}/0"
        config = {"broker_url": redis_url, "result_backend": results, "queue": queue}
        states = with_adapter(config, use)
    assert "no worker has it" in states["run"].reason


def test_polls_share_a_connection_to_the_result_backend(redis_url: str, queue: str) -> None:
    payload, frame = payload_and_frame()
    config = {"broker_url": redis_url, "result_backend": redis_url, "queue": queue}
    config["app_name"] = queue  # nobody else's

    async def ask(adapter: CeleryAdapter) -> None:
        await adapter.poll({"run": CeleryJob(payload["run_id"])})

    gc.collect()
    gc.disable()  # what is left behind would be closed now or later
    try:
        with_adapter(config, lambda adapter: adapter.submit(payload, frame))
        with_adapter(config, ask)
        before = sockets_to(redis_url)
        for _ in range(5):
            with_adapter(config, ask)
        assert len(sockets_to(redis_url)) == len(before)
    finally:
        gc.enable()


@pytest.mark.parametrize(("terminate", "running"), [(False, "asks"), (True, "stops")])
def test_it_says_what_cancel_does(redis_url: str, terminate: bool, running: str) -> None:
    async def use(adapter: CeleryAdapter) -> str:
        return adapter.supports.cancel_running

    config = {"broker_url": redis_url, "terminate_on_cancel": terminate}
    assert with_adapter(config, use) == running
