"""Cancelling, heartbeats, and what the host does to a worker."""

from __future__ import annotations

import asyncio
import signal
import sys
import threading
import time
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from tests.unit.worker.receiver import CANCEL, Receiver, Reply, Seen, as_dict, value_of
from wove.errors import CallbackUnreachableError
from wove.integrations.worker import arun, run
from wove.worker import entrypoint
from wovepb.v1.payload_pb2 import TaskPayload

pytestmark = pytest.mark.slow

BEAT = 0.15
"""`delivery_heartbeat_seconds` of these tests: a beat every 0.05 s."""


def looping(receiver: Receiver, function: Callable[..., Any] | None = None) -> TaskPayload:
    def loop() -> str:
        deadline = time.monotonic() + 20
        while time.monotonic() < deadline:
            time.sleep(0.005)
        return "was not stopped"

    payload = receiver.payload(function or loop)
    payload.delivery.delivery_heartbeat_seconds = BEAT
    return payload


def to_beats(reply: Reply) -> Callable[[Seen], Reply]:
    return lambda seen: reply if seen.frame == "heartbeat" else Reply()


def test_the_announced_interval_is_a_third_of_the_setting(receiver: Receiver) -> None:
    payload = receiver.payload(int)
    payload.delivery.delivery_heartbeat_seconds = 6
    run(as_dict(payload))
    assert receiver.frames("task_started")[0].event.task_started.heartbeat_seconds == 2


def test_without_the_setting_it_is_five_seconds(receiver: Receiver) -> None:
    run(as_dict(receiver.payload(int)))
    assert receiver.frames("task_started")[0].event.task_started.heartbeat_seconds == 5


@pytest.mark.parametrize("setting", [0.0, -6.0])
def test_a_setting_that_is_not_above_0_is_none(receiver: Receiver, setting: float) -> None:
    payload = receiver.payload(int)
    payload.delivery.delivery_heartbeat_seconds = setting
    run(as_dict(payload))
    assert receiver.frames("task_started")[0].event.task_started.heartbeat_seconds == 5


def test_beats_have_their_own_connection_and_numbers(receiver: Receiver) -> None:
    run(as_dict(looping(receiver, lambda: time.sleep(0.4))))
    beats, others = receiver.frames("heartbeat"), receiver.frames("task_started", "task_result")
    assert len(beats) >= 3
    assert {seen.connection for seen in beats}.isdisjoint(seen.connection for seen in others)
    events = [seen.event for seen in receiver.frames()]
    assert len({event.sequence for event in events}) == len(events)
    assert len({event.event_id for event in events}) == len(events)


def test_beats_go_on_until_the_terminal_event_is_acknowledged(receiver: Receiver) -> None:
    acknowledged = threading.Event()

    def rule(seen: Seen) -> Reply:
        if seen.frame == "task_result" and not acknowledged.is_set():
            receiver.wait_for("heartbeat", len(receiver.frames("heartbeat")) + 2)
            acknowledged.set()
        return Reply()

    receiver.rule = rule
    assert run(as_dict(looping(receiver, int)))["delivered"]
    assert acknowledged.is_set()
    count = len(receiver.frames("heartbeat"))
    time.sleep(0.3)
    assert len(receiver.frames("heartbeat")) <= count + 1  # one may have been on its way


def test_a_lost_beat_is_not_repeated_and_the_next_comes_soon(receiver: Receiver) -> None:
    receiver.rule = to_beats(Reply(drop=True))
    run(as_dict(looping(receiver, lambda: time.sleep(0.5))))
    beats = receiver.frames("heartbeat")
    assert len(beats) >= 3
    assert len({seen.event.event_id for seen in beats}) == len(beats)


def test_an_acknowledgement_may_change_the_interval(receiver: Receiver) -> None:
    receiver.rule = to_beats(Reply(200, b'{"heartbeat_seconds": 30}'))
    run(as_dict(looping(receiver, lambda: time.sleep(0.4))))
    assert len(receiver.frames("heartbeat")) == 1


def test_the_answer_to_the_start_changes_the_interval_too(receiver: Receiver) -> None:
    payload = receiver.payload(lambda: time.sleep(0.5))
    answer = Reply(200, b'{"heartbeat_seconds": 0.05}')
    receiver.rule = lambda seen: answer if seen.frame == "task_started" else Reply()
    run(as_dict(payload))
    assert receiver.frames("task_started")[0].event.task_started.heartbeat_seconds == 5
    assert len(receiver.frames("heartbeat")) >= 2


