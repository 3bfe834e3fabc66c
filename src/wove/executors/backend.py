"""The executor behind every backend adapter: payloads out, callback events back."""

from __future__ import annotations

import asyncio
import contextlib
import copy
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from wove.dispatch.requirements import require_dispatch
from wove.dispatch.threads import in_thread
from wove.dispatch.urls import redacted
from wove.executors.base import EnvironmentExecutor, Frame
from wove.executors.checks import check_packages, check_settings, result_converter
from wove.executors.frames import submission_error
from wove.executors.liveness import Liveness
from wove.executors.losses import warn_of_detached
from wove.executors.records import CancelOutcome
from wove.executors.registry import adapter_class_for

if TYPE_CHECKING:
    from wove.dispatch.typed import Convert
    from wove.executors.watch import Verdict
    from wove.integrations.base import BackendAdapter

__all__ = ["BackendAdapterEnvironmentExecutor"]

REASON_SECONDS = 2.0
"""How long a run that was not started in time waits for the backend's reason."""


@dataclass(slots=True)
class _Job:
    task: str
    supersedes: str | None
    convert: Convert | None
    heartbeat_seconds: float | None
    detached: bool
    submitting: asyncio.Task[None] | None = None
    submission: Any = None
    submitted: bool = False
    heard: bool = False  # its submission failed, and it runs all the same
    gone: bool = False  # there is proof that it does not run
    backend_job_id: str | None = None


