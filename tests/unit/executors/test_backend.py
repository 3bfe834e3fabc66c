"""The backend executor with a real receiver, and jobs that the test plays."""

from __future__ import annotations

import asyncio
import base64
import contextlib
import dataclasses
import functools
import pickle
import sys
import threading
from typing import Any

import pytest

from tests.unit.executors.adapters import Played, PlayedAdapter
from tests.unit.executors.scripted import Items, until
from wove import __version__
from wove.dispatch.pickling import dumps
from wove.errors import (
    CallbackUnreachableError,
    DeliveryError,
    DeliveryTimeoutError,
    ErrorCode,
    MissingPackageError,
    PayloadTooLargeError,
    SubmissionError,
    WorkerLostError,
)
from wove.executors.backend import BackendAdapterEnvironmentExecutor
from wove.executors.backend_state import BackendState, BackendStatus
from wove.executors.liveness import Liveness
from wove.executors.session import EnvironmentSession, TaskCall

QUICK = Liveness(
    poll_seconds=0.05,
    poll_seconds_max=0.05,
    tick_seconds=0.02,
    ended_grace=0.05,
    succeeded_grace=0.1,
    absent_apart=0.1,
    callback_grace=0.2,
    cancel_poll_seconds=0.02,
)


def add(a, b=1):
    return a + b


class Backend:
    """A session on played jobs."""

    def __init__(self, play=Played.run, adapter_class=PlayedAdapter, **config: Any) -> None:
        self.jobs: list[Played] = []
        self.adapters: list[PlayedAdapter] = []
        self.config = {"play": play, "jobs": self.jobs, "adapters": self.adapters, **config}
        self.executor = BackendAdapterEnvironmentExecutor(
            "played", adapter_class=adapter_class, liveness=QUICK
        )

    @contextlib.asynccontextmanager
    async def items(self):
        environment = {"executor": self.executor, "executor_config": self.config}
        session = EnvironmentSession("reports", environment, {"error_mode": "raise"})
        await session.start()
        items = BackendItems(session)
        try:
            yield items
        finally:
            await asyncio.wait_for(session.stop(failed=None), 10)
            await until(lambda: not [t for t in threading.enumerate() if "(run)" in t.name])


class BackendItems(Items):
    function: Any = staticmethod(add)

    def call(self, shared: dict[str, Any] | None = None, **options: Any) -> TaskCall:
        call = super().call(**options)
        return TaskCall(
            task_id=call.task_id,
            callable=self.function,
            args=call.args,
            options=call.options,
            on_run=call.on_run,
            shared=shared,
        )


def in_loop(test):
    @functools.wraps(test)
    def run(**fixtures):
        asyncio.run(test(**fixtures))

    return run


def started_only(job: Played) -> None:
    job.post("task_started")


def says(status: BackendStatus, reason: str = ""):
    def play(job: Played) -> None:
        job.post("task_started")
        job.state = BackendState(status, reason)

    return play


# ---- the way out and back -------------------------------------------------------------


@in_loop
async def test_the_payload_is_the_documented_one():
    backend = Backend()
    async with backend.items() as items:
        assert await items.run(args={"a": 2}, delivery_timeout=30.0) == 3
    payload = dict(backend.jobs[0].payload)
    url, run_id = payload.pop("callback_url"), payload.pop("run_id")
    assert url.startswith("http://127.0.0.1:")
    assert "/wove/events/" in url
    assert run_id == items.records[0].run_id
    assert payload.pop("issued_at") > 1.7e9
    assert payload.pop("origin")["wove"] == __version__
    assert len(payload.pop("receiver_id")) > 8
    assert payload.pop("max_event_bytes") == 64 * 1024 * 1024
    assert base64.b64decode(payload.pop("callable_pickle")) == dumps(add)
    assert base64.b64decode(payload.pop("args_pickle")) == dumps({"a": 2})
    assert payload == {
        "version": 1,
        "adapter": "played",
        "task_id": "report",
        "task_name": "add",
        "delivery": {"delivery_timeout": 30.0},
        "accepts": ["heartbeat", "progress", "log"],
    }


