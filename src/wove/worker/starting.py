"""`task_started`: the start gate, and the start without one."""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Callable

from wove.worker.answers import Answer, Verdict
from wove.worker.heartbeat import usable_interval
from wove.worker.messages import Body
from wove.worker.reporter import Reporter, Undelivered
from wovepb.v1.payload_pb2 import TaskPayload

__all__ = ["START_SECONDS", "announce", "heartbeat_interval"]

START_SECONDS = 60.0
"""Deadline of `task_started` (DELIVERY: after it the callable is not called)."""
UNGATED_SECONDS = 1.0
"""How long the first try may hold up a task that need not wait for it."""
DEFAULT_INTERVAL = 5.0


def heartbeat_interval(payload: TaskPayload) -> float | None:
    """Seconds between heartbeats; None where the receiver does not take any."""
    if "heartbeat" not in payload.accepts:
        return None
    return usable_interval(payload.delivery.delivery_heartbeat_seconds / 3) or DEFAULT_INTERVAL


def announce(
    reporter: Reporter, body: Body, *, gated: bool, heard: Callable[[Answer], None]
) -> Answer:
    """Deliver `task_started`.

    Args:
        reporter: of the execution.
        body: the event.
        gated: wait for a final answer. Else there is one short try, and the rest, if it
            takes more, is left to a thread.
        heard: called with the final answer that such a thread gets.

    Returns:
        The answer; without the gate it may be one that asks for another try.

    Raises:
        Undelivered: gated, and no final answer came in time.
    """
    if gated:
        return reporter.deliver(body, seconds=START_SECONDS)
    answer = reporter.route.post(body, timeout=UNGATED_SECONDS)
    if not answer.is_final:
        # Its own reporter: what hurries the run's end is not about its start.
        later = Reporter(reporter.route)

        def deliver() -> None:
            with contextlib.suppress(Undelivered):  # the terminal event says it all
                heard(later.deliver(body, seconds=START_SECONDS, tried=answer))

        with contextlib.suppress(RuntimeError):  # no thread: the terminal event says it all
            threading.Thread(target=deliver, name="wove-start", daemon=True).start()
        return Answer(Verdict.RETRY, answer.text, answer.status)
    return answer
