"""Whatever the network does to gRPC, a run ends right and happens once."""

from __future__ import annotations

import functools
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.adapters import tasks
from tests.faults import grpc_proxy as faults
from tests.faults.grpc_proxy import Action, GrpcProxy, first, sometimes
from tests.faults.liveness import QUICK
from tests.faults.proxy import Proxy
from tests.faults.test_network import assert_all_right_and_once
from tests.services import wait_until
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
    "corrupted request": faults.CORRUPT_REQUEST_FRAME,
    "corrupted answer": faults.CORRUPT_ANSWER_FRAME,
    "unreadable acknowledgement": faults.GARBLE_ANSWER,
}
UNDISTURBED = (faults.DELAY, faults.DUPLICATE, faults.GARBLE_ANSWER)
"""After these the worker has its answer, and sends the event once."""
MIX = [*FAULTS.values(), Action(delay=0.1)]


@pytest.fixture
def through(
    proxy: Proxy, grpc_proxy: GrpcProxy, port: int, grpc_port: int
) -> Callable[..., dict[str, Any]]:
    """An environment whose workers report by gRPC, and by HTTP where they cannot."""

    grpc_proxy.others.append(proxy)

    def make(**config: Any) -> dict[str, Any]:
        callback = {
            "callback_port": port,
            "callback_url": proxy.url("network"),
            "callback_grpc": grpc_proxy.address,
            "callback_grpc_port": grpc_port,
        }
        return {"executor": "process", "executor_config": {**callback, **config}}

    return make


Through = Callable[..., dict[str, Any]]


@pytest.mark.parametrize("frame", ["task_started", "task_result"])
@pytest.mark.parametrize("fault", FAULTS.values(), ids=FAULTS.keys())
def test_a_run_ends_right_and_happens_once(
    use: Use,
    through: Through,
    proxy: Proxy,
    grpc_proxy: GrpcProxy,
    tmp_path: Path,
    fault: Action,
    frame: str,
) -> None:
    grpc_proxy.rule = first(frame, fault, times=2)
    use(through())
    effects = tmp_path / "effects"
    with weave(effects=str(effects)) as w:

        @w.do(environment="remote")
        def once(effects: str) -> str:
            tasks.note(effects)
            return "right"

    assert w.result.once == "right"
    assert len(tasks.lines(effects)) == 1
    assert [run.state for run in w.result.runs] == ["succeeded"]
    # A worker that cannot make a new channel in a few seconds, as on a starved machine, goes on
    # by HTTP. Where the connection held it had no cause to.
    by_http = functools.partial(proxy.frames, frame)
    if fault in UNDISTURBED:
        assert by_http() == []
    else:
        tries = lambda: len(grpc_proxy.frames(frame)) + len(by_http())  # noqa: E731
        wait_until(lambda: tries() >= 3, seconds=20, what="the third try")
    sent = grpc_proxy.frames(frame)
    assert sent
    assert len({message.event_id for message in [*sent, *by_http()]}) == 1
    assert len({message.body for message in sent}) == 1


@pytest.mark.parametrize("fault", FAULTS.values(), ids=FAULTS.keys())
def test_a_tasks_exception_gets_through(
    use: Use, through: Through, grpc_proxy: GrpcProxy, fault: Action
) -> None:
    grpc_proxy.rule = first("task_error", fault)
    use(through())
    with pytest.raises(tasks.Refused, match="as raised"), weave() as w:

        @w.do(environment="remote")
        def refuse() -> None:
            raise tasks.Refused("as raised")

    assert grpc_proxy.frames("task_error")


