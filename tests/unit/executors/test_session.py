"""An item's way through its runs, on a custom executor."""

from __future__ import annotations

import asyncio
import functools
import re
import time

import pytest

from tests.unit.executors.scripted import Items, Scripted, items_on, until
from wove.errors import (
    DeliveryError,
    DeliveryOrphanedError,
    DeliveryTimeoutError,
    EnvironmentExecutionError,
    ErrorCode,
    SubmissionError,
    TaskTimeoutError,
    WorkerLostError,
)


def in_loop(test):
    """Run a coroutine function as a test."""

    @functools.wraps(test)
    def run(**fixtures):
        asyncio.run(test(**fixtures))

    return run


def silent(executor, frame):
    """A worker that starts and says no more."""
    executor.put(frame, "task_started")


def lost_times(count):
    """A script: the first `count` runs lose their worker, the others succeed."""

    def script(executor, frame):
        if frame["attempt"] >= count:
            executor.result(frame, frame["attempt"])
            return
        error = WorkerLostError("gone", run_id=frame["run_id"])
        executor.put(frame, "task_error", exception=error, verdict="worker_lost")

    return script


# ---- frames ---------------------------------------------------------------------------


@in_loop
async def test_a_result_and_what_the_executor_was_told():
    executor = Scripted()
    async with items_on(executor) as items:
        assert await items.run(args={"a": 1}) == "done"
        (record,) = items.records
        assert (record.task, record.environment, record.backend) == (
            "report",
            "reports",
            "Scripted",
        )
        assert record.state == "succeeded"
        assert re.fullmatch("[a-z0-9-]{1,40}", record.run_id)
        assert record.submitted_at <= record.started_at <= record.ended_at
    (frame,) = executor.sent("run_task")
    assert frame == {
        "type": "run_task",
        "run_id": record.run_id,
        "task_id": "report",
        "callable": len,
        "args": {"a": 1},
        "delivery": {},
        "attempt": 0,
        "supersedes": None,
    }
    assert executor.calls == ["start", "run_task", "shutdown", "stop"]
    assert executor.started_with == {
        "environment_name": "reports",
        "environment_config": {},
        "run_config": {"error_mode": "raise", "max_pending": None},
    }


@in_loop
async def test_delivery_holds_only_what_was_set():
    executor = Scripted()
    async with items_on(executor) as items:
        await items.run(
            args={"n": 7},
            delivery_timeout=30.0,
            delivery_idempotency_key="report-{n}",
            delivery_orphan_policy="fail",
        )
    (frame,) = executor.sent("run_task")
    assert frame["delivery"] == {
        "delivery_timeout": 30.0,
        "delivery_idempotency_key": "report-7",
        "delivery_orphan_policy": "fail",
    }
    assert re.fullmatch("[0-9a-f]{32}-0", frame["job_id"])


@in_loop
async def test_frames_of_unknown_runs_and_types_are_ignored():
    def script(executor, frame):
        executor.put({"run_id": "another"}, "task_result", result="theirs")
        executor.events.put_nowait({"type": "task_result", "result": "nobody's"})
        executor.put(frame, "news_from_the_future")
        executor.put(frame, "progress", current=1)
        executor.result(frame, "mine")

    async with items_on(Scripted(script)) as items:
        assert await items.run() == "mine"


@in_loop
async def test_the_first_terminal_event_wins():
    def script(executor, frame):
        executor.put(frame, "task_result", result=1)
        executor.put(frame, "task_result", result=2)
        executor.put(frame, "task_error", exception=KeyError("late"))

    async with items_on(Scripted(script)) as items:
        assert await items.run() == 1
        await asyncio.sleep(0)
        assert items.records[0].state == "succeeded"


@in_loop
async def test_an_exception_comes_back_as_itself():
    error = LookupError("no such account")

    def script(executor, frame):
        executor.put(frame, "task_error", exception=error)

    async with items_on(Scripted(script)) as items:
        with pytest.raises(LookupError) as caught:
            await items.run()
        assert caught.value is error
        assert items.records[0].error is error
        assert items.records[0].state == "failed"


