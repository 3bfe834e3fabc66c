"""What an option may be, and which layer wins."""

from __future__ import annotations

from typing import Any

import pytest

from wove.options import (
    TASK_OPTIONS,
    WEAVE_OPTIONS,
    DeliveryPolicy,
    TaskOptions,
    WeaveSettings,
    check_options,
    resolve_settings,
    resolve_task,
)

ALL = TASK_OPTIONS | WEAVE_OPTIONS
NAN, INF = float("nan"), float("inf")

GOOD: dict[str, list[Any]] = {
    "retries": [0, 3],
    "timeout": [0.1, 5],
    "workers": [1],
    "limit_per_minute": [0.5, 600],
    "environment": ["x"],
    "delivery_timeout": [1],
    "start_timeout": [1.5],
    "cancel_timeout": [1],
    "delivery_idempotency_key": ["k-{a}", str],
    "delivery_cancel_mode": ["best_effort", "require_ack"],
    "delivery_heartbeat_seconds": [5],
    "delivery_max_in_flight": [1],
    "delivery_orphan_policy": ["cancel", "fail", "requeue", "detach"],
    "max_workers": [1],
    "background": [True, False],
    "fork": [True],
    "max_pending": [1],
    "error_mode": ["raise", "defer", "return"],
}
BAD: dict[str, list[Any]] = {
    "retries": [-1, 1.0, True, "1"],
    "timeout": [0, -1, NAN, INF, True, "1"],
    "workers": [0, 1.5, True],
    "limit_per_minute": [0, -5, NAN],
    "environment": ["", 5],
    "delivery_timeout": [0],
    "start_timeout": ["soon"],
    "cancel_timeout": [-1],
    "delivery_idempotency_key": ["", 5],
    "delivery_cancel_mode": ["later", 1],
    "delivery_heartbeat_seconds": [0],
    "delivery_max_in_flight": [0],
    "delivery_orphan_policy": ["ignore"],
    "max_workers": [0, True],
    "background": [1, "yes"],
    "fork": [0],
    "max_pending": [0],
    "error_mode": ["ignore", True],
}


def test_the_tables_here_are_complete() -> None:
    assert GOOD.keys() == BAD.keys() == ALL


@pytest.mark.parametrize(("name", "value"), [(n, v) for n, vs in GOOD.items() for v in vs])
def test_good_values_pass(name: str, value: Any) -> None:
    assert check_options({name: value}, ALL, "here") == {name: value}
    assert check_options({name: None}, ALL, "here") == {name: None}


@pytest.mark.parametrize(("name", "value"), [(n, v) for n, vs in BAD.items() for v in vs])
def test_bad_values_name_the_option_and_what_it_may_be(name: str, value: Any) -> None:
    with pytest.raises(ValueError, match=f"^{name} must be ") as caught:
        check_options({name: value}, ALL, "here")
    assert ", not " in str(caught.value)


def test_an_unknown_option_names_the_known_ones() -> None:
    with pytest.raises(TypeError, match=r"do\(\) got an unknown option 'retry'.*retries"):
        check_options({"retry": 1}, TASK_OPTIONS, "do()")


def test_a_value_is_not_printed_at_length() -> None:
    with pytest.raises(ValueError, match="error_mode") as caught:
        check_options({"error_mode": "x" * 10_000}, ALL, "here")
    assert len(str(caught.value)) < 300


def resolve(
    *,
    config: dict[str, Any] | None = None,
    environment: dict[str, Any] | None = None,
    weave: dict[str, Any] | None = None,
    task: dict[str, Any] | None = None,
    mapped: bool = True,
) -> TaskOptions:
    return resolve_task(
        config=config or {},
        environment=environment or {},
        weave=weave or {},
        task=task or {},
        mapped=mapped,
    )


def test_built_in_defaults() -> None:
    assert resolve() == TaskOptions(
        retries=0,
        timeout=None,
        workers=None,
        limit_per_minute=None,
        environment=None,
        delivery=DeliveryPolicy(
            delivery_cancel_mode="best_effort", delivery_orphan_policy="cancel"
        ),
    )
    assert resolve_settings(config={}, environment={}, weave={}) == WeaveSettings(
        max_workers=256, background=False, fork=False, max_pending=None, error_mode="raise"
    )


@pytest.mark.parametrize("name", sorted(TASK_OPTIONS))
def test_the_nearest_layer_wins(name: str) -> None:
    def read(options: TaskOptions) -> Any:
        return getattr(options if hasattr(options, name) else options.delivery, name)

    values = dict(zip(("config", "environment", "weave", "task"), "cewt", strict=True))
    layers: dict[str, dict[str, Any]] = {}
    for layer, value in values.items():
        layers[layer] = {name: value}
        assert read(resolve(**layers)) == value  # type: ignore[arg-type]


def test_none_is_not_given_except_in_an_environment() -> None:
    assert resolve(config={"retries": 2}, weave={"retries": None}).retries == 2
    assert resolve(weave={"retries": 2}, task={"retries": None}).retries == 2
    assert resolve(config={"retries": 2}, environment={"retries": None}).retries == 0


def test_defaults_for_mapped_tasks_skip_others() -> None:
    given = {"workers": 3, "limit_per_minute": 60, "retries": 1}
    assert resolve(weave=given, mapped=True).workers == 3
    plain = resolve(weave=given, mapped=False)
    assert (plain.workers, plain.limit_per_minute, plain.retries) == (None, None, 1)


def test_fork_needs_background() -> None:
    with pytest.raises(ValueError, match="fork=True needs background=True"):
        resolve_settings(config={}, environment={}, weave={"fork": True})
    assert resolve_settings(config={"background": True}, environment={}, weave={"fork": True}).fork
