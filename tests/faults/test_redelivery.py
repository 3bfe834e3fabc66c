"""A backend that hands one job to two workers; a run that was replaced and speaks after all."""

from __future__ import annotations

import os
import signal
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.adapters import tasks
from tests.faults.programs import Job
from tests.faults.proxy import LOSE_ANSWER, PASS, Action, Proxy, Request, first
from tests.services import wait_until
from wove import weave
from wove.integrations.base import BackendState, BackendStatus

pytestmark = pytest.mark.xdist_group("faults-redelivery")

Use = Callable[..., None]
Programs = Callable[..., dict[str, Any]]

RUNNING = BackendState(BackendStatus.RUNNING)
LOST = BackendState(BackendStatus.LOST, "the node does not answer")


def test_redelivery_while_the_first_execution_beats(
    use: Use, programs: Programs, jobs: list[Job], tmp_path: Path
) -> None:
    use(programs(delivery_heartbeat_seconds=1))
    started, effects = tmp_path / "started", tmp_path / "effects"
    with weave(started=str(started), effects=str(effects)) as w:

        @w.do(environment="remote")
        def first_only(started: str, effects: str) -> int:
            tasks.note(started)
            time.sleep(3)
            tasks.note(effects)
            return os.getpid()

        @w.do
        def redeliver(started: str) -> int:
            tasks.wait_for(started)
            return jobs[0].start().pid

    job = jobs[0]
    assert w.result.first_only == job.processes[0].pid
    assert job.summary(1)["outcome"] != job.summary(0)["outcome"]
    assert job.processes[1].wait(10) == 0  # it ended in order, without the task
    assert len(tasks.lines(started)) == 1
    assert len(tasks.lines(effects)) == 1


def test_redelivery_after_the_first_execution_died(
    use: Use, programs: Programs, jobs: list[Job], tmp_path: Path
) -> None:
    use(programs(delivery_heartbeat_seconds=1))
    started, effects = tmp_path / "started", tmp_path / "effects"
    with weave(started=str(started), effects=str(effects)) as w:

        @w.do(environment="remote")
        def whoever(started: str, effects: str) -> int:
            tasks.note(started)
            if len(tasks.lines(started)) == 1:
                time.sleep(60)
            tasks.note(effects)
            return os.getpid()

        @w.do
        def redeliver(started: str) -> None:
            tasks.wait_for(started)
            job = jobs[0]
            job.says = RUNNING  # a queue that redelivers calls the job running again
            os.kill(job.processes[0].pid, signal.SIGKILL)
            job.processes[0].wait(5)
            job.start()

    assert w.result.whoever == jobs[0].processes[1].pid
    assert len(tasks.lines(started)) == 2
    assert len(tasks.lines(effects)) == 1
    (run,) = [run for run in w.result.runs if run.task == "whoever"]
    assert (run.state, run.attempt) == ("succeeded", 0)


def test_the_late_result_of_a_superseded_run_is_taken(
    use: Use, programs: Programs, proxy: Proxy, jobs: list[Job], tmp_path: Path
) -> None:
    """The first run is finished and cannot say so; the backend calls it lost, wrongly."""
    reconnected, second = threading.Event(), tmp_path / "second"
    use(
        programs(
            {"callback_url": proxy.url("late")},
            delivery_heartbeat_seconds=1,
            delivery_orphan_policy="requeue",
        )
    )

    def rule(request: Request) -> Action:
        if request.run_id == jobs[0].id and request.frame in ("task_result", "heartbeat"):
            if request.frame == "task_result":
                jobs[0].says = LOST
            return Action(hold=reconnected)
        return PASS

    proxy.rule = rule
    with weave(second=str(second)) as w:

        @w.do(environment="remote")
        def work(second: str) -> str:
            if len(tasks.lines(second)) == 0:
                tasks.note(second, "first")
                return "of the first run"
            tasks.note(second, "second")
            deadline = time.monotonic() + 30
            while time.monotonic() < deadline:
                time.sleep(0.01)
            tasks.note(second, "too far")
            return "of the second run"

        @w.do
        def reconnect(second: str) -> None:
            tasks.wait_for(second, lines_=2)
            reconnected.set()

    assert w.result.work == "of the first run"
    old, new = [run for run in w.result.runs if run.task == "work"]
    assert (old.attempt, new.attempt) == (0, 1)
    assert new.state == "cancelled"
    assert jobs[1].processes[0].wait(10) == 0  # the newer run was told to stop, and did
    assert tasks.lines(second) == ["first", "second"]


def test_the_late_cancel_of_a_superseded_run_changes_nothing(
    use: Use, programs: Programs, proxy: Proxy, jobs: list[Job], tmp_path: Path
) -> None:
    """The backend calls a live run lost; it is told to stop, and its answer comes late."""
    use(
        programs(
            {"callback_url": proxy.url("late")},
            delivery_heartbeat_seconds=1,
            delivery_orphan_policy="requeue",
        )
    )
    started = tmp_path / "started"
    with weave(started=str(started)) as w:

        @w.do(environment="remote")
        def work(started: str) -> str:
            tasks.note(started)
            deadline = time.monotonic() + (20 if len(tasks.lines(started)) == 1 else 3)
            while time.monotonic() < deadline:
                time.sleep(0.01)
            return "of the second run"

        @w.do
        def misjudge(started: str) -> None:
            tasks.wait_for(started)
            jobs[0].says = LOST
            tasks.wait_for(started, lines_=2)
            proxy.wait_for("task_cancelled")

    assert w.result.work == "of the second run"
    old, new = [run for run in w.result.runs if run.task == "work"]
    assert (old.state, new.state) == ("lost", "succeeded")
    (cancelled,) = proxy.frames("task_cancelled")
    assert cancelled.run_id == old.run_id
    assert cancelled.status in (200, 204)


def test_a_lost_answer_to_the_terminal_event(
    use: Use, proxy: Proxy, port: int, tmp_path: Path
) -> None:
    """The result is in and its acknowledgement is lost: it is sent again, and taken once."""
    proxy.rule = first("task_result", LOSE_ANSWER)
    use(
        {
            "executor": "process",
            "executor_config": {"callback_port": port, "callback_url": proxy.url("lost")},
        }
    )
    effects = tmp_path / "effects"
    with weave(effects=str(effects)) as w:

        @w.do(environment="remote")
        def once(effects: str) -> str:
            tasks.note(effects)
            return "right"

        @w.do
        def after(once: str, effects: str) -> str:
            tasks.note(effects)
            return once

    assert w.result.after == "right"
    wait_until(
        lambda: [r.status for r in proxy.frames("task_result")] == [204, 204],
        seconds=10,
        what="the result was sent twice and acknowledged twice",
    )
    one, two = proxy.frames("task_result")
    assert one.body == two.body
    assert len(tasks.lines(effects)) == 2  # the task, and the one that depends on it
