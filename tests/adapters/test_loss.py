"""A job whose worker or backend is gone ends the weave in bounded time, with a typed error."""

from __future__ import annotations

import os
import signal
import threading
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.adapters import tasks
from tests.adapters.backend import Backend, Workers
from wove import weave
from wove.errors import DeliveryOrphanedError, SubmissionError, WorkerLostError

Use = Callable[..., None]

LIMIT = 25.0
"""Seconds after which a loss has not been noticed: far above what it takes."""


def stay(pid_file: str) -> None:
    """Tell which process this is, and stay."""
    tasks.note(pid_file, str(os.getpid()))
    time.sleep(100)


def kill_process_of(pid_file: Path, workers: Workers) -> threading.Thread:
    """Kill, as the kernel does when memory runs out, the process that tells its id there."""

    def kill() -> None:
        workers.kill_process(int(tasks.wait_for(pid_file)))

    thread = threading.Thread(target=kill)
    thread.start()
    return thread


def test_the_process_of_a_task_is_killed(use: Use, backend: Backend, tmp_path: Path) -> None:
    pid_file = tmp_path / "pid"
    with backend.own_workers(tmp_path) as workers:
        use(workers.config, delivery_heartbeat_seconds=1)
        killer = kill_process_of(pid_file, workers)
        begun = time.monotonic()
        with pytest.raises(WorkerLostError) as caught, weave(pid_file=str(pid_file)) as w:
            w.do(environment="remote")(stay)
        killer.join(5)

    assert time.monotonic() - begun < LIMIT + backend.capabilities.start_seconds, str(caught.value)
    assert caught.value.code in backend.capabilities.lost_process
    assert (caught.value.task, caught.value.environment) == ("stay", "remote")
    assert "delivery_orphan_policy='requeue'" in str(caught.value)  # what to do about it
    (run,) = w.runs
    assert (run.state, run.error) == ("lost", caught.value)
    assert caught.value.run_id == run.run_id
    assert caught.value.backend_job_id == run.backend_job_id


def test_the_whole_worker_is_killed(use: Use, backend: Backend, tmp_path: Path) -> None:
    pid_file = tmp_path / "pid"
    with backend.own_workers(tmp_path) as workers:
        use(workers.config, delivery_heartbeat_seconds=1)

        def kill() -> None:
            tasks.wait_for(pid_file)
            workers.kill()

        killer = threading.Thread(target=kill)
        killer.start()
        begun = time.monotonic()
        with pytest.raises(WorkerLostError) as caught, weave(pid_file=str(pid_file)) as w:
            w.do(environment="remote")(stay)
        killer.join(5)

    assert time.monotonic() - begun < LIMIT + backend.capabilities.start_seconds, str(caught.value)
    assert caught.value.code in backend.capabilities.lost_worker
    assert [run.state for run in w.runs] == ["lost"]


def test_the_policy_fail_gives_an_orphan_up(use: Use, backend: Backend, tmp_path: Path) -> None:
    pid_file = tmp_path / "pid"
    with backend.own_workers(tmp_path) as workers:
        use(workers.config, delivery_heartbeat_seconds=1, delivery_orphan_policy="fail")
        killer = kill_process_of(pid_file, workers)
        with pytest.raises(DeliveryOrphanedError), weave(pid_file=str(pid_file)) as w:
            w.do(environment="remote")(stay)
        killer.join(5)
    assert [run.state for run in w.runs] == ["lost"]


def test_the_policy_requeue_makes_a_new_run(use: Use, backend: Backend, tmp_path: Path) -> None:
    pid_file = tmp_path / "pid"
    with backend.own_workers(tmp_path) as workers:
        use(workers.config, delivery_heartbeat_seconds=1, delivery_orphan_policy="requeue")
        killer = kill_process_of(pid_file, workers)
        with weave(pid_file=str(pid_file)) as w:

            @w.do(environment="remote")
            def twice(pid_file: str) -> str:
                again = bool(tasks.lines(pid_file))
                tasks.note(pid_file, str(os.getpid()))
                if not again:
                    time.sleep(60)
                return "from the second run"

        killer.join(5)
    assert w.result.twice == "from the second run"
    first_run, second_run = w.runs
    assert (first_run.state, second_run.state) == ("lost", "succeeded")
    assert (first_run.attempt, second_run.attempt) == (0, 1)
    assert first_run.run_id != second_run.run_id


def test_requeueing_ends_when_every_run_is_lost(use: Use, backend: Backend, tmp_path: Path) -> None:
    starts = tmp_path / "starts"
    with backend.own_workers(tmp_path) as workers:
        use(workers.config, delivery_heartbeat_seconds=1, delivery_orphan_policy="requeue")
        with pytest.raises(WorkerLostError), weave(starts=str(starts)) as w:

            @w.do(environment="remote")
            def deadly(starts: str) -> None:
                tasks.note(starts)
                os.kill(os.getpid(), signal.SIGKILL)

    assert len(tasks.lines(starts)) == 3  # the first run, and two more
    assert [run.attempt for run in w.runs] == [0, 1, 2]
    assert [run.state for run in w.runs] == ["lost", "lost", "lost"]


def test_the_backend_is_down_at_submission(use: Use, backend: Backend) -> None:
    use(backend.down())
    begun = time.monotonic()
    with pytest.raises(SubmissionError) as caught, weave() as w:

        @w.do(environment="remote")
        def unreachable() -> None: ...

    assert time.monotonic() - begun < LIMIT + backend.capabilities.start_seconds, str(caught.value)
    assert caught.value.code is backend.capabilities.down
    assert caught.value.task == "unreachable"
    assert caught.value.environment == "remote"
    assert caught.value.reason
