"""From a `run_task` frame to the payload that leaves."""

from __future__ import annotations

import inspect
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from wove.contract import payload_to_dict
from wove.dispatch.pickling import (
    can_be_pickled,
    dumps,
    find_in_callable,
    find_unpicklable,
)
from wove.dispatch.plain import NotPlain, dump_plain
from wove.dispatch.requirements import current_origin
from wove.errors import DeliveryError, ErrorCode, PayloadTooLargeError
from wove.executors.base import Frame
from wovepb.v1.payload_pb2 import TaskPayload

__all__ = ["PayloadBuilder", "Return", "is_large"]

ACCEPTS = ("heartbeat", "progress", "log")
"""The frames that the receiver takes beyond the four documented ones."""

DETACHED_RETRY_SECONDS = 60.0
"""How long the end of a detached run is tried: its weave may be gone for good, and the worker
is not to be kept for the minutes that others try."""

LARGE_BYTES = 1 << 20
"""Payloads of larger arguments are made in a thread, not on the weave's loop."""

_DELIVERY_FIELDS = (
    "delivery_timeout",
    "delivery_idempotency_key",
    "delivery_cancel_mode",
    "delivery_heartbeat_seconds",
    "delivery_orphan_policy",
)


@dataclass(frozen=True, kw_only=True, slots=True)
class Return:
    """The way back, as every payload of a weave names it."""

    callback_url: str = field(repr=False)
    """Where events are posted; it holds the token."""

    receiver_id: str
    """Names the receiver's process."""

    callback_grpc: str | None = field(default=None, repr=False)
    """Where they may be sent by gRPC; it holds the token."""

    max_event_bytes: int
    """The largest event body that the receiver takes."""


