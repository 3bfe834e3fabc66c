"""`wove worker ray` on a real cluster."""

from __future__ import annotations

import contextlib
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.adapters import tasks
from tests.backends.ray import work
from tests.backends.weaves import in_background
from tests.services import Worker, free_port, wove_worker
from wove.errors import WorkerLostError

pytestmark = [pytest.mark.xdist_group("adapters-ray"), pytest.mark.timeout(240)]


def test_sigterm_lets_the_job_in_hand_finish(
    cluster: str, node: Callable[..., Worker], mark: str, tmp_path: Path
) -> None:
    started = node("--num-cpus", "1")
    assert f" of {cluster}" in started.log()
    begun, gate = tmp_path / "begun", tmp_path / "gate"
    config = {"address": cluster, "remote_options": {"resources": {mark: 1}}}
    values = {"begun": str(begun), "gate": str(gate)}
    with in_background("ray", work.wait_at, config, **values) as found:
        tasks.wait_for(begun, seconds=60)
        started.ask_to_stop()
        with pytest.raises(subprocess.TimeoutExpired):
            started.process.wait(3)
        tasks.note(gate)
    assert found[0].wait_at == "let through"
    assert started.process.wait(60) == 0, started.log()
    assert "wove: stopped" in started.log()


def test_a_second_sigterm_waits_for_no_job(
    cluster: str, node: Callable[..., Worker], mark: str, tmp_path: Path
) -> None:
    started = node("--num-cpus", "1")
    begun, gate = tmp_path / "begun", tmp_path / "gate"
    config = {"address": cluster, "remote_options": {"resources": {mark: 1}}}
    values = {"begun": str(begun), "gate": str(gate)}
    options = {"delivery_heartbeat_seconds": 1}
    with in_background("ray", work.wait_at, config, options=options, **values) as found:
        tasks.wait_for(begun, seconds=60)
        for _ in range(2):
            started.process.terminate()
            with contextlib.suppress(subprocess.TimeoutExpired):
                started.process.wait(3)
        assert started.process.wait(40) == 0, started.log()
    assert isinstance(found[0].exception, WorkerLostError)


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["--address", "127.0.0.1:{port}"], "cannot reach the Ray cluster at 127.0.0.1:"),
        (["--address", "somewhere"], "give HOST:PORT"),
        (["--address", "127.0.0.1:{port}", "--resource", "GPU"], "give NAME=AMOUNT"),
    ],
)
def test_it_cannot_start(arguments: list[str], words: str) -> None:
    port = free_port()
    argv = wove_worker("ray", *(argument.format(port=port) for argument in arguments))
    done = subprocess.run(argv, capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 1
    assert words in done.stderr
    assert "Traceback" not in done.stderr
