"""Whatever the network does between worker and receiver, a run ends right and happens once."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.adapters import tasks
from tests.faults import proxy as faults
from tests.faults.liveness import QUICK
from tests.faults.proxy import Action, Proxy, first, sometimes
from wove import BackendAdapterEnvironmentExecutor, weave
from wove.errors import DeliveryError

pytestmark = pytest.mark.xdist_group("faults-network")

Use = Callable[..., None]

FAULTS = {
    "lost request": faults.LOSE_REQUEST,
    "lost answer": faults.LOSE_ANSWER,
    "delay": faults.DELAY,
    "duplicate": faults.DUPLICATE,
    "reordered": faults.REORDER,
    "truncated request": faults.TRUNCATE_REQUEST,
    "truncated answer": faults.TRUNCATE_ANSWER,
    "corrupted answer": faults.CORRUPT_ANSWER,
    "another server's 502": faults.BAD_GATEWAY,
    "another server's 410": faults.STRANGER_SAYS_GONE,
    "another server's 204": faults.STRANGER_SAYS_FINE,
}


def through(proxy: Proxy, port: int, executor: str = "process", **config: Any) -> dict[str, Any]:
    """An environment whose workers report through the proxy."""
    callback = {"callback_port": port, "callback_url": proxy.url("network")}
    return {"executor": executor, "executor_config": {**callback, **config}}


@pytest.mark.parametrize("frame", ["task_started", "task_result"])
@pytest.mark.parametrize("fault", FAULTS.values(), ids=FAULTS.keys())
def test_a_run_ends_right_and_happens_once(
    use: Use, proxy: Proxy, port: int, tmp_path: Path, fault: Action, frame: str
) -> None:
    proxy.rule = first(frame, fault, times=2)
    use(through(proxy, port))
    effects = tmp_path / "effects"
    with weave(effects=str(effects)) as w:

        @w.do(environment="remote")
        def once(effects: str) -> str:
            tasks.note(effects)
            return "right"

    assert w.result.once == "right"
    assert len(tasks.lines(effects)) == 1
    assert [run.state for run in w.result.runs] == ["succeeded"]
    if fault not in (faults.DELAY, faults.DUPLICATE):  # those two disturb nobody
        proxy.wait_for(frame, count=3)  # the result may be in before the worker knows
        sent = proxy.frames(frame)
        assert len({request.event_id for request in sent}) == 1
        assert len({request.body for request in sent}) == 1  # byte for byte the same event


@pytest.mark.parametrize("fault", FAULTS.values(), ids=FAULTS.keys())
def test_a_tasks_exception_gets_through(use: Use, proxy: Proxy, port: int, fault: Action) -> None:
    proxy.rule = first("task_error", fault)
    use(through(proxy, port))
    with pytest.raises(tasks.Refused, match="as raised"), weave() as w:

        @w.do(environment="remote")
        def refuse() -> None:
            raise tasks.Refused("as raised")


def test_a_refused_connection(use: Use, proxy: Proxy, port: int, tmp_path: Path) -> None:
    use(through(proxy, port))
    gate, started = tmp_path / "gate", tmp_path / "started"
    with weave(gate=str(gate), started=str(started)) as w:

        @w.do(environment="remote")
        def patient(gate: str, started: str) -> str:
            tasks.note(started)
            tasks.wait_for(gate)
            return "right"

        @w.do
        def trouble(gate: str, started: str) -> None:
            tasks.wait_for(started)
            proxy.refuse()
            tasks.note(gate)
            time.sleep(1.2)
            proxy.listen()

    assert w.result.patient == "right"


def test_connections_cut_in_mid_task(use: Use, proxy: Proxy, port: int, tmp_path: Path) -> None:
    use({**through(proxy, port), "delivery_heartbeat_seconds": 1})
    started = tmp_path / "started"
    with weave(started=str(started)) as w:

        @w.do(environment="remote")
        def long(started: str) -> str:
            tasks.note(started)
            time.sleep(2.5)
            return "right"

        @w.do
        def trouble(started: str) -> None:
            tasks.wait_for(started)
            for _ in range(4):
                time.sleep(0.4)
                proxy.cut()

    assert w.result.long == "right"
    assert [run.state for run in w.result.runs if run.task == "long"] == ["succeeded"]


def test_every_beat_is_lost_and_the_backend_says_running(use: Use, proxy: Proxy, port: int) -> None:
    proxy.rule = first("heartbeat", faults.LOSE_REQUEST, times=10_000)
    use({**through(proxy, port), "delivery_heartbeat_seconds": 1})
    with weave() as w:

        @w.do(environment="remote")
        def quiet() -> str:
            time.sleep(4)
            return "right"

    assert w.result.quiet == "right"
    assert proxy.frames("heartbeat")


@pytest.mark.parametrize("frame", ["task_started", "task_result"])
def test_an_event_that_arrives_corrupted_is_not_taken(
    use: Use, proxy: Proxy, port: int, tmp_path: Path, frame: str
) -> None:
    """The receiver refuses it; the run ends with an error that says so, not with silence."""
    proxy.rule = first(frame, faults.CORRUPT_REQUEST, times=10_000)
    quick = BackendAdapterEnvironmentExecutor("process", liveness=QUICK)
    use({**through(proxy, port), "executor": quick})
    effects = tmp_path / "effects"
    begun = time.monotonic()
    with pytest.raises(DeliveryError), weave(effects=str(effects)) as w:

        @w.do(environment="remote")
        def once(effects: str) -> str:
            tasks.note(effects)
            return "never seen"

    assert time.monotonic() - begun < 15
    assert {request.status for request in proxy.frames(frame)} == {400}
    assert len(tasks.lines(effects)) == (0 if frame == "task_started" else 1)


MIX = [
    faults.LOSE_REQUEST,
    faults.LOSE_ANSWER,
    Action(delay=0.1),
    faults.DUPLICATE,
    faults.REORDER,
    faults.TRUNCATE_REQUEST,
    faults.TRUNCATE_ANSWER,
    faults.CORRUPT_ANSWER,
    faults.BAD_GATEWAY,
]


def assert_all_right_and_once(effects: Path, count: int) -> None:
    with weave(effects=str(effects)) as w:

        @w.do(range(count), environment="remote")
        def once(n: int, effects: str) -> int:
            tasks.note(effects, str(n))
            return n * n

    assert w.result.once == [n * n for n in range(count)]
    assert sorted(tasks.lines(effects), key=int) == [str(n) for n in range(count)]
    assert {run.state for run in w.result.runs} == {"succeeded"}


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_everything_at_once(use: Use, proxy: Proxy, port: int, tmp_path: Path, seed: int) -> None:
    proxy.rule = sometimes(MIX, chance=0.3, seed=seed)
    use(through(proxy, port, workers=4))
    assert_all_right_and_once(tmp_path / "effects", 20)


def test_everything_at_once_with_celery(
    use: Use, proxy: Proxy, port: int, tmp_path: Path, redis_url: str, celery_worker: Any
) -> None:
    celery_worker(redis_url, queue="faults-network", concurrency=4)
    proxy.rule = sometimes(MIX, chance=0.3, seed=4)
    config = {"broker_url": redis_url, "queue": "faults-network"}
    use(through(proxy, port, "celery", **config))
    assert_all_right_and_once(tmp_path / "effects", 20)
