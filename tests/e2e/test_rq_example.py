"""The example of docs/rq.md, typed as the page says."""

from __future__ import annotations

import os
import re
import shlex
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.services import ROOT, Worker, start_worker, stop_workers

FOLDER = ROOT / "workers" / "python" / "rq"


def commands_of_the_page() -> list[str]:
    page = (ROOT / "docs" / "rq.md").read_text()
    section = page.partition("## A complete example")[2].partition("\n## ")[0]
    return re.findall(r"^```sh\n(.*?)\n```$", section, re.M | re.S)


@pytest.fixture
def env(host_redis: dict[str, str]) -> dict[str, str]:
    path = os.pathsep.join([str(Path(sys.executable).parent), os.environ["PATH"]])
    return {**os.environ, **host_redis, "PATH": path}


@pytest.fixture
def start(
    env: dict[str, str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Callable[[str, str], None]]:
    workers: list[Worker] = []
    monkeypatch.chdir(FOLDER)

    def start(command: str, ready: str) -> None:
        argv = shlex.split(command)
        argv[0] = str(Path(sys.executable).parent / argv[0])
        workers.append(start_worker(tmp_path, "example", argv, ready=ready, env=env))

    yield start
    stop_workers(workers)


def run_example(command: str, env: dict[str, str]) -> None:
    done = subprocess.run(
        shlex.split(command), cwd=FOLDER, env=env, capture_output=True, text=True, timeout=60
    )
    assert done.returncode == 0, done.stderr
    assert "'balance': 495" in done.stdout


def test_the_page_says_how(start: Callable[[str, str], None], env: dict[str, str]) -> None:
    worker, example, _ = commands_of_the_page()
    start(worker, "wove: ready")
    run_example(example, env)


def test_rqs_own_worker_does_as_well(
    start: Callable[[str, str], None], env: dict[str, str]
) -> None:
    _, example, worker = commands_of_the_page()
    start(worker, "Listening on")
    run_example(example, env)
