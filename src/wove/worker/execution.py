"""One execution of one payload, from `task_started` to the acknowledged terminal event."""

from __future__ import annotations

import asyncio
import inspect
import logging
import os
import threading
import time
from collections.abc import Callable
from http import HTTPStatus
from typing import Any, Literal

from wove.dispatch.pickling import loads
from wove.dispatch.requirements import check_origin, check_version
from wove.dispatch.urls import redacted
from wove.errors import CallbackUnreachableError, DeliveryError, VersionMismatchError
from wove.worker.answers import Answer, Verdict
from wove.worker.cancel import Stop, Stopped
from wove.worker.coroutines import RunCoroutine
from wove.worker.endings import Ending, Endings, not_loadable
from wove.worker.endpoint import Endpoint
from wove.worker.extensions import Reports
from wove.worker.forks import end_if_forked
from wove.worker.heartbeat import Pulse, usable_interval
from wove.worker.host import HostFacts
from wove.worker.messages import Body, Messages
from wove.worker.reporter import Reporter, Undelivered
from wove.worker.routes import route_for
from wove.worker.starting import START_SECONDS, announce, heartbeat_interval
from wove.worker.summaries import summary
from wove.worker.tasks import arguments_of, carries_pickles, find
from wovepb.v1.payload_pb2 import TaskPayload

__all__ = ["Encoding", "Execution", "Shutdown"]

_log = logging.getLogger(__name__)

Encoding = Literal["json", "protobuf", "grpc"]
"""How events travel: flat JSON, binary over HTTP, or gRPC."""

TERMINAL_SECONDS = (300.0, 3600.0)
"""A terminal event is tried for as long as the task ran, but within these."""


class Shutdown(BaseException):
    """Raised in a worker's waiting thread when its process is asked to end."""


class _NotLoadable(Exception):  # noqa: N818 - inner signal
    def __init__(self, error: DeliveryError) -> None:
        super().__init__()
        self.error = error


def _why(answer: Answer) -> str:
    if answer.cancels:
        return "the weave cancelled it"
    if answer.verdict is Verdict.CONFLICT:
        return "the weave has another execution or ending of it"
    return "the weave no longer waits for it"