@pytest.mark.parametrize(
    ("fields", "message", "payload"),
    [
        (
            {"error": {"kind": "IOError", "message": "disk full"}},
            "Task 'report' failed in environment 'reports': IOError: disk full",
            {"kind": "IOError", "message": "disk full"},
        ),
        (
            {"error": "it broke"},
            "Task 'report' failed in environment 'reports': Error: it broke",
            {"message": "it broke"},
        ),
        (
            {"exception": SystemExit(3)},
            "Task 'report' failed in environment 'reports': SystemExit: 3",
            {"kind": "SystemExit", "message": "3"},
        ),
        (
            {"exception": asyncio.CancelledError()},
            "Task 'report' failed in environment 'reports': CancelledError",
            {"kind": "CancelledError", "message": ""},
        ),
    ],
)
def test_other_errors_are_described(fields, message, payload):
    @in_loop
    async def run():
        def script(executor, frame):
            executor.put(frame, "task_error", **fields)

        async with items_on(Scripted(script)) as items:
            with pytest.raises(EnvironmentExecutionError) as caught:
                await items.run()
            assert str(caught.value) == message
            assert caught.value.payload == payload

    run()


@in_loop
async def test_a_cancellation_that_nobody_here_asked_for():
    def script(executor, frame):
        executor.put(frame, "task_cancelled", reason="by the operator")

    async with items_on(Scripted(script)) as items:
        with pytest.raises(DeliveryError, match="by the operator") as caught:
            await items.run(retries=3)
        assert caught.value.code is ErrorCode.TASK_CANCELLED
        assert len(items.records) == 1


@in_loop
async def test_a_failing_recv_fails_its_runs_and_the_later_ones():
    def script(executor, frame):
        executor.events.put_nowait(ConnectionError("pipe closed"))

    async with items_on(Scripted(script)) as items:
        for _ in range(2):
            with pytest.raises(DeliveryError, match="pipe closed") as caught:
                await items.run(retries=1)
            assert caught.value.code is ErrorCode.EXECUTOR_FAILED
            assert isinstance(caught.value.__cause__, ConnectionError)


@in_loop
async def test_a_recv_that_gives_no_frame_fails_its_runs():
    def script(executor, frame):
        executor.events.put_nowait(None)

    async with items_on(Scripted(script)) as items:
        with pytest.raises(DeliveryError) as caught:
            await items.run()
        assert caught.value.code is ErrorCode.EXECUTOR_FAILED


@in_loop
async def test_a_failing_send_is_a_submission_error():
    def script(executor, frame):
        raise OSError("queue is full")

    async with items_on(Scripted(script)) as items:
        with pytest.raises(SubmissionError, match="OSError: queue is full") as caught:
            await items.run()
        assert caught.value.environment == "reports"
        assert isinstance(caught.value.__cause__, OSError)


# ---- tries ----------------------------------------------------------------------------


@in_loop
async def test_each_try_is_a_new_run():
    def script(executor, frame):
        if frame["attempt"] < 2:
            executor.put(frame, "task_error", exception=ValueError(frame["attempt"]))
        else:
            executor.result(frame, "third")

    executor = Scripted(script)
    async with items_on(executor) as items:
        assert await items.run(retries=2, delivery_idempotency_key="k") == "third"
        assert [record.state for record in items.records] == ["failed", "failed", "succeeded"]
        assert [record.attempt for record in items.records] == [0, 1, 2]
        ids = [record.run_id for record in items.records]
        assert len(set(ids)) == 3
    frames = executor.sent("run_task")
    assert [frame["supersedes"] for frame in frames] == [None, ids[0], ids[1]]
    assert [frame["job_id"][-2:] for frame in frames] == ["-0", "-1", "-2"]
    assert len({frame["job_id"][:32] for frame in frames}) == 1


@in_loop
async def test_the_last_exception_is_kept():
    def script(executor, frame):
        executor.put(frame, "task_error", exception=ValueError(f"try {frame['attempt']}"))

    async with items_on(Scripted(script)) as items:
        with pytest.raises(ValueError, match="try 2"):
            await items.run(retries=2)
        assert len(items.records) == 3