@in_loop
async def test_the_record_of_a_run():
    backend = Backend()
    async with backend.items() as items:
        await items.run(args={"a": 2})
        (record,) = items.records
        await until(lambda: record.backend_job_id)
        assert record.backend == "played"
        assert record.backend_job_id == backend.jobs[0].id
        assert record.state == "succeeded"


@in_loop
async def test_the_adapter_sees_its_settings_and_is_closed():
    backend = Backend(queue="gpu")
    async with backend.items() as items:
        await items.run(args={"a": 2})
        (adapter,) = backend.adapters
        assert adapter.name == "played"
        assert adapter.config["queue"] == "gpu"
        assert adapter.callback_url == adapter.config["callback_url"]
        assert str(adapter.config["callback_port"]) in adapter.callback_url
        assert adapter.run_config == {"error_mode": "raise"}
        assert not adapter.closed
    assert adapter.closed


@in_loop
async def test_one_instance_serves_parallel_weaves():
    backend = Backend()
    async with backend.items() as one, backend.items() as other:
        results = await asyncio.gather(
            *(each.run(args={"a": n}) for n in range(5) for each in (one, other))
        )
        assert sorted(results) == [1, 1, 2, 2, 3, 3, 4, 4, 5, 5]
    assert len(backend.adapters) == 2


@in_loop
async def test_a_callable_is_pickled_once_for_the_items_of_a_map():
    class Counting:
        pickled = 0

        def __call__(self, a):
            return a

        def __reduce__(self):
            Counting.pickled += 1
            return Counting, ()

    backend = Backend(play=lambda job: job.post("task_result", result_pickle=dumps(1)))
    async with backend.items() as items:
        items.function = Counting()
        shared: dict[str, Any] = {}
        await asyncio.gather(*(items.run(args={"a": n}, shared=shared) for n in range(4)))
    assert Counting.pickled == 1
    assert "task_name" in backend.jobs[0].payload
    assert backend.jobs[0].payload["task_name"] is None


@in_loop
async def test_a_large_result_keeps_its_place():
    value = b"x" * (3 << 20)
    backend = Backend(play=lambda job: job.post("task_result", result_pickle=dumps(value)))
    async with backend.items() as items:
        assert await items.run(args={"a": 1}) == value


@in_loop
async def test_a_result_that_does_not_load_here():
    backend = Backend(play=lambda job: job.post("task_result", result_pickle=b"cno_module\nx\n."))
    async with backend.items() as items:
        with pytest.raises(
            DeliveryError, match=r"cannot be loaded in the weave's process: .*importable here"
        ) as caught:
            await items.run(args={"a": 1})
        assert caught.value.code is ErrorCode.RESULT_NOT_LOADABLE
        assert isinstance(caught.value.__cause__, ModuleNotFoundError)


@in_loop
async def test_a_result_in_json():
    backend = Backend(play=lambda job: job.post("task_result", result_json="9007199254740993"))
    async with backend.items() as items:
        assert await items.run(args={"a": 1}) == 2**53 + 1


# ---- what cannot be sent --------------------------------------------------------------


@in_loop
async def test_an_argument_that_cannot_be_pickled_is_named():
    backend = Backend()
    async with backend.items() as items:
        with pytest.raises(DeliveryError, match="its argument 'b'") as caught:
            await items.run(args={"a": 1, "b": threading.Lock()})
        assert caught.value.code is ErrorCode.PAYLOAD_NOT_PICKLABLE
        assert caught.value.task == "report"
    assert not backend.jobs


@in_loop
async def test_a_callable_that_cannot_be_pickled():
    lock = threading.Lock()
    async with Backend().items() as items:
        items.function = lambda a: (lock, a)
        with pytest.raises(
            DeliveryError,
            match=r"its callable uses 'lock', and that _thread.lock cannot be pickled",
        ) as caught:
            await items.run(args={"a": 1})
        assert caught.value.code is ErrorCode.PAYLOAD_NOT_PICKLABLE


@in_loop
async def test_a_payload_over_the_limit_names_the_largest_argument():
    class Small(PlayedAdapter):
        max_payload_bytes = 4096

    backend = Backend(adapter_class=Small)
    async with backend.items() as items:
        with pytest.raises(PayloadTooLargeError, match="largest argument is 'b'") as caught:
            await items.run(args={"a": 1, "b": "x" * 5000})
        assert caught.value.limit == 4096
        assert caught.value.size > 5000
        assert caught.value.backend == "played"
    assert not backend.jobs