class Execution:
    """Runs a payload once. `run` does everything; other methods are for other threads.

    Args:
        payload: what to run.
        endpoint: its callback URL in parts.
        facts: who runs it.
        run_coroutine: how an async callable is run.
        encoding: "json", "protobuf" or "grpc": use that one where the payload allows it; by
            default the best that it offers.
    """

    def __init__(
        self,
        payload: TaskPayload,
        endpoint: Endpoint,
        *,
        facts: HostFacts,
        run_coroutine: RunCoroutine,
        encoding: Encoding | None = None,
    ) -> None:
        self.stop = Stop()
        grpc = encoding in (None, "grpc")
        self.reporter = Reporter(route_for(payload, endpoint, grpc=grpc))
        self.summary: dict[str, Any] = {}
        self.failure: BaseException | None = None
        self.done = False
        self.on_done: Callable[[], object] = lambda: None
        self._pid = os.getpid()
        self._payload = payload
        self._facts = facts
        self._run_coroutine = run_coroutine
        binary = None if encoding is None else encoding != "json"
        self._messages = Messages(payload, binary=binary)
        self._reports = Reports(payload, self._messages, self.reporter.route, self._heard_beat)
        self._task = payload.task_name or payload.task_id
        self._pickles = carries_pickles(payload)
        self._endings = Endings(
            self._messages,
            task=self._task,
            max_bytes=payload.max_event_bytes,
            pickles=self._pickles,
        )
        self._detached = payload.delivery.delivery_orphan_policy == "detach"
        self._pulse: Pulse | None = None
        self._ending = self._over = False
        self._began = time.monotonic()
        self._host_error: BaseException | None = None
        self._lock = threading.Lock()
        """Guards `_pulse`, `_ending` and `_over`: `abandon` comes from another thread."""

    def run(self) -> None:
        """Run it and report. Never raises: `summary` and `failure` say what became of it."""
        try:
            ending = self._lead_safely()
            # Loading and pickling run the task's code too, and that may fork as well.
            failed = ending is None or ending.outcome != "succeeded"
            end_if_forked(self._pid, SystemExit(1) if failed else None)
            if ending is not None and self._may_end():
                self._end(ending)
        except BaseException as error:  # noqa: BLE001 - kept for whoever waits
            self.failure = error
        finally:
            if not self.stop.is_abandoned:
                self._finish()

    def abandon(self) -> bool:
        """Report the run without waiting for its callable any longer.

        Returns:
            False if the run's own ending is on its way.
        """
        with self._lock:
            if self._ending or not self.stop.abandon():
                return False
            self._ending = True
        try:
            self._end(self._stopped(forced=True))
        except BaseException as error:  # noqa: BLE001 - as in run
            self.failure = error
        finally:
            self._finish()
        return True

    def interrupt(self, error: BaseException, words: str = "") -> None:
        """The worker's host raised `error` at whoever waits for the run: stop the callable.

        Args:
            error: what it raised.
            words: why, if the host says more than `error` does.
        """
        name = type(error).__name__
        if isinstance(error, (asyncio.CancelledError, Shutdown)):
            self.stop.ask(words or "its worker is shutting down")
        else:
            if self.stop.asked_at is None:
                self._host_error = error
            self.stop.ask(f"its worker was interrupted by {name}")

    # ---- the run's own thread ---------------------------------------------------------------

    def _lead_safely(self) -> Ending | None:
        """`_lead`; a fault of ours or of the machine is an ending, too: the weave must hear."""
        try:
            return self._lead()
        except BaseException as trouble:  # noqa: BLE001 - as its name says
            _log.exception("a run failed in the worker itself")
            if not isinstance(trouble, Exception):
                self.failure = trouble  # an exit is for whoever waits, too
            return self._endings.worker_failed(trouble)

    def _lead(self) -> Ending | None:
        """Everything up to the ending; None if the task was not let start."""
        try:
            check_version(self._payload.version)
            if self._pickles:
                check_origin(self._payload.origin)
        except VersionMismatchError as error:
            return self._endings.wove_failed(error)
        if not self._start():
            return None
        try:
            with self._reports.current():
                value = self._call()
            if self._pickles:
                return self._endings.returned(value)
            return self._endings.returned_plain(value)
        except Stopped:
            return self._stopped()
        except _NotLoadable as failed:
            return self._endings.wove_failed(failed.error)
        except asyncio.CancelledError:
            if self.stop.asked_at is not None:
                return self._stopped()
            return self._endings.stopped("the task was cancelled on its worker")
        except BaseException as error:  # noqa: BLE001 - whatever a task may raise
            return self._endings.raised(error)

    def _start(self) -> bool:
        """Announce the execution, and wait for leave to go on where that is asked for."""
        interval = heartbeat_interval(self._payload)
        event = self._messages.started(self._facts, interval)
        body = self._messages.encode(event)
        gated = self._payload.start_gate != "none"
        try:
            answer = announce(self.reporter, body, gated=gated, heard=self._heard_start)
        except Undelivered as trouble:
            self.failure = self._unreachable("the start", trouble)
            self._summarize("not_started", False, "CallbackUnreachableError", str(self.failure))
            return False
        accepted = answer.verdict is Verdict.ACCEPTED
        if not accepted and answer.stops("task_started", detached=self._detached):
            message = f"the receiver answered {answer.text} to task_started"
            self._summarize("not_started", True, "StartRefused", message)
            return False
        if interval is not None:
            asked = 0.0 if answer.ack is None else answer.ack.heartbeat_seconds
            self._begin_to_beat(usable_interval(asked) or interval)
        if accepted:
            self._heard_start(answer)
        return True

    def _may_end(self) -> bool:
        """Whether this is the first to end the run: there is one terminal event."""
        with self._lock:
            first, self._ending = not (self._ending or self.stop.is_abandoned), True
            return first

    def _begin_to_beat(self, interval: float) -> None:
        with self._lock:
            if self._over:  # abandoned while the start was being announced
                return
            try:
                self._pulse = Pulse(
                    self._payload.run_id,
                    self.reporter.route,
                    interval=interval,
                    make=self._beat,
                    heard=self._heard_beat,
                )
            except RuntimeError as error:  # no thread: the task can run all the same
                _log.warning("task %r runs without heartbeats: %s", self._task, error)

    def _call(self) -> Any:
        function, arguments = self._load() if self._pickles else self._look_up()
        value = self.stop.call(function, arguments)
        if inspect.iscoroutine(value):
            value = self._run_coroutine(value, self.stop)
        return value

    def _look_up(self) -> tuple[Callable[..., Any], dict[str, Any]]:
        try:
            return find(self._payload), arguments_of(self._payload)
        except DeliveryError as error:
            raise _NotLoadable(error) from None

    def _load(self) -> tuple[Callable[..., Any], dict[str, Any]]:
        payload, part = self._payload, "the callable"
        try:
            function = loads(payload.callable_pickle)
            part = "the arguments"
            arguments = loads(payload.args_pickle)
        except BaseException as trouble:  # noqa: BLE001 - importing a module runs any code
            raise _NotLoadable(not_loadable(self._task, part, trouble)) from None
        return function, arguments

    # ---- events -----------------------------------------------------------------------------

    def _end(self, ending: Ending) -> None:
        """Deliver the terminal event."""
        self._reports.close()
        seconds = self._terminal_seconds()
        try:
            answer = self.reporter.deliver(ending.body, seconds=seconds, replaceable=True)
            if answer.verdict is Verdict.INVALID:
                refused = f"{answer.text}; it was {ending.kind or 'a result'}: {ending.message}"
                ending = self._endings.minimal(
                    "EventRefused",
                    f"the event of task {self._task!r} was refused: {refused}",
                    code=_refusal_code(answer),
                )
                answer = self.reporter.deliver(ending.body, seconds=seconds)
        except Undelivered as trouble:
            error = self._unreachable("the end", trouble)
            self._summarize(ending.outcome, False, type(error).__name__, str(error))
            if not self._detached:
                self.failure = error
            return
        delivered = answer.verdict in (Verdict.ACCEPTED, Verdict.CONFLICT, Verdict.GONE)
        self._summarize(ending.outcome, delivered, ending.kind, ending.message)
        if not delivered:
            self.failure = self._refused(answer)

    def _stopped(self, *, forced: bool = False) -> Ending:
        if self._host_error is not None:
            return self._endings.interrupted(self._host_error)
        return self._endings.stopped(self.stop.reason, forced=forced)

    def _heard_start(self, answer: Answer) -> None:
        self._heard(answer, "task_started")

    def _heard_beat(self, answer: Answer) -> None:
        self._heard(answer, "heartbeat")

    def _heard(self, answer: Answer, frame: str) -> None:
        """An answer to `task_started` or to a heartbeat, from whichever thread."""
        if answer.stops(frame, detached=self._detached):
            self.stop.ask(_why(answer))

    def _beat(self) -> Body:
        return self._messages.encode(self._messages.heartbeat())

    def _terminal_seconds(self) -> float:
        if self._payload.delivery_retry_seconds > 0:  # else as if absent
            return self._payload.delivery_retry_seconds
        shortest, longest = TERMINAL_SECONDS
        return min(max(time.monotonic() - self._began, shortest), longest)

    # ---- what is left -----------------------------------------------------------------------

    def _finish(self) -> None:
        with self._lock:
            self._over = True
            if self._pulse is not None:
                self._pulse.stop()
        self.done = True
        self.on_done()

    def _summarize(self, outcome: str, delivered: bool, kind: str, message: str) -> None:
        self.summary = summary(self._payload, outcome, delivered, kind, message)

    def _unreachable(self, what: str, trouble: Undelivered) -> CallbackUnreachableError:
        url = redacted(self._payload.callback_url)
        return CallbackUnreachableError(
            f"the worker {self._facts.worker_id} could not report {what} of task {self._task!r} "
            f"to {url}: {trouble}. That address must lead from the worker to the weave's "
            "process: see callback_url in executor_config.",
            task=self._task,
            run_id=self._payload.run_id,
            backend=self._payload.adapter or None,
            backend_job_id=self._facts.backend_job_id or None,
            reason=trouble.last,
            limit=START_SECONDS if what == "the start" else None,
        )

    def _refused(self, answer: Answer) -> CallbackUnreachableError:
        url = redacted(self._payload.callback_url)
        return CallbackUnreachableError(
            f"the receiver at {url} refused the end of task {self._task!r}: {answer.text}. "
            "Its outcome is lost.",
            task=self._task,
            run_id=self._payload.run_id,
            backend=self._payload.adapter or None,
            reason=answer.text,
        )


def _refusal_code(answer: Answer) -> str:
    too_large = answer.status == HTTPStatus.REQUEST_ENTITY_TOO_LARGE
    return "result_too_large" if too_large else "event_refused"
