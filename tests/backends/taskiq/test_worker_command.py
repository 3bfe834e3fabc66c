"""`wove worker taskiq` on a real Redis."""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import AsyncGenerator, Callable
from pathlib import Path
from urllib.parse import urlsplit

import pytest
import redis
from taskiq import AsyncBroker, BrokerMessage

from tests.backends.taskiq import brokers, work
from tests.backends.taskiq.weaves import in_background, run_remote
from tests.faults.tcp import BytesProxy
from tests.services import Worker, free_port, run_wove_worker, wait_until
from wove.integrations._taskiq_receiver import JobsReceiver

StartWorker = Callable[..., Worker]
MODULE = brokers.__name__


class Holding(BytesProxy):
    """Stands before a Redis, and holds back an answer that has certain bytes in it."""

    def __init__(self, upstream: int, what: bytes) -> None:
        self._what = what
        self.held, self.release = threading.Event(), threading.Event()
        super().__init__(upstream)

    async def before(self, number: int, data: bytes, *, answer: bool) -> None:
        if answer and self._what in data:
            self.held.set()
            await asyncio.to_thread(self.release.wait, 20)


def test_it_says_what_it_serves_and_stops_on_sigterm(
    redis_url: str, start: StartWorker, queue: str
) -> None:
    worker = start("--redis-url", redis_url, "--queue", queue, "-c", "3")
    said = worker.log()
    assert f"wove: Taskiq worker on {redis_url} (ListQueueBroker)" in said
    assert f"wove: queue {queue}, task wove.run_backend_payload, 3 jobs at once" in said
    broker = brokers.a_list(redis_url, queue)
    assert run_remote(work.where, {"broker": broker}).where[0] == worker.process.pid
    assert worker.stop() == 0
    assert "wove: stopped" in worker.log()
    assert worker.log().count("wove: ready") == 1
    assert "Traceback" not in worker.log()


@pytest.mark.parametrize("broker", ["registered", "streaming", "retrying"])
def test_a_broker_of_the_users(redis_url: str, start: StartWorker, queue: str, broker: str) -> None:
    worker = start("--broker", f"{MODULE}:{broker}", TASKIQ_TEST=f"{redis_url} {queue}")
    make = brokers.a_stream if broker == "streaming" else brokers.a_list
    config = {"broker": make(redis_url, queue)}
    assert run_remote(work.where, config).where[0] == worker.process.pid
    assert worker.stop() == 0


OWN = """
import os
from taskiq import Context, TaskiqDepends, TaskiqEvents
from tests.backends.taskiq.brokers import a_list, _named

broker = a_list(*_named())
said = []

@broker.on_event(TaskiqEvents.WORKER_STARTUP)
async def begin(state):
    state.name = "set when the worker started"

@broker.on_event(TaskiqEvents.WORKER_SHUTDOWN)
async def end(state):
    print("the user's end", flush=True)

@broker.task("mine.name")
def name(context: Context = TaskiqDepends()):
    return context.state.name
"""


