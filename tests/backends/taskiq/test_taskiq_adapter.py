"""The Taskiq adapter against a real Redis; what it sends is read there."""

from __future__ import annotations

import asyncio
import gc
import json
import socket
import time
from collections.abc import AsyncGenerator, Callable
from typing import Any

import pytest
import redis
from taskiq import AsyncBroker, BrokerMessage, InMemoryBroker, async_shared_broker
from taskiq_redis import ListQueueSentinelBroker, RedisAsyncResultBackend

from tests.backends.submitting import Submitting, not_started
from tests.backends.taskiq.brokers import a_list, a_stream
from tests.services import free_port, wait_until
from wove.errors import ErrorCode, SubmissionError
from wove.executors.backend_state import BackendStatus
from wove.integrations import _service, _taskiq_client, _taskiq_connections
from wove.integrations.taskiq import TaskiqAdapter, register

submitting = Submitting("taskiq", TaskiqAdapter)
payload_and_frame, with_adapter = submitting.payload_and_frame, submitting.with_adapter
submit = submitting.submit


def sent(connection: redis.Redis, queue: str) -> dict[str, Any]:
    """The only message in a list."""
    (message,) = connection.lrange(queue, 0, -1)
    found: dict[str, Any] = json.loads(message)
    return found


def test_the_payload_arrives_unchanged_as_the_only_argument(
    redis_url: str, connection: redis.Redis, queue: str
) -> None:
    job, payload = submit({"broker": a_list(redis_url, queue)})
    message = sent(connection, queue)
    assert message["task_name"] == "wove.run_backend_payload"
    assert (message["args"], message["kwargs"]) == ([payload], {})
    assert message["task_id"] == job.id == payload["run_id"]
    assert message["labels"]["wove_task"] == "report"
    assert message["labels"]["retry_on_error"] == "False"
    assert message["labels"]["ack_type"] == "when_received"


def test_the_name_of_the_workers_task_is_a_setting(
    redis_url: str, connection: redis.Redis, queue: str
) -> None:
    submit({"broker": a_list(redis_url, queue), "task_name": "mine.run"})
    assert sent(connection, queue)["task_name"] == "mine.run"


def test_a_task_brings_its_broker_its_name_and_its_labels(
    redis_url: str, connection: redis.Redis, queue: str
) -> None:
    broker = a_list(redis_url, queue)
    task = register(broker, "mine.run", team="reports", retry_on_error=True)
    job, payload = submit({"task": task})
    message = sent(connection, queue)
    assert (message["task_name"], message["task_id"]) == ("mine.run", job.id)
    assert message["args"] == [payload]
    assert (message["labels"]["team"], message["labels"]["retry_on_error"]) == ("reports", "True")
    assert task.labels == {"team": "reports", "retry_on_error": True}  # still the user's


def test_a_shared_task_goes_to_the_broker_that_is_set(
    redis_url: str, connection: redis.Redis, queue: str
) -> None:
    task = register(async_shared_broker, f"shared.{queue}")
    with pytest.raises(TypeError, match="no default_broker: set 'broker'"):
        with_adapter({"task": task}, not_started)
    submit({"task": task, "broker": a_list(redis_url, queue)})
    assert sent(connection, queue)["task_name"] == f"shared.{queue}"
    assert task.labels == {}


def test_a_key_makes_the_id(redis_url: str, queue: str) -> None:
    job, _ = submit({"broker": a_list(redis_url, queue)}, job_id="key-1")
    assert job.id == "key-1"


