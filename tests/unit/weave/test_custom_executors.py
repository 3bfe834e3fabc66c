"""Executors that users write: dictionary frames out, dictionary frames in."""

from __future__ import annotations

import asyncio
import threading
import time
from typing import Any

import pytest

import wove
from tests.unit.weave.executors import Frame, Recorder, never, run_here, until_cancelled
from tests.unit.weave.forms import wait_async
from wove import DeliveryOrphanedError, DeliveryTimeoutError, merge, weave
from wove.errors import DeliveryError, EnvironmentExecutionError, ErrorCode, TaskTimeoutError
from wove.executors.liveness import Liveness

pytestmark = pytest.mark.timeout(30)


def away(answer: Any = run_here, **environment: Any) -> Recorder:
    """Configure environment `away` with an executor that answers so."""
    executor = Recorder(answer)
    wove.config(environments={"away": {"executor": executor, **environment}})
    return executor


def only_run(w: Any) -> Any:
    (record,) = w.runs
    return record


# One run, there and back


def test_a_task_goes_there_and_its_result_comes_back(run: Any) -> None:
    executor = away(executor_config={"a": 1})

    def define(w: Any) -> None:
        @w.do
        def here() -> int:
            return 20

        @w.do(environment="away")
        def there(here: int, key: int = 1, spare: str = "default") -> int:
            return here + key

        @w.do
        def after(there: int) -> int:
            return there + 1

    w = run(define, key=3)
    assert list(w.result) == [20, 23, 24]
    (frame,) = executor.frames("run_task")
    assert frame["task_id"] == "there"
    assert frame["args"] == {"here": 20, "key": 3}
    assert callable(frame["callable"])
    assert frame["delivery"] == {}
    assert isinstance(frame["run_id"], str)
    assert 1 <= len(frame["run_id"]) <= 40
    assert executor.calls == ["start", "run_task", "shutdown", "stop"]


def test_a_null_result_is_a_result() -> None:
    away()
    with weave() as w:
        w.do(environment="away")(lambda: None)
    assert w.result.final is None
    assert w.result.errors == {}


def test_start_gets_the_environments_name_and_settings() -> None:
    executor = away(
        executor_config={"url": "x"}, delivery_heartbeat_seconds=30, delivery_orphan_policy="fail"
    )
    with weave(error_mode="return", max_pending=7) as w:
        w.do(environment="away")(lambda: 1)
    assert executor.settings["environment_name"] == "away"
    assert executor.settings["environment_config"] == {"url": "x"}
    run_config = dict(executor.settings["run_config"])
    assert run_config == {
        "error_mode": "return",
        "max_pending": 7,
        "delivery_heartbeat_seconds": 30,
        "delivery_orphan_policy": "fail",
    }


def test_started_once_per_weave_on_its_loop_before_its_first_task(run: Any) -> None:
    executor = away()
    loops = []

    def define(w: Any) -> None:
        @w.do
        async def loop() -> None:
            loops.append(asyncio.get_running_loop())

        @w.do(range(5), environment="away")
        def items(n: int, loop: None) -> int:
            return n

        @w.do(environment="away")
        def last(items: list[int]) -> int:
            return sum(items)

    for _ in range(2):
        executor.seen.clear()
        executor.loops.clear()
        loops.clear()
        w = run(define)
        assert w.result["items"] == [0, 1, 2, 3, 4]
        assert executor.calls == ["start"] + ["run_task"] * 6 + ["shutdown", "stop"]
        assert executor.loops == set(loops)


def test_not_started_when_no_task_runs_there() -> None:
    executor = away()
    with weave() as w:
        w.do(lambda: 1)
    assert executor.calls == []


def test_a_mapped_task_has_one_run_per_item() -> None:
    executor = away()
    with weave() as w:

        @w.do([3, 1, 2], environment="away")
        def items(n: int) -> int:
            return n * 10

    assert w.result["items"] == [30, 10, 20]
    frames = executor.frames("run_task")
    # In no order that is promised: the first item may still wait for the executor's start.
    assert sorted(frame["args"]["n"] for frame in frames) == [1, 2, 3]
    assert len({frame["run_id"] for frame in frames}) == 3
    assert {frame["task_id"] for frame in frames} == {"items"}


