"""The events of one execution, and their bytes."""

from __future__ import annotations

import itertools
import math
import os
import time
from typing import NamedTuple

from wove.contract import event_to_bytes, event_to_json
from wove.dispatch.failures import scrub
from wove.worker.host import HostFacts
from wovepb.v1.event_pb2 import ErrorInfo, Event
from wovepb.v1.payload_pb2 import TaskPayload

__all__ = ["Body", "Messages"]

REASON_BYTES = 1000


class Body(NamedTuple):
    """An encoded event."""

    data: bytes
    content_type: str


class Messages:
    """Makes and encodes the events of one execution. Any thread may use it.

    Args:
        payload: of the execution.
        binary: encode as protobuf; else as flat JSON. By default protobuf for a receiver that
            says who it is (`receiver_id`), and flat JSON, with base64's cost, for one of the
            published package.
    """

    def __init__(self, payload: TaskPayload, *, binary: bool | None = None) -> None:
        self._payload = payload
        self._binary = payload.HasField("receiver_id") if binary is None else binary
        self._sequence = itertools.count(1)
        self.execution_id = os.urandom(16).hex()

    def encode(self, event: Event) -> Body:
        """The event's body, to be sent unchanged on every retry."""
        if self._binary:
            return Body(event_to_bytes(event), "application/x-protobuf")
        return Body(event_to_json(event), "application/json")

    def started(self, facts: HostFacts, heartbeat_seconds: float | None) -> Event:
        """`task_started`."""
        event = self._event()
        frame = event.task_started
        frame.worker_id = facts.worker_id
        frame.backend_job_id = facts.backend_job_id
        frame.backend_worker = facts.backend_worker
        if heartbeat_seconds is not None:
            frame.heartbeat_seconds = heartbeat_seconds
        return event

    def heartbeat(self) -> Event:
        """`heartbeat`."""
        event = self._event()
        event.heartbeat.SetInParent()
        return event

    def result(self, pickle: bytes) -> Event:
        """`task_result`."""
        event = self._event()
        event.task_result.result_pickle = pickle
        return event

    def plain_result(self, text: str) -> Event:
        """`task_result` of JSON text."""
        event = self._event()
        event.task_result.result_json = text
        return event

    def progress(self, current: float | None, total: float | None, unit: str, message: str) -> Body:
        """`progress`, encoded."""
        for number in (current, total):
            if number is not None and not math.isfinite(number):
                raise ValueError(f"progress counts in finite numbers, not {number!r}")
        event = self._event()
        frame = event.progress
        frame.SetInParent()
        if current is not None:
            frame.current = current
        if total is not None:
            frame.total = total
        frame.unit, frame.message = scrub(unit, REASON_BYTES), scrub(message)
        return self.encode(event)

    def log(self, message: str, level: str, logger: str) -> Body:
        """`log`, encoded."""
        event = self._event()
        event.log.level, event.log.logger = level, scrub(logger, REASON_BYTES)
        event.log.message = scrub(message)
        return self.encode(event)

    def error(self, info: ErrorInfo, pickle: bytes | None = None) -> Event:
        """`task_error`."""
        event = self._event()
        event.task_error.error.CopyFrom(info)
        if pickle is not None:
            event.task_error.exception_pickle = pickle
        return event

    def minimal_error(self, kind: str, message: str, *, source: str, code: str) -> Event:
        """A `task_error` that no receiver has a reason to refuse: short ASCII, no cause."""
        info = ErrorInfo(kind=_ascii(kind), message=_ascii(message), source=source, code=code)
        return self.error(info)

    def cancelled(self, reason: str, *, forced: bool = False) -> Event:
        """`task_cancelled`."""
        event = self._event()
        event.task_cancelled.reason = scrub(reason, REASON_BYTES)
        event.task_cancelled.forced = forced
        return event

    def _event(self) -> Event:
        sequence = next(self._sequence)
        payload = self._payload
        return Event(
            run_id=payload.run_id,
            task_id=payload.task_id,
            event_id=f"{self.execution_id}-{sequence}",
            emitted_at=time.time(),
            attempt=payload.attempt,
            execution_id=self.execution_id,
            sequence=sequence,
        )


def _ascii(text: str) -> str:
    return text.encode("ascii", "backslashreplace")[:REASON_BYTES].decode()
