"""`run` and `arun`: what a backend's worker calls with a payload."""

from __future__ import annotations

import asyncio
import contextvars
import threading
import time
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any, NamedTuple

from wove.worker.coroutines import RunCoroutine, in_own_loop, on_loop
from wove.worker.execution import Encoding, Execution, Shutdown
from wove.worker.host import host_facts
from wove.worker.payloads import decode_payload

if TYPE_CHECKING:
    from wove.worker.process_control import Control

if TYPE_CHECKING:
    from typing import TypeAlias

__all__ = [
    "Finished",
    "Payload",
    "Shutdown",
    "arun",
    "arun_beside_loop",
    "arun_for_host",
    "run",
    "run_here",
    "run_in_own_process",
]

Payload: TypeAlias = "Mapping[str, Any] | str | bytes"
"""A payload as the adapter submitted it, its JSON text, or base64 of that."""

PATIENCE_SECONDS = 5.0
"""A task that was asked to stop is waited for this long, where it can be left behind."""
HURRY_SECONDS = 10.0
"""How long a worker that must exit goes on trying to deliver."""


def run(payload: Payload) -> dict[str, Any]:
    """Run a payload in this worker and report to its weave. Blocks until it is reported.

    The task runs in a thread of its own. What the host raises in the calling thread
    meanwhile stops the task. A soft time limit (an `Exception`) is reported as the task's
    error. `SystemExit`, `KeyboardInterrupt` and their like mean that the worker was told
    to stop: the weave sees `WorkerLostError`, and they are then raised again here.

    Returns:
        A small JSON-safe summary for the backend to store: `run_id`, `outcome`
        ("succeeded", "failed", "cancelled", "not_started"), `delivered`, `error`,
        `callback_url` without its token, `wove_version`. Never the task's result.

    Raises:
        CallbackUnreachableError: the events could not be delivered.
        DeliveryError: `INVALID_PAYLOAD`: `payload` is none.
    """
    return _run(payload, may_be_left=False)


async def arun(payload: Payload) -> dict[str, Any]:
    """`run` for an async worker. Nothing blocks the event loop.

    An async task runs on this loop, as an asyncio task of its own; a sync one in a thread
    of its own. Cancelling `arun` (the worker shuts down) stops the task, reports it as
    cancelled, and then raises `CancelledError`; a cancellation that the weave asked for
    never does.

    Returns:
        As `run`.

    Raises:
        CallbackUnreachableError: as `run`.
        DeliveryError: as `run`.
    """
    return await _arun(payload, on_loop(asyncio.get_running_loop()))


async def arun_beside_loop(payload: Payload) -> dict[str, Any]:
    """`arun` with the event loop kept free: an async task has a loop of its own.

    For workers whose loop is their connection to the backend: whatever the task does, the
    loop goes on. The message of the cancellation, if it has one, is what the weave is told.

    Returns:
        As `run`.

    Raises:
        CallbackUnreachableError: as `run`.
        DeliveryError: as `run`.
    """
    return await _arun(payload, in_own_loop, str)


async def arun_for_host(payload: Payload, why_cancelled: str) -> dict[str, Any]:
    """`arun`, with words of the host's own for a cancellation.

    Args:
        payload: as for `run`.
        why_cancelled: what the weave is told when this is cancelled.

    Returns:
        As `run`.

    Raises:
        CallbackUnreachableError: as `run`.
        DeliveryError: as `run`.
    """
    return await _arun(payload, on_loop(asyncio.get_running_loop()), lambda _: why_cancelled)


async def _arun(
    payload: Payload,
    run_coroutine: RunCoroutine,
    words: Callable[[asyncio.CancelledError], str] = lambda _: "",
) -> dict[str, Any]:
    loop = asyncio.get_running_loop()
    ended: asyncio.Future[None] = loop.create_future()
    decoded, endpoint = decode_payload(payload)
    execution = Execution(decoded, endpoint, facts=host_facts(), run_coroutine=run_coroutine)

    def settle() -> None:
        if not ended.done():
            ended.set_result(None)

    execution.on_done = lambda: _unless_closed(loop, settle)
    _in_thread(execution.run)
    try:
        await asyncio.wait({ended})
    except asyncio.CancelledError as error:
        execution.interrupt(error, words(error))
        execution.reporter.hurry(PATIENCE_SECONDS + HURRY_SECONDS)
        await asyncio.wait({ended}, timeout=PATIENCE_SECONDS)
        if not ended.done():
            _in_thread(execution.abandon)
            await asyncio.wait({ended}, timeout=HURRY_SECONDS)
        raise
    return _outcome(execution)