def test_events_out_of_order_are_matched_by_run() -> None:
    held: list[Frame] = []

    def backwards(executor: Recorder, frame: Frame) -> None:
        if frame["type"] == "run_task":
            held.append(frame)
            if len(held) == 3:
                for one in reversed(held):
                    executor.give(one, "task_result", result=one["args"]["n"])

    away(backwards)
    with weave() as w:

        @w.do(range(3), environment="away")
        def items(n: int) -> None: ...

    assert w.result["items"] == [0, 1, 2]


def test_an_async_callable_is_sent_as_it_is() -> None:
    def drive(executor: Recorder, frame: Frame) -> Any:
        async def finish() -> None:
            executor.give(frame, "task_result", result=await frame["callable"](**frame["args"]))

        return finish() if frame["type"] == "run_task" else None

    away(drive)
    with weave(x=2) as w:

        @w.do(environment="away")
        async def there(x: int) -> int:
            await asyncio.sleep(0)
            return x * 2

    assert w.result.there == 4


def test_merge_goes_through_the_executor(kind: str) -> None:
    executor = away()

    def double(n: int) -> int:
        return n * 2

    with weave() as w:
        if kind == "sync":

            @w.do
            def task() -> Any:
                return merge(double, [1, 2], environment="away")
        else:

            @w.do
            async def task() -> Any:
                return await merge(double, [1, 2], environment="away")

    assert w.result.task == [2, 4]
    frames = executor.frames("run_task")
    assert [frame["task_id"] for frame in frames] == ["merge:double"] * 2
    assert [frame["args"] for frame in frames] == [{"item": 1}, {"item": 2}]


def test_the_record_of_a_run() -> None:
    away()
    with weave() as w:
        w.do(environment="away")(lambda: 1)
    record = only_run(w)
    assert (record.task, record.environment) == ("<lambda>", "away")
    assert (record.attempt, record.state) == (0, "succeeded")
    assert record.submitted_at <= record.started_at <= record.ended_at


# Failures


def test_a_task_error_with_an_exception_raises_it_itself(run: Any) -> None:
    failure = ValueError("there")

    def fail(executor: Recorder, frame: Frame) -> None:
        if frame["type"] == "run_task":
            executor.give(frame, "task_error", exception=failure)

    away(fail)
    with pytest.raises(ValueError, match="there") as caught:
        run(lambda w: w.do(environment="away")(lambda: 1))
    assert caught.value is failure


def test_a_task_error_with_only_a_description() -> None:
    def fail(executor: Recorder, frame: Frame) -> None:
        if frame["type"] == "run_task":
            executor.give(frame, "task_error", error={"kind": "KeyError", "message": "lost key"})

    away(fail)
    with weave(error_mode="defer") as w:
        w.do(environment="away")(lambda: 1)
    failure = w.result.exception
    assert isinstance(failure, EnvironmentExecutionError)
    assert "KeyError" in str(failure)
    assert "lost key" in str(failure)
    assert failure.payload["kind"] == "KeyError"
    assert failure.payload["message"] == "lost key"


@pytest.mark.parametrize("error", ["just text", None])
def test_a_task_error_with_text_or_nothing_is_still_an_error(error: str | None) -> None:
    def fail(executor: Recorder, frame: Frame) -> None:
        if frame["type"] == "run_task":
            executor.give(frame, "task_error", **({} if error is None else {"error": error}))

    away(fail)
    with weave(error_mode="defer") as w:
        w.do(environment="away")(lambda: 1)
    assert isinstance(w.result.exception, EnvironmentExecutionError)
    assert (error or "") in str(w.result.exception)


def test_a_cancellation_that_nobody_asked_for_is_a_failure() -> None:
    def cancel(executor: Recorder, frame: Frame) -> None:
        if frame["type"] == "run_task":
            executor.give(frame, "task_cancelled")

    away(cancel)
    with weave(error_mode="defer") as w:
        w.do(environment="away")(lambda: 1)
    failure = w.result.exception
    assert isinstance(failure, DeliveryError)
    assert failure.code is ErrorCode.TASK_CANCELLED
    assert failure.environment == "away"


@pytest.mark.parametrize("error_mode", ["raise", "defer", "return"])
def test_an_executor_that_cannot_start_raises_from_the_block(run: Any, error_mode: str) -> None:
    class CannotStart(Recorder):
        async def start(self, **settings: Any) -> None:
            raise OSError("no route")

    wove.config(environments={"away": {"executor": CannotStart()}})
    with pytest.raises(OSError, match="no route") as caught:
        run(lambda w: w.do(environment="away")(lambda: 1), error_mode=error_mode)
    assert caught.value.__notes__ == ["(when the environment 'away' of the weave was started)"]


