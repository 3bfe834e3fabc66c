"""The `process` backend with a command per job, and programs that make its life hard."""

from __future__ import annotations

import asyncio
import pathlib
import subprocess
import sys
import textwrap

import pytest

from tests.unit.executors.process_session import (
    alive,
    by_value,
    in_loop,
    own_pool,
    processes,
    wait_for,
)
from tests.unit.executors.scripted import until

WORKER = [sys.executable, "-m", "wove.backend_worker"]


@by_value
def variable(name):
    import os

    return os.environ[name]


@by_value
def wait_and_clean_up(path):
    import pathlib
    import time

    file = pathlib.Path(path)
    try:
        file.write_text("started")
        while True:
            time.sleep(0.01)
    finally:
        file.write_text("cleaned up")


@by_value
def how_many(folder):
    import os
    import pathlib
    import time

    mine = pathlib.Path(folder) / str(os.getpid())
    mine.touch()
    time.sleep(0.5)
    count = len(os.listdir(folder))
    mine.unlink()
    return count


@by_value
def import_it(name):
    import importlib

    return importlib.import_module(name).__name__


@in_loop
async def test_values_of_env_become_text():
    async with processes(command=WORKER, env={"NUMBER": 1}) as items:
        items.function = variable
        assert await asyncio.wait_for(items.run(args={"name": "NUMBER"}), 30) == "1"


@in_loop
async def test_workers_bounds_the_commands_of_all_weaves(tmp_path):
    config = {"command": WORKER, "workers": 1, "env": {"TEST": str(tmp_path)}}
    async with processes(**config) as one, processes(**config) as another:
        one.function = another.function = how_many
        args = {"folder": str(tmp_path)}
        assert await asyncio.gather(one.run(args=args), another.run(args=args)) == [1, 1]


@in_loop
async def test_a_command_that_is_cancelled_may_clean_up(tmp_path):
    file = tmp_path / "state"
    async with processes(command=WORKER) as items:
        items.function = wait_and_clean_up
        task = items.start(args={"path": str(file)})
        await until(file.exists)
        task.cancel()
        await until(lambda: items.records[-1].cancel == "stopped")
        assert file.read_text() == "cleaned up"


@in_loop
async def test_nothing_that_a_cancelled_command_started_goes_on(tmp_path):
    file = tmp_path / "child"
    # The shell ends at the SIGTERM; the program that it waits for does not.
    child = f"trap '' TERM; echo $$ > {file}.part; mv {file}.part {file}; sleep 60; sleep 60"
    async with processes(command=["sh", "-c", 'sh -c "$0" & wait', child]) as items:
        items.function = how_many  # which is never called
        task = items.start(args={"folder": ""})
        await until(file.exists)
        task.cancel()
        await until(lambda: items.records[-1].cancel == "stopped")
        wait_for(lambda: not alive(int(file.read_text())))


@pytest.mark.parametrize("config", [{"command": WORKER, "workers": 1}, {"workers": 1}])
def test_a_program_that_ignores_its_childrens_ends(config):
    text = f"""
        import os, signal, wove
        from wove import weave

        signal.signal(signal.SIGCHLD, signal.SIG_IGN)
        wove.config(environments={{"w": {{"executor": "process", "executor_config": {config}}}}})
        with weave(error_mode="return") as w:
            @w.do(environment="w")
            def lost():
                os._exit(3)

        print(w.result.lost)
        with weave() as w:
            @w.do(environment="w")
            def after():
                return "done"

        print(w.result.after)
    """
    done = subprocess.run(
        [sys.executable, "-c", textwrap.dedent(text)], capture_output=True, text=True, timeout=60
    )
    lines = [line for line in done.stdout.splitlines() if line and "wove_version" not in line]
    lost, after = lines[0], lines[-1]
    assert "has ended, and how is not known: this program ignores SIGCHLD" in lost, done.stderr
    assert after == "done"


@pytest.mark.parametrize("entry", ["", "modules"])
def test_what_this_program_imports_is_found_from_another_folder(tmp_path, monkeypatch, entry):
    @in_loop
    async def run():
        folder = tmp_path / entry
        folder.mkdir(exist_ok=True)
        (folder / "of_mine.py").touch()
        monkeypatch.chdir(tmp_path)
        monkeypatch.setattr(sys, "path", [entry, *sys.path])
        async with own_pool(cwd="/") as items:
            items.function = import_it
            assert await items.run(args={"name": "of_mine"}) == "of_mine"

    run()


@in_loop
async def test_an_entry_of_sys_path_that_is_no_text_is_passed_over(monkeypatch):
    monkeypatch.setattr(sys, "path", [*sys.path, pathlib.Path("/somewhere")])
    async with own_pool() as items:
        items.function = variable
        assert await items.run(args={"name": "POOL"})
