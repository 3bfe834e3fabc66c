"""What `send_task_options` may change."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from wove.integrations._celery_options import FIXED, check_send_options, send_options
from wove.integrations.celery import CeleryAdapter


def options(chosen: dict[str, Any], *, queue: str | None = None) -> dict[str, Any]:
    payload = {"run_id": "r", "task_id": "t", "delivery": {"delivery_timeout": 60.0}}
    return send_options(payload, {}, job_id="j", chosen=check_send_options(chosen), queue=queue)


def test_ours() -> None:
    ours = options({})
    assert (ours["task_id"], ours["shadow"], ours["expires"]) == ("j", "t", 90.0)
    assert ours["headers"] == {"ignore_result": False}
    assert "queue" not in ours


def test_they_beat_ours_and_the_setting_queue_beats_them() -> None:
    chosen = {"task_id": "mine", "expires": 5, "retry": False, "queue": "a", "headers": {"x": 1}}
    found = options(chosen, queue="b")
    assert (found["task_id"], found["expires"], found["retry"]) == ("mine", 5, False)
    assert found["queue"] == "b"
    assert found["headers"] == {"ignore_result": False, "x": 1}


def test_ignore_result_is_the_workers() -> None:
    found = options({"ignore_result": True})
    assert found["headers"] == {"ignore_result": True}
    assert "ignore_result" not in found


@pytest.mark.parametrize("name", sorted(FIXED))
def test_what_wove_must_choose_is_refused_at_start(name: str) -> None:
    config = {"broker_url": "memory://", "send_task_options": {name: None, "priority": 3}}
    adapter = CeleryAdapter(name="celery", config=config, callback_url="", run_config={})
    with pytest.raises(TypeError, match=rf"\['send_task_options'\] cannot set '{name}'"):
        asyncio.run(adapter.start())


def test_options_that_are_no_mapping() -> None:
    with pytest.raises(TypeError, match=r"\['send_task_options'\] must map .* not list"):
        check_send_options(["priority"])


def test_the_settings_are_declared() -> None:
    assert CeleryAdapter.settings == {
        *("app", "broker_url", "result_backend", "backend_url", "app_name"),
        *("task_name", "queue", "send_task_options", "terminate_on_cancel"),
    }