def test_a_failing_send_fails_its_run() -> None:
    def refuse(executor: Recorder, frame: Frame) -> None:
        if frame["type"] == "run_task":
            raise OSError("the wire is cut")

    executor = away(refuse)
    with pytest.raises(Exception, match="the wire is cut"), weave() as w:
        w.do(environment="away")(lambda: 1)
    assert executor.calls[-1] == "stop"


def test_a_failing_recv_fails_its_runs(run: Any) -> None:
    def die(executor: Recorder, frame: Frame) -> None:
        if frame["type"] == "run_task":
            executor.events.put_nowait(OSError("the wire is cut"))

    executor = away(die)

    def define(w: Any) -> None:
        @w.do(environment="away")
        def first() -> None: ...

    with pytest.raises(Exception, match="the wire is cut"):
        run(define)
    assert executor.calls[-1] == "stop"


def test_frames_without_a_known_run_are_ignored(run: Any) -> None:
    def noisy(executor: Recorder, frame: Frame) -> None:
        if frame["type"] != "run_task":
            return
        executor.events.put_nowait({"type": "task_result", "run_id": "nobody", "result": 0})
        executor.events.put_nowait({"type": "task_result", "result": 0})
        executor.events.put_nowait({"type": "no_such_type", "run_id": frame["run_id"]})
        executor.give(frame, "log", message="hello")
        executor.give(frame, "progress", current=1, total=2)
        executor.give(frame, "heartbeat")
        executor.give(frame, "task_result", result="mine")
        executor.give(frame, "task_result", result="too late")
        executor.give(frame, "task_error", error="too late")

    away(noisy)
    w = run(lambda w: w.do(environment="away")(lambda: 1))
    assert w.result.final == "mine"
    assert w.result.errors == {}


def test_stop_is_called_when_a_task_fails_elsewhere(run: Any) -> None:
    executor = away(until_cancelled)

    def define(w: Any) -> None:
        @w.do(environment="away")
        def there() -> None: ...

        @w.do
        async def broken() -> None:
            while "run_task" not in executor.calls:
                await asyncio.sleep(0.001)
            raise ValueError("boom")

    with pytest.raises(ValueError, match="boom"):
        run(define)
    assert executor.calls == ["start", "run_task", "cancel_task", "shutdown", "stop"]


# Retries and times


def test_each_try_is_a_new_run_with_its_attempt() -> None:
    def twice(executor: Recorder, frame: Frame) -> None:
        if frame["type"] == "run_task":
            if len(executor.frames("run_task")) < 3:
                executor.give(frame, "task_error", exception=ValueError("again"))
            else:
                executor.give(frame, "task_result", result="third")

    executor = away(twice)
    with weave() as w:
        w.do(environment="away", retries=2)(lambda: 1)
    assert w.result.final == "third"
    frames = executor.frames("run_task")
    assert len({frame["run_id"] for frame in frames}) == 3
    assert [frame["attempt"] for frame in frames] == [0, 1, 2]
    assert [(r.attempt, r.state) for r in w.runs] == [
        (0, "failed"),
        (1, "failed"),
        (2, "succeeded"),
    ]
    assert [r.run_id for r in w.runs] == [frame["run_id"] for frame in frames]


def test_timeout_bounds_a_try_and_cancels_it() -> None:
    executor = away(until_cancelled)
    with weave(error_mode="defer") as w:

        @w.do(environment="away", timeout=0.1)
        def there() -> None: ...

    assert isinstance(w.result.exception, TaskTimeoutError)
    assert set(w.result.cancelled) == {"there"}
    (cancel,) = executor.frames("cancel_task")
    assert cancel["run_id"] == executor.frames("run_task")[0]["run_id"]
    assert only_run(w).state == "timed_out"


def test_delivery_timeout_runs_from_submission_to_the_end() -> None:
    executor = away(never)
    with weave(error_mode="defer") as w:

        @w.do(environment="away", delivery_timeout=0.1)
        def there() -> None: ...

    failure = w.result.exception
    assert isinstance(failure, DeliveryTimeoutError)
    assert failure.code is ErrorCode.DELIVERY_TIMEOUT
    assert (failure.task, failure.environment) == ("there", "away")
    assert failure.run_id == executor.frames("run_task")[0]["run_id"]
    assert len(executor.frames("cancel_task")) == 1


