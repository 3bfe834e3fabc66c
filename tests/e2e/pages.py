"""The examples of the backends' pages, typed as the pages say."""

from __future__ import annotations

import contextlib
import os
import re
import shlex
import subprocess
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path

from tests.services import ROOT, wait_until


def commands_of(page: str) -> list[str]:
    """The commands of the section "A complete example" of docs/PAGE."""
    text = (ROOT / "docs" / page).read_text()
    section = text.partition("## A complete example")[2].partition("\n## ")[0]
    return re.findall(r"^```sh\n(.*?)\n```$", section, re.M | re.S)


def environment(extra: Mapping[str, str] | None = None) -> dict[str, str]:
    """This process's environment, with the programs of the code under test on PATH."""
    path = os.pathsep.join([str(Path(sys.executable).parent), os.environ["PATH"]])
    return {**os.environ, **(extra or {}), "PATH": path}


@contextlib.contextmanager
def running(
    command: str,
    ready: str,
    *,
    folder: Path,
    log: Path,
    env: Mapping[str, str],
    seconds: float = 60,
) -> Iterator[None]:
    """A command that stays, until `ready` is in its output; stopped at the end."""
    with open(log, "wb") as output:
        process = subprocess.Popen(
            shlex.split(command),
            cwd=folder,
            env=env,
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
        )

    def is_ready() -> bool:
        assert process.poll() is None, log.read_text()
        return ready in log.read_text()

    try:
        wait_until(is_ready, seconds=seconds, what=f"{command}: {ready}")
        yield
    finally:
        process.terminate()
        try:
            process.wait(20)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait(5)


def output_of(command: str, *, folder: Path, env: Mapping[str, str]) -> str:
    """What a command that ends by itself, with status 0, has printed."""
    done = subprocess.run(
        shlex.split(command),
        cwd=folder,
        env=env,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout
