"""What code written for the published 2.x package relies on around adapters."""

from __future__ import annotations

from typing import Any

import pytest

import wove.integrations
from wove import BackendAdapter, BackendAdapterEnvironmentExecutor
from wove.backend import build_backend_payload
from wove.errors import EnvironmentExecutionError, MissingPackageError
from wove.executors.checks import check_packages
from wove.integrations import BACKEND_ADAPTERS, get_backend_adapter_class


class Mine(BackendAdapter):
    required_modules = ("json", "no_such_module", "nor_this_one")
    install_hint = "acme-queue"


def test_adapter_classes_are_found_by_name() -> None:
    from wove.integrations import CeleryAdapter  # type: ignore[attr-defined]

    assert BACKEND_ADAPTERS["celery"] is CeleryAdapter
    assert get_backend_adapter_class("celery") is CeleryAdapter
    assert {"celery", "process"} <= set(BACKEND_ADAPTERS)
    with pytest.raises(AttributeError):
        _ = wove.integrations.NoSuchAdapter  # type: ignore[attr-defined]


def test_an_adapter_class_can_be_put_in() -> None:
    BACKEND_ADAPTERS["mine"] = Mine
    try:
        assert get_backend_adapter_class("mine") is Mine
        BackendAdapterEnvironmentExecutor("mine")
    finally:
        del BACKEND_ADAPTERS["mine"]
    with pytest.raises(ValueError, match="Unknown executor 'mine'"):
        get_backend_adapter_class("mine")


def test_missing_dependencies_is_asked_of_the_class() -> None:
    assert Mine.missing_dependencies() == ("no_such_module", "nor_this_one")


@pytest.mark.parametrize(
    ("hint", "command"),
    [
        ("acme-queue", "pip install acme-queue"),
        ("pip install acme-queue", "pip install acme-queue"),
        ("", "pip install no_such_module nor_this_one"),
    ],
)
def test_all_that_is_missing_is_named_with_one_command(hint: str, command: str) -> None:
    class Hinted(Mine):
        install_hint = hint

    with pytest.raises(MissingPackageError) as caught:
        check_packages(Hinted, "mine", None)
    assert "`no_such_module`, `nor_this_one` are not installed" in str(caught.value)
    assert str(caught.value).endswith(f"Install with: {command}")


def test_a_missing_backend_and_missing_dispatch_are_one_command(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("wove.executors.checks.has_dispatch", lambda: False)
    with pytest.raises(MissingPackageError, match=r"pip install acme-queue 'wove\[dispatch\]'"):
        check_packages(Mine, "mine", None)


def test_a_frame_names_its_task() -> None:
    frame: dict[str, Any] = {"run_id": "r", "task_id": "t", "callable": int, "args": {}}
    url = "http://h/wove/events/t"
    assert build_backend_payload(frame, callback_url=url, adapter="x")["task_name"] is None
    named = {**frame, "task_name": "T"}
    assert build_backend_payload(named, callback_url=url, adapter="x")["task_name"] == "T"


def test_a_description_alone_makes_the_error() -> None:
    error = EnvironmentExecutionError({"kind": "E", "message": "words"})
    assert (str(error), error.payload) == ("words", {"kind": "E", "message": "words"})


def test_an_adapter_without_submit_says_so() -> None:
    adapter = Mine(name="mine", config={}, callback_url="http://h/t", run_config={})
    with pytest.raises(NotImplementedError, match=r"Mine does not define submit\(\)"):
        adapter.submit({}, {}).send(None)