def test_start_timeout_counts_until_the_start() -> None:
    executor = away(lambda executor, frame: None)
    with weave(error_mode="defer") as w:

        @w.do(environment="away", start_timeout=0.1)
        def there() -> None: ...

    failure = w.result.exception
    assert isinstance(failure, DeliveryTimeoutError)
    assert failure.code is ErrorCode.START_TIMEOUT
    assert len(executor.frames("cancel_task")) == 1


def test_start_timeout_does_not_count_a_started_task() -> None:
    def slow(executor: Recorder, frame: Frame) -> None:
        if frame["type"] == "run_task":
            executor.give(frame, "task_started")
            asyncio.get_running_loop().call_later(
                0.3, lambda: executor.give(frame, "task_result", result=1)
            )

    away(slow)
    with weave() as w:
        w.do(environment="away", start_timeout=0.15)(lambda: 1)
    assert w.result.final == 1


def test_silence_longer_than_the_heartbeat_is_a_delivery_timeout(run: Any) -> None:
    executor = away(never)

    def define(w: Any) -> None:
        @w.do(environment="away", delivery_heartbeat_seconds=0.15)
        def there() -> None: ...

    w = run(define, error_mode="defer")
    failure = w.result.exception
    assert isinstance(failure, DeliveryTimeoutError)
    assert failure.code is ErrorCode.HEARTBEAT_TIMEOUT
    assert len(executor.frames("cancel_task")) == 1
    assert executor.calls[-2:] == ["shutdown", "stop"]


@pytest.mark.parametrize("type_", ["heartbeat", "progress", "log"])
def test_an_executor_that_speaks_is_not_silent(type_: str) -> None:
    def beating(executor: Recorder, frame: Frame) -> None:
        if frame["type"] != "run_task":
            return
        executor.give(frame, "task_started")
        loop = asyncio.get_running_loop()
        for beat in range(1, 12):
            loop.call_later(0.05 * beat, executor.give, frame, type_)
        loop.call_later(0.6, lambda: executor.give(frame, "task_result", result="alive"))

    away(beating)
    with weave() as w:
        w.do(environment="away", delivery_heartbeat_seconds=0.3)(lambda: 1)
    assert w.result.final == "alive"


def test_silence_before_the_start_does_not_count() -> None:
    def queued(executor: Recorder, frame: Frame) -> None:
        if frame["type"] == "run_task":
            loop = asyncio.get_running_loop()
            loop.call_later(0.4, executor.give, frame, "task_started")
            loop.call_later(0.41, lambda: executor.give(frame, "task_result", result="late"))

    away(queued)
    with weave() as w:
        w.do(environment="away", delivery_heartbeat_seconds=0.15)(lambda: 1)
    assert w.result.final == "late"


# Delivery options


def test_set_delivery_options_travel_in_the_frame() -> None:
    executor = away(delivery_timeout=30)
    with weave() as w:
        w.do(environment="away", delivery_orphan_policy="fail")(lambda: 1)
    delivery = executor.frames("run_task")[0]["delivery"]
    assert delivery["delivery_timeout"] == 30
    assert delivery["delivery_orphan_policy"] == "fail"
    assert "delivery_heartbeat_seconds" not in delivery


def _key_of_dictionary(arguments: dict[str, Any]) -> str:
    return f"d-{arguments['user']}"


def _key_of_keywords(*, user: int) -> str:
    return f"k-{user}"


@pytest.mark.parametrize(
    ("key", "expected"),
    [
        ("plain", "plain"),
        ("user-{user}", "user-5"),
        (_key_of_dictionary, "d-5"),
        (_key_of_keywords, "k-5"),
    ],
)
def test_the_idempotency_key_is_made_of_the_arguments(key: Any, expected: str) -> None:
    executor = away()
    with weave(user=5) as w:

        @w.do(environment="away", delivery_idempotency_key=key)
        def there(user: int) -> int:
            return user

    assert executor.frames("run_task")[0]["delivery"]["delivery_idempotency_key"] == expected


def test_an_unknown_field_in_the_idempotency_key_is_an_error() -> None:
    executor = away()
    with pytest.raises(Exception, match="nobody"), weave(user=5) as w:

        @w.do(environment="away", delivery_idempotency_key="{nobody}")
        def there(user: int) -> int:
            return user

    assert executor.frames("run_task") == []


