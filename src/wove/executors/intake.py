"""From an event that the receiver accepted to the frame that the weave reads."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from wove.contract import event_type
from wove.dispatch.failures import exception_from_error, words_of
from wove.dispatch.pickling import loads
from wove.dispatch.plain import load_plain
from wove.dispatch.typed import Convert, WrongType
from wove.errors import DeliveryError, ErrorCode
from wove.executors.base import Frame
from wovepb.v1.event_pb2 import Event, TaskError

__all__ = ["LARGE_BYTES", "frame_from", "is_large", "unreadable"]

LARGE_BYTES = 1 << 20
"""Results above this are unpickled in a thread, not on the weave's loop."""


def is_large(event: Event) -> bool:
    """Whether unpickling this event's value could hold the loop up."""
    if event.HasField("task_result"):
        result = event.task_result
        return max(len(result.result_pickle), len(result.result_json)) > LARGE_BYTES
    error = event.task_error
    return max(len(error.exception_pickle), len(error.error_pickle)) > LARGE_BYTES


def frame_from(
    event: Event, facts: Mapping[str, Any], convert: Convert | None = None
) -> Frame | None:
    """The documented event frame; None for a frame that this version does not know.

    The only place where anything that a worker sent is unpickled. Whatever that
    raises becomes the run's error.

    Args:
        event: accepted by the receiver: its token and its run are known good.
        facts: `task`, `environment`, `run_id`, `backend`, `backend_job_id`, for errors.
        convert: given where no pickle may be loaded: makes the result of what came as JSON.
    """
    kind = event_type(event)
    if kind is None:
        return None
    frame: Frame = {"type": kind, "run_id": event.run_id, "task_id": event.task_id}
    if kind == "task_result":
        try:
            frame["result"] = _value(event) if convert is None else convert(_plain_value(event))
        except BaseException as error:  # noqa: BLE001 - unpickling runs anybody's code
            frame["type"] = "task_error"
            frame["exception"] = _not_loadable(error, facts)
    elif kind == "task_error":
        described = event.task_error
        if convert is not None:
            described = TaskError(error=described.error)  # its pickles are not looked at
        frame["exception"] = exception_from_error(described, facts)
    elif kind == "task_started":
        frame["worker_id"] = event.task_started.worker_id
        frame["backend_job_id"] = event.task_started.backend_job_id or None
    elif kind == "task_cancelled":
        frame["reason"] = event.task_cancelled.reason
    return frame


def unreadable(event: Event, facts: Mapping[str, Any], error: BaseException) -> Frame:
    """The frame in place of one that could not be made: a run must not wait for it for ever."""
    failure = _not_loadable(error, facts)
    kind = "task_error"
    return {"type": kind, "run_id": event.run_id, "task_id": event.task_id, "exception": failure}


def _value(event: Event) -> Any:
    result = event.task_result
    if result.WhichOneof("value") == "result_json":
        return json.loads(result.result_json)
    return loads(result.result_pickle)


def _plain_value(event: Event) -> Any:
    if event.task_result.WhichOneof("value") != "result_json":
        raise WrongType("it came as a pickle, and the environment has allow_pickle=False")
    return load_plain(event.task_result.result_json)


def _not_loadable(error: BaseException, facts: Mapping[str, Any]) -> DeliveryError:
    words = words_of(error)
    if isinstance(error, WrongType):
        problem = f"its result does not fit: {error}"
    else:
        problem = (
            f"its outcome cannot be loaded in the weave's process: {words}. Its classes must be "
            "importable here as there."
        )
    failure = DeliveryError(
        f"Task '{facts['task']}' ran in environment '{facts['environment']}', and {problem}",
        code=ErrorCode.RESULT_NOT_LOADABLE,
        reason=words,
        **facts,
    )
    failure.__cause__ = error
    return failure