@in_loop
async def test_a_refused_submission():
    class Refusing(PlayedAdapter):
        async def submit(self, payload, frame):
            raise ConnectionError("no route to broker")

    async with Backend(adapter_class=Refusing).items() as items:
        with pytest.raises(SubmissionError, match="no route to broker") as caught:
            await items.run(args={"a": 1})
        assert caught.value.code is ErrorCode.SUBMIT_FAILED
        assert (caught.value.environment, caught.value.backend) == ("reports", "played")


@in_loop
async def test_a_typed_refusal_is_completed():
    class Refusing(PlayedAdapter):
        async def submit(self, payload, frame):
            raise SubmissionError("down", code=ErrorCode.BACKEND_UNAVAILABLE)

    async with Backend(adapter_class=Refusing).items() as items:
        with pytest.raises(SubmissionError, match="down") as caught:
            await items.run(args={"a": 1})
        assert caught.value.code is ErrorCode.BACKEND_UNAVAILABLE
        assert caught.value.run_id == items.records[0].run_id


@in_loop
async def test_a_submission_that_fails_after_the_job_has_started():
    class Flaky(PlayedAdapter):
        async def submit(self, payload, frame):
            job = await super().submit(payload, frame)
            await until(lambda: job.polls < 0)
            raise TimeoutError("no answer")

    def play(job):
        job.post("task_started")
        job.polls = -1
        threading.Event().wait(0.1)
        job.post("task_result", result_pickle=dumps("ran all the same"))

    async with Backend(play, Flaky).items() as items:
        assert await items.run(args={"a": 1}) == "ran all the same"


@in_loop
async def test_a_job_that_starts_after_its_submission_failed_is_turned_away():
    answers: list[int] = []

    class Failing(PlayedAdapter):
        async def submit(self, payload, frame):
            self.config["jobs"].append(Played(payload))
            raise TimeoutError("no answer")

    backend = Backend(adapter_class=Failing)
    async with backend.items() as items:
        with pytest.raises(SubmissionError):
            await items.run(args={"a": 1})
        answers.append(await asyncio.to_thread(backend.jobs[0].post, "task_started"))
    assert answers == [410]


@in_loop
async def test_a_submission_that_its_library_cancels_has_failed():
    class Cancelling(PlayedAdapter):
        async def submit(self, payload, frame):
            raise asyncio.CancelledError

    async with Backend(adapter_class=Cancelling).items() as items:
        with pytest.raises(SubmissionError, match="CancelledError"):
            await items.run(args={"a": 1})


@in_loop
async def test_a_job_that_started_although_its_submission_failed_is_watched():
    class Flaky(PlayedAdapter):
        async def submit(self, payload, frame):
            job = await super().submit(payload, frame)
            await until(lambda: job.polls < 0)
            raise TimeoutError("no answer")

    def play(job):
        job.post("task_started", heartbeat_seconds=0.05)
        job.polls = -1  # and it dies

    backend = Backend(play, Flaky)
    backend.executor.liveness = dataclasses.replace(
        QUICK, silence_seconds=0.1, silent_at_least=0.2, silent_alone=0.3
    )
    async with backend.items() as items:
        with pytest.raises(WorkerLostError):
            await items.run(args={"a": 1})
        assert items.records[0].cancel != "stopped"


class ExitsWhenLoaded:
    def __reduce__(self):
        return sys.exit, (3,)


@pytest.mark.parametrize("padding", [0, 2 << 20])  # loaded on the loop, and in a thread
@in_loop
async def test_a_result_that_exits_when_it_is_loaded(padding):
    def play(job):
        job.post("task_started")
        pickled = pickle.dumps((bytes(padding), ExitsWhenLoaded()))
        job.post("task_result", result_pickle=pickled)

    async with Backend(play).items() as items:
        with pytest.raises(DeliveryError, match="SystemExit") as caught:
            await items.run(args={"a": 1})
        assert caught.value.code is ErrorCode.RESULT_NOT_LOADABLE


