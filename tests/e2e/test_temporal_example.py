"""The example of docs/temporal.md, on a port of the test's own."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.e2e.pages import commands_of, environment, output_of, running
from tests.services import ROOT, free_port

FOLDER = ROOT / "workers" / "python" / "temporal"
SERVER, WOVES, EXAMPLE, OWN = commands_of("temporal.md")


@pytest.fixture
def port(tmp_path: Path) -> Iterator[str]:
    """Where the server of the page listens."""
    port = str(free_port())
    command = SERVER.replace("7233", port)
    env = environment({"HOME": str(tmp_path)})
    with running(command, "Temporal Server:", folder=tmp_path, log=tmp_path / "server", env=env):
        yield port


@pytest.mark.parametrize(("worker", "ready"), [(WOVES, "wove: ready"), (OWN, "serving reports")])
def test_the_page_says_how(port: str, tmp_path: Path, worker: str, ready: str) -> None:
    env = environment({"TEMPORAL_ADDRESS": f"localhost:{port}"})
    command = worker.replace("7233", port)
    with running(command, ready, folder=FOLDER, log=tmp_path / "worker", env=env):
        assert output_of(EXAMPLE, folder=FOLDER, env=env) == "495 for Ada\n"
