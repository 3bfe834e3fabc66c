"""The example of docs/taskiq.md, typed as the page says."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.e2e.pages import commands_of, environment, output_of, running
from tests.services import ROOT

FOLDER = ROOT / "workers" / "python" / "taskiq"
WOVES, EXAMPLE, TASKIQS = commands_of("taskiq.md")


@pytest.mark.parametrize(
    ("worker", "ready"), [(WOVES, "wove: ready"), (TASKIQS, "Listening started")]
)
def test_the_page_says_how(
    worker: str, ready: str, host_redis: dict[str, str], tmp_path: Path
) -> None:
    env = environment(host_redis)
    with running(worker, ready, folder=FOLDER, log=tmp_path / "worker", env=env):
        assert "'balance': 495" in output_of(EXAMPLE, folder=FOLDER, env=env)