class Finished(NamedTuple):
    """What became of a payload whose process ends with it.

    Attributes:
        summary: as `run` returns it; empty if there was not even that.
        failure: what `run` would have raised.
        left_behind: the task did not stop and still runs in its thread: the process must
            end at once.
    """

    summary: dict[str, Any]
    failure: BaseException | None
    left_behind: bool


def run_in_own_process(payload: Payload, encoding: Encoding | None = None) -> Finished:
    """`run` for a process that ends with this payload.

    `Shutdown`, raised in this thread by a signal's handler, stops the task, which is then
    reported as cancelled.

    Args:
        payload: as for `run`.
        encoding: how events travel; by default the best that the payload offers.

    Raises:
        DeliveryError: `INVALID_PAYLOAD`: `payload` is none.
    """
    execution = _wait(payload, may_be_left=True, encoding=encoding)
    return Finished(execution.summary, execution.failure, execution.stop.is_abandoned)


def run_here(payload: Payload, control: Control | None = None) -> dict[str, Any]:
    """`run` with the task in the calling thread, which nobody else interrupts.

    Args:
        payload: as for `run`.
        control: may ask for the task to be stopped.
    """
    decoded, endpoint = decode_payload(payload)
    execution = Execution(decoded, endpoint, facts=host_facts(), run_coroutine=in_own_loop)
    if control is not None:
        control.begin(decoded.run_id, execution.stop)
    try:
        execution.run()
    finally:
        if control is not None:
            control.end()
    return _outcome(execution)


def _run(payload: Payload, *, may_be_left: bool) -> dict[str, Any]:
    return _outcome(_wait(payload, may_be_left=may_be_left))


def _wait(payload: Payload, *, may_be_left: bool, encoding: Encoding | None = None) -> Execution:
    decoded, endpoint = decode_payload(payload)
    execution = Execution(
        decoded, endpoint, facts=host_facts(), run_coroutine=in_own_loop, encoding=encoding
    )
    changed = threading.Event()
    execution.on_done = execution.stop.on_ask = changed.set
    try:
        try:
            _in_thread(execution.run)
        except RuntimeError:
            # The machine has no more threads, or the interpreter is about to end.
            execution.run()
        _until_done(execution, changed, may_be_left=may_be_left)
    except BaseException as error:  # what the host raised here, through a signal
        execution.interrupt(error)
        if isinstance(error, Exception):
            _until_done(execution, changed, may_be_left=True)
        else:
            execution.reporter.hurry(PATIENCE_SECONDS + HURRY_SECONDS)
            _until_done(execution, changed, may_be_left=True)
            if not isinstance(error, Shutdown):
                raise
    return execution


def _until_done(execution: Execution, changed: threading.Event, *, may_be_left: bool) -> None:
    """Wait for the run's end, which a task that does not stop delays no longer than agreed."""
    while not execution.done:
        left = None
        if may_be_left and execution.stop.asked_at is not None:
            left = execution.stop.asked_at + PATIENCE_SECONDS - time.monotonic()
            if left <= 0:
                if execution.abandon():
                    return
                may_be_left, left = False, None
        changed.wait(left)
        changed.clear()


def _outcome(execution: Execution) -> dict[str, Any]:
    if execution.failure is not None:
        raise execution.failure
    return execution.summary


def _in_thread(function: Any) -> None:
    # Our own thread: the pools of concurrent.futures refuse work at interpreter exit, and a
    # stopped task must not take a shared thread with it. A daemon: a task that was left
    # behind must not keep the process.
    context = contextvars.copy_context()
    threading.Thread(target=context.run, args=(function,), name="wove-task", daemon=True).start()


def _unless_closed(loop: asyncio.AbstractEventLoop, function: Any) -> None:
    try:
        loop.call_soon_threadsafe(function)
    except RuntimeError:  # the loop is closed: nobody waits
        return
