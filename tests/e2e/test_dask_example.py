"""The example of docs/dask.md, on a port of the test's own."""

from __future__ import annotations

from pathlib import Path

from tests.e2e.pages import commands_of, environment, output_of, running
from tests.services import ROOT, free_port

FOLDER = ROOT / "workers" / "python" / "dask"


def test_the_page_says_how(tmp_path: Path) -> None:
    port = str(free_port())
    scheduler, worker, example = (text.replace("8786", port) for text in commands_of("dask.md"))
    env = environment({"DASK_ADDRESS": f"tcp://localhost:{port}"})
    with (
        running(scheduler, "Scheduler at:", folder=FOLDER, log=tmp_path / "scheduler", env=env),
        running(worker, "wove: ready", folder=FOLDER, log=tmp_path / "worker", env=env),
    ):
        assert output_of(example, folder=FOLDER, env=env) == "[('the', 3)]\n"
