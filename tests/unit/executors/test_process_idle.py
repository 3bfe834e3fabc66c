"""Pools of the `process` backend that nobody uses any more."""

from __future__ import annotations

import asyncio
import os
import threading
import time

import pytest

from tests.unit.executors.process_session import alive, by_value, in_loop, own_pool, pid
from tests.unit.executors.scripted import until
from wove.integrations import _process_pool, _process_pools


@by_value
def slow(seconds):
    import os
    import time

    time.sleep(seconds)
    return os.getpid()


def threads() -> set[threading.Thread]:
    return {thread for thread in threading.enumerate() if thread.name == "wove-process-pool"}


def descriptors() -> int:
    return len(os.listdir("/proc/self/fd"))


@pytest.fixture
def short(monkeypatch):
    monkeypatch.setattr(_process_pool, "IDLE_SECONDS", 0.3)


@pytest.mark.usefixtures("short")
def test_an_unused_pool_leaves_nothing_and_the_next_job_finds_a_new_one():
    @in_loop
    async def run():
        before = threads()
        async with own_pool() as items:
            items.function = pid
            open_before, pools = descriptors(), len(_process_pools._pools)
            first = await items.run()
            assert len(threads() - before) == 1
            await until(lambda: not alive(first) and not threads() - before)
            assert descriptors() <= open_before + 1  # the weave's connection to its own receiver
            assert len(_process_pools._pools) < pools  # pools of earlier tests may end as well
            second = await items.run()
            assert second != first
        await until(lambda: not alive(second))

    run()


def test_a_pool_in_use_stays(monkeypatch):
    monkeypatch.setattr(_process_pool, "IDLE_SECONDS", 1.0)

    @in_loop
    async def run():
        async with own_pool() as items:
            items.function = slow
            first = await items.run(args={"seconds": 1.5})  # much longer than the pool may idle
            deadline = time.monotonic() + 1.5
            while time.monotonic() < deadline:
                assert await items.run(args={"seconds": 0}) == first
                await asyncio.sleep(0.05)

    run()