@pytest.mark.parametrize("fault", FAULTS.values(), ids=FAULTS.keys())
def test_a_stream_of_beats_goes_on(
    use: Use, through: Through, grpc_proxy: GrpcProxy, tmp_path: Path, fault: Action
) -> None:
    """Heartbeats travel on a stream; the task neither notices nor is judged by what befalls it."""
    grpc_proxy.rule = first("heartbeat", fault, times=2)
    use({**through(), "delivery_heartbeat_seconds": 0.6})
    effects, gate = tmp_path / "effects", tmp_path / "gate"
    with weave(effects=str(effects), gate=str(gate)) as w:

        @w.do(environment="remote")
        def once(effects: str, gate: str) -> str:
            tasks.note(effects)
            tasks.wait_for(gate)
            return "right"

        @w.do
        def beats(gate: str) -> None:
            grpc_proxy.wait_for("heartbeat", count=4)
            tasks.note(gate)

    assert w.result.once == "right"
    assert len(tasks.lines(effects)) == 1
    beats_ = grpc_proxy.frames("heartbeat")
    streams = {(message.connection, message.stream) for message in beats_}
    assert len(beats_) >= 4
    if fault is faults.DUPLICATE:
        assert len(streams) == 1
    elif fault is not faults.DELAY:  # which is longer than some beats wait
        assert len(streams) > 1


def test_a_cancel_is_told_though_the_stream_was_cut(
    use: Use, through: Through, grpc_proxy: GrpcProxy, tmp_path: Path
) -> None:
    use({**through(), "delivery_heartbeat_seconds": 0.6})
    ended = tmp_path / "ended"
    with pytest.raises(ZeroDivisionError), weave(ended=str(ended)) as w:

        @w.do(environment="remote")
        def long(ended: str) -> None:
            try:
                for _ in range(3000):
                    time.sleep(0.01)
            finally:
                tasks.note(ended)

        @w.do
        def trouble() -> None:
            grpc_proxy.wait_for("heartbeat")
            grpc_proxy.cut()
            raise ZeroDivisionError

    (run,) = [run for run in w.runs if run.task == "long"]
    assert run.cancel == "stopped"
    tasks.wait_for(ended)


def test_a_refused_connection(
    use: Use, through: Through, proxy: Proxy, grpc_proxy: GrpcProxy, tmp_path: Path
) -> None:
    """Neither gRPC nor HTTP gets through; when HTTP does, the result is in."""
    use(through())
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
            grpc_proxy.refuse()
            proxy.refuse()
            tasks.note(gate)
            time.sleep(1.2)
            proxy.listen()

    assert w.result.patient == "right"
    assert next(message.frame for message in grpc_proxy.seen) == "task_started"
    assert proxy.frames("task_result")


def test_connections_cut_in_mid_task(
    use: Use, through: Through, grpc_proxy: GrpcProxy, tmp_path: Path
) -> None:
    use({**through(), "delivery_heartbeat_seconds": 1})
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
                grpc_proxy.cut()

    assert w.result.long == "right"
    assert [run.state for run in w.result.runs if run.task == "long"] == ["succeeded"]


@pytest.mark.parametrize("frame", ["task_started", "task_result"])
def test_an_event_that_arrives_garbled_is_not_taken(
    use: Use, through: Through, grpc_proxy: GrpcProxy, tmp_path: Path, frame: str
) -> None:
    """The receiver refuses it; the run ends with an error that says so, not with silence."""
    grpc_proxy.rule = first(frame, faults.GARBLE_REQUEST, times=10_000)
    quick = BackendAdapterEnvironmentExecutor("process", liveness=QUICK)
    use({**through(), "executor": quick})
    effects = tmp_path / "effects"
    with pytest.raises(DeliveryError), weave(effects=str(effects)) as w:

        @w.do(environment="remote")
        def once(effects: str) -> str:
            tasks.note(effects)
            return "never seen"

    assert grpc_proxy.frames(frame)
    assert len(tasks.lines(effects)) == (0 if frame == "task_started" else 1)


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_everything_at_once(
    use: Use,
    through: Through,
    proxy: Proxy,
    grpc_proxy: GrpcProxy,
    tmp_path: Path,
    seed: int,
) -> None:
    grpc_proxy.rule = sometimes(MIX, chance=0.3, seed=seed)
    use(through(workers=4))
    assert_all_right_and_once(tmp_path / "effects", 20)
    by_grpc = {message.run_id for message in grpc_proxy.frames("task_result")}
    by_http = {request.run_id for request in proxy.frames("task_result")}
    assert by_grpc
    assert len(by_grpc | by_http) == 20