@in_loop
async def test_a_lost_run_whose_second_execution_does_not_come_is_lost():
    def play(job):
        job.post("task_started")
        job.id = "second execution"
        job.post("task_started")  # told to wait, and never back
        job.state = BackendState(BackendStatus.LOST, "killed")

    async with Backend(play).items() as items:
        with pytest.raises(WorkerLostError, match="killed"):
            await items.run(args={"a": 1})


@in_loop
async def test_a_late_result_is_taken_after_a_later_submission_failed():
    class FailsSecond(PlayedAdapter):
        async def submit(self, payload, frame):
            if frame["attempt"] == 1:
                raise ConnectionError("down")
            return await super().submit(payload, frame)

    def play(job):
        job.post("task_started")
        if len(backend.jobs) == 2:  # the third run: now the first one is done
            backend.jobs[0].post("task_result", result_pickle=dumps("late"))

    backend = Backend(play, FailsSecond)
    async with backend.items() as items:
        assert await items.run(args={"a": 1}, retries=2, timeout=0.1) == "late"
        assert [record.attempt for record in items.records] == [0, 1, 2]


# ---- at the start ---------------------------------------------------------------------


@in_loop
async def test_an_adapter_whose_start_fails_is_closed():
    class Broken(PlayedAdapter):
        async def start(self):
            await super().start()
            raise TypeError("settings are missing")

    backend = Backend(adapter_class=Broken)
    with pytest.raises(TypeError, match="settings are missing"):
        async with backend.items():
            pass
    assert [adapter.closed for adapter in backend.adapters] == [True]


@in_loop
async def test_a_missing_package_is_named_with_its_command():
    class Missing(PlayedAdapter):
        required_modules = ("no_such_module",)
        install_hint = "pip install no-such-package"

    with pytest.raises(MissingPackageError) as caught:
        async with Backend(adapter_class=Missing).items():
            pass
    assert str(caught.value) == (
        "played executor requested, but dependency `no_such_module` is not installed. "
        "Install with: pip install no-such-package"
    )


def test_an_unknown_executor_lists_the_known():
    with pytest.raises(ValueError, match=r"Unknown executor 'rabbits'.*celery, .*local, process"):
        BackendAdapterEnvironmentExecutor("rabbits")


# ---- the backend's word ---------------------------------------------------------------


@pytest.mark.parametrize(
    ("status", "kind", "code"),
    [
        (BackendStatus.LOST, WorkerLostError, ErrorCode.WORKER_LOST),
        (BackendStatus.FAILED, DeliveryError, ErrorCode.BACKEND_FAILED),
        (BackendStatus.CANCELLED, DeliveryError, ErrorCode.BACKEND_CANCELLED),
        (BackendStatus.ABSENT, DeliveryError, ErrorCode.BACKEND_FORGOT),
        (BackendStatus.SUCCEEDED, DeliveryError, ErrorCode.RESULT_MISSING),
    ],
)
def test_what_the_backend_says_ends_the_run_in_its_words(status, kind, code):
    @in_loop
    async def run():
        backend = Backend(play=says(status, "OOMKilled, exit code 137"))
        async with backend.items() as items:
            with pytest.raises(kind, match="OOMKilled, exit code 137") as caught:
                await items.run(args={"a": 1})
            error = caught.value
            assert error.code is code
            assert error.reason == "OOMKilled, exit code 137"
            assert error.backend_job_id == backend.jobs[0].id
            assert error.backend_job_id in str(error)

    run()


@in_loop
async def test_a_job_that_never_reports_cannot_reach_the_callback_url():
    backend = Backend(play=lambda job: None)
    async with backend.items() as items:
        with pytest.raises(
            CallbackUnreachableError, match=r"http://127\.0\.0\.1:\d+/wove/events/\*\*\*"
        ):
            await items.run(args={"a": 1})
        token = backend.adapters[0].config["callback_token"]
        assert token not in str(items.records[0].error)


@in_loop
async def test_a_poll_that_raises_is_no_answer():
    def play(job):
        job.state = ConnectionError("backend is down")
        job.post("task_started")
        while job.polls < 3:
            threading.Event().wait(0.01)
        job.post("task_result", result_pickle=dumps("still there"))

    async with Backend(play).items() as items:
        assert await items.run(args={"a": 1}) == "still there"


