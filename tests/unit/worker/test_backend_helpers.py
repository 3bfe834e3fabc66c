"""`wove.backend`: what existing `job_factory` and `submit` functions use."""

from __future__ import annotations

import asyncio
import subprocess
import sys
from typing import Any

import pytest

from tests.unit.worker.receiver import Receiver, Reply, value_of
from wove import backend
from wove.errors import CallbackUnreachableError


def built(receiver: Receiver, function: Any, **args: Any) -> dict[str, Any]:
    frame = {
        "type": "run_task",
        "run_id": "r1",
        "task_id": "report",
        "callable": function,
        "args": args,
        "delivery": {"delivery_timeout": 30.0, "start_timeout": None, "unknown": 1},
    }
    url = f"http://127.0.0.1:{receiver.port}/wove/events/secret-token"
    return backend.build_backend_payload(frame, callback_url=url, adapter="mine")


def test_a_payload_is_built_turned_into_a_word_and_run(receiver: Receiver) -> None:
    payload = built(receiver, lambda x: x + 1, x=2)
    assert payload["delivery"] == {"delivery_timeout": 30.0}
    assert (payload["version"], payload["adapter"], payload["task_name"]) == (1, "mine", None)
    word = backend.payload_to_b64(payload)
    assert word.isascii()
    assert backend.payload_from_b64(word) == payload
    assert backend.run_backend_payload(payload)["outcome"] == "succeeded"
    assert asyncio.run(backend.run_backend_payload_async(payload))["outcome"] == "succeeded"
    assert [value_of(seen) for seen in receiver.frames("task_result")] == [3, 3]


def test_what_is_no_payload_is_refused() -> None:
    with pytest.raises(ValueError, match="no object"):
        backend.payload_from_b64("W10=")


@pytest.mark.parametrize(
    "frame",
    [
        {"type": "task_result", "run_id": "r1", "result": None},
        {"type": "task_result", "run_id": "r1", "result": {"rows": [1, 2]}},
        {"type": "task_error", "run_id": "r1", "error": {"kind": "K", "message": "m"}},
        {"type": "task_started", "run_id": "r1"},
    ],
)
def test_frames_go_there_and_back(frame: dict[str, Any]) -> None:
    there = backend.serialize_frame(frame)
    assert all(isinstance(value, str) for value in there.values())
    assert backend.deserialize_frame(there) == frame


def test_an_event_is_posted_once(receiver: Receiver) -> None:
    url = f"http://127.0.0.1:{receiver.port}/wove/events/secret-token"
    frame = {"type": "task_result", "run_id": "r1", "task_id": "t", "result": 5}
    backend.post_event(url, frame)
    assert value_of(receiver.frames("task_result")[0]) == 5
    receiver.rule = lambda seen: Reply(503)
    with pytest.raises(CallbackUnreachableError, match="503 Service Unavailable") as caught:
        backend.post_event(url, frame, timeout=5)
    assert "secret-token" not in str(caught.value)
    assert len(receiver.frames()) == 2


@pytest.mark.parametrize("module", ["wove.integrations.worker", "wove.backend"])
@pytest.mark.parametrize("missing", ["cloudpickle", "httptools", "google.protobuf"])
def test_a_missing_package_is_answered_with_the_install_command(module: str, missing: str) -> None:
    program = f"""
import importlib.util
find = importlib.util.find_spec
importlib.util.find_spec = lambda name, *rest: None if name == {missing!r} else find(name, *rest)
import {module}
"""
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, timeout=30
    )
    assert done.returncode == 1
    assert "MissingDispatchFeatureError" in done.stderr
    assert "pip install 'wove[dispatch]'" in done.stderr
