"""Fixtures and checks that every test gets."""

from __future__ import annotations

import asyncio
import os
import signal
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests import chosen, services

LOOP_BLOCKED_SECONDS = 3.0
"""One step of an event loop that takes longer has blocked it. Far above a busy machine's delays."""


def pytest_configure(config: pytest.Config) -> None:
    config.addinivalue_line(
        "markers", "blocks_loop: this test blocks an event loop on purpose, for seconds"
    )
    config.addinivalue_line("markers", "slow: `make check` leaves it to `make test`")
    if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
        # Started in a shell's background: the programs that tests interrupt would inherit it.
        signal.signal(signal.SIGINT, signal.default_int_handler)
    # Ray's own protection of a cluster is a token in the user's home, which tests leave alone.
    os.environ.setdefault("RAY_AUTH_MODE", "disabled")
    if not hasattr(config, "workerinput"):  # the main process, not one of pytest-xdist's
        folder = services.open_folder()
        config.add_cleanup(lambda: services.close_folder(folder))


def pytest_ignore_collect(collection_path: Path) -> bool | None:
    backend = chosen.backend_of(collection_path)
    return None if backend is None or chosen.is_chosen(backend) else True


@pytest.fixture(scope="session")
def redis_url() -> str:
    """URL of the run's Redis, such as redis://127.0.0.1:41234/0. Tests share it: use own queues."""
    return services.shared("redis", services.start_redis)


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


@pytest.fixture(scope="session")
def rabbitmq_url() -> str:
    """URL of the run's RabbitMQ. Tests share it: use own queues."""
    return services.shared("rabbitmq", services.start_rabbitmq)


@pytest.fixture(scope="session")
def temporal_host() -> str:
    """Address of the run's Temporal, such as 127.0.0.1:41234. Tests share it: use own queues."""
    return services.shared("temporal", services.start_temporal)


@pytest.fixture(scope="session")
def celery_worker(
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[Callable[..., services.CeleryWorker]]:
    """Starts Celery workers: `celery_worker(url, queue=..., pool=...)`; stopped at the run's end.

    A test that needs its worker gone sooner calls `.stop()` or `.kill()` on it.
    """
    with services.celery_worker_factory(tmp_path_factory.mktemp("celery")) as start:
        yield start


@pytest.fixture(autouse=True)
def _leaves_nothing_behind() -> Iterator[None]:
    """Fail a test that leaves a non-daemon thread or a dead child that nobody waited for."""
    before = set(threading.enumerate())
    zombies_before = _zombies()
    yield
    deadline = time.monotonic() + 5
    while True:
        threads = [t for t in threading.enumerate() if t not in before and not t.daemon]
        zombies = _zombies() - zombies_before
        if not threads and not zombies:
            return
        if time.monotonic() > deadline:
            break
        time.sleep(0.02)
    names = ", ".join(sorted(t.name for t in threads))
    pytest.fail(f"the test left behind threads [{names}] and unawaited processes {sorted(zombies)}")


def _zombies() -> set[int]:
    found = set()
    for children in Path("/proc/self/task").glob("*/children"):
        try:
            pids = [int(pid) for pid in children.read_text().split()]
            states = {pid: Path(f"/proc/{pid}/stat").read_text() for pid in pids}
        except (FileNotFoundError, ProcessLookupError):
            continue  # a thread or a child ended meanwhile
        found |= {p for p, stat in states.items() if stat.rpartition(")")[2].split()[0] == "Z"}
    return found


@pytest.fixture(autouse=True)
def _does_not_block_a_loop(
    request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch
) -> Iterator[None]:
    """Fail a test in which one step of an event loop took longer than LOOP_BLOCKED_SECONDS."""
    slow: list[str] = []
    run = asyncio.Handle._run

    def timed(handle: asyncio.Handle) -> None:
        start = time.monotonic()
        try:
            run(handle)
        finally:
            took = time.monotonic() - start
            if took > LOOP_BLOCKED_SECONDS:
                slow.append(f"{took:.1f} s in {handle!r}")

    if request.node.get_closest_marker("blocks_loop") is None:
        monkeypatch.setattr(asyncio.Handle, "_run", timed)
    yield
    if slow:
        pytest.fail("an event loop was blocked for " + "; ".join(slow))


@pytest.fixture(autouse=True, scope="session")
def _children_find_the_sources() -> None:
    """Processes that tests start can import the tests' own modules."""
    paths = [str(services.ROOT), os.environ.get("PYTHONPATH", "")]
    os.environ["PYTHONPATH"] = os.pathsep.join(p for p in paths if p)
