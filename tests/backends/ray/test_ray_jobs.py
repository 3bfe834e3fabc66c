"""Jobs as Ray and its operators see them, on a real cluster."""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import ray

from tests.adapters import tasks
from tests.backends.ray import work
from tests.backends.weaves import in_background, run_remote
from tests.services import Worker, free_port, wait_until
from wove.errors import DeliveryTimeoutError, ErrorCode, SubmissionError
from wove.executors.backend_state import BackendStatus
from wove.integrations import _ray_cluster
from wove.integrations._reporting import TaskFailedError

pytestmark = [pytest.mark.xdist_group("adapters-ray"), pytest.mark.timeout(240)]
Node = Callable[..., Worker]
SHARED = {"resources": {"shared": 1}}
"""Has a job run on the cluster's own node, and on no test's."""


def submitted(monkeypatch: pytest.MonkeyPatch) -> list[_ray_cluster.RayJob]:
    """What the adapter submits from now on."""
    found: list[_ray_cluster.RayJob] = []
    submit = _ray_cluster.submit

    def noting(*arguments: Any) -> _ray_cluster.RayJob:
        found.append(submit(*arguments))
        return found[-1]

    monkeypatch.setattr("wove.integrations.ray.submit", noting)
    return found


def test_rays_job_ends_as_the_task_did(cluster: str, monkeypatch: pytest.MonkeyPatch) -> None:
    jobs = submitted(monkeypatch)
    config = {"address": cluster, "remote_options": SHARED}
    assert run_remote("ray", work.where, config).where != os.getpid()
    failed = run_remote("ray", work.refuse, config, error_mode="return")
    assert isinstance(failed.refuse, LookupError)
    first, second = jobs
    summary = ray.get(first.reference, timeout=30)
    assert (summary["outcome"], summary["delivered"]) == ("succeeded", True)
    with pytest.raises(TaskFailedError, match="LookupError: no such account") as caught:
        ray.get(second.reference, timeout=30)
    assert "ray::refuse()" in str(caught.value)  # as Ray calls it, also in its views
    wait_until(second.future.done, seconds=10, what="Ray has told its owner")
    assert _ray_cluster.settled(second).status is BackendStatus.FAILED
    assert [run.backend_job_id for run in failed.runs] == [second.id]


def test_max_retries_of_the_users_has_ray_run_it_again(
    cluster: str, node: Node, mark: str, tmp_path: Path
) -> None:
    node()
    pids = tmp_path / "pids"
    config = {"address": cluster, "remote_options": {"resources": {mark: 1}, "max_retries": 2}}
    # The weave gives a run up whose worker has been silent for so long, and a new process of
    # Ray's takes a while to begin.
    options = {"delivery_heartbeat_seconds": 8}
    with in_background("ray", work.stay_once, config, options=options, pids=str(pids)) as found:
        os.kill(int(tasks.wait_for(pids, seconds=60)), signal.SIGKILL)
    assert found[0].stay_once == "from the second execution"
    assert len(tasks.lines(pids)) == 2


def test_force_cancel_ends_the_process(cluster: str, tmp_path: Path) -> None:
    begun, gate = tmp_path / "begun", tmp_path / "gate"
    values = {"begun": str(begun), "gate": str(gate)}
    # No beats that could tell it: it is Ray that stops the task.
    options = {"delivery_timeout": 20.0}
    config = {"address": cluster, "force_cancel": True, "remote_options": SHARED}
    result = run_remote("ray", work.wait_at, config, options=options, error_mode="return", **values)
    assert isinstance(result.exception, DeliveryTimeoutError)
    (run,) = result.runs
    assert (run.state, run.cancel) == ("timed_out", "stopped")
    pid = int(tasks.lines(begun)[0])
    deadline = time.monotonic() + 10
    while Path(f"/proc/{pid}").exists() and time.monotonic() < deadline:
        time.sleep(0.05)
    assert not Path(f"/proc/{pid}").exists()


def test_another_cluster_than_the_processs_own_is_refused(cluster: str) -> None:
    run_remote("ray", work.where, {"address": cluster, "remote_options": SHARED})
    other = f"127.0.0.1:{free_port()}"
    with pytest.raises(SubmissionError, match="is connected to the Ray cluster at") as caught:
        run_remote("ray", work.where, {"address": other})
    assert caught.value.code is ErrorCode.BACKEND_UNAVAILABLE


@pytest.mark.parametrize("name", ["init_options", "remote_options"])
def test_options_that_are_none(name: str) -> None:
    with pytest.raises(TypeError, match=name):
        run_remote("ray", work.where, {name: 3})
