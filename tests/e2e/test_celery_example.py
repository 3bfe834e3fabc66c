"""The example of docs/celery.md, typed as the page says."""

from __future__ import annotations

import os
import re
import shlex
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.services import ROOT, stop_process, wait_until

FOLDER = ROOT / "workers" / "python" / "celery"


def commands_of_the_page() -> list[str]:
    page = (ROOT / "docs" / "celery.md").read_text()
    section = page.partition("## A complete example")[2].partition("\n## ")[0]
    return re.findall(r"^```sh\n(.*?)\n```$", section, re.M | re.S)


@pytest.fixture
def env(host_redis: dict[str, str]) -> dict[str, str]:
    path = os.pathsep.join([str(Path(sys.executable).parent), os.environ["PATH"]])
    return {**os.environ, **host_redis, "PATH": path}


@pytest.fixture
def start(env: dict[str, str], tmp_path: Path) -> Iterator[Callable[[str, str], None]]:
    running: list[int] = []

    def start(command: str, ready: str) -> None:
        log = tmp_path / "worker.log"
        with open(log, "wb") as output:
            process = subprocess.Popen(
                shlex.split(command),
                cwd=FOLDER,
                env=env,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
            )
        running.append(process.pid)

        def is_ready() -> bool:
            assert process.poll() is None, log.read_text()
            return ready in log.read_text()

        wait_until(is_ready, seconds=30, what=f"{command}: {ready}")
        process.returncode = 0  # stopped by its id

    yield start
    for pid in running:
        stop_process(pid)


def run_example(command: str, env: dict[str, str]) -> None:
    # The example prints nothing. It is run as the page says, and once more to look at its result.
    script = shlex.split(command)[1]
    code = (
        f"import runpy; w = runpy.run_path({script!r}, run_name='__main__')['w']; "
        "print(w.result.account, w.result.report, [r.backend for r in w.result.runs])"
    )
    for argv in (shlex.split(command), ["python", "-c", code]):
        done = subprocess.run(
            argv, cwd=FOLDER, env=env, capture_output=True, text=True, timeout=40, check=False
        )
        assert done.returncode == 0, done.stderr
    assert "'balance': 495" in done.stdout
    assert "'celery'" in done.stdout


def test_the_page_says_how(start: Callable[[str, str], None], env: dict[str, str]) -> None:
    worker, example = commands_of_the_page()
    start(worker, "wove: ready")
    run_example(example, env)


def test_a_hand_written_worker_does_as_well(
    start: Callable[[str, str], None], env: dict[str, str]
) -> None:
    start("celery -A myapp.worker worker --loglevel INFO", " ready.")
    run_example(commands_of_the_page()[1], env)
