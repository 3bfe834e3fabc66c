"""Where options may be given, which one wins, and what is refused."""

from __future__ import annotations

from typing import Any

import pytest

import wove
from tests.unit.weave.forms import Flaky, Peak, as_kind
from wove import Weave, merge, weave

pytestmark = pytest.mark.timeout(30)

TASK_OPTIONS: dict[str, list[Any]] = {
    "retries": [-1, 1.5, "2"],
    "timeout": [0, -1, "5", float("nan")],
    "environment": [5, ""],
    "delivery_timeout": [0, -1, "5"],
    "start_timeout": [0, "5"],
    "cancel_timeout": [-1, "5"],
    "delivery_idempotency_key": [5, ["x"]],
    "delivery_cancel_mode": ["hard", 1],
    "delivery_heartbeat_seconds": [0, -1, "5"],
    "delivery_max_in_flight": [0, 1.5, "2"],
    "delivery_orphan_policy": ["forget", 1],
}
MAPPED_OPTIONS: dict[str, list[Any]] = {
    "workers": [0, -1, 1.5, "2"],
    "limit_per_minute": [0, -1, "60"],
}
WEAVE_OPTIONS: dict[str, list[Any]] = {
    "max_workers": [0, -1, 1.5, "2"],
    "background": ["yes", 2],
    "fork": ["yes"],
    "max_pending": [-1, 1.5, "2"],
    "error_mode": ["ignore", 1],
}
CHOICES = {
    "delivery_cancel_mode": ("best_effort", "require_ack"),
    "delivery_orphan_policy": ("cancel", "fail", "requeue", "detach"),
    "error_mode": ("raise", "defer", "return"),
}


def _pairs(*tables: dict[str, list[Any]]) -> list[tuple[str, Any]]:
    return [(name, value) for table in tables for name, values in table.items() for value in values]


def _check(caught: pytest.ExceptionInfo[ValueError], name: str) -> None:
    message = str(caught.value)
    assert name in message
    for choice in CHOICES.get(name, ()):
        assert choice in message
    assert len(message) > len(name) + 15  # it says what the option may be


@pytest.mark.parametrize(("name", "value"), _pairs(TASK_OPTIONS, MAPPED_OPTIONS))
def test_a_wrong_value_on_a_task_is_refused_at_declaration(name: str, value: Any) -> None:
    with weave() as w, pytest.raises(ValueError, match=name) as caught:
        w.do([1], **{name: value})
    _check(caught, name)


@pytest.mark.parametrize(("name", "value"), _pairs(TASK_OPTIONS, MAPPED_OPTIONS))
def test_a_wrong_value_on_a_method_is_refused_at_declaration(name: str, value: Any) -> None:
    with pytest.raises(ValueError, match=name) as caught:
        Weave.do([1], **{name: value})
    _check(caught, name)


@pytest.mark.parametrize(("name", "value"), _pairs(TASK_OPTIONS, MAPPED_OPTIONS, WEAVE_OPTIONS))
def test_a_wrong_value_on_the_weave_is_refused_at_declaration(name: str, value: Any) -> None:
    with pytest.raises(ValueError, match=name) as caught:
        weave(**{name: value})
    _check(caught, name)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        pair
        for pair in _pairs(TASK_OPTIONS, MAPPED_OPTIONS, WEAVE_OPTIONS)
        if pair[0] != "environment"
    ],
)
def test_a_wrong_value_in_the_configuration_is_refused_at_once(name: str, value: Any) -> None:
    with pytest.raises(ValueError, match=name) as caught:
        wove.config(**{name: value})
    _check(caught, name)
    with pytest.raises(ValueError, match=name) as caught:
        wove.config(environments={"other": {"executor": "local", name: value}})
    _check(caught, name)
    with weave() as w:  # a refused call has changed nothing
        w.do(lambda: 1)
    assert w.result.final == 1


@pytest.mark.parametrize(("name", "value"), _pairs(TASK_OPTIONS, MAPPED_OPTIONS))
def test_a_wrong_value_on_merge_is_refused(name: str, value: Any) -> None:
    with pytest.raises(ValueError, match=name), weave() as w:

        @w.do
        def task() -> Any:
            return merge(len, [[1]], **{name: value})


def test_an_unknown_option_is_a_type_error_everywhere() -> None:
    with weave() as w:
        with pytest.raises(TypeError, match="retrys"):
            w.do(retrys=1)
        with pytest.raises(TypeError, match="max_workers"):
            w.do(max_workers=1)  # an option of the weave, not of a task
    with pytest.raises(TypeError, match="retrys"):
        Weave.do(retrys=1)
    with pytest.raises(TypeError, match="retrys"):
        wove.config(retrys=1)
    with pytest.raises(TypeError, match="retrys"):
        wove.config(environments={"other": {"executor": "local", "retrys": 1}})
    with pytest.raises(TypeError, match="retrys"), weave() as w:

        @w.do
        def task() -> Any:
            return merge(len, [[1]], retrys=1)


def test_any_other_keyword_of_a_weave_is_data() -> None:
    with weave(retrys=3) as w:
        w.do(lambda retrys: retrys + 1)
    assert w.result.final == 4