def test_a_users_tasks_and_events_run_beside_woves(
    redis_url: str, start: StartWorker, queue: str, tmp_path: Path
) -> None:
    from taskiq.kicker import AsyncKicker

    (tmp_path / "taskiq_own.py").write_text(OWN)
    worker = start(
        *("--broker", "taskiq_own", "--task-name", "wove.other"),
        TASKIQ_TEST=f"{redis_url} {queue}",
    )
    broker = brokers.a_list(redis_url, queue)
    config = {"broker": broker, "task_name": "wove.other"}
    assert run_remote(work.where, config).where[0] == worker.process.pid

    async def ask() -> object:
        sent = await AsyncKicker("mine.name", broker, {}).kiq()
        result = await sent.wait_result(timeout=20)
        await broker.shutdown()
        return result.return_value

    assert asyncio.run(ask()) == "set when the worker started"
    assert run_remote(work.where, config).where  # its user has closed it: Wove's is open
    assert worker.stop() == 0
    assert "the user's end" in worker.log()


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
@pytest.mark.parametrize("kind", ["registered", "streaming"])
def test_a_signal_lets_the_job_in_hand_finish(
    redis_url: str,
    start: StartWorker,
    queue: str,
    tmp_path: Path,
    number: signal.Signals,
    kind: str,
) -> None:
    worker = start("--broker", f"{MODULE}:{kind}", TASKIQ_TEST=f"{redis_url} {queue}")
    started, gate = tmp_path / "started", tmp_path / "gate"
    make = brokers.a_stream if kind == "streaming" else brokers.a_list
    config = {"broker": make(redis_url, queue)}
    with in_background(work.until, config, started=str(started), gate=str(gate)) as found:
        wait_until(started.exists, seconds=30, what="it began")
        os.kill(worker.process.pid, number)
        with pytest.raises(subprocess.TimeoutExpired):
            worker.process.wait(1.5)
        gate.touch()
    assert found[0].until == "went on"
    assert worker.process.wait(30) == 0


def test_a_job_that_comes_as_the_worker_is_told_to_stop_is_run(
    redis_url: str, start: StartWorker, queue: str
) -> None:
    """Redis has handed it over, and the worker does not have it yet."""
    port = urlsplit(redis_url).port
    assert port
    with contextlib.closing(Holding(port, b"run_backend_payload")) as proxy:
        through = redis_url.replace(f":{port}", f":{proxy.port}")
        worker = start("--redis-url", through, "--queue", queue)
        config = {"broker": brokers.a_list(redis_url, queue)}
        options = {"start_timeout": 20.0}
        with in_background(work.where, config, options=options) as found:
            assert proxy.held.wait(20)
            worker.process.send_signal(signal.SIGTERM)
            with pytest.raises(subprocess.TimeoutExpired):
                worker.process.wait(0.5)
            proxy.release.set()
        assert found[0].where[0] == worker.process.pid
        assert worker.process.wait(30) == 0
    assert "WARNING" not in worker.log()


def test_an_idle_worker_does_not_drop_its_question(
    redis_url: str, start: StartWorker, connection: redis.Redis, queue: str
) -> None:
    """Longer than redis-py waits for an answer: a job that came just then would be lost."""
    worker = start("--redis-url", f"{redis_url}?socket_timeout=1&client_name={queue}")
    ids = set()
    deadline = time.monotonic() + 4
    while time.monotonic() < deadline:
        ids |= {each["id"] for each in connection.client_list() if each["name"] == queue}
        time.sleep(0.1)
    assert len(ids) == 1  # one connection all the time
    assert "cannot be taken" not in worker.log()


class _Swallowing(AsyncBroker):
    """Goes on when it is cancelled, once, as the stream of taskiq-redis does on Python 3.11.

    That takes a cancellation at the instant at which a command has gone out: with Redis, one
    stop of a thousand.
    """

    async def kick(self, message: BrokerMessage) -> None: ...

    async def listen(self) -> AsyncGenerator[bytes, None]:
        with contextlib.suppress(asyncio.CancelledError):
            await asyncio.sleep(60)
        await asyncio.sleep(60)
        yield b""


def test_a_broker_that_swallows_its_cancellation_does_not_keep_the_worker() -> None:
    async def main() -> None:
        stop = asyncio.Event()
        serving = asyncio.ensure_future(JobsReceiver(_Swallowing(), 1).serve(stop))
        await asyncio.sleep(0.1)
        stop.set()
        done, _ = await asyncio.wait({serving}, timeout=10)
        assert done

    asyncio.run(main())