@pytest.mark.parametrize(
    "code", [ErrorCode.DUPLICATE_KEY, ErrorCode.PAYLOAD_TOO_LARGE, ErrorCode.PAYLOAD_NOT_PICKLABLE]
)
def test_what_another_try_cannot_help_is_not_tried_again(code):
    @in_loop
    async def run():
        def script(executor, frame):
            raise SubmissionError("refused", code=code)

        async with items_on(Scripted(script)) as items:
            with pytest.raises(SubmissionError):
                await items.run(retries=5)
            assert len(items.records) == 1

    run()


@in_loop
async def test_a_late_result_of_an_older_run_is_taken_and_the_newer_run_cancelled():
    first: list[dict] = []

    def script(executor, frame):
        if not first:
            first.append(frame)
        else:
            executor.put(first[0], "task_result", result="from the first")
        executor.put(frame, "task_started")

    executor = Scripted(script)
    async with items_on(executor) as items:
        assert await items.run(retries=1, timeout=0.05) == "from the first"
        await until(lambda: len(executor.sent("cancel_task")) == 2)
        assert [record.state for record in items.records] == ["succeeded", "cancelled"]
        assert [record.cancel for record in items.records] == ["asked", "asked"]
    assert [frame["run_id"] for frame in executor.sent("cancel_task")] == [
        record.run_id for record in items.records
    ]


@in_loop
async def test_a_late_error_of_an_older_run_changes_nothing():
    first: list[dict] = []

    def script(executor, frame):
        if not first:
            first.append(frame)
            executor.put(frame, "task_started")
        else:
            executor.put(first[0], "task_error", exception=ValueError("late"))
            executor.put(first[0], "task_cancelled")
            executor.result(frame, "from the second")

    async with items_on(Scripted(script)) as items:
        assert await items.run(retries=1, timeout=0.05) == "from the second"
        assert [record.state for record in items.records] == ["timed_out", "succeeded"]
        assert items.records[0].cancel == "stopped"


# ---- clocks ---------------------------------------------------------------------------


@in_loop
async def test_timeout_counts_from_the_start_and_cancels():
    executor = Scripted(silent)
    async with items_on(executor) as items:
        with pytest.raises(TaskTimeoutError, match=r"longer than its timeout of 0\.05 s"):
            await items.run(timeout=0.05)
        assert items.records[0].state == "timed_out"
        await until(lambda: executor.sent("cancel_task"))
    (frame,) = executor.sent("cancel_task")
    assert frame == {
        "type": "cancel_task",
        "run_id": items.records[0].run_id,
        "task_id": "report",
        "delivery_cancel_mode": "best_effort",
        "delivery_orphan_policy": "cancel",
    }


@in_loop
async def test_timeout_does_not_count_queued_time():
    def script(executor, frame):
        asyncio.get_running_loop().call_later(0.3, executor.result, frame, "slow start")

    async with items_on(Scripted(script)) as items:
        assert await items.run(timeout=0.1) == "slow start"


@in_loop
async def test_delivery_timeout_counts_from_the_submission():
    async with items_on(Scripted(lambda executor, frame: None)) as items:
        with pytest.raises(DeliveryTimeoutError, match=r"delivery_timeout of 0\.05 s") as caught:
            await items.run(delivery_timeout=0.05)
        assert caught.value.code is ErrorCode.DELIVERY_TIMEOUT
        assert caught.value.run_id == items.records[0].run_id
        assert items.records[0].state == "timed_out"


@in_loop
async def test_delivery_timeout_ends_a_send_that_hangs():
    class Hanging(Scripted):
        async def send(self, frame):
            if frame["type"] == "run_task":
                await asyncio.sleep(3600)

    async with items_on(Hanging()) as items:
        items.session.liveness = type(items.session.liveness)(stop_seconds=0.1)
        with pytest.raises(DeliveryTimeoutError):
            await items.run(delivery_timeout=0.05)