def _tries(w: Any, kind: str, **options: Any) -> Flaky:
    flaky = Flaky(100)

    def task() -> Any:
        return flaky()

    w.do(**options)(as_kind(kind, task))
    return flaky


@pytest.mark.parametrize(
    ("config", "environment", "given", "task", "tries"),
    [
        ({}, {}, {}, {}, 1),
        ({"retries": 1}, {}, {}, {}, 2),
        ({"retries": 1}, {"retries": 2}, {}, {}, 3),
        ({"retries": 1}, {"retries": 2}, {"retries": 3}, {}, 4),
        ({"retries": 1}, {"retries": 2}, {"retries": 3}, {"retries": 4}, 5),
        ({"retries": 1}, {"retries": 2}, {"retries": 3}, {"retries": 0}, 1),
        ({"retries": 1}, {"retries": 2}, {"retries": 0}, {}, 1),
        ({"retries": 1}, {"retries": 0}, {}, {}, 1),
        ({"retries": 1}, {"retries": None}, {}, {}, 1),
        ({"retries": 1}, {}, {"retries": None}, {"retries": None}, 2),
        ({}, {"retries": 2}, {"retries": None}, {"retries": None}, 3),
        ({}, {}, {"retries": 2}, {"retries": None}, 3),
    ],
)
def test_the_nearest_wins(
    kind: str,
    config: dict[str, Any],
    environment: dict[str, Any],
    given: dict[str, Any],
    task: dict[str, Any],
    tries: int,
) -> None:
    wove.config(
        default_environment="mine",
        environments={"mine": {"executor": "local", **environment}},
        **config,
    )
    with weave(error_mode="defer", **given) as w:
        flaky = _tries(w, kind, **task)
    assert flaky.calls == tries


def test_the_environment_that_counts_is_the_one_the_task_runs_in() -> None:
    wove.config(
        environments={
            "default": {"retries": 1},
            "other": {"executor": "local", "retries": 2},
        }
    )
    with weave(error_mode="defer") as w:
        flaky = _tries(w, "sync", environment="other")
    assert flaky.calls == 3
    assert w.runs[0].environment == "other"
    with weave(error_mode="defer", environment="other") as w:
        flaky = _tries(w, "sync")
    assert flaky.calls == 3
    with weave(error_mode="defer", environment="other") as w:
        flaky = _tries(w, "sync", environment="default")
    assert flaky.calls == 2


@pytest.mark.parametrize("where", ["config", "environment", "weave"])
def test_error_mode_as_a_default(where: str) -> None:
    given: dict[str, Any] = {}
    if where == "config":
        wove.config(error_mode="return")
    elif where == "environment":
        wove.config(environments={"default": {"error_mode": "return"}})
    else:
        given = {"error_mode": "return"}
    with weave(**given) as w:

        @w.do
        def broken() -> None:
            raise ValueError("boom")

    assert isinstance(w.result.broken, ValueError)


@pytest.mark.parametrize("where", ["config", "environment"])
def test_max_workers_and_max_pending_as_defaults(where: str) -> None:
    defaults = {"max_workers": 1, "max_pending": 4}
    if where == "config":
        wove.config(**defaults)
    else:
        wove.config(environments={"default": defaults})
    peak = Peak()
    with weave() as w:

        @w.do(range(4))
        def item(n: int) -> None:
            with peak:
                pass

    assert peak.most == 1
    with pytest.raises(RuntimeError, match="exceeds max_pending=4"), weave() as w:
        w.do(range(5))(lambda n: n)


def test_workers_as_a_default_skips_unmapped_tasks() -> None:
    wove.config(limit_per_minute=60_000)
    peak = Peak()
    with weave(workers=1) as w:

        @w.do
        def plain() -> int:
            return 1

        @w.do(range(6))
        def mapped(n: int) -> None:
            with peak:
                pass

    assert w.result.plain == 1
    assert peak.most == 1


def test_a_mapped_task_overrides_the_default_of_workers() -> None:
    peak = Peak()
    import threading

    barrier = threading.Barrier(3)
    with weave(workers=1) as w:

        @w.do(range(3), workers=3)
        def mapped(n: int) -> None:
            with peak:
                barrier.wait(10)

    assert peak.most == 3


def test_timeout_as_a_default_of_the_weave() -> None:
    import asyncio

    with weave(timeout=0.05, error_mode="defer") as w:

        @w.do
        async def slow() -> None:
            await asyncio.Event().wait()

    assert isinstance(w.result.exception, TimeoutError)


def test_delivery_options_are_ignored_for_local_tasks() -> None:
    import time

    with weave(delivery_timeout=0.01, delivery_max_in_flight=1) as w:

        @w.do(
            start_timeout=0.01,
            delivery_heartbeat_seconds=0.01,
            delivery_idempotency_key="{no_such_argument}",
            delivery_cancel_mode="require_ack",
            delivery_orphan_policy="fail",
        )
        def task() -> int:
            time.sleep(0.05)
            return 1

    assert w.result.task == 1


def test_an_option_given_to_a_weave_is_not_data() -> None:
    with weave(retries=1, x=2) as w:

        @w.do
        def seen(data: dict[str, Any]) -> dict[str, Any]:
            return dict(data)

    assert w.result.seen == {"x": 2}
