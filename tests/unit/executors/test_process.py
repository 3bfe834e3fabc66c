"""The `process` backend with real worker processes."""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
import subprocess
import sys
import textwrap
import time

import pytest

from tests.unit.executors.process_session import (
    alive,
    by_value,
    in_loop,
    pid,
    processes,
    wait_for,
)
from tests.unit.executors.scripted import until
from wove import BackendAdapterEnvironmentExecutor
from wove.errors import DeliveryError, ErrorCode, PayloadTooLargeError, WorkerLostError
from wove.executors.backend_state import BackendState, BackendStatus
from wove.executors.liveness import Liveness

pytestmark = pytest.mark.slow


@by_value
def sleep_in_c(path):
    import pathlib
    import time

    pathlib.Path(path).write_text("started")
    time.sleep(30)


@by_value
def wait_and_clean_up(path):
    import pathlib
    import time

    file = pathlib.Path(path)
    try:
        file.write_text("started")  # the test cancels as soon as the file is there
        while True:
            time.sleep(0.01)
    finally:
        file.write_text("cleaned up")


@by_value
def die(signum):
    import os

    os.kill(os.getpid(), signum)


@by_value
def variable(name):
    import os

    return os.environ.get(name), os.getcwd()


@by_value
def size(data):
    return len(data)


@in_loop
async def test_workers_are_warm_and_shared_between_weaves():
    async with processes(workers=1) as items:
        items.function = pid
        first = await items.run()
        assert first != os.getpid()
    async with processes(workers=1) as items:
        items.function = pid
        assert await items.run() == first


@in_loop
async def test_no_more_processes_than_workers():
    async with processes(workers=2, env={"POOL": "two"}) as items:
        items.function = pid
        assert len(set(await asyncio.gather(*(items.run() for _ in range(20))))) <= 2


@in_loop
async def test_values_larger_than_a_pipe():
    async with processes() as items:
        items.function = size
        data = b"x" * (5 << 20)
        assert await items.run(args={"data": data}) == len(data)


@in_loop
async def test_a_value_larger_than_a_message_is_refused_by_name(monkeypatch):
    monkeypatch.setattr("wove.integrations.process.MAX_MESSAGE_BYTES", 10_000)
    async with processes() as items:
        items.function = size
        with pytest.raises(PayloadTooLargeError, match="a worker process takes 10000"):
            await items.run(args={"data": b"x" * 10_000})
        assert await items.run(args={"data": b"x"}) == 1


@in_loop
async def test_env_and_cwd(tmp_path):
    async with processes(env={"ANSWER": "42"}, cwd=str(tmp_path)) as items:
        items.function = variable
        assert await items.run(args={"name": "ANSWER"}) == ("42", str(tmp_path))


@in_loop
async def test_a_queued_job_that_is_cancelled_never_starts(tmp_path):
    async with processes(workers=1, env={"POOL": "one"}) as items:
        items.function = sleep_in_c
        running = items.start(args={"path": str(tmp_path / "running")})
        await until(lambda: items.records and items.records[0].state == "started")
        queued = items.start(args={"path": str(tmp_path / "queued")})
        await until(lambda: len(items.records) == 2 and items.records[1].state == "queued")
        queued.cancel()
        await until(lambda: items.records[1].cancel == "stopped")
        running.cancel()
        await until(lambda: items.records[0].cancel == "stopped")
        items.function = pid
        await items.run()  # a worker has been free since then
    assert not (tmp_path / "queued").exists()


@in_loop
async def test_a_running_task_is_stopped_and_may_clean_up(tmp_path):
    file = tmp_path / "state"
    async with processes(workers=1, env={"POOL": "one"}) as items:
        items.function = pid
        before = await items.run()
        items.function = wait_and_clean_up
        task = items.start(args={"path": str(file)})
        await until(file.exists)
        task.cancel()
        await until(lambda: items.records[-1].cancel == "stopped")
        await until(lambda: file.read_text() == "cleaned up")
        items.function = pid
        assert await items.run() == before  # nothing had to be killed


@in_loop
async def test_a_task_that_does_not_listen_is_killed_with_its_process(tmp_path):
    file = tmp_path / "state"
    async with processes(workers=1, env={"POOL": "one"}) as items:
        items.function = pid
        before = await items.run()
        items.function = sleep_in_c
        task = items.start(args={"path": str(file)})
        await until(file.exists)
        task.cancel()
        await until(lambda: items.records[-1].cancel == "stopped")
        await until(lambda: not alive(before))
        items.function = pid
        assert await items.run() != before