@pytest.mark.parametrize("setting", ["broker", "task"])
def test_an_object_may_be_named(
    setting: str,
    redis_url: str,
    connection: redis.Redis,
    queue: str,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    from tests.backends.taskiq import brokers

    broker = a_list(redis_url, queue)
    monkeypatch.setattr(brokers, "named_broker", broker, raising=False)
    monkeypatch.setattr(brokers, "named_task", register(broker), raising=False)
    submit({setting: f"{brokers.__name__}:named_{setting}"})
    assert sent(connection, queue)["task_name"] == "wove.run_backend_payload"


@pytest.mark.parametrize(
    ("config", "says"),
    [
        ({}, "needs 'broker' or 'task'"),
        (
            {"broker": 3},
            "must be a Taskiq broker, or a function that makes one, not of the type int",
        ),
        ({"broker": InMemoryBroker}, "not of the type ABCMeta"),
        ({"broker": InMemoryBroker()}, "the executor 'local'"),
        ({"task": "json:dumps"}, "must be a task of a Taskiq broker, such as"),
        ({"broker": "no.such:broker"}, "'no.such:broker', and No module named"),
        ({"broker": "json:broker"}, "'json:broker', and module 'json' has no attribute"),
        ({"broker": "redis://someone:hunter2@host/0"}, "or 'module:name' of it, not 'redis://"),
        (
            {"broker": ListQueueSentinelBroker([("127.0.0.1", 1)], "mymaster")},
            r"'broker': lambda: ListQueueSentinelBroker\(\.\.\.\)",
        ),
    ],
)
def test_what_cannot_be_used_is_refused(config: dict[str, Any], says: str) -> None:
    with pytest.raises(TypeError, match=says) as caught:
        with_adapter(config, not_started)
    assert "hunter2" not in str(caught.value)


@pytest.mark.parametrize("make", [a_list, a_stream])
def test_a_redis_that_is_down_is_named_without_its_password(
    make: Callable[..., AsyncBroker],
) -> None:
    port = free_port()
    start = time.monotonic()
    with pytest.raises(SubmissionError) as caught:
        submit({"broker": make(f"redis://someone:hunter2@127.0.0.1:{port}/0", "reports")})
    assert time.monotonic() - start < 11
    assert caught.value.code is ErrorCode.BACKEND_UNAVAILABLE
    text = str(caught.value)
    assert f"127.0.0.1:{port}" in text
    assert "executor_config['broker']" in text
    assert "hunter2" not in text


def test_a_redis_that_refuses_the_login_is_not_called_down(redis_url: str, queue: str) -> None:
    url = redis_url.replace("//", "//someone:hunter2@")
    with pytest.raises(SubmissionError, match="did not take the job") as caught:
        submit({"broker": a_list(url, queue)})
    assert caught.value.code is ErrorCode.SUBMIT_FAILED
    assert "hunter2" not in str(caught.value)


@pytest.mark.parametrize(
    ("lineage", "trouble"),
    [
        (["AuthenticationError", "ConnectionError"], False),  # redis-py
        (["MaxConnectionsError", "ConnectionError"], True),
        (["ProbableAuthenticationError", "AMQPConnectionError"], False),  # aio-pika
        (["ConnectionNotAllowed", "ConnectionClosed"], False),
        (["ConnectionClosed", "AMQPConnectionError"], True),
        (["ChannelInvalidStateError"], True),
        (["ChannelAccessRefused"], False),
        (["NoServersError"], False),
    ],
)
def test_what_counts_as_a_broker_that_is_down(lineage: list[str], trouble: bool) -> None:
    """By the names that the libraries of brokers give their exceptions."""
    kind: type[Exception] = ConnectionError if "Connection" in lineage[-1] else Exception
    for name in reversed(lineage):
        kind = type(name, (kind,), {})
    assert _taskiq_client.is_connection_trouble(kind("no")) is trouble


def test_a_redis_that_never_answers_ends_in_time(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(_service, "SUBMIT_SECONDS", 1.0)
    with socket.create_server(("127.0.0.1", 0)) as silent:
        start = time.monotonic()
        with pytest.raises(SubmissionError, match="no answer in 1 s") as caught:
            submit({"broker": a_list(f"redis://127.0.0.1:{silent.getsockname()[1]}/0", "reports")})
        assert time.monotonic() - start < 5
    assert caught.value.code is ErrorCode.BACKEND_UNAVAILABLE


def test_submissions_at_once_all_arrive(
    redis_url: str, connection: redis.Redis, queue: str
) -> None:
    made = [payload_and_frame() for _ in range(60)]

    async def use(adapter: TaskiqAdapter) -> list[Any]:
        return await asyncio.gather(*(adapter.submit(*one) for one in made))

    jobs = with_adapter({"broker": a_list(redis_url, queue)}, use)
    arrived = {json.loads(each)["task_id"] for each in connection.lrange(queue, 0, -1)}
    assert arrived == {job.id for job in jobs} == {payload["run_id"] for payload, _ in made}


class _OneLoop(AsyncBroker):
    """A broker of the user's: a connection of asyncio's own, made by its start."""

    def __init__(self, port: int) -> None:
        super().__init__()
        self.port = port

    async def startup(self) -> None:
        await super().startup()
        reader, self.writer = await asyncio.open_connection("127.0.0.1", self.port)
        self.loop = asyncio.get_running_loop()
        self.reader = reader

    async def shutdown(self) -> None:
        await super().shutdown()
        self.writer.close()
        await self.writer.wait_closed()

    async def kick(self, message: BrokerMessage) -> None:
        assert asyncio.get_running_loop() is self.loop
        key, data = f"one-loop-{self.port}".encode(), message.message
        parts = [b"LPUSH", key, data]
        self.writer.write(
            b"*3\r\n" + b"".join(b"$%d\r\n%s\r\n" % (len(each), each) for each in parts)
        )
        await self.writer.drain()
        assert (await self.reader.readline()).startswith(b":")

    async def listen(self) -> AsyncGenerator[bytes, None]:
        yield b""


def test_any_other_broker_is_copied_and_started_once(
    redis_url: str, connection: redis.Redis
) -> None:
    port = int(redis_url.rpartition(":")[2].split("/")[0])
    broker = _OneLoop(port)
    started: list[str] = []
    broker.add_event_handler("CLIENT_STARTUP", lambda state: started.append("start"))  # type: ignore[arg-type]
    try:
        for _ in range(3):  # each on a loop of its own
            submit({"broker": broker})
        assert connection.llen(f"one-loop-{port}") == 3
        assert not hasattr(broker, "writer")  # the user has not started it
        assert not started
    finally:
        connection.delete(f"one-loop-{port}")


@pytest.mark.parametrize("kind", ["object", "function"])
def test_what_is_open_is_closed_when_the_broker_is_gone(
    redis_url: str, connection: redis.Redis, queue: str, kind: str
) -> None:
    def open_ones() -> list[Any]:
        return [each for each in connection.client_list() if each["name"] == queue]

    def make() -> AsyncBroker:
        return a_list(f"{redis_url}?client_name={queue}", queue)

    config: dict[str, Any] = {"broker": make() if kind == "object" else lambda: make()}
    submit(config)
    submit(config)
    assert len(open_ones()) == 1
    del config
    gc.collect()
    wait_until(lambda: not open_ones(), seconds=20, what="the connection is closed")


def test_a_start_that_hangs_is_given_up_and_tried_again(
    redis_url: str, queue: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(_taskiq_connections, "START_SECONDS", 0.5)
    hanging = [True]

    async def make() -> AsyncBroker:
        if hanging:
            await asyncio.sleep(60)
        return a_list(redis_url, queue)

    with pytest.raises(SubmissionError, match=r"no answer in 0\.5 s") as caught:
        submit({"broker": make})
    assert caught.value.code is ErrorCode.BACKEND_UNAVAILABLE
    assert "the address that make chooses" in str(caught.value)
    hanging.clear()
    submit({"broker": make})


def test_a_start_that_cancels_itself_is_tried_again() -> None:
    cancels = [True]

    async def make() -> AsyncBroker:
        if cancels:
            raise asyncio.CancelledError  # as client libraries do when a connection breaks
        return a_list(f"redis://127.0.0.1:{free_port()}", "reports")

    with pytest.raises(SubmissionError, match="cancelled from within") as caught:
        submit({"broker": make})
    assert caught.value.code is ErrorCode.BACKEND_UNAVAILABLE
    cancels.clear()
    with pytest.raises(SubmissionError, match="connecting to 127"):
        submit({"broker": make})


@pytest.mark.parametrize("asynchronous", [False, True])
def test_a_function_makes_one_broker_for_many_weaves(
    redis_url: str, connection: redis.Redis, queue: str, asynchronous: bool
) -> None:
    made: list[AsyncBroker] = []

    def make() -> AsyncBroker:
        made.append(a_list(redis_url, queue))
        return made[-1]

    async def make_async() -> AsyncBroker:
        return make()

    for _ in range(3):
        submit({"broker": make_async if asynchronous else make})
    assert connection.llen(queue) == 3
    assert len(made) == 1


def test_a_function_that_makes_something_else() -> None:
    with pytest.raises(SubmissionError, match="made a dict, not a Taskiq broker"):
        submit({"broker": lambda: {"not": "a broker"}})


def test_a_function_that_raises_is_quoted_with_the_kind_of_its_error() -> None:
    def make() -> AsyncBroker:
        raise KeyError("REDIS_URL")

    with pytest.raises(SubmissionError, match="KeyError: 'REDIS_URL'"):
        submit({"broker": make})


def test_an_address_with_tls_is_named_so(redis_url: str, queue: str) -> None:
    broker = a_list(redis_url.replace("redis:", "rediss:"), queue)
    assert _taskiq_client.address_of(broker) == redis_url.replace("redis:", "rediss:")


def test_a_broker_without_results_can_still_say_what_waits(redis_url: str, queue: str) -> None:
    from taskiq_redis import ListQueueBroker

    payload, frame = payload_and_frame()

    async def use(adapter: TaskiqAdapter) -> None:
        job = await adapter.submit(payload, frame)
        assert (await adapter.poll({"run": job}))["run"].status is BackendStatus.QUEUED

    with_adapter({"broker": ListQueueBroker(redis_url, queue_name=queue)}, use)


def test_results_are_read_and_left_for_others(
    redis_url: str, connection: redis.Redis, queue: str
) -> None:
    from taskiq import TaskiqResult
    from taskiq_redis import ListQueueBroker

    payload, frame = payload_and_frame()
    results: RedisAsyncResultBackend[Any] = RedisAsyncResultBackend(
        redis_url, keep_results=False, result_ex_time=60
    )
    broker = ListQueueBroker(redis_url, queue_name=queue).with_result_backend(results)

    async def keep(job_id: str, error: BaseException | None) -> None:
        await results.set_result(
            job_id,
            TaskiqResult(
                is_err=error is not None, return_value=None, execution_time=1.0, error=error
            ),
        )
        await results.shutdown()

    def use_with(error: BaseException | None, status: BackendStatus, words: str) -> None:
        async def use(adapter: TaskiqAdapter) -> None:
            job = await adapter.submit(payload, frame)
            await keep(job.id, error)
            for _ in range(2):
                state = (await adapter.poll({"run": job}))["run"]
                assert (state.status, state.reason) == (status, words)

        with_adapter({"broker": broker}, use)

    use_with(None, BackendStatus.SUCCEEDED, "Taskiq has its result")
    use_with(LookupError("gone"), BackendStatus.FAILED, "Taskiq says: LookupError: gone")
    assert connection.exists(payload["run_id"])