def test_max_in_flight_holds_runs_back() -> None:
    outstanding: list[int] = [0, 0]

    def counting(executor: Recorder, frame: Frame) -> None:
        if frame["type"] != "run_task":
            return
        outstanding[0] += 1
        outstanding[1] = max(outstanding)

        def end() -> None:
            outstanding[0] -= 1
            executor.give(frame, "task_result", result=frame["args"]["n"])

        asyncio.get_running_loop().call_later(0.01, end)

    away(counting, delivery_max_in_flight=2)
    with weave() as w:

        @w.do(range(8), environment="away")
        def items(n: int) -> None: ...

    assert w.result["items"] == list(range(8))
    assert outstanding[1] == 2


def test_max_in_flight_is_per_weave_and_environment_not_per_task() -> None:
    outstanding = [0, 0]

    def counting(executor: Recorder, frame: Frame) -> None:
        if frame["type"] != "run_task":
            return
        outstanding[0] += 1
        outstanding[1] = max(outstanding)

        def end() -> None:
            outstanding[0] -= 1
            executor.give(frame, "task_result", result=1)

        asyncio.get_running_loop().call_later(0.01, end)

    away(counting, delivery_max_in_flight=1)
    with weave() as w:
        for name in ("a", "b", "c"):

            def task() -> None: ...

            task.__name__ = name
            w.do(environment="away")(task)

    assert list(w.result) == [1, 1, 1]
    assert outstanding[1] == 1


def test_waiting_for_a_place_does_not_count_for_delivery_timeout() -> None:
    def slow(executor: Recorder, frame: Frame) -> None:
        if frame["type"] == "run_task":
            asyncio.get_running_loop().call_later(
                0.15, lambda: executor.give(frame, "task_result", result=1)
            )

    away(slow, delivery_max_in_flight=1, delivery_timeout=0.4)
    with weave() as w:

        @w.do(range(4), environment="away")
        def items(n: int) -> None: ...

    assert w.result["items"] == [1] * 4


# Cancelling


def _broken_after_start(w: Any, executor: Recorder, runs: int = 1) -> None:
    @w.do
    async def broken() -> None:
        while len(executor.frames("run_task")) < runs:
            await asyncio.sleep(0.001)
        raise ValueError("boom")


def test_the_first_failure_cancels_remote_runs(run: Any) -> None:
    executor = away(until_cancelled)

    def define(w: Any) -> None:
        @w.do(range(3), environment="away")
        def there(n: int) -> None: ...

        _broken_after_start(w, executor, 3)

    w = run(define, error_mode="defer")
    assert isinstance(w.result.exception, ValueError)
    assert "there" in w.result.cancelled
    frames = executor.frames("cancel_task")
    assert {f["run_id"] for f in frames} == {f["run_id"] for f in executor.frames("run_task")}
    assert len(frames) == 3
    for frame in frames:
        assert frame["task_id"] == "there"
        assert frame["delivery_cancel_mode"] == "best_effort"
        assert frame["delivery_orphan_policy"] == "cancel"
    assert executor.calls[-2:] == ["shutdown", "stop"]


def test_best_effort_does_not_wait_for_the_confirmation() -> None:
    executor = away(never)
    start = time.monotonic()
    with pytest.raises(ValueError, match="boom"), weave() as w:

        @w.do(environment="away", cancel_timeout=20)
        def there() -> None: ...

        _broken_after_start(w, executor)
    assert time.monotonic() - start < 10
    assert len(executor.frames("cancel_task")) == 1


def test_cancelling_the_coroutine_cancels_remote_runs() -> None:
    executor = away(until_cancelled)

    async def main() -> None:
        sent = asyncio.Event()
        executor.answer = lambda e, frame: (until_cancelled(e, frame), sent.set())[1]

        async def around() -> None:
            async with weave() as w:
                w.do(environment="away")(lambda: 1)

        task = asyncio.create_task(around())
        await wait_async(sent)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        assert len(asyncio.all_tasks()) == 1

    asyncio.run(main())
    assert executor.calls == ["start", "run_task", "cancel_task", "shutdown", "stop"]


