"""One item on its way through its runs: tries, requeues, and the end of waiting."""

from __future__ import annotations

import asyncio
import logging
import os
import time
from typing import TYPE_CHECKING, Any

from wove.errors import (
    DeliveryError,
    ErrorCode,
    WorkerLostError,
)
from wove.executors import deadlines
from wove.executors.base import Frame
from wove.executors.frames import cancelled_error, delivery_options, frame_error
from wove.executors.idempotency import job_id, resolve_key
from wove.executors.losses import (
    lost_with_its_worker,
    not_taken,
    stopped_with_its_weave,
    unconfirmed,
    under_policy,
)
from wove.executors.records import RunRecord, RunState
from wove.executors.run import Outcome, Run

if TYPE_CHECKING:
    from wove.executors.session import EnvironmentSession, TaskCall

__all__ = ["Item"]

logger = logging.getLogger("wove.executors")

_FINAL = frozenset(
    {
        ErrorCode.PAYLOAD_NOT_PLAIN,
        ErrorCode.PAYLOAD_NOT_PICKLABLE,  # the next payload would be the same
        ErrorCode.PAYLOAD_TOO_LARGE,
        ErrorCode.DUPLICATE_KEY,  # a new attempt's id would get past the refusal
        ErrorCode.ORPHANED,  # given up, and perhaps still running
        ErrorCode.BACKEND_CANCELLED,  # somebody wanted it stopped
        ErrorCode.TASK_CANCELLED,
        ErrorCode.EXECUTOR_FAILED,
    }
)
"""Failures that another try would not help, or would make worse."""

_ENDS: dict[str, RunState] = {
    "timed_out": "timed_out",
    "start_timed_out": "timed_out",
    "worker_lost": "lost",
    "backend_cancelled": "cancelled",
}
"""A run's state by the cause that ended it; every other cause is a failure."""


