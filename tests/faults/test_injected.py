"""The `faults` setting of the `process` executor, as users turn it on in their own tests."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.adapters import tasks
from tests.faults.proxy import Proxy
from wove import weave

pytestmark = pytest.mark.xdist_group("faults-injected")

Use = Callable[..., None]

COUNT = 12


def run_with(faults: dict[str, Any], use: Use, proxy: Proxy, port: int, effects: Path) -> None:
    """A mapped task under these faults: right results, each side effect once."""
    config = {"callback_port": port, "callback_url": proxy.url("injected"), "workers": 2}
    use({"executor": "process", "executor_config": {**config, "faults": faults}})
    with weave(effects=str(effects)) as w:

        @w.do(range(COUNT), environment="remote")
        def once(n: int, effects: str) -> int:
            tasks.note(effects, str(n))
            return n * n

    assert w.result.once == [n * n for n in range(COUNT)]
    assert sorted(tasks.lines(effects), key=int) == [str(n) for n in range(COUNT)]
    assert {run.state for run in w.result.runs} == {"succeeded"}


@pytest.mark.parametrize("kind", ["lose_answer", "duplicate", "reorder"])
def test_the_receiver_gets_events_more_than_once(
    use: Use, proxy: Proxy, port: int, tmp_path: Path, kind: str
) -> None:
    run_with({kind: 0.5, "seed": 3}, use, proxy, port, tmp_path / "effects")
    proxy.settle()
    # An ungated start that got no answer may be overtaken by its run's end, and is then let go.
    sent = proxy.frames("task_started", "task_result")
    results = proxy.frames("task_result")
    assert len({request.event_id for request in results}) == COUNT
    assert len(sent) > len({request.event_id for request in sent})


@pytest.mark.parametrize(
    "faults",
    [
        {"lose_request": 0.5, "seed": 3},
        {"delay": 0.5, "delay_seconds": 0.1, "seed": 3},
        {"lose_request": 0.1, "lose_answer": 0.1, "duplicate": 0.1, "delay": 0.1, "reorder": 0.1},
    ],
)
def test_every_run_ends_right_and_happens_once(
    use: Use, proxy: Proxy, port: int, tmp_path: Path, faults: dict[str, Any]
) -> None:
    run_with(faults, use, proxy, port, tmp_path / "effects")


def test_damaged_events_are_refused_and_sent_again(
    use: Use, proxy: Proxy, port: int, tmp_path: Path
) -> None:
    run_with({"corrupt": 0.5, "seed": 3}, use, proxy, port, tmp_path / "effects")
    proxy.settle()
    refused = [request for request in proxy.seen if request.status == 400]
    assert refused
    assert all(request.frame == "" for request in refused)  # nothing that could be read


@pytest.mark.parametrize("faults", [{"lose": 0.5}, {"lose_answer": 2}])
def test_a_wrong_setting_is_an_error_that_names_it(use: Use, faults: dict[str, float]) -> None:
    use({"executor": "process", "executor_config": {"faults": faults}})
    with pytest.raises((ValueError, TypeError), match=next(iter(faults))), weave() as w:

        @w.do(environment="remote")
        def never() -> None: ...