@in_loop
async def test_start_timeout_says_why():
    class Pending(Scripted):
        async def pending_reason(self, run_id):
            return "queued: no worker of queue 'gpu'"

    async with items_on(Pending(lambda executor, frame: None)) as items:
        with pytest.raises(DeliveryTimeoutError, match="no worker of queue 'gpu'") as caught:
            await items.run(start_timeout=0.05)
        assert caught.value.code is ErrorCode.START_TIMEOUT
        assert caught.value.reason == "queued: no worker of queue 'gpu'"


@in_loop
async def test_start_timeout_ends_with_the_start():
    def script(executor, frame):
        executor.put(frame, "task_started")
        asyncio.get_running_loop().call_later(
            0.3, functools.partial(executor.put, frame, "task_result", result="ok")
        )

    async with items_on(Scripted(script)) as items:
        assert await items.run(start_timeout=0.1) == "ok"


@in_loop
async def test_a_custom_executor_that_falls_silent():
    executor = Scripted(silent)
    async with items_on(executor) as items:
        with pytest.raises(DeliveryTimeoutError, match=r"said nothing for 0\.1 s") as caught:
            await items.run(delivery_heartbeat_seconds=0.1)
        assert caught.value.code is ErrorCode.HEARTBEAT_TIMEOUT
        await until(lambda: executor.sent("cancel_task"))


@in_loop
async def test_any_frame_of_the_run_is_a_sign_of_life():
    def script(executor, frame):
        loop = asyncio.get_running_loop()
        executor.put(frame, "task_started")
        for tick in range(1, 12):
            loop.call_later(tick * 0.05, executor.put, frame, "heartbeat")
        loop.call_later(0.6, functools.partial(executor.put, frame, "task_result", result="ok"))

    async with items_on(Scripted(script)) as items:
        assert await items.run(delivery_heartbeat_seconds=0.3) == "ok"


# ---- a lost worker --------------------------------------------------------------------


@in_loop
async def test_lost_under_cancel():
    executor = Scripted(lost_times(9))
    async with items_on(executor) as items:
        with pytest.raises(WorkerLostError):
            await items.run()
        assert items.records[0].state == "lost"
        await until(lambda: executor.sent("cancel_task"))


@in_loop
async def test_lost_under_fail():
    executor = Scripted(lost_times(9))
    async with items_on(executor) as items:
        with pytest.raises(DeliveryOrphanedError, match="delivery_orphan_policy='fail'") as caught:
            await items.run(delivery_orphan_policy="fail", retries=3)
        assert isinstance(caught.value.__cause__, WorkerLostError)
        assert len(items.records) == 1
        await until(lambda: executor.sent("cancel_task"))


@in_loop
async def test_lost_under_detach_leaves_the_job_alone():
    executor = Scripted(lost_times(9))
    async with items_on(executor) as items:
        with pytest.raises(DeliveryOrphanedError):
            await items.run(delivery_orphan_policy="detach", retries=3)
    assert not executor.sent("cancel_task")
    assert items.records[0].cancel is None


@in_loop
async def test_lost_under_requeue_twice():
    async with items_on(Scripted(lost_times(2))) as items:
        assert await items.run(delivery_orphan_policy="requeue") == 2
        assert [record.state for record in items.records] == ["lost", "lost", "succeeded"]


@in_loop
async def test_lost_under_requeue_three_times():
    async with items_on(Scripted(lost_times(3))) as items:
        with pytest.raises(WorkerLostError):
            await items.run(delivery_orphan_policy="requeue")
        assert len(items.records) == 3


@in_loop
async def test_requeues_are_not_retries():
    async with items_on(Scripted(lost_times(3))) as items:
        assert await items.run(delivery_orphan_policy="requeue", retries=1) == 3


# ---- a worker that was told to stop, and says so ---------------------------------------


def stopped_times(count):
    """As `lost_times`, with the worker's own event in place of a verdict."""

    def script(executor, frame):
        if frame["attempt"] >= count:
            executor.result(frame, frame["attempt"])
            return
        error = WorkerLostError(
            "its worker was told to stop: SystemExit",
            reason="its worker was told to stop: SystemExit",
            run_id=frame["run_id"],
        )
        executor.put(frame, "task_error", exception=error)

    return script