@in_loop
async def test_a_killed_worker_is_lost_at_once_and_replaced():
    async with processes() as items:
        items.function = die
        began = time.monotonic()
        with pytest.raises(WorkerLostError, match=r"killed by signal 9 \(SIGKILL\)"):
            await items.run(args={"signum": int(signal.SIGKILL)})
        assert time.monotonic() - began < 10
        assert items.records[0].state == "lost"
        items.function = pid
        assert await items.run() > 0


@in_loop
async def test_a_worker_that_cannot_start_fails_the_job(tmp_path):
    folder = tmp_path / "removed later"
    folder.mkdir()
    async with processes(cwd=folder) as items:
        folder.rmdir()
        items.function = pid
        with pytest.raises(WorkerLostError, match="could not be started"):
            await items.run()


@in_loop
async def test_a_worker_that_dies_before_it_is_ready_fails_the_job():
    async with processes(env={"PYTHONHOME": "/nowhere"}) as items:
        items.function = pid
        with pytest.raises(WorkerLostError, match="before it was ready"):
            await items.run()


@in_loop
async def test_a_command_per_job():
    command = [sys.executable, "-m", "wove.backend_worker"]
    async with processes(command=command, workers=2) as items:
        items.function = pid
        assert len(set(await asyncio.gather(*(items.run() for _ in range(3))))) == 3


@pytest.mark.parametrize(
    ("command", "words"),
    [
        (["no-such-program"], r"no such program, which .*\['command'\] names: 'no-such-program'"),
        (["./no-such-program"], r"no such program in /.*, which .*: './no-such-program'"),
        ([__file__], r"this file, which executor_config\['command'\] names, may not be executed"),
        ([sys.executable, "-c", "raise SystemExit(3)"], "exited with code 3"),
        (
            [sys.executable, "-c", "import os; os.kill(os.getpid(), 9)"],
            r"killed by signal 9 \(SIGKILL\)",
        ),
    ],
)
def test_a_command_that_fails(command, words):
    @in_loop
    async def run():
        async with processes(command=command) as items:
            items.function = pid
            with pytest.raises(DeliveryError, match=words):
                await items.run()

    run()


@in_loop
async def test_a_command_that_does_not_report_is_given_up_after_the_grace():
    # Nobody asks about the job before its batch, unless there is news.
    liveness = Liveness(succeeded_grace=0.5, tick_seconds=0.1, poll_seconds=60)
    executor = BackendAdapterEnvironmentExecutor("process", liveness=liveness)
    async with processes(executor, command=[sys.executable, "-c", ""]) as items:
        items.function = pid
        with pytest.raises(DeliveryError, match="exited with code 0") as caught:
            await items.run()
        assert caught.value.code is ErrorCode.RESULT_MISSING


@in_loop
async def test_a_command_takes_no_more_than_an_environment_variable():
    async with processes(command=["unused"]) as items:
        items.function = size
        with pytest.raises(PayloadTooLargeError) as caught:
            await items.run(args={"data": b"x" * 200_000})
        assert caught.value.code is ErrorCode.PAYLOAD_TOO_LARGE


@in_loop
async def test_a_cancelled_command_is_killed(tmp_path):
    file = tmp_path / "state"
    command = [sys.executable, "-m", "wove.backend_worker"]
    async with processes(command=command) as items:
        items.function = sleep_in_c
        task = items.start(args={"path": str(file)})
        await until(file.exists)
        task.cancel()
        await until(lambda: items.records[-1].cancel == "stopped")


@pytest.mark.parametrize(
    ("config", "kind", "words"),
    [
        ({"workers": 0.5}, TypeError, "'workers' must be a positive int, not 0.5"),
        ({"workers": True}, TypeError, "'workers' must be a positive int, not True"),
        ({"workers": "2"}, TypeError, "'workers' must be a positive int, not '2'"),
        ({"workers": 0}, ValueError, "'workers' must be a positive int, not 0"),
        ({"workers": -1}, ValueError, "'workers' must be a positive int, not -1"),
        ({"env": ["A=1"]}, TypeError, "'env' must map names to values"),
        ({"env": ""}, TypeError, "'env' must map names to values"),
        ({"cwd": 5}, TypeError, "'cwd' must be a path, not 5"),
        ({"cwd": "/no/such/folder"}, NotADirectoryError, "'cwd' is no folder: '/no/such/folder'"),
        ({"cwd": __file__}, NotADirectoryError, "'cwd' is no folder"),
        ({"command": "python x"}, TypeError, "'command' must be a list"),
        ({"command": []}, TypeError, "'command' must be a list"),
    ],
)
def test_settings_that_cannot_be(config, kind, words):
    @in_loop
    async def run():
        with pytest.raises(kind, match=words):
            async with processes(**config):
                pass

    run()