@in_loop
async def test_news_are_asked_for_at_once():
    slow = Liveness(lost_grace=0.0)
    backend = Backend(play=started_only)
    backend.executor.liveness = slow
    async with backend.items() as items:
        task = items.start(args={"a": 1})
        await until(lambda: items.records and items.records[0].started_at)
        job = backend.jobs[0]
        job.state = BackendState(BackendStatus.LOST, "killed")
        backend.adapters[0].changed(job.payload["run_id"])
        with pytest.raises(WorkerLostError, match="killed"):
            await asyncio.wait_for(task, 10)


@in_loop
async def test_a_late_verdict_does_not_beat_an_event():
    def play(job):
        job.post("task_started")
        job.state = BackendState(BackendStatus.FAILED, "result backend refused the value")
        job.post("task_result", result_pickle=dumps("in time"))

    async with Backend(play).items() as items:
        assert await items.run(args={"a": 1}) == "in time"


# ---- cancelling -----------------------------------------------------------------------


@in_loop
async def test_a_cancelled_run_is_told_at_the_backend_and_by_acknowledgement():
    backend = Backend(play=started_only)
    async with backend.items() as items:
        task = items.start(args={"a": 1})
        await until(lambda: items.records and items.records[0].started_at)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        job = backend.jobs[0]
        await until(lambda: job.cancels)
        assert items.records[0].cancel == "asked"
        assert await asyncio.to_thread(job.post, "heartbeat") == 200
        assert await asyncio.to_thread(job.post, "task_cancelled") == 204
        await until(lambda: items.records[0].cancel == "stopped")


@in_loop
async def test_a_run_cancelled_before_its_start_is_refused_it():
    backend = Backend(play=lambda job: None)
    async with backend.items() as items:
        task = items.start(args={"a": 1}, delivery_cancel_mode="require_ack", cancel_timeout=5.0)
        await until(lambda: backend.jobs)
        task.cancel()
        await until(lambda: backend.jobs[0].cancels)
        assert await asyncio.to_thread(backend.jobs[0].post, "task_started") == 410
        with pytest.raises(asyncio.CancelledError):
            await task
        assert items.records[0].cancel == "stopped"


@in_loop
async def test_require_ack_takes_the_backends_word():
    backend = Backend(play=started_only)
    async with backend.items() as items:
        task = items.start(args={"a": 1}, delivery_cancel_mode="require_ack", cancel_timeout=5.0)
        await until(lambda: items.records and items.records[0].started_at)
        task.cancel()
        await until(lambda: backend.jobs[0].cancels)
        backend.jobs[0].state = BackendState(BackendStatus.CANCELLED)
        with pytest.raises(asyncio.CancelledError):
            await task
        assert items.records[0].cancel == "stopped"


@in_loop
async def test_a_detached_job_is_submitted_even_if_the_weave_has_stopped():
    class Slow(PlayedAdapter):
        async def submit(self, payload, frame):
            await asyncio.sleep(0.2)
            assert not self.closed
            return await super().submit(payload, frame)

    backend = Backend(play=lambda job: None, adapter_class=Slow)
    async with backend.items() as items:
        task = items.start(args={"a": 1}, delivery_orphan_policy="detach")
        await until(lambda: items.records)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
    (job,) = backend.jobs
    assert job.payload["start_gate"] == "none"
    assert job.cancels == []


@in_loop
async def test_a_submission_that_returns_after_its_job_has_ended():
    class Slow(PlayedAdapter):
        async def submit(self, payload, frame):
            job = await super().submit(payload, frame)
            await asyncio.sleep(0.3)
            return job

    def play(job):
        job.post("task_started", backend_job_id="told by the worker")
        job.post("task_result", result_pickle=dumps("quick"))

    async with Backend(play, Slow).items() as items:
        assert await items.run(args={"a": 1}) == "quick"
        assert items.records[0].backend_job_id == "told by the worker"


