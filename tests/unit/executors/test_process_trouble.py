"""Workers of the `process` backend that misbehave: the pool bears it, and says so."""

from __future__ import annotations

import contextlib
import os
import signal
import time

import pytest

from tests.unit.executors.process_session import alive, by_value, in_loop, own_pool, pid, wait_for
from tests.unit.executors.scripted import until
from wove.errors import WorkerLostError
from wove.integrations._process_worker import WarmWorker

pytestmark = pytest.mark.slow


@by_value
def write_to_pipes(data, delay=0.0):
    import contextlib
    import os
    import stat
    import threading
    import time

    def write():
        time.sleep(delay)
        for descriptor in range(3, 100):
            with contextlib.suppress(OSError):
                if stat.S_ISFIFO(os.fstat(descriptor).st_mode):
                    os.write(descriptor, data)

    if delay:
        threading.Thread(target=write, daemon=True).start()
    else:
        write()
        time.sleep(30)
    return os.getpid()


@by_value
def close_pipes():
    import os
    import time

    os.closerange(3, 100)
    time.sleep(30)


@by_value
def fork_and(after, file):
    """The copy lives on; the worker returns or is killed."""
    import os
    import time

    child = os.fork()
    if child == 0:
        time.sleep(60)
        os._exit(0)
    with open(file, "w") as children:
        children.write(str(child))
    if after == "die":
        os.kill(os.getpid(), 9)
    return os.getpid()


@by_value
def fork_and_return():
    import os

    child = os.fork()
    if child:
        os.waitpid(child, 0)
    return os.getpid()


@pytest.mark.parametrize(
    ("data", "words"),
    [
        (b"\0\0\0\4junk", "sent b'junk', which is no message, and was killed"),
        (b"some text", "sent a message of 1936682341 bytes, and was killed"),
        (b'\0\0\0\x10{"run_id": "r0"}', "sent an answer to another job than its own"),
    ],
)
def test_a_task_that_writes_to_the_workers_pipes_is_lost_alone(data, words):
    @in_loop
    async def run():
        async with own_pool() as items:
            items.function = write_to_pipes
            with pytest.raises(WorkerLostError, match=words):
                await items.run(args={"data": data})
            items.function = pid
            assert await items.run() > 0

    run()


@pytest.mark.parametrize("data", [b"\0\0\0\4junk", b"\0\0\0\2{}"])
def test_an_idle_worker_that_writes_is_replaced(data):
    @in_loop
    async def run():
        async with own_pool() as items:
            items.function = write_to_pipes
            first = await items.run(args={"data": data, "delay": 0.1})
            await until(lambda: not alive(first))
            items.function = pid
            assert await items.run() != first

    run()


@in_loop
async def test_a_worker_that_closes_its_pipes_is_lost():
    async with own_pool() as items:
        items.function = close_pipes
        with pytest.raises(WorkerLostError, match="closed its output, and was killed"):
            await items.run()
        items.function = pid
        assert await items.run() > 0


@pytest.mark.parametrize("kills", [1, 2])
def test_a_worker_that_is_killed_while_it_starts_is_tried_once_more(monkeypatch, kills):
    started = []

    def start(self, *args):
        init(self, *args)
        started.append(self)
        if len(started) <= kills:
            self.kill()

    init = WarmWorker.__init__
    monkeypatch.setattr(WarmWorker, "__init__", start)

    @in_loop
    async def run():
        async with own_pool() as items:
            items.function = pid
            if kills == 1:
                assert await items.run() > 0
            else:
                words = r"killed by signal 9 \(SIGKILL\) before it was ready, as one before it had"
                with pytest.raises(WorkerLostError, match=words):
                    await items.run()
            assert await items.run() > 0
        assert len(started) == kills + 1

    run()


@in_loop
async def test_an_error_of_the_pools_own_costs_one_worker(monkeypatch, caplog):
    async with own_pool() as items:
        items.function = pid
        first = await items.run()
        read = WarmWorker.read

        def fail(worker):
            if len(items.records) != 2 or worker.job.run_id != items.records[1].run_id:
                return read(worker)  # the end of the first job
            raise MemoryError("no room")

        monkeypatch.setattr(WarmWorker, "read", fail)
        items.function = write_to_pipes  # it reads: this sleeps when it has written
        with pytest.raises(WorkerLostError, match=r"met MemoryError\('no room'\), and was killed"):
            await items.run(args={"data": b"x"})
        assert not alive(first)
        items.function = pid
        assert await items.run() != first
    assert "met an error of its pool" in caplog.text


@in_loop
async def test_an_error_between_two_workers_ends_nothing(monkeypatch, caplog):
    async with own_pool() as items:
        items.function = pid
        from wove.integrations._process_pool import Pool

        wants = Pool.wants_worker

        def fail(pool):
            monkeypatch.setattr(Pool, "wants_worker", wants)
            raise RuntimeError("once")

        monkeypatch.setattr(Pool, "wants_worker", fail)
        assert await items.run() > 0
    assert "RuntimeError: once" in caplog.text


@in_loop
async def test_a_copy_that_comes_back_from_the_task_says_nothing():
    async with own_pool() as items:
        items.function = fork_and_return
        first = await items.run()
        assert await items.run() == first  # the worker is as good as before
        assert len(items.records) == 2


@pytest.mark.parametrize("pidfd", [True, False])
@pytest.mark.parametrize("killed", ["by itself", "idle"])
def test_a_copy_that_lives_on_hides_no_death(tmp_path, monkeypatch, killed, pidfd):
    if not pidfd:
        monkeypatch.delattr(os, "pidfd_open", raising=False)
    file = tmp_path / "children"

    @in_loop
    async def run():
        async with own_pool() as items:
            items.function = fork_and
            began = time.monotonic()
            if killed == "by itself":
                with pytest.raises(WorkerLostError, match=r"killed by signal 9 \(SIGKILL\)"):
                    await items.run(args={"after": "die", "file": str(file)})
            else:
                first = await items.run(args={"after": "return", "file": str(file)})
                os.kill(first, signal.SIGKILL)
                await until(lambda: not os.path.exists(f"/proc/{first}"))  # the pool has reaped it
            assert time.monotonic() - began < 10
            items.function = pid
            assert await items.run() > 0

    try:
        run()
        wait_for(lambda: not alive(int(file.read_text())))  # it ended with its worker
    finally:
        with contextlib.suppress(ProcessLookupError):
            os.kill(int(file.read_text()), signal.SIGKILL)
