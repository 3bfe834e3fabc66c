"""Callbacks recorded from the published package: they decode for ever."""

from __future__ import annotations

import base64
import json
import pickle
from pathlib import Path
from typing import Any

import pytest

from wove import contract
from wovepb.v1.event_pb2 import Event

RECORDINGS = sorted((Path(__file__).parent / "frames").glob("*.json"))


def read(path: Path) -> dict[str, Any]:
    return json.loads(path.read_text("utf-8"))


def events(recording: dict[str, Any]) -> list[Event]:
    return [
        contract.decode_event(post["headers"]["Content-Type"], json.dumps(post["body"]).encode())
        for post in recording["posts"]
    ]


def case(name: str) -> dict[str, Any]:
    return read(Path(__file__).parent / "frames" / f"{name}.json")


def test_the_recordings_are_there() -> None:
    assert len(RECORDINGS) == 5


@pytest.mark.parametrize("path", RECORDINGS, ids=lambda path: path.stem)
def test_payload_decodes_and_prints_as_recorded(path: Path) -> None:
    recorded = read(path)["payload"]

    payload = contract.payload_from_json(json.dumps(recorded))

    assert payload.run_id == recorded["run_id"]
    assert payload.callback_url == recorded["callback_url"]
    assert payload.callable_pickle == base64.b64decode(recorded["callable_pickle"])
    assert payload.args_pickle == base64.b64decode(recorded["args_pickle"])
    assert payload.delivery.delivery_cancel_mode == "best_effort"
    assert contract.payload_to_dict(payload) == recorded


@pytest.mark.parametrize("path", RECORDINGS, ids=lambda path: path.stem)
def test_posts_decode_and_print_as_recorded(path: Path) -> None:
    recording = read(path)
    for post, event in zip(recording["posts"], events(recording), strict=True):
        assert contract.event_type(event) == post["body"]["type"]
        assert event.event_id == ""
        assert json.loads(contract.event_to_json(event)) == post["body"]


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("async_success", "async-ok"),
        ("result_1kb_bytes", bytes(range(256)) * 4),
        ("result_none", None),
        ("success", {"v": 42, "s": "ü"}),
    ],
)
def test_results_are_the_values_that_were_returned(name: str, value: object) -> None:
    started, result = events(case(name))

    assert contract.event_type(started) == "task_started"
    assert pickle.loads(result.task_result.result_pickle) == value


def test_the_exception_has_a_description_that_needs_no_module_of_the_task() -> None:
    _, failed = events(case("task_exception"))

    description = pickle.loads(failed.task_error.error_pickle)
    assert (description["kind"], description["message"]) == ("PeerError", "boom 7")
    assert b"peer_tasks" in failed.task_error.exception_pickle
    assert not failed.task_error.HasField("error")