@in_loop
async def test_a_relative_folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "below").mkdir()
    async with processes(cwd="below") as items:
        items.function = variable
        assert (await items.run(args={"name": "X"}))[1] == str(tmp_path / "below")


@in_loop
async def test_a_stopped_worker_is_named_by_poll(tmp_path):
    file = tmp_path / "state"
    async with processes(workers=1, env={"POOL": "stopped"}) as items:
        items.function = pid
        worker = await items.run()
        items.function = wait_and_clean_up
        task = items.start(args={"path": str(file)})
        await until(file.exists)
        executor = items.session.executor
        run_id = items.records[-1].run_id
        submission = executor._jobs[run_id].submission

        async def seen():
            return (await executor._adapter.poll({run_id: submission}))[run_id]

        assert await seen() == BackendState(BackendStatus.RUNNING, f"in worker process {worker}")
        os.kill(worker, signal.SIGSTOP)
        stopped = f"in worker process {worker}, which is stopped (SIGSTOP)"
        while await seen() != BackendState(BackendStatus.RUNNING, stopped):
            await asyncio.sleep(0.01)
        os.kill(worker, signal.SIGCONT)
        task.cancel()
        await until(lambda: items.records[-1].cancel == "stopped")


# ---- the pool and its parent ----------------------------------------------------------

PROGRAM = """
import asyncio, os, sys, time
from wove.executors.session import EnvironmentSession, TaskCall
from wove.options import TaskOptions

def pid():
    return os.getpid()

def busy(path):
    open(path, "w").close()
    time.sleep(60)

def busy_in_c(path):
    import subprocess
    child = subprocess.Popen(["sleep", "60"])
    with open(path + ".part", "w") as file:
        file.write(str(child.pid))
    os.rename(path + ".part", path)
    sum(range(10**11))  # no other thread of the worker gets to run

async def once(function, **args):
    environment = {"executor": "process", "executor_config": {"workers": 1}}
    session = EnvironmentSession("p", environment, {})
    await session.start()
    call = TaskCall(
        task_id="t", callable=function, args=args, options=TaskOptions(), on_run=lambda run: None
    )
    value = await session.execute(call)
    await session.stop(failed=None)
    return value
"""


def program(text: str, *arguments: str) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-c", PROGRAM + textwrap.dedent(text), *arguments],
        stdout=subprocess.PIPE,
        text=True,
    )


def test_a_program_ends_without_delay_and_takes_its_workers_along():
    text = """
        print(asyncio.run(once(pid)), flush=True)
        print(time.time(), flush=True)
    """
    with program(text) as process:
        output, _ = process.communicate(timeout=30)
        ended = time.time()
        worker, done = output.split()
    assert process.returncode == 0
    assert ended - float(done) < 5
    wait_for(lambda: not alive(int(worker)))


@pytest.mark.parametrize("what", ["idle", "busy", "busy_in_c"])
def test_workers_end_when_their_parent_is_killed(what, tmp_path):
    text = """
        worker = asyncio.run(once(pid))
        print(worker, flush=True)
        if sys.argv[1] != "idle":
            asyncio.run(once(globals()[sys.argv[1]], path=sys.argv[2]))
        time.sleep(60)
    """
    file = tmp_path / "busy"
    with program(text, what, str(file)) as process:
        assert process.stdout is not None
        processes = [int(process.stdout.readline())]
        if what != "idle":
            wait_for(file.exists)
            processes += [int(child) for child in file.read_text().split()]
        process.kill()
        process.wait(10)
    try:
        wait_for(lambda: not any(alive(process) for process in processes))
    finally:
        for process in processes:
            with contextlib.suppress(ProcessLookupError):
                os.kill(process, signal.SIGKILL)


def test_a_forked_child_has_a_pool_of_its_own():
    text = """
        first = asyncio.run(once(pid))
        child = os.fork()
        if child == 0:
            try:
                second = asyncio.run(once(pid))
                sys.stdout.write(f"child {second != first}\\n")
                sys.stdout.flush()
            finally:
                os._exit(0)
        os.waitpid(child, 0)
        print("parent", asyncio.run(once(pid)) == first, flush=True)
    """
    with program(text) as process:
        output, _ = process.communicate(timeout=30)
    assert output.splitlines() == ["child True", "parent True"]


@in_loop
async def test_killed_workers_leave_no_descriptors_and_no_zombies():
    async with processes(workers=1, env={"POOL": "leaks"}) as items:

        async def kill() -> None:
            items.function = die
            with pytest.raises(WorkerLostError):
                await items.run(args={"signum": int(signal.SIGKILL)})

        await kill()
        before = len(os.listdir("/proc/self/fd"))
        for _ in range(3):
            await kill()
        assert len(os.listdir("/proc/self/fd")) <= before