def test_require_ack_waits_for_the_proof() -> None:
    def slowly(executor: Recorder, frame: Frame) -> None:
        if frame["type"] == "run_task":
            executor.give(frame, "task_started")
        elif frame["type"] == "cancel_task":
            asyncio.get_running_loop().call_later(0.2, executor.give, frame, "task_cancelled")

    executor = away(slowly)
    start = time.monotonic()
    with weave(error_mode="defer") as w:

        @w.do(environment="away", delivery_cancel_mode="require_ack", cancel_timeout=20)
        def there() -> None: ...

        _broken_after_start(w, executor)
    assert isinstance(w.result.exception, ValueError)
    assert time.monotonic() - start >= 0.19
    assert executor.frames("cancel_task")[0]["delivery_cancel_mode"] == "require_ack"
    record = next(r for r in w.runs if r.task == "there")
    assert (record.state, record.cancel) == ("cancelled", "stopped")


def test_require_ack_without_proof_is_an_error_chained_to_the_first_failure() -> None:
    executor = away(never)
    with weave(error_mode="return") as w:

        @w.do(environment="away", delivery_cancel_mode="require_ack", cancel_timeout=0.1)
        def there() -> None: ...

        _broken_after_start(w, executor)
    failure = w.result.there
    assert isinstance(failure, DeliveryError)
    assert failure.code is ErrorCode.CANCEL_UNCONFIRMED
    first = w.result.broken
    assert isinstance(first, ValueError)
    assert first in (failure.__cause__, failure.__context__)
    record = next(r for r in w.runs if r.task == "there")
    assert record.cancel == "unconfirmed"


def test_a_result_that_comes_before_the_cancel_is_confirmed_wins() -> None:
    def finishes(executor: Recorder, frame: Frame) -> None:
        if frame["type"] == "run_task":
            executor.give(frame, "task_started")
        elif frame["type"] == "cancel_task":
            executor.give(frame, "task_result", result="was done already")

    executor = away(finishes)
    with weave(error_mode="return") as w:

        @w.do(environment="away", delivery_cancel_mode="require_ack", cancel_timeout=20)
        def there() -> None: ...

        _broken_after_start(w, executor)
    assert w.result.there == "was done already"


@pytest.mark.parametrize("policy", ["cancel", "fail", "requeue"])
def test_orphan_policies_that_cancel_when_the_weave_stops(policy: str) -> None:
    executor = away(until_cancelled)
    with weave(error_mode="defer") as w:

        @w.do(environment="away", delivery_orphan_policy=policy)
        def there() -> None: ...

        _broken_after_start(w, executor)
    (frame,) = executor.frames("cancel_task")
    assert frame["delivery_orphan_policy"] == policy


def test_detach_leaves_the_job_alone_when_the_weave_stops() -> None:
    executor = away(never)
    with weave(error_mode="return") as w:

        @w.do(environment="away", delivery_orphan_policy="detach")
        def there() -> None: ...

        _broken_after_start(w, executor)
    assert executor.frames("cancel_task") == []
    assert isinstance(w.result.there, Exception)
    assert isinstance(w.result.exception, ValueError)


def test_names_of_the_delivery_errors() -> None:
    assert issubclass(DeliveryOrphanedError, DeliveryError)
    assert issubclass(DeliveryTimeoutError, DeliveryError)


def test_a_task_that_was_never_submitted_has_no_run() -> None:
    """The weave fails while the environment still starts."""

    class Slow(Recorder):
        async def start(self, **settings: Any) -> None:
            await super().start(**settings)
            starting.set()
            await asyncio.sleep(0.2)

    starting = threading.Event()
    wove.config(environments={"away": {"executor": Slow()}})
    with pytest.raises(RuntimeError, match="first"), weave() as w:

        @w.do(environment="away")
        def there() -> None: ...

        @w.do
        def fail() -> None:
            assert starting.wait(10)
            raise RuntimeError("first")

    assert [run.task for run in w.runs] == ["fail"]
    assert "there" in w.result.cancelled


# A start that takes long


class Slow(Recorder):
    """Takes `seconds` to start, or for ever; may not let itself be cancelled."""

    def __init__(self, seconds: float | None = None, *, stubborn: bool = False) -> None:
        super().__init__()
        self.seconds = seconds
        self.stubborn = stubborn
        self.let_go = threading.Event()

    async def start(self, **settings: Any) -> None:
        await super().start(**settings)
        if self.seconds is not None:
            await asyncio.sleep(self.seconds)
            return
        try:
            await asyncio.Event().wait()
        except asyncio.CancelledError:
            if not self.stubborn:
                raise
            while not self.let_go.is_set():
                await asyncio.sleep(0.01)