def test_a_cancel_stops_a_sync_task_in_python_code(receiver: Receiver) -> None:
    receiver.rule = to_beats(Reply(200, CANCEL))
    summary = run(as_dict(looping(receiver)))
    assert summary["outcome"] == "cancelled"
    event = receiver.frames("task_cancelled")[0].event
    assert event.task_cancelled.reason == "the weave cancelled it"
    assert not event.task_cancelled.forced


def test_the_thread_is_whole_after_a_stopped_task(receiver: Receiver) -> None:
    # `run_here` is what warm workers use: one thread, task after task.
    for _ in range(5):
        receiver.rule = to_beats(Reply(200, CANCEL))
        assert entrypoint.run_here(as_dict(looping(receiver)))["outcome"] == "cancelled"
        receiver.rule = lambda seen: Reply()
        assert entrypoint.run_here(as_dict(receiver.payload(int)))["outcome"] == "succeeded"


@pytest.mark.parametrize("status", [401, 404, 409, 410])
def test_a_run_whose_beats_are_refused_is_stopped_and_reports_once(
    receiver: Receiver, status: int
) -> None:
    receiver.rule = to_beats(Reply(status))
    assert run(as_dict(looping(receiver)))["outcome"] == "cancelled"
    assert receiver.names() == ["task_started", "task_cancelled"]


@pytest.mark.parametrize("status", [401, 404])
def test_a_stopped_run_whose_end_is_refused_was_not_delivered(
    receiver: Receiver, status: int
) -> None:
    receiver.rule = lambda seen: Reply() if seen.frame == "task_started" else Reply(status)
    with pytest.raises(CallbackUnreachableError):
        run(as_dict(looping(receiver)))
    assert receiver.names() == ["task_started", "task_cancelled"]


@pytest.mark.parametrize("status", [409, 410])
def test_a_stopped_run_whose_end_nobody_wants_was_delivered(
    receiver: Receiver, status: int
) -> None:
    receiver.rule = lambda seen: Reply() if seen.frame == "task_started" else Reply(status)
    assert run(as_dict(looping(receiver)))["delivered"]
    assert receiver.names() == ["task_started", "task_cancelled"]


@pytest.mark.parametrize("status", [400, 401, 409])
def test_a_late_refusal_of_an_ungated_start_stops_the_task(receiver: Receiver, status: int) -> None:
    replies = [Reply(503), Reply(status)]
    receiver.rule = lambda seen: (
        replies.pop(0) if seen.frame == "task_started" and replies else Reply()
    )
    payload = looping(receiver)
    payload.start_gate = "none"
    assert run(as_dict(payload))["outcome"] == "cancelled"


@pytest.mark.parametrize(
    "reply",
    [
        Reply(421, headers={"Wove-Receiver": "another"}),
        Reply(410, headers={"Wove-Receiver": "another"}),
        Reply(404, headers={"Wove-Receiver": "another"}),
        Reply(410, ours=False),
        Reply(503),
        Reply(400),
        Reply(402),
    ],
    ids=["421", "410 of another", "404 of another", "410 of a stranger", "503", "400", "402"],
)
def test_no_other_answer_stops_a_running_task(receiver: Receiver, reply: Reply) -> None:
    receiver.rule = to_beats(reply)
    assert run(as_dict(looping(receiver, lambda: time.sleep(0.5))))["outcome"] == "succeeded"
    assert receiver.frames("heartbeat")


def test_a_beat_that_another_answered_is_followed_by_one_on_a_new_connection(
    receiver: Receiver,
) -> None:
    receiver.rule = to_beats(Reply(421, headers={"Wove-Receiver": "another"}))
    run(as_dict(looping(receiver, lambda: time.sleep(0.5))))
    beats = receiver.frames("heartbeat")
    assert len(beats) > 1
    assert len({beat.connection for beat in beats}) == len(beats)


@pytest.mark.parametrize(
    "reply",
    [Reply(200, CANCEL), Reply(410), Reply(409), Reply(404), Reply(401), Reply(400)],
    ids=["cancel", "410", "409", "404", "401", "400"],
)
def test_detach_ignores_cancel_and_every_refusal(receiver: Receiver, reply: Reply) -> None:
    # To its start, other refusals than 410 hold: test_run has them.
    refused = {"heartbeat"} | ({"task_started"} if reply.status in (200, 410) else set())
    receiver.rule = lambda seen: reply if seen.frame in refused else Reply()
    payload = looping(receiver, lambda: time.sleep(0.4))
    payload.delivery.delivery_orphan_policy = "detach"
    payload.start_gate = "none"
    summary = run(as_dict(payload))
    assert summary["outcome"] == "succeeded"
    assert receiver.frames("heartbeat")