class Item:
    """What one `execute` waits for.

    Args:
        session: the environment that it runs in.
        call: what to run, with its options.

    Raises:
        ValueError: the idempotency key cannot be made from the arguments.
    """

    def __init__(self, session: EnvironmentSession, call: TaskCall) -> None:
        delivery = call.options.delivery
        self.session = session
        self.call = call
        self.runs: list[Run] = []
        self._late: Outcome | None = None
        self._policy = delivery.delivery_orphan_policy
        self._retries_left = call.options.retries or 0
        self._requeues_left = session.liveness.requeues if self._policy == "requeue" else 0
        self._key = resolve_key(delivery.delivery_idempotency_key, call.args, call.task_id)

    async def execute(self) -> Any:
        """Run until a try succeeds or none is left; return the value or raise the last error."""
        try:
            while True:
                run = self._submit()
                outcome = await run.waiting
                if outcome.error is None:
                    return outcome.value
                if self._late is not None:  # it came after the run's end, before another run
                    return self._late.value
                if not self._goes_on(outcome.error):
                    raise outcome.error
                self._count_down(outcome.error)
        except asyncio.CancelledError:
            await self._give_up(self.runs[-1])
            if self._late is None:
                raise
            return self._late.value  # `require_ack` waited, and it finished before it could stop
        finally:
            self.session.release(self)

    # ---- events -----------------------------------------------------------------------

    def on_frame(self, run: Run, frame: Frame) -> None:
        """Take one event of one of this item's runs."""
        run.heard_at = asyncio.get_running_loop().time()
        kind, record = frame.get("type"), run.record
        if kind == "task_started":
            if record.backend_job_id is None:  # a submission may return after its job has begun
                record.backend_job_id = frame.get("backend_job_id")
            if record.started_at is None:
                run.start()
                if not run.ended:
                    deadlines.on_started(self.session, run)
        elif kind == "task_result":
            self._take_result(run, Outcome(value=frame.get("result")))
        elif kind == "task_error" and "verdict" in frame:
            self._take_verdict(run, frame)
        elif kind == "task_error":
            run.note_gone()
            self._take_error(run, frame_error(frame, record))
        elif kind == "task_cancelled":
            if record.cancel is not None:
                run.note_cancel("stopped")
            run.end("cancelled", Outcome(error=cancelled_error(frame, record)))
        elif kind == "task_submitted":
            record.backend_job_id = frame.get("backend_job_id")
            if record.state == "submitted":
                record.state = "queued"

    def _take_result(self, run: Run, outcome: Outcome) -> None:
        run.note_gone()
        newest = self.runs[-1]
        if not run.ended:
            run.end("succeeded", outcome)
            return
        # The run had been given up, but its job did finish: say so.
        run.record.state, run.record.error = "succeeded", None
        if newest.ended:
            self._late = outcome  # `execute` has not looked yet, or `require_ack` waits
        else:
            self.ask_cancel(newest)
            newest.end("cancelled", outcome)

    def _take_error(self, run: Run, error: BaseException) -> None:
        if isinstance(error, DeliveryError) and error.backend_job_id is None:
            # A job may be over before its submission has returned and told its name.
            error.backend_job_id = run.record.backend_job_id
        lost = lost_with_its_worker(error, run.record)
        if lost is None:
            run.end("failed", Outcome(error=error))
        else:
            run.end("lost", Outcome(error=under_policy(lost, self._policy, run.record)))

    def _take_verdict(self, run: Run, frame: Frame) -> None:
        """The watcher's judgement of a run: not an event, so it must win the ending first."""
        cause: str = frame["verdict"]
        error: DeliveryError = frame["exception"]
        if run.ended:
            if run.record.cancel is not None and frame.get("proof"):
                run.note_cancel("stopped")
            return
        cancel = cause in ("worker_lost", "backend_forgot", "callback_unreachable")
        ending = under_policy(error, self._policy, run.record)
        if ending is not error:
            cancel = self._policy == "fail"
        self.session.spawn(self.end_without_event(run, cause, ending, cancel=cancel))

    async def end_without_event(
        self, run: Run, cause: str, error: BaseException, *, cancel: bool
    ) -> None:
        """End a run on the weave's own word, unless a terminal event was first.

        Args:
            run: the run.
            cause: one word for the records.
            error: what the try fails with.
            cancel: ask the backend to stop the job, which may be running still.
        """
        if run.ended:
            return
        item_goes_on = self._goes_on(error)
        try:
            won = await self.session.executor.end_run(run.run_id, cause, item_goes_on=item_goes_on)
        except Exception as failure:  # noqa: BLE001 - whatever an executor raises
            won = True  # nobody else would ever end it
            logger.warning(
                "environment %r failed to end run %s of task %r: %s: %s",
                self.session.name,
                run.run_id,
                self.call.task_id,
                type(failure).__name__,
                failure,
            )
        if not won:
            return  # the event that was first is on its way
        if cancel:
            self.ask_cancel(run)
        run.end(_ENDS.get(cause, "failed"), Outcome(error=error))

    # ---- cancelling -------------------------------------------------------------------

    def ask_cancel(self, run: Run) -> None:
        """Have the job stopped, without waiting for it."""
        if run.record.cancel is None:
            run.record.cancel = "unconfirmed"
            self.session.spawn(self._cancel(run))

    async def _cancel(self, run: Run) -> None:
        if run.sending is not None and not run.sending.done():
            await asyncio.wait({run.sending})  # a command may not overtake the run's own
        delivery = self.call.options.delivery
        frame = {
            "type": "cancel_task",
            "run_id": run.run_id,
            "task_id": self.call.task_id,
            "delivery_cancel_mode": delivery.delivery_cancel_mode,
            "delivery_orphan_policy": self._policy,
        }
        try:
            run.note_cancel(await self.session.executor.cancel_run(frame))
        except Exception as error:  # noqa: BLE001 - whatever an adapter raises
            logger.warning(
                "could not cancel run %s of task %r in environment %r: %s: %s",
                run.run_id,
                self.call.task_id,
                self.session.name,
                type(error).__name__,
                error,
            )

    async def _give_up(self, run: Run) -> None:
        """The weave stops waiting: apply the orphan policy to the newest run."""
        if run.ended:
            return
        if self._policy == "detach":
            run.end(run.record.state, Outcome())
            return
        run.gone = asyncio.get_running_loop().create_future()
        self.ask_cancel(run)
        run.end("cancelled", Outcome())
        delivery, record = self.call.options.delivery, run.record
        if delivery.delivery_cancel_mode == "require_ack":
            seconds = delivery.cancel_timeout or self.session.liveness.cancel_timeout
            done, _ = await asyncio.wait({run.gone}, timeout=seconds)
            if not done:
                record.cancel = "unconfirmed"
                raise self.session.unconfirmed(unconfirmed(record, seconds))
        if self._policy == "fail" and self._late is None:
            raise stopped_with_its_weave(record)

    # ---- tries ------------------------------------------------------------------------

    def _submit(self) -> Run:
        session, call, attempt = self.session, self.call, len(self.runs)
        record = RunRecord(
            task=call.task_id,
            run_id=os.urandom(16).hex(),
            environment=session.name,
            backend=session.backend_name,
            attempt=attempt,
            item=call.item,
            submitted_at=time.time(),
        )
        run = Run(self, record)
        frame = {
            "type": "run_task",
            "run_id": record.run_id,
            "task_id": call.task_id,
            "callable": call.callable,
            "args": dict(call.args),
            "delivery": delivery_options(call.options.delivery, self._key),
            "attempt": attempt,
            "supersedes": self.runs[-1].run_id if self.runs else None,
        }
        if call.shared is not None:
            frame["shared"] = call.shared
        if self._key is not None:
            frame["job_id"] = job_id(self._key, attempt)
        if call.options.delivery.start_timeout is not None:
            # Adapters make it the backend's own expiry; the deadline is kept here.
            frame["start_timeout"] = call.options.delivery.start_timeout
        self.runs.append(run)
        session.register(run)
        call.on_run(record)
        deadlines.on_submitted(session, run)
        if not run.ended:
            self._hand_over(run, frame)
        return run

    def _hand_over(self, run: Run, frame: Frame) -> None:
        try:
            if not self.session.executor.begin_run(frame):
                run.sending = asyncio.create_task(self._send(run, frame))
        except Exception as error:  # noqa: BLE001 - whatever an executor raises
            run.end("failed", Outcome(error=not_taken(error, run.record)))

    async def _send(self, run: Run, frame: Frame) -> None:
        try:
            await self.session.executor.send(frame)
        except Exception as error:  # noqa: BLE001 - whatever an executor raises
            run.end("failed", Outcome(error=not_taken(error, run.record)))

    def _goes_on(self, error: BaseException) -> bool:
        """Whether this failure of the newest run leads to another run."""
        if isinstance(error, DeliveryError) and error.code in _FINAL:
            return False
        return self._retries_left > 0 or self._requeues(error)

    def _count_down(self, error: BaseException) -> None:
        if self._requeues(error):
            self._requeues_left -= 1
        else:
            self._retries_left -= 1

    def _requeues(self, error: BaseException) -> bool:
        return self._requeues_left > 0 and isinstance(error, WorkerLostError)