class _Failing(AsyncBroker):
    """A broker of the user's, which cannot be listened to at first."""

    def __init__(self) -> None:
        super().__init__()
        self.starts: list[str] = []
        self.listens: list[str] = []

    async def startup(self) -> None:
        self.starts.append("a connection")

    async def kick(self, message: BrokerMessage) -> None: ...

    async def listen(self) -> AsyncGenerator[bytes, None]:
        self.listens.append("again")
        if len(self.listens) == 1:
            raise ConnectionError("it is away")
        await asyncio.sleep(60)
        yield b""


def test_an_outage_leaves_no_connections_of_a_broker_of_the_users() -> None:
    broker = _Failing()

    async def main() -> None:
        stop = asyncio.Event()
        serving = asyncio.ensure_future(JobsReceiver(broker, 1).serve(stop))
        while len(broker.listens) < 2:
            await asyncio.sleep(0.05)
        stop.set()
        await serving

    asyncio.run(asyncio.wait_for(main(), 30))
    assert not broker.starts


def test_what_is_preloaded_is_imported_before_the_first_job(
    redis_url: str, start: StartWorker, queue: str
) -> None:
    start("--redis-url", redis_url, "--queue", queue, "--preload", "colorsys")

    def loaded() -> bool:
        return "colorsys" in sys.modules

    assert run_remote(loaded, {"broker": brokers.a_list(redis_url, queue)}).loaded


BROKERS = """
from taskiq import InMemoryBroker
from taskiq_redis import ListQueueBroker
here = InMemoryBroker()
other = 3
down = ListQueueBroker("redis://someone:hunter2@127.0.0.1:{port}/0")

def none():
    return None

def wrong():
    raise LookupError("no settings for it")
"""


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["--redis-url", "redis://a:hunter2@127.0.0.1:{port}/0"], "cannot reach the broker at red"),
        (["--redis-url", "redis://a:hunter2@127.0.0.1:{port}/0"], "that --redis-url is right"),
        (["--redis-url", "http://someone:hunter2@127.0.0.1/"], "no URL of a Redis"),
        (["--redis-url", "{url}", "--preload", "no.such"], "--preload no.such: cannot import"),
        (["--broker", "redis://a:hunter2@127.0.0.1:{port}/0"], "give MODULE:NAME"),
        (["--broker", "no_such_module"], "cannot import no_such_module"),
        (["--broker", "its_brokers:absent"], "its_brokers has no 'absent'"),
        (["--broker", "its_brokers:other"], "it is of the type int, not a Taskiq broker"),
        (["--broker", "its_brokers:none"], "it is of the type NoneType, not a Taskiq broker"),
        (["--broker", "its_brokers:wrong"], "raised LookupError: no settings for it"),
        (["--broker", "its_brokers:here"], "nothing can be sent to an InMemoryBroker"),
        (["--broker", "its_brokers:down"], "that --broker its_brokers:down is right"),
        (["--broker", "its_brokers:down", "--queue", "q"], "--queue goes with --redis-url"),
    ],
)
def test_a_worker_that_cannot_start_says_why(
    redis_url: str, tmp_path: Path, arguments: list[str], says: str
) -> None:
    port = free_port()
    (tmp_path / "its_brokers.py").write_text(BROKERS.format(port=port))
    filled = [each.format(port=port, url=redis_url) for each in arguments]
    done = run_wove_worker("taskiq", *filled, modules=tmp_path)
    assert done.returncode == 1
    assert done.stderr.startswith("wove: ")
    assert says in done.stderr
    assert len(done.stderr.splitlines()) == 1
    assert "hunter2" not in done.stderr


@pytest.mark.parametrize("module", ["taskiq", "taskiq_redis"])
def test_a_worker_without_taskiq_names_the_command_that_installs_it(module: str) -> None:
    code = (
        f"import sys; sys.modules[{module!r}] = None; from wove.cli import main; "
        "sys.exit(main(['worker', 'taskiq', '--redis-url', 'redis://localhost']))"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, timeout=60, check=False
    )
    assert done.returncode == 1
    assert "pip install 'wove[taskiq]'" in done.stderr