@in_loop
async def test_a_closure_is_pickled_as_it_is_at_each_call():
    backend = Backend()
    async with backend.items() as items:
        count = 0

        def current(a):
            return count

        items.function = current
        values = []
        while count < 3:
            values.append(await items.run(args={"a": 1}))
            count += 1
    assert values == [0, 1, 2]


class Frozen(Exception):
    """Refuses attributes, as a frozen dataclass does."""

    def __setattr__(self, name, value):
        raise AttributeError("immutable")


class Unspeakable(Exception):
    def __str__(self):
        raise ValueError("no words")


class LoadsBadly:
    def __init__(self, error):
        self.error = error

    def __reduce__(self):
        return _raise, (self.error,)


def _raise(error):
    raise error


@in_loop
async def test_an_exception_that_refuses_a_cause_arrives():
    def play(job):
        job.post("task_started")
        error = {"exception_pickle": dumps(Frozen("x"))}
        job.post("task_error", **error)

    async with Backend(play=play).items() as items:
        with pytest.raises(Frozen):
            await asyncio.wait_for(items.run(args={"a": 1}), 10)


@pytest.mark.parametrize("error", [Unspeakable(), SystemExit(3), KeyboardInterrupt()])
@pytest.mark.parametrize("size", [0, 2 << 20])
@pytest.mark.parametrize("kind", ["task_result", "task_error"])
@in_loop
async def test_an_outcome_that_cannot_be_read_ends_the_run(error, size, kind):
    def play(job):
        job.post("task_started")
        field = "result_pickle" if kind == "task_result" else "exception_pickle"
        job.post(kind, **{field: dumps((b"x" * size, LoadsBadly(error)))})

    async with Backend(play=play).items() as items:
        with pytest.raises(Exception) as caught:  # noqa: PT011 - two types, and no exit
            await asyncio.wait_for(items.run(args={"a": 1}), 10)
        assert not isinstance(caught.value, asyncio.TimeoutError)
        assert type(error).__name__ in str(caught.value)


@in_loop
async def test_large_arguments_do_not_hold_the_loop_up(monkeypatch):
    from wove.executors import payloads

    threads = []
    build = payloads.PayloadBuilder.build

    def noted(self, frame):
        threads.append(threading.current_thread())
        return build(self, frame)

    monkeypatch.setattr(payloads.PayloadBuilder, "build", noted)
    backend = Backend(play=lambda job: job.post("task_result", result_pickle=dumps(1)))
    async with backend.items() as items:
        await items.run(args={"a": 1})
        await items.run(args={"a": b"x" * (2 << 20)})
    assert threads[0] is threading.main_thread()
    assert threads[1] is not threading.main_thread()


@in_loop
async def test_a_submission_without_a_readable_id_is_watched():
    class Broken(PlayedAdapter):
        def job_id(self, submission):
            raise RuntimeError("the library's own trouble")

    def play(job):
        job.state = BackendState(BackendStatus.FAILED, "it fell over")

    async with Backend(play=play, adapter_class=Broken).items() as items:
        with pytest.raises(DeliveryError, match="it fell over"):
            await asyncio.wait_for(items.run(args={"a": 1}), 10)


@in_loop
async def test_a_backend_that_cannot_be_asked_is_told_of_once(caplog):
    def play(job):
        job.state = ConnectionError("wrong password")
        job.post("task_started")
        until_polled(job)
        job.post("task_result", result_pickle=dumps(1))

    def until_polled(job):
        for _ in range(400):
            if job.polls > 2:
                return
            threading.Event().wait(0.02)

    async with Backend(play=play).items() as items:
        await items.run(args={"a": 1})
    told = [r for r in caplog.records if "could not be asked" in r.message]
    assert [r.levelname for r in told if r.levelname == "WARNING"] == ["WARNING"]
    assert "wrong password" in told[0].message


@in_loop
async def test_a_run_that_waits_for_a_worker_is_told_of_once(caplog):
    def play(job):
        job.state = BackendState(BackendStatus.QUEUED, "behind 7 others")
        threading.Event().wait(0.6)
        job.post("task_result", result_pickle=dumps(1))

    backend = Backend(play=play)
    backend.executor.liveness = dataclasses.replace(QUICK, queued_warning=0.2)
    async with backend.items() as items:
        await items.run(args={"a": 1})
    told = [r.message for r in caplog.records if "for a worker" in r.message]
    assert len(told) == 1
    assert "behind 7 others" in told[0]
    assert told[0].startswith("task 'report' in environment 'reports' has waited")