@in_loop
async def test_told_to_stop_is_a_lost_worker():
    async with items_on(Scripted(stopped_times(9))) as items:
        with pytest.raises(WorkerLostError, match="told to stop: SystemExit") as caught:
            await items.run()
        (record,) = items.records
        assert (record.state, record.error) == ("lost", caught.value)
        assert caught.value.reason == "its worker was told to stop: SystemExit"
        assert str(caught.value).startswith("Task 'report' in environment 'reports': its worker")


@pytest.mark.parametrize("policy", ["fail", "detach"])
def test_told_to_stop_under_a_policy_that_gives_up(policy):
    @in_loop
    async def run():
        async with items_on(Scripted(stopped_times(9))) as items:
            with pytest.raises(DeliveryOrphanedError, match=f"policy='{policy}'") as caught:
                await items.run(delivery_orphan_policy=policy, retries=3)
            assert isinstance(caught.value.__cause__, WorkerLostError)
            assert [record.state for record in items.records] == ["lost"]

    run()


@in_loop
async def test_told_to_stop_under_requeue_and_with_retries():
    async with items_on(Scripted(stopped_times(3))) as items:
        assert await items.run(delivery_orphan_policy="requeue", retries=1) == 3
        assert [record.state for record in items.records] == ["lost"] * 3 + ["succeeded"]


@in_loop
async def test_a_lost_worker_of_the_tasks_own_weave_is_the_tasks_error():
    error = WorkerLostError("gone", run_id="run-of-an-inner-weave")

    def script(executor, frame):
        executor.put(frame, "task_error", exception=error)

    async with items_on(Scripted(script)) as items:
        with pytest.raises(WorkerLostError) as caught:
            await items.run()
        assert caught.value is error
        assert items.records[0].state == "failed"


@in_loop
async def test_a_verdict_that_comes_second_ends_nothing():
    class Decided(Scripted):
        async def end_run(self, run_id, cause, *, item_goes_on=False):
            return False  # the hub: a terminal event was first

    def script(executor, frame):
        error = WorkerLostError("gone")
        executor.put(frame, "task_error", exception=error, verdict="worker_lost")
        asyncio.get_running_loop().call_later(0.05, executor.result, frame, "first")

    async with items_on(Decided(script)) as items:
        assert await items.run() == "first"
        assert items.records[0].cancel is None


# ---- cancelling -----------------------------------------------------------------------


async def cancelled(items: Items, executor: Scripted, **options: object) -> asyncio.Task:
    """Start an item, wait for its start, and cancel it."""
    task = items.start(**options)
    await until(lambda: items.records and items.records[0].started_at)
    task.cancel()
    return task


@in_loop
async def test_best_effort_does_not_wait():
    executor = Scripted(silent)
    async with items_on(executor) as items:
        task = await cancelled(items, executor)
        with pytest.raises(asyncio.CancelledError):
            await task
    assert items.records[0].state == "cancelled"
    assert items.records[0].cancel == "asked"
    assert executor.calls == ["start", "run_task", "cancel_task", "shutdown", "stop"]


@in_loop
async def test_a_cancellation_that_fails_is_unconfirmed():
    class Deaf(Scripted):
        async def cancel_run(self, frame):
            raise OSError("broker is down")

    executor = Deaf(silent)
    async with items_on(executor) as items:
        task = await cancelled(items, executor)
        with pytest.raises(asyncio.CancelledError):
            await task
    assert items.records[0].cancel == "unconfirmed"


@in_loop
async def test_an_acknowledged_cancellation_is_stopped():
    class Obedient(Scripted):
        async def cancel_run(self, frame):
            self.put(frame, "task_cancelled")
            return "asked"

    executor = Obedient(silent)
    async with items_on(executor) as items:
        task = await cancelled(items, executor, delivery_cancel_mode="require_ack")
        with pytest.raises(asyncio.CancelledError):
            await task
        assert items.records[0].cancel == "stopped"