def test_an_executor_that_is_slow_to_start_does_not_hold_a_failed_weave(run: Any) -> None:
    wove.config(environments={"away": {"executor": (executor := Slow())}})

    def define(w: Any) -> None:
        @w.do(environment="away")
        def there() -> None: ...

        @w.do
        async def broken() -> None:
            await asyncio.sleep(0.05)
            raise KeyError("first")

    with pytest.raises(KeyError, match="first"):
        run(define)
    assert executor.calls == ["start", "stop"]


def test_an_executor_that_is_slow_to_start_can_be_cancelled_from_outside() -> None:
    wove.config(environments={"away": {"executor": (executor := Slow())}})

    async def main() -> None:
        async with weave() as w:
            w.do(environment="away")(lambda: 1)

    async def outer() -> None:
        with pytest.raises(asyncio.TimeoutError):
            await asyncio.wait_for(main(), 0.1)

    asyncio.run(outer())
    assert executor.calls == ["start", "stop"]


def test_a_start_that_cannot_be_cancelled_is_waited_for_no_longer_than_a_stop() -> None:
    executor = Slow(stubborn=True)
    executor.liveness = Liveness(stop_seconds=0.2)  # type: ignore[attr-defined]
    wove.config(environments={"away": {"executor": executor}})

    async def main() -> None:
        async with weave(error_mode="defer") as w:
            w.do(environment="away")(lambda: 1)

            @w.do
            async def broken() -> None:
                await asyncio.sleep(0.05)
                raise KeyError("first")

        assert executor.calls == ["start", "stop"]
        executor.let_go.set()

    asyncio.run(asyncio.wait_for(main(), 10))


@pytest.mark.parametrize("fails", [False, True])
def test_environments_are_stopped_side_by_side(run: Any, fails: bool) -> None:
    """Each stop waits here until every other one has begun."""
    stopping: set[str] = set()

    class Slow(Recorder):
        async def stop(self) -> None:
            stopping.add(self.settings["environment_name"])
            while len(stopping) < 3:
                await asyncio.sleep(0.01)
            await super().stop()

    executors = {name: Slow() for name in ("a", "b", "c")}
    wove.config(environments={name: {"executor": e} for name, e in executors.items()})

    def define(w: Any) -> None:
        for name in executors:
            task = lambda: name  # noqa: B023, E731 - which one does not matter
            task.__name__ = f"task_{name}"
            w.do(environment=name)(task)

        @w.do
        def after(task_a: str, task_b: str, task_c: str) -> None:
            if fails:
                raise ValueError("boom")

    run(define, error_mode="return")
    for executor in executors.values():
        assert executor.calls == ["start", "run_task", "shutdown", "stop"]


def test_every_environment_that_fails_to_stop_is_reported(
    run: Any, caplog: pytest.LogCaptureFixture
) -> None:
    class Broken(Recorder):
        async def stop(self) -> None:
            raise ValueError(f"{self.settings['environment_name']} is stuck")

    names = ("a", "b", "c")
    wove.config(environments={name: {"executor": Broken()} for name in names})

    def define(w: Any) -> None:
        for name in names:
            task = lambda: None  # noqa: E731
            task.__name__ = f"task_{name}"
            w.do(environment=name)(task)

    run(define)
    told = sorted(str(r.exc_info[1]) for r in caplog.records if r.exc_info)
    assert told == ["a is stuck", "b is stuck", "c is stuck"]


def test_a_cancelled_task_does_not_take_the_others_start_with_it() -> None:
    wove.config(environments={"away": {"executor": (executor := Slow(0.3))}})
    with weave() as w:

        @w.do
        async def impatient() -> str:
            try:
                await asyncio.wait_for(merge(lambda: 1, environment="away"), 0.05)
            except asyncio.TimeoutError:
                return "gave up"
            return "?"

        @w.do(environment="away")
        def patient() -> int:
            return 2

    assert list(w.result) == ["gave up", 2]
    assert executor.calls == ["start", "run_task", "shutdown", "stop"]


def test_a_parameter_may_be_called_as_anything_of_ours() -> None:
    """An executor named in the configuration, too, calls with the task's own names."""
    from wove.dispatch.threads import in_thread

    async def main() -> Any:
        return await in_thread(lambda function, args: (function, args), function=1, args=2)

    assert asyncio.run(main()) == (1, 2)