class BackendAdapterEnvironmentExecutor(EnvironmentExecutor):
    """Runs tasks through a backend adapter; workers report to this process's receiver.

    One instance may serve several weaves at once, each through a copy of its own.

    Args:
        name: the executor's name; alone, it takes the built-in adapter of that name.
        adapter_class: the adapter to use.
        required_modules: what must be importable, in place of the adapter's own list.
        liveness: the delays that decide whether a run is alive.

    Raises:
        ValueError: no adapter class, and no adapter of that name.
    """

    judges_silence = True
    _started = False

    def __init__(
        self,
        name: str,
        adapter_class: type[BackendAdapter] | None = None,
        required_modules: Sequence[str] | None = None,
        *,
        liveness: Liveness | None = None,
    ) -> None:
        self.backend_name = name
        self.liveness = liveness or Liveness()
        self._adapter_class = adapter_class or adapter_class_for(name)
        self._required_modules = required_modules
        self._listener: Callable[[Frame], None] | None = None

    def for_weave(self) -> EnvironmentExecutor:
        """A copy that has everything but what `start` makes."""
        return copy.copy(self)

    def listen(self, listener: Callable[[Frame], None]) -> bool:
        """Hand events over as they come."""
        self._listener = listener
        return True

    async def start(
        self,
        *,
        environment_name: str,
        environment_config: Mapping[str, Any],
        run_config: Mapping[str, Any],
    ) -> None:
        """Join the receiver, and build and start the adapter.

        Raises:
            MissingDispatchFeatureError: `wove[dispatch]` is not installed.
            MissingPackageError: the backend's package is not installed.
            TypeError: settings of the backend are missing, or unknown.
            CallbackUnreachableError: `callback_url` leads to another process.
        """
        check_packages(self._adapter_class, self.backend_name, self._required_modules)
        check_settings(self._adapter_class, self.backend_name, environment_config)
        require_dispatch(f"The {self.backend_name} executor")
        # Imported here: they need wove[dispatch], and only a remote task pays for them.
        from wove.executors.inbox import Inbox
        from wove.executors.payloads import PayloadBuilder, Return, is_large
        from wove.executors.watcher import Watcher
        from wove.receiver import CallbackSettings, open_receiver, receiver_for
        from wove.receiver.clock import SYSTEM_CLOCK

        settings = CallbackSettings.from_config(environment_config)
        # Opening one may look a host up, or load gRPC: not on the weave's loop.
        receiver = open_receiver(settings)
        if receiver is None:
            receiver = await in_thread(receiver_for, settings)
        self._environment = environment_name
        self._receiver = receiver
        self._loop = asyncio.get_running_loop()
        self._jobs: dict[str, _Job] = {}
        self._submitting: set[asyncio.Task[None]] = set()
        self._detached: set[asyncio.Task[None]] = set()
        self._stopping = False
        self._pickles = run_config.get("allow_pickle", True)
        self._is_large = is_large
        self._adapter = adapter = self._adapter_class(
            name=self.backend_name,
            config={
                **environment_config,
                "callback_host": receiver.host,
                "callback_port": receiver.port,
                "callback_token": receiver.token,
                "callback_url": receiver.url,
            },
            callback_url=receiver.url,
            run_config=run_config,
        )
        adapter.on_change = self._changed
        self._watcher = Watcher(
            poll=adapter.poll,
            report=self._report,
            last_contact_at=lambda: receiver.hub.last_contact_at,
            clock=SYSTEM_CLOCK,
            liveness=self.liveness,
            knows_queued=adapter.knows_queued,
        )
        self._inbox = Inbox(
            listener=self._listener,
            facts=self._facts,
            on_terminal=self._watcher.remove,
            convert=self._convert,
        )
        await receiver.check_address()
        try:
            await adapter.start()
        except BaseException:
            # What it took before it failed is not to stay open.
            with contextlib.suppress(Exception):  # why it failed is the error that counts
                await adapter.close()
            raise
        # After the start: the settings may decide about the gate and the limit.
        self._payloads = PayloadBuilder(
            backend=self.backend_name,
            environment=environment_name,
            way_back=Return(
                callback_url=receiver.url,
                callback_grpc=receiver.grpc_url,
                receiver_id=receiver.hub.receiver_id,
                max_event_bytes=receiver.max_event_bytes,
            ),
            start_gate=adapter.start_gate,
            max_bytes=adapter.max_payload_bytes,
            measure=adapter.payload_size,
            pickles=self._pickles,
        )
        self._started = True

    async def send(self, frame: Frame) -> None:
        """Take one command.

        `run_task` returns once the payload is made and the receiver expects the run;
        a submission that fails later comes back as a `task_error` frame.

        Raises:
            DeliveryError: the payload cannot be made.
        """
        if frame["type"] == "run_task":
            self._begin(frame, await in_thread(self._payloads.build, frame))
        elif frame["type"] == "cancel_task":
            await self.cancel_run(frame)

    async def recv(self) -> Frame:
        """Wait for the next event."""
        return await self._inbox.get()

    async def stop(self) -> None:
        """Close the adapter. The receiver stays: it belongs to the process."""
        if not self._started:
            return  # a start that was cancelled has released what it took
        self._stopping = True
        try:
            await self._watcher.stop()
            await self._inbox.close()
            for task in self._submitting:
                task.cancel()
            # Detached jobs are to run: their backend must still get them.
            unfinished = self._submitting | self._detached
            if unfinished:
                await asyncio.wait(unfinished)
        finally:
            for task in self._detached:
                task.cancel()  # the time is over
            for run_id in self._jobs:
                self._receiver.hub.close_item(run_id)
            # A limit of its own: whoever cancels this waits for it to end, once.
            await asyncio.wait_for(self._adapter.close(), self.liveness.stop_seconds)

    async def cancel_run(self, frame: Frame) -> CancelOutcome:
        """Tell the worker, through its next acknowledgement, and the backend."""
        run_id = frame["run_id"]
        job = self._jobs.get(run_id)
        if job is None:
            return "unconfirmed"
        self._receiver.hub.request_cancel(run_id)
        if job.submitting is not None:
            await asyncio.wait({job.submitting})
        if not job.submitted:
            if job.heard:
                return "asked"  # it runs although its submission failed
            return "stopped"  # the backend never took it, and the gate is shut
        if frame.get("delivery_cancel_mode") == "require_ack":
            self._watcher.cancel_asked(run_id)
        outcome = await self._adapter.cancel(run_id, job.submission, frame) or "asked"
        job.gone = outcome == "stopped"
        return outcome

    async def end_run(self, run_id: str, cause: str, *, item_goes_on: bool = False) -> bool:
        """Ask the hub, after every event that has already been read."""
        hub = self._receiver.hub

        def decide() -> bool:
            run = hub.run(run_id)
            if cause == "start_timed_out" and run is not None and run.started_at is not None:
                return False  # it was accepted while the timer fired
            return hub.end_run(run_id, cause, item_goes_on=item_goes_on)

        won = await self._receiver.decide(decide)
        if won:
            self._watcher.remove(run_id)
        return won

    def close_item(self, run_id: str) -> None:
        """Forget the item's runs, here and in the hub."""
        newest = self._jobs.get(run_id)
        self._receiver.hub.close_item(run_id, gone=newest is not None and newest.gone)
        each: str | None = run_id
        while each is not None:
            self._watcher.remove(each)
            job = self._jobs.pop(each, None)
            each = None if job is None else job.supersedes

    async def pending_reason(self, run_id: str) -> str:
        """What the backend says of a run that has not started."""
        job = self._jobs.get(run_id)
        if job is None:
            return ""
        if not job.submitted:
            return f"{self.backend_name} has not taken the job yet"
        asked = self._adapter.poll({run_id: job.submission})
        try:
            state = (await asyncio.wait_for(asked, REASON_SECONDS)).get(run_id)
        except asyncio.TimeoutError:
            state = None
        except Exception as error:  # noqa: BLE001 - a poll that raises is no answer
            return f"it could not be asked: {type(error).__name__}: {error}"
        return (state or self._watcher.state(run_id)).words

    # ---- submitting -------------------------------------------------------------------

    def begin_run(self, frame: Frame) -> bool:
        """As `send`, at once; False where making the payload would hold the loop up."""
        if self._is_large(frame["args"]):
            return False
        self._begin(frame, self._payloads.build(frame))
        return True

    def _begin(self, frame: Frame, payload: dict[str, Any]) -> None:
        """Expect the run, and begin to submit it."""
        run_id, delivery = frame["run_id"], frame["delivery"]
        convert = None if self._pickles else result_converter(frame, self._environment)
        detached = delivery.get("delivery_orphan_policy") == "detach"
        self._receiver.hub.open_run(
            run_id,
            task_id=frame["task_id"],
            token=self._receiver.token,
            sink=self._inbox,
            supersedes=frame.get("supersedes"),
            attempt=frame.get("attempt", 0),
            gated=self._payloads.is_gated(frame),
            detached=detached,
        )
        job = _Job(
            convert=convert,
            task=frame["task_id"],
            supersedes=frame.get("supersedes"),
            heartbeat_seconds=delivery.get("delivery_heartbeat_seconds"),
            detached=detached,
        )
        self._jobs[run_id] = job
        job.submitting = self._loop.create_task(self._submit(run_id, job, payload, frame))
        submitting = self._detached if detached else self._submitting
        submitting.add(job.submitting)
        job.submitting.add_done_callback(submitting.discard)

    async def _submit(self, run_id: str, job: _Job, payload: dict[str, Any], frame: Frame) -> None:
        hub = self._receiver.hub
        try:
            job.submission = await self._adapter.submit(payload, frame)
        except (Exception, asyncio.CancelledError) as error:
            if self._stopping and job.detached:
                warn_of_detached(error, self._facts(run_id))
            if self._stopping and isinstance(error, asyncio.CancelledError):
                raise  # ours; any other is a client library's way to fail
            failure = submission_error(error, self._facts(run_id))

            def decide() -> bool:
                run = hub.run(run_id)
                # The library gave up and the job runs all the same: then so be it.
                if run is not None and run.heard:
                    return False
                # The session closes the item if no other run follows.
                return hub.end_run(run_id, "not_submitted", item_goes_on=True)

            if await self._receiver.decide(decide):
                self._inbox.give("task_error", run_id, exception=failure)
            else:
                job.heard = True
                self._watch(run_id, job)
            return
        job.submitted = True
        self._watch(run_id, job)
        with contextlib.suppress(Exception):  # only a name for people, of the library's object
            job.backend_job_id = self._adapter.job_id(job.submission)
        self._inbox.give(
            "task_submitted",
            run_id,
            backend_job_id=job.backend_job_id,
            backend=self.backend_name,
        )

    def _watch(self, run_id: str, job: _Job) -> None:
        run = self._receiver.hub.run(run_id)
        if run is not None and run.state == "open":
            named = f"task {job.task!r} in environment {self._environment!r}"
            self._watcher.add(run_id, job.submission, run, job.heartbeat_seconds, named=named)

    # ---- the watcher ------------------------------------------------------------------

    def _changed(self, run_id: str) -> None:
        with contextlib.suppress(RuntimeError):  # the weave's loop is closed
            self._loop.call_soon_threadsafe(self._watcher.hurry, run_id)

    def _report(self, run_id: str, verdict: Verdict) -> None:
        from wove.executors.verdicts import verdict_error

        job = self._jobs.get(run_id)
        lost = verdict.cause == "worker_lost"
        if lost and job is not None and self._receiver.hub.execution_dead(run_id):
            # The backend has already given the job to another worker, who waits.
            self._watch(run_id, job)
            return
        error = verdict_error(verdict, self._facts(run_id), redacted(self._receiver.url))
        self._inbox.give(
            "task_error", run_id, exception=error, verdict=verdict.cause, proof=verdict.proof
        )

    def _convert(self, run_id: str) -> Convert | None:
        job = self._jobs.get(run_id)
        return None if job is None else job.convert

    def _facts(self, run_id: str) -> dict[str, Any]:
        job = self._jobs.get(run_id)
        return {
            "task": None if job is None else job.task,
            "environment": self._environment,
            "run_id": run_id,
            "backend": self.backend_name,
            "backend_job_id": None if job is None else job.backend_job_id,
        }