@in_loop
async def test_a_result_that_comes_before_the_proof_is_taken():
    class Executor(Scripted):
        async def cancel_run(self, frame):
            self.put(frame, "task_result", result="finished first")
            return "asked"

    executor = Executor(silent)
    async with items_on(executor) as items:
        task = await cancelled(items, executor, delivery_cancel_mode="require_ack")
        assert await task == "finished first"
        assert items.records[0].state == "succeeded"


@in_loop
async def test_silence_is_no_proof():
    class Executor(Scripted):
        async def cancel_run(self, frame):
            error = WorkerLostError("silent for 60 s")
            self.put(frame, "task_error", exception=error, verdict="worker_lost", proof=False)
            return "asked"

    executor = Executor(silent)
    async with items_on(executor) as items:
        options = {"delivery_cancel_mode": "require_ack", "cancel_timeout": 0.1}
        task = await cancelled(items, executor, **options)
        with pytest.raises(DeliveryError) as caught:
            await task
        assert caught.value.code is ErrorCode.CANCEL_UNCONFIRMED
        assert items.records[0].cancel == "unconfirmed"


@in_loop
async def test_a_late_result_that_comes_before_the_next_run_is_taken():
    class Executor(Scripted):
        def begin_run(self, frame):
            run = items.session._runs[frame["run_id"]]
            # Runs before the item, which awaits the same future later, has been woken.
            run.waiting.add_done_callback(
                lambda _: items.session._on_frame(
                    {"type": "task_result", "run_id": frame["run_id"], "result": "late"}
                )
            )
            return super().begin_run(frame)

    executor = Executor(silent)
    async with items_on(executor) as items:
        assert await items.run(retries=1, timeout=0.02) == "late"
        assert len(executor.sent("run_task")) == 1
        assert items.records[0].state == "succeeded"


@pytest.mark.parametrize("how", ["task_error", "verdict", "outcome"])
def test_what_counts_as_proof(how):
    class Executor(Scripted):
        async def cancel_run(self, frame):
            if how == "outcome":
                return "stopped"
            if how == "verdict":
                error = DeliveryError("gone", code=ErrorCode.BACKEND_CANCELLED)
                self.put(
                    frame, "task_error", exception=error, verdict="backend_cancelled", proof=True
                )
            else:
                self.put(frame, how, result=1, exception=ValueError())
            return "asked"

    @in_loop
    async def run():
        executor = Executor(silent)
        async with items_on(executor) as items:
            options = {"delivery_cancel_mode": "require_ack", "cancel_timeout": 5.0}
            task = await cancelled(items, executor, **options)
            began = time.monotonic()
            if how == "task_result":  # asked is not ended: a result that comes first wins
                assert await task == 1
            else:
                with pytest.raises(asyncio.CancelledError):
                    await task
            assert time.monotonic() - began < 4.0

    run()


@in_loop
async def test_require_ack_without_proof_is_an_error_chained_to_the_first_failure():
    executor = Scripted(silent)
    first = ValueError("why the weave stopped")
    async with items_on(executor) as items:
        options = {"delivery_cancel_mode": "require_ack", "cancel_timeout": 0.05}
        task = await cancelled(items, executor, **options)
        with pytest.raises(DeliveryError, match="nothing proved that it stopped") as caught:
            await task
        await items.session.stop(failed=first)
    assert caught.value.code is ErrorCode.CANCEL_UNCONFIRMED
    assert caught.value.__cause__ is first
    assert items.records[0].cancel == "unconfirmed"


@in_loop
async def test_a_second_cancel_abandons_the_wait_for_proof():
    executor = Scripted(silent)
    async with items_on(executor) as items:
        task = await cancelled(items, executor, delivery_cancel_mode="require_ack")
        await until(lambda: executor.sent("cancel_task"))
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task


@in_loop
async def test_a_weave_that_stops_under_fail():
    executor = Scripted(silent)
    async with items_on(executor) as items:
        task = await cancelled(items, executor, delivery_orphan_policy="fail")
        with pytest.raises(DeliveryOrphanedError):
            await task
    assert executor.sent("cancel_task")