def test_a_cancel_after_the_callable_returned_is_ignored(receiver: Receiver) -> None:
    def rule(seen: Seen) -> Reply:
        if seen.frame == "task_result":
            receiver.wait_for("heartbeat", 2)
            return Reply()
        return Reply(200, CANCEL) if seen.frame == "heartbeat" else Reply()

    receiver.rule = rule
    summary = run(as_dict(looping(receiver, lambda: 7)))
    assert summary["outcome"] == "succeeded"
    assert value_of(receiver.frames("task_result")[0]) == 7


def test_a_task_that_cleans_up_badly_is_still_cancelled(receiver: Receiver) -> None:
    def task() -> None:
        try:
            while True:
                time.sleep(0.005)
        finally:
            raise ValueError("in the cleaning up")

    receiver.rule = to_beats(Reply(200, CANCEL))
    assert run(as_dict(looping(receiver, task)))["outcome"] == "cancelled"


def test_a_cancel_stops_an_async_task_and_never_escapes_arun(receiver: Receiver) -> None:
    async def task() -> None:
        await asyncio.sleep(20)

    async def main() -> dict[str, Any]:
        return await arun(as_dict(looping(receiver, task)))

    receiver.rule = to_beats(Reply(200, CANCEL))
    assert asyncio.run(asyncio.wait_for(main(), 10))["outcome"] == "cancelled"
    assert run(as_dict(looping(receiver, task)))["outcome"] == "cancelled"


def test_an_async_task_may_finish_in_spite_of_a_cancel(receiver: Receiver) -> None:
    async def task() -> str:
        try:
            await asyncio.sleep(20)
        except asyncio.CancelledError:
            return "finished"
        return "not cancelled"

    receiver.rule = to_beats(Reply(200, CANCEL))
    assert run(as_dict(looping(receiver, task)))["outcome"] == "succeeded"
    assert value_of(receiver.frames("task_result")[0]) == "finished"


def test_a_worker_that_shuts_down_reports_and_then_sees_its_cancellation(
    receiver: Receiver,
) -> None:
    async def main(function: Callable[..., Any]) -> None:
        job = asyncio.create_task(arun(as_dict(looping(receiver, function))))
        await asyncio.to_thread(receiver.wait_for, "heartbeat")
        job.cancel()
        with pytest.raises(asyncio.CancelledError):
            await job

    async def coroutine() -> None:
        await asyncio.sleep(20)

    def blocking() -> None:
        while True:
            time.sleep(0.005)

    for count, function in enumerate((coroutine, blocking), start=1):
        asyncio.run(asyncio.wait_for(main(function), 15))
        event = receiver.frames("task_cancelled")[count - 1].event
        assert event.task_cancelled.reason == "its worker is shutting down"


class SoftTimeLimit(Exception):
    """What a host such as Celery raises in the thread that waits."""


@pytest.mark.parametrize("kind", [SoftTimeLimit, KeyboardInterrupt, SystemExit])
def test_what_the_host_raises_stops_the_task_and_is_reported(
    receiver: Receiver, kind: type[BaseException]
) -> None:
    def raise_it(number: int, frame: object) -> None:
        raise kind("enough")

    before = signal.signal(signal.SIGALRM, raise_it)
    signal.setitimer(signal.ITIMER_REAL, 0.3)
    try:
        if issubclass(kind, Exception):
            assert run(as_dict(looping(receiver)))["outcome"] == "failed"
        else:
            with pytest.raises(kind):
                run(as_dict(looping(receiver)))
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)
    error = receiver.frames("task_error")[0].event.task_error.error
    if issubclass(kind, Exception):
        assert (error.kind, error.source) == (kind.__name__, "task")
    else:
        assert (error.kind, error.source, error.code) == ("WorkerLostError", "wove", "worker_lost")
        assert error.message.startswith(f"its worker was told to stop: {kind.__name__}")
        assert error.cause.kind == kind.__name__