@in_loop
async def test_a_job_that_runs_and_is_not_heard_has_no_lack_of_workers(caplog):
    def play(job):
        job.state = BackendState(BackendStatus.RUNNING, "w1 is running it")
        threading.Event().wait(0.6)
        job.post("task_result", result_pickle=dumps(1))

    backend = Backend(play=play)
    backend.executor.liveness = dataclasses.replace(QUICK, queued_warning=0.2, callback_grace=60.0)
    async with backend.items() as items:
        await items.run(args={"a": 1})
    (told,) = [r.message for r in caplog.records if "task 'report'" in r.message]
    assert "no event of it has come" in told
    assert "running: w1 is running it" in told
    assert "callback_url" in told
    assert "for a worker" not in told


@pytest.mark.parametrize(
    ("state", "said"),
    [
        (BackendState(BackendStatus.CANNOT_SAY, "no worker has it"), "played says: no worker has"),
        (BackendState(BackendStatus.CANNOT_SAY), "played says: cannot say."),
        (BackendState(BackendStatus.QUEUED, "behind 7"), "played says: queued: behind 7."),
        (ImportError("no name 'x'"), "says: it could not be asked: ImportError: no name 'x'"),
    ],
)
@in_loop
async def test_a_start_timeout_has_the_backends_words(state, said):
    def play(job):
        job.state = state

    async with Backend(play=play).items() as items:
        with pytest.raises(DeliveryTimeoutError, match=said):
            await items.run(args={"a": 1}, start_timeout=0.1)


@in_loop
async def test_unknown_settings_are_named_with_those_there_are():
    class Known(PlayedAdapter):
        settings = frozenset({"play", "jobs", "adapters", "queue"})

    async with Backend(adapter_class=Known, queue="x").items() as items:
        await items.run(args={"a": 1})
    with pytest.raises(TypeError, match=r"does not know 'qeue'.*queue.*callback_url"):
        async with Backend(adapter_class=Known, qeue="x").items():
            pass


@in_loop
async def test_a_delivery_timeout_before_the_start_says_what_the_backend_says():
    def play(job):
        job.state = BackendState(BackendStatus.QUEUED, "no worker listens")

    async with Backend(play=play).items() as items:
        with pytest.raises(DeliveryError, match=r"last seen: queued.*no worker listens") as caught:
            await items.run(args={"a": 1}, delivery_timeout=0.3)
    assert caught.value.code is ErrorCode.DELIVERY_TIMEOUT
    assert "no worker listens" in caught.value.reason


class Coded(Exception):
    code = {"a": 1}  # noqa: RUF012 - unhashable on purpose


@in_loop
async def test_an_exception_with_a_code_of_its_own_comes_back():
    def play(job):
        job.post("task_started")
        job.post("task_error", exception_pickle=dumps(Coded("x")))

    async with Backend(play=play).items() as items:
        with pytest.raises(Coded):
            await items.run(args={"a": 1})


@in_loop
async def test_a_start_that_is_cancelled_closes_its_adapter_once():
    began = asyncio.Event()
    closed = []

    class Slow(PlayedAdapter):
        async def start(self) -> None:
            began.set()
            await asyncio.Event().wait()

        async def close(self) -> None:
            closed.append(1)

    backend = Backend(adapter_class=Slow)
    environment = {"executor": backend.executor, "executor_config": backend.config}
    session = EnvironmentSession("reports", environment, {"error_mode": "raise"})
    start = asyncio.ensure_future(session.start())
    await began.wait()
    start.cancel()
    with pytest.raises(asyncio.CancelledError):
        await start
    await session.abort()
    assert closed == [1]


@in_loop
async def test_the_end_of_a_detached_run_is_tried_for_a_minute():
    backend = Backend()
    async with backend.items() as items:
        await items.run(args={"a": 1})
        await items.run(args={"a": 1}, delivery_orphan_policy="detach")
    tried = [job.payload.get("delivery_retry_seconds") for job in backend.jobs]
    assert tried == [None, 60]
