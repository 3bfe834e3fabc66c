"""Helpers for custom backends: payloads and events as text, and running a payload.

A `job_factory` or `submit` function of yours turns the payload into one word with
`payload_to_b64`; `python -m wove.backend_worker` takes it from there.
"""

from __future__ import annotations

import base64
import json
from collections.abc import Mapping
from typing import Any

from wove.dispatch.requirements import require_dispatch

require_dispatch("wove.backend")

from wove.contract import payload_to_dict  # noqa: E402 - after the check above
from wove.dispatch.pickling import dumps, loads  # noqa: E402
from wove.dispatch.requirements import current_origin  # noqa: E402
from wove.dispatch.urls import redacted  # noqa: E402
from wove.errors import CallbackUnreachableError  # noqa: E402
from wove.worker.answers import Verdict  # noqa: E402
from wove.worker.endpoint import Endpoint  # noqa: E402
from wove.worker.entrypoint import arun as run_backend_payload_async  # noqa: E402
from wove.worker.entrypoint import run as run_backend_payload  # noqa: E402
from wove.worker.messages import Body  # noqa: E402
from wove.worker.reporter import ANSWER_SECONDS  # noqa: E402
from wove.worker.routes import HttpRoute  # noqa: E402
from wovepb.v1.payload_pb2 import Delivery, TaskPayload  # noqa: E402

__all__ = [
    "build_backend_payload",
    "deserialize_frame",
    "payload_from_b64",
    "payload_to_b64",
    "post_event",
    "run_backend_payload",
    "run_backend_payload_async",
    "serialize_frame",
]

_EVENTS = ("task_started", "task_result", "task_error", "task_cancelled")
_PICKLED = ("result", "exception", "error")


def payload_to_b64(payload: Mapping[str, Any]) -> str:
    """Base64 of the payload's JSON: one word of ASCII, for a command line or a variable."""
    return base64.b64encode(json.dumps(payload).encode()).decode()


def payload_from_b64(value: str) -> dict[str, Any]:
    """The payload that `payload_to_b64` was given.

    Raises:
        ValueError: `value` is not base64 of a JSON object.
    """
    payload = json.loads(base64.b64decode(value, validate=True))
    if not isinstance(payload, dict):
        raise ValueError("not a payload: its JSON is no object")
    return payload


def build_backend_payload(
    frame: Mapping[str, Any], *, callback_url: str, adapter: str
) -> dict[str, Any]:
    """The documented payload of a `run_task` frame.

    Args:
        frame: `run_id`, `task_id`, `callable`, `args`, and optionally `task_name` and
            `delivery`, the run's settings by name.
        callback_url: where the worker reports to.
        adapter: name of the adapter that submits it.

    Raises:
        Exception: the callable or its arguments cannot be pickled.
    """
    known = Delivery.DESCRIPTOR.fields_by_name
    delivery = frame.get("delivery") or {}
    payload = TaskPayload(
        version=1,
        adapter=adapter,
        callback_url=callback_url,
        run_id=frame["run_id"],
        task_id=frame["task_id"],
        callable_pickle=dumps(frame["callable"]),
        args_pickle=dumps(dict(frame["args"])),
        delivery=Delivery(
            **{key: value for key, value in delivery.items() if key in known and value is not None}
        ),
        origin=current_origin(),
    )
    if frame.get("task_name") is not None:
        payload.task_name = frame["task_name"]
    return payload_to_dict(payload)


def serialize_frame(frame: Mapping[str, Any]) -> dict[str, Any]:
    """An event frame with its objects (`result`, `exception`, `error`) pickled: JSON-safe."""
    found = dict(frame)
    if found.get("type") in _EVENTS:
        for name in _PICKLED:
            if name in found:
                found[f"{name}_pickle"] = base64.b64encode(dumps(found.pop(name))).decode()
    return found


def deserialize_frame(payload: Mapping[str, Any]) -> dict[str, Any]:
    """The frame that `serialize_frame` was given. Loads pickles: only for trusted data."""
    found = dict(payload)
    for name in _PICKLED:
        if f"{name}_pickle" in found:
            found[name] = loads(base64.b64decode(found.pop(f"{name}_pickle")))
    return found


def post_event(
    callback_url: str, frame: Mapping[str, Any], *, timeout: float | None = None
) -> None:
    """Post one event, once, without retries.

    Args:
        callback_url: of the payload.
        frame: an event frame; its objects are pickled here.
        timeout: seconds without progress; 30 by default.

    Raises:
        CallbackUnreachableError: there was no answer, or not one that accepts it.
        ValueError: `callback_url` is no HTTP URL.
    """
    body = Body(json.dumps(serialize_frame(frame)).encode(), "application/json")
    route = HttpRoute(Endpoint.parse(callback_url))
    answer = route.post(body, timeout=ANSWER_SECONDS if timeout is None else timeout)
    if answer.verdict is not Verdict.ACCEPTED:
        raise CallbackUnreachableError(
            f"{redacted(callback_url)} did not accept the {frame.get('type')}: {answer.text}",
            run_id=frame.get("run_id"),
            reason=answer.text,
        )