@pytest.fixture
def untraced() -> Iterator[None]:
    """No coverage meanwhile, of this thread and of new ones.

    CPython 3.11 lets no traced thread enter a function while an injected exception waits
    for a thread that is blocked in C.
    """
    here, elsewhere = sys.gettrace(), threading.gettrace()
    sys.settrace(None)
    threading.settrace(None)  # type: ignore[arg-type]
    yield
    threading.settrace(elsewhere)  # type: ignore[arg-type]
    sys.settrace(here)


_HELD = threading.Lock()
_RETURNED = threading.Event()


def _blocked_in_c() -> None:
    try:
        _HELD.acquire()
    finally:
        _RETURNED.set()


@pytest.mark.usefixtures("untraced")
def test_a_task_that_does_not_stop_is_left_behind_by_the_host(
    receiver: Receiver, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(entrypoint, "PATIENCE_SECONDS", 0.3)

    def raise_it(number: int, frame: object) -> None:
        raise SoftTimeLimit("enough")

    before = signal.signal(signal.SIGALRM, raise_it)
    signal.setitimer(signal.ITIMER_REAL, 0.2)
    try:
        with _HELD:
            run(as_dict(looping(receiver, _blocked_in_c)))
            assert not _RETURNED.is_set()
    finally:
        signal.signal(signal.SIGALRM, before)
    assert _RETURNED.wait(10)
    time.sleep(0.5)  # it must have nothing to say
    assert receiver.names() == ["task_started", "task_error"]


def test_a_run_that_is_left_behind_while_it_announces_itself_beats_no_more(
    receiver: Receiver, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(entrypoint, "PATIENCE_SECONDS", 0.1)
    asked, answered = threading.Event(), threading.Event()

    def rule(seen: Seen) -> Reply:
        if seen.frame == "task_started":
            asked.set()
            answered.wait(10)
        return Reply()

    def raise_it(number: int, frame: object) -> None:
        raise SoftTimeLimit("enough")

    receiver.rule = rule
    before = signal.signal(signal.SIGALRM, raise_it)
    signal.setitimer(signal.ITIMER_REAL, 0.2)
    try:
        run(as_dict(looping(receiver)))
    finally:
        signal.signal(signal.SIGALRM, before)
    assert asked.is_set()
    answered.set()
    time.sleep(6 * BEAT)
    assert receiver.frames("heartbeat") == []
    assert receiver.names() == ["task_started", "task_error"]


def test_a_run_ends_once_though_its_host_interrupts_its_ending(
    receiver: Receiver, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(entrypoint, "PATIENCE_SECONDS", 0.1)
    begin = time.monotonic()
    receiver.rule = lambda seen: Reply(503 if time.monotonic() - begin < 1 else 204)

    def raise_it(number: int, frame: object) -> None:
        raise SoftTimeLimit("enough")

    payload = looping(receiver)
    payload.version = 99
    before = signal.signal(signal.SIGALRM, raise_it)
    signal.setitimer(signal.ITIMER_REAL, 0.3)
    try:
        assert "version 99" in run(as_dict(payload))["error"]["message"]
    finally:
        signal.signal(signal.SIGALRM, before)
    assert len({seen.event.event_id for seen in receiver.frames()}) == 1


def test_a_beat_that_met_another_receiver_is_followed_by_one_on_a_new_connection(
    receiver: Receiver,
) -> None:
    receiver.rule = to_beats(Reply(421, headers={"Wove-Receiver": "another"}))
    payload = looping(receiver, lambda: time.sleep(1.5))
    run(as_dict(payload))
    beats = receiver.frames("heartbeat")
    assert len(beats) >= 2
    assert len({seen.connection for seen in beats}) == len(beats)


def test_many_runs_beat_in_time_though_each_answer_takes_long(receiver: Receiver) -> None:
    def rule(seen: Seen) -> Reply:
        if seen.frame == "heartbeat":
            time.sleep(0.1)
        return Reply()

    receiver.rule = rule
    count = 40

    async def main() -> None:
        payloads = []
        for number in range(count):
            payload = looping(receiver, lambda: time.sleep(3))
            payload.run_id = f"r{number}"
            payload.delivery.delivery_heartbeat_seconds = 3.0
            payloads.append(as_dict(payload))
        await asyncio.gather(*(arun(payload) for payload in payloads))

    asyncio.run(main())
    # One connection would carry 10 beats a second, and each run is to beat once a second.
    assert {seen.event.run_id for seen in receiver.frames("heartbeat")} == {
        f"r{number}" for number in range(count)
    }
    assert len({seen.connection for seen in receiver.frames("heartbeat")}) >= 3