@in_loop
async def test_a_weave_that_stops_under_detach():
    executor = Scripted(silent)
    async with items_on(executor) as items:
        task = await cancelled(items, executor, delivery_orphan_policy="detach")
        with pytest.raises(asyncio.CancelledError):
            await task
    assert not executor.sent("cancel_task")
    assert items.records[0].state == "started"


@in_loop
async def test_a_cancel_never_overtakes_its_run():
    class Slow(Scripted):
        async def send(self, frame):
            if frame["type"] == "run_task":
                await asyncio.sleep(0.1)
            await super().send(frame)

    executor = Slow(silent)
    async with items_on(executor) as items:
        task = items.start()
        await until(lambda: items.records)
        await asyncio.sleep(0.02)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
    assert executor.calls == ["start", "run_task", "cancel_task", "shutdown", "stop"]


@in_loop
async def test_stop_waits_a_bounded_time_for_cancellations_that_hang():
    class Hanging(Scripted):
        async def cancel_run(self, frame):
            await asyncio.sleep(3600)

    executor = Hanging(silent)
    async with items_on(executor) as items:
        items.session.liveness = type(items.session.liveness)(stop_seconds=0.1)
        task = await cancelled(items, executor)
        with pytest.raises(asyncio.CancelledError):
            await task
        await asyncio.wait_for(items.session.stop(failed=None), 5)
    assert items.records[0].cancel == "unconfirmed"


# ---- in flight ------------------------------------------------------------------------


@in_loop
async def test_max_in_flight_and_its_wait_is_not_delivery_time():
    running = most = 0

    def script(executor, frame):
        nonlocal running, most
        running += 1
        most = max(most, running)

        def end():
            nonlocal running
            running -= 1
            executor.result(frame, "done")

        asyncio.get_running_loop().call_later(0.1, end)

    async with items_on(Scripted(script)) as items:
        options = {"delivery_max_in_flight": 2, "delivery_timeout": 0.35}
        results = await asyncio.gather(*(items.run(**options) for _ in range(10)))
        assert results == ["done"] * 10
    assert most == 2


@in_loop
async def test_an_item_cancelled_while_it_waits_gives_its_place_up():
    executor = Scripted(silent)
    async with items_on(executor) as items:
        first = items.start(delivery_max_in_flight=1)
        await until(lambda: items.records)
        waiting = items.start(delivery_max_in_flight=1)
        last = items.start(delivery_max_in_flight=1)
        await asyncio.sleep(0.02)
        waiting.cancel()
        executor.script = lambda executor, frame: executor.result(frame, "last")
        executor.put(executor.commands[0], "task_result", result="first")
        assert await first == "first"
        assert await last == "last"
        assert len(items.records) == 2
        with pytest.raises(asyncio.CancelledError):
            await waiting


@in_loop
async def test_items_that_wait_and_are_cancelled_with_the_one_in_flight():
    async with items_on(Scripted(silent)) as items:
        every = [items.start(delivery_max_in_flight=1) for _ in range(3)]
        await until(lambda: items.records)
        for each in every:
            each.cancel()
        ends = await asyncio.gather(*every, return_exceptions=True)
        assert [type(end) for end in ends] == [asyncio.CancelledError] * 3


@pytest.mark.parametrize("retries", [1, 2])
@in_loop
async def test_the_result_of_an_older_run_right_after_the_failure_of_the_newest(retries):
    def script(executor, frame):
        if frame["attempt"] == 0:
            lost_times(1)(executor, frame)
        elif frame["attempt"] == 1:
            first = executor.sent("run_task")[0]
            executor.put(frame, "task_error", exception=ValueError("the second"))
            executor.put(first, "task_result", result="the first")  # it was not lost after all
        else:
            executor.result(frame, "the third")

    async with items_on(Scripted(script)) as items:
        assert await items.run(retries=retries) == "the first"
        assert [record.state for record in items.records] == ["succeeded", "failed"]
