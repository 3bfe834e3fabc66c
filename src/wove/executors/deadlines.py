"""The clocks of one run and the errors that they end it with."""

from __future__ import annotations

import asyncio
import logging
from typing import TYPE_CHECKING

from wove.errors import DeliveryTimeoutError, ErrorCode, TaskTimeoutError
from wove.executors.frames import describe

if TYPE_CHECKING:
    from wove.executors.run import Run
    from wove.executors.session import EnvironmentSession

__all__ = ["on_started", "on_submitted"]

logger = logging.getLogger("wove.executors")

_REASON_SECONDS = 3.0
"""How long an end waits for the executor's reason; executors of ours take 2 s at most."""


def on_submitted(session: EnvironmentSession, run: Run) -> None:
    """Start the clocks that run from the submission."""
    delivery = run.item.call.options.delivery
    if delivery.delivery_timeout is not None:
        run.set_timer(
            "delivery",
            delivery.delivery_timeout,
            lambda: session.spawn(_delivery_timed_out(session, run)),
        )
    if delivery.start_timeout is not None:
        run.set_timer(
            "start",
            delivery.start_timeout,
            lambda: session.spawn(_start_timed_out(session, run)),
        )


def on_started(session: EnvironmentSession, run: Run) -> None:
    """Start the clocks that run from the accepted `task_started`."""
    options = run.item.call.options
    run.drop_timer("start")
    if options.timeout is not None:
        run.set_timer("task", options.timeout, lambda: session.spawn(_task_timed_out(session, run)))
    silence = options.delivery.delivery_heartbeat_seconds
    if silence is not None and not session.executor.judges_silence:
        run.set_timer("silence", silence, lambda: _check_silence(session, run, silence))


async def _task_timed_out(session: EnvironmentSession, run: Run) -> None:
    record, seconds = run.record, run.item.call.options.timeout
    error = TaskTimeoutError(
        f"Task '{record.task}' ran longer than its timeout of {seconds:g} s "
        f"in environment '{record.environment}'."
    )
    error.task = record.task
    await run.item.end_without_event(run, "timed_out", error, cancel=True)


async def _delivery_timed_out(session: EnvironmentSession, run: Run) -> None:
    record, seconds = run.record, run.item.call.options.delivery.delivery_timeout
    reason, advice = None, ""
    if record.started_at is None:
        reason, advice = await _why_not_started(session, run)
        if run.ended:
            return
    error = DeliveryTimeoutError(
        f"Task '{record.task}' gave no result within its delivery_timeout of {seconds:g} s "
        f"in environment '{record.environment}' (last seen: {record.state}).{advice}",
        code=ErrorCode.DELIVERY_TIMEOUT,
        limit=seconds,
        reason=reason,
        **describe(record),
    )
    await run.item.end_without_event(run, "timed_out", error, cancel=True)


async def _start_timed_out(session: EnvironmentSession, run: Run) -> None:
    record, seconds = run.record, run.item.call.options.delivery.start_timeout
    reason, advice = await _why_not_started(session, run)
    if record.started_at is not None or run.ended:
        return
    error = DeliveryTimeoutError(
        f"Task '{record.task}' was not started within its start_timeout of {seconds:g} s in "
        f"environment '{record.environment}'.{advice}",
        code=ErrorCode.START_TIMEOUT,
        limit=seconds,
        reason=reason,
        **describe(record),
    )
    await run.item.end_without_event(run, "start_timed_out", error, cancel=True)


async def _why_not_started(session: EnvironmentSession, run: Run) -> tuple[str | None, str]:
    """The backend's reason, and it and what to look at as the end of an error's text."""
    reason: str | None = None
    try:
        asked = session.executor.pending_reason(run.run_id)
        reason = await asyncio.wait_for(asked, _REASON_SECONDS) or None
    except Exception as error:  # noqa: BLE001 - no reason is no reason to go on waiting
        words = f"{type(error).__name__}: {error}"
        logger.warning("environment %r could not say why a run waits: %s", session.name, words)
    if reason is not None and reason.startswith("running"):
        advice = (
            "Its worker has not reached callback_url: can it, from where it runs, and does it "
            "trust the certificate if that is https (WOVE_HTTPS_CA)?"
        )
    else:
        advice = "Is a worker running that takes its jobs, and knows them by the same name?"
    said = f" {session.backend_name} says: {reason}." if reason else ""
    return reason, f"{said} {advice}"


def _check_silence(session: EnvironmentSession, run: Run, seconds: float) -> None:
    left = run.heard_at + seconds - asyncio.get_running_loop().time()
    if left > 0:
        run.set_timer("silence", left, lambda: _check_silence(session, run, seconds))
        return
    record = run.record
    error = DeliveryTimeoutError(
        f"Task '{record.task}': environment '{record.environment}' said nothing for "
        f"{seconds:g} s (delivery_heartbeat_seconds).",
        code=ErrorCode.HEARTBEAT_TIMEOUT,
        limit=seconds,
        **describe(record),
    )
    session.spawn(run.item.end_without_event(run, "timed_out", error, cancel=True))
