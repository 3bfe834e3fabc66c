"""Whoever can reach the receiver: replayed, forged and junk events change no run."""

from __future__ import annotations

import json
import os
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.adapters import tasks
from tests.faults.proxy import Proxy, post, send
from wove import weave

pytestmark = pytest.mark.xdist_group("faults-hostile")

Use = Callable[..., None]


@pytest.fixture
def remote(use: Use, proxy: Proxy, port: int) -> str:
    """An environment through the proxy; the receiver's own address, with its token."""
    use(
        {
            "executor": "process",
            "executor_config": {
                "callback_port": port,
                "callback_token": "right",
                "callback_url": proxy.url("right"),
            },
        }
    )
    return f"http://127.0.0.1:{port}/wove/events/right"


def flat(frame: str, run_id: str, **fields: Any) -> bytes:
    event = {"type": frame, "run_id": run_id, "task_id": "guarded", **fields}
    return json.dumps(event).encode()


def test_replayed_events_change_nothing(remote: str, proxy: Proxy, port: int) -> None:
    with weave() as w:

        @w.do(environment="remote")
        def guarded() -> str:
            return "once"

    assert w.result.guarded == "once"
    for request in proxy.frames("task_started", "task_result"):
        status, _ = send(port, request.head + request.body)
        assert status == 204
    (result,) = proxy.frames("task_result")
    other = flat("task_result", result.run_id, event_id="another", result_json='"forged"')
    assert post(remote, other)[0] == 409
    assert w.result.guarded == "once"
    assert [run.state for run in w.result.runs] == ["succeeded"]


def test_a_replay_to_a_run_that_timed_out_is_gone(
    use: Use, remote: str, proxy: Proxy, port: int
) -> None:
    from wove import DeliveryTimeoutError

    with pytest.raises(DeliveryTimeoutError), weave() as w:

        @w.do(environment="remote", delivery_timeout=1.0)
        def guarded() -> None:
            time.sleep(30)

    (run,) = w.runs
    assert post(remote, flat("task_result", run.run_id, result_json="1"))[0] == 410
    started = proxy.frames("task_started")[0]
    assert send(port, started.head + started.body)[0] in (204, 410)


def test_forged_events_are_refused(remote: str, proxy: Proxy, port: int, tmp_path: Path) -> None:
    started, gate = tmp_path / "started", tmp_path / "gate"
    answers: dict[str, int] = {}
    with weave(started=str(started), gate=str(gate)) as w:

        @w.do(environment="remote")
        def guarded(started: str, gate: str) -> str:
            tasks.note(started)
            tasks.wait_for(gate)
            return "genuine"

        @w.do
        def forge(started: str, gate: str) -> None:
            tasks.wait_for(started)
            run_id = proxy.frames("task_started")[0].run_id
            forged = flat("task_result", run_id, result_json='"forged"')
            url = f"http://127.0.0.1:{port}/wove/events/"
            answers["wrong token"] = post(url + "wrong", forged)[0]
            answers["no token"] = post(url, forged)[0]
            answers["token and more"] = post(url + "right2", forged)[0]
            other = flat("task_result", "some-other-run", result_json='"forged"')
            answers["other run"] = post(url + "right", other)[0]
            answers["no value"] = post(url + "right", flat("task_result", run_id))[0]
            answers["other content"] = post(url + "right", forged, content_type="text/plain")[0]
            tasks.note(gate)

    assert w.result.guarded == "genuine"
    assert answers == {
        "wrong token": 404,
        "no token": 404,
        "token and more": 404,
        "other run": 410,
        "no value": 400,
        "other content": 415,
    }


def test_a_pickle_is_not_loaded_for_a_wrong_token(
    remote: str, proxy: Proxy, port: int, tmp_path: Path
) -> None:
    import base64
    import pickle

    bomb = base64.b64encode(pickle.dumps(_Bomb(str(tmp_path / "exploded")))).decode()
    started, gate = tmp_path / "started", tmp_path / "gate"
    with weave(started=str(started), gate=str(gate)) as w:

        @w.do(environment="remote")
        def guarded(started: str, gate: str) -> str:
            tasks.note(started)
            tasks.wait_for(gate)
            return "genuine"

        @w.do
        def forge(started: str, gate: str) -> None:
            tasks.wait_for(started)
            run_id = proxy.frames("task_started")[0].run_id
            forged = flat("task_result", run_id, result_pickle=bomb)
            post(f"http://127.0.0.1:{port}/wove/events/wrong", forged)
            post(remote, flat("task_result", "some-other-run", result_pickle=bomb))
            tasks.note(gate)

    assert w.result.guarded == "genuine"
    assert not (tmp_path / "exploded").exists()


class _Bomb:
    def __init__(self, path: str) -> None:
        self.path = path

    def __reduce__(self) -> tuple[object, ...]:
        return (tasks.note, (self.path,))


def test_a_weave_ends_right_in_a_flood(remote: str, proxy: Proxy, port: int) -> None:
    stop = threading.Event()
    counts: list[int] = []

    def flood(seed: int) -> None:
        sent = 0
        while not stop.is_set():
            junk = [
                flat("task_result", f"run-{seed}-{sent}", result_json="1"),
                flat("heartbeat", f"run-{seed}-{sent}"),
                b"{" * 500,
                os.urandom(200),
                flat("no_such_frame", f"run-{seed}-{sent}"),
            ]
            status, _ = post(remote, junk[sent % len(junk)])
            assert status in (204, 400, 410, 429, 503)
            sent += 1
        counts.append(sent)

    threads = [threading.Thread(target=flood, args=(n,)) for n in range(4)]
    for thread in threads:
        thread.start()
    try:
        while_flooded = time.monotonic() + 6
        weaves = 0
        while weaves < 3 or (time.monotonic() < while_flooded):
            with weave() as w:

                @w.do(range(8), environment="remote")
                def guarded(n: int) -> int:
                    return n * n

            assert w.result.guarded == [n * n for n in range(8)]
            weaves += 1
    finally:
        stop.set()
        for thread in threads:
            thread.join(10)
    assert len(counts) == 4  # no thread saw an answer that it did not expect
    assert sum(counts) > 1000