class PayloadBuilder:
    """Builds the payloads of one environment of one weave.

    Args:
        backend: the executor's name.
        environment: the environment's name, for errors.
        way_back: what the worker needs in order to report.
        start_gate: the worker must wait for the answer to `task_started`.
        max_bytes: the largest payload that the backend takes.
        measure: bytes of a payload as the backend will see it.
        pickles: False: tasks go by name, and arguments as JSON.
    """

    def __init__(
        self,
        *,
        backend: str,
        environment: str,
        way_back: Return,
        start_gate: bool,
        max_bytes: int | None,
        measure: Callable[[dict[str, Any]], int],
        pickles: bool = True,
    ) -> None:
        self._backend = backend
        self._environment = environment
        self._way_back = way_back
        self._start_gate = start_gate
        self._max_bytes = max_bytes
        self._measure = measure
        self._pickles = pickles
        self._origin = current_origin()

    def build(self, frame: Frame) -> dict[str, Any]:
        """The documented payload, JSON-safe.

        Raises:
            DeliveryError: code PAYLOAD_NOT_PICKLABLE; names what cannot be pickled.
            PayloadTooLargeError: over the backend's limit.
        """
        function = frame["callable"]
        payload = TaskPayload(
            version=1,
            adapter=self._backend,
            callback_url=self._way_back.callback_url,
            run_id=frame["run_id"],
            task_id=frame["task_id"],
            receiver_id=self._way_back.receiver_id,
            attempt=frame.get("attempt", 0),
            accepts=ACCEPTS,
            max_event_bytes=self._way_back.max_event_bytes,
            issued_at=time.time(),
        )
        name = getattr(function, "__name__", None)
        if self._pickles:
            payload.callable_pickle = self._pickled_callable(function, frame)
            payload.args_pickle = self._pickled_args(frame)
            payload.origin.CopyFrom(self._origin)
        else:
            name = getattr(inspect.unwrap(function), "__name__", None)
            payload.args_json = self._plain_args(function, frame)
        if name is not None:
            payload.task_name = name
        if self._way_back.callback_grpc is not None:
            payload.callback_grpc = self._way_back.callback_grpc
        payload.delivery.SetInParent()
        for option in _DELIVERY_FIELDS:
            if option in frame["delivery"]:
                setattr(payload.delivery, option, frame["delivery"][option])
        if not self.is_gated(frame):
            payload.start_gate = "none"
        if frame["delivery"].get("delivery_orphan_policy") == "detach":
            payload.delivery_retry_seconds = DETACHED_RETRY_SECONDS
        document = payload_to_dict(payload)
        if self._max_bytes is not None:
            self._check_size(document, frame, self._max_bytes)
        return document

    def is_gated(self, frame: Frame) -> bool:
        """Whether the worker waits for the answer to `task_started`."""
        return self._start_gate and frame["delivery"].get("delivery_orphan_policy") != "detach"

    def _pickled_callable(self, function: Callable[..., Any], frame: Frame) -> bytes:
        # Items of one map share the pickle. Any other call makes its own: what a closure
        # holds may have changed since the last.
        shared = frame.get("shared")
        pickled: bytes | None = None if shared is None else shared.get("callable_pickle")
        if pickled is None:
            try:
                pickled = dumps(function)
            except Exception as error:
                raise self._not_picklable(find_in_callable(function), frame, error) from error
            if shared is not None:
                shared["callable_pickle"] = pickled
        return pickled

    def _pickled_args(self, frame: Frame) -> bytes:
        args = frame["args"]
        try:
            return dumps(args)
        except Exception as error:
            what = "its arguments"
            for name, value in args.items():
                if not can_be_pickled(value):
                    path, kind = find_unpicklable(value)
                    where = f", at {name}{path}" if path else ""
                    what = f"its argument '{name}' ({kind}{where})"
                    break
            raise self._not_picklable(what, frame, error) from error

    def _plain_args(self, function: Callable[..., Any], frame: Frame) -> str:
        args = frame["args"]
        item = getattr(function, "item_parameter", None)  # of a merged callable
        if item is not None:
            args = {item: args["item"]}
        try:
            return dump_plain(args, f"{frame['task_id']}.args")
        except NotPlain as error:
            raise DeliveryError(
                f"Task '{frame['task_id']}' cannot be sent to environment '{self._environment}', "
                f"which has allow_pickle=False: JSON cannot carry {error}",
                code=ErrorCode.PAYLOAD_NOT_PLAIN,
                reason=str(error),
                **self._facts(frame),
            ) from None

    def _not_picklable(self, what: str, frame: Frame, error: Exception) -> DeliveryError:
        return DeliveryError(
            f"Task '{frame['task_id']}' cannot be sent to environment '{self._environment}': "
            f"{what} cannot be pickled: {type(error).__name__}: {error}",
            code=ErrorCode.PAYLOAD_NOT_PICKLABLE,
            reason=f"{type(error).__name__}: {error}",
            **self._facts(frame),
        )

    def _check_size(self, document: dict[str, Any], frame: Frame, limit: int) -> None:
        size = self._measure(document)
        if size <= limit:
            return
        largest = _largest(frame["args"])
        raise PayloadTooLargeError(
            f"Task '{frame['task_id']}' cannot be sent to environment '{self._environment}': its "
            f"payload is {size} bytes, and {self._backend} takes at most {limit}. {largest}"
            "Pass a reference, such as a path or a key, in place of large data.",
            size=size,
            limit=limit,
            **self._facts(frame),
        )

    def _facts(self, frame: Frame) -> dict[str, Any]:
        return {
            "task": frame["task_id"],
            "environment": self._environment,
            "run_id": frame["run_id"],
            "backend": self._backend,
        }


def is_large(args: Mapping[str, Any]) -> bool:
    """Whether pickling these could hold an event loop up, as far as is cheap to tell."""
    return any(_bytes_of(value) > LARGE_BYTES for value in args.values())


def _bytes_of(value: Any) -> int:
    if isinstance(value, (bytes, bytearray, str)):
        return len(value)
    if isinstance(value, (list, tuple, set, frozenset, dict)):
        return 64 * len(value)
    size = getattr(value, "nbytes", 0)  # arrays, and data frames' columns
    return size if isinstance(size, int) else 0


def _largest(args: Mapping[str, Any]) -> str:
    sizes = {name: len(dumps(value)) for name, value in args.items()}
    if not sizes:
        return ""
    name = max(sizes, key=lambda each: sizes[each])
    return f"Its largest argument is '{name}' ({sizes[name]} bytes). "
