"""Weaves that outlive a restart of the Redis that their backend uses, between submit and result.

One job runs and one waits behind it, in a Redis that keeps on disk what it has been told.
"""

from __future__ import annotations

import contextlib
import functools
import time
import uuid
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import redis

from tests import services
from tests.adapters import tasks
from tests.backends.weaves import in_background
from tests.chosen import is_chosen
from tests.services import Worker, start_worker, wait_until, wove_worker


def through_celery(url: str, queue: str) -> dict[str, Any]:
    return {"broker_url": url, "queue": queue}


def through_rq(url: str, queue: str) -> dict[str, Any]:
    return {"redis_url": url, "queue_name": queue}


def through_arq(url: str, queue: str) -> dict[str, Any]:
    return {"redis_settings": url, "queue_name": queue}


def through_taskiq(url: str, queue: str) -> dict[str, Any]:
    from tests.backends.taskiq.brokers import a_list

    return {"broker": a_list(url, queue)}


CONFIGS = {
    "arq": through_arq,
    "celery": through_celery,
    "rq": through_rq,
    "taskiq": through_taskiq,
}


@contextlib.contextmanager
def working(folder: Path, backend: str, url: str, queue: str) -> Iterator[Worker]:
    """A worker that does one job at a time."""
    option = "--broker-url" if backend == "celery" else "--redis-url"
    argv = wove_worker(backend, option, url, "--queue", queue, "--concurrency", "1")
    worker = start_worker(folder, backend, argv)
    try:
        yield worker
    finally:
        worker.kill()


def first(begun: str, gate: str) -> str:
    tasks.note(begun)
    tasks.wait_for(gate)
    return "ran all the time"


def waits_behind(begun: str) -> str:
    tasks.note(begun)
    return "waited all the time"


@pytest.mark.parametrize(
    "backend", [pytest.param(name, id=name) for name in sorted(CONFIGS) if is_chosen(name)]
)
def test_jobs_outlive_a_restart_of_redis(backend: str, tmp_path: Path) -> None:
    queue = f"restart-{uuid.uuid4().hex[:8]}"
    running = services.start_redis(tmp_path, keep=True)
    config = CONFIGS[backend](running.url, queue)
    begun, gate, other = tmp_path / "begun", tmp_path / "gate", tmp_path / "other"
    try:
        with (
            working(tmp_path, backend, running.url, queue),
            in_background(backend, first, config, begun=str(begun), gate=str(gate)) as found,
        ):
            tasks.wait_for(begun)
            with in_background(backend, waits_behind, config, begun=str(other)) as waiting:
                held = functools.partial(holds, running.url, b"waits_behind")
                wait_until(held, seconds=30, what="Redis has the second job")
                port = int(running.url.rpartition(":")[2].partition("/")[0])
                services.stop_service(running.pids.pop())
                time.sleep(1)
                running.pids += services.start_redis(tmp_path, port, keep=True).pids
                tasks.note(gate)
        assert found[0].first == "ran all the time"
        assert waiting[0].waits_behind == "waited all the time"
        for result in (found[0], waiting[0]):
            assert [(run.state, run.attempt) for run in result.runs] == [("succeeded", 0)]
        assert len(tasks.lines(begun)) == len(tasks.lines(other)) == 1
    finally:
        for pid in running.pids:
            services.stop_service(pid)


def holds(url: str, name: bytes) -> bool:
    """Whether a job of this task is in Redis, in whatever form."""
    with redis.Redis.from_url(url) as client:
        values: list[Any] = []
        for key in client.scan_iter():
            kind = client.type(key)
            if kind == b"string":
                values.append(client.get(key) or b"")
            elif kind == b"list":
                values += client.lrange(key, 0, -1)
            elif kind == b"hash":
                values += client.hvals(key)
        return any(name in value for value in values)
