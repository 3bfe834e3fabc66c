"""What goes wrong in the worker itself: odd values, no threads, loops that end, pushes."""

from __future__ import annotations

import asyncio
import gc
import logging
import sys
import threading
import time
import warnings
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from tests.unit.worker.receiver import RECEIVER_ID, Receiver, Reply, answer, as_dict
from tests.unit.worker.test_grpc_route import serve
from wove.contract.services import answer_from_ack
from wove.integrations.worker import progress, run
from wove.worker import execution, heartbeat, starting
from wove.worker.cancel import Stop
from wove.worker.coroutines import on_loop
from wovepb.v1.ack_pb2 import EventAck
from wovepb.v1.event_service_pb2 import StreamEventsRequest, StreamEventsResponse
from wovepb.v1.payload_pb2 import TaskPayload


def exits_with_what_has_no_repr() -> None:
    class Odd:
        def __repr__(self) -> str:
            raise ValueError("no words")

    sys.exit(Odd())  # type: ignore[arg-type]


def exits_with_much() -> None:
    sys.exit("x" * 10_000_000)


def interrupts_with_half_a_character() -> None:
    raise KeyboardInterrupt("\ud800")


@pytest.mark.parametrize(
    ("task", "words"),
    [
        (exits_with_what_has_no_repr, "the task called sys.exit(a Odd): return, or raise"),
        (exits_with_much, "the task called sys.exit('xxxxx"),
        (interrupts_with_half_a_character, "the task was ended by KeyboardInterrupt: \\ud800"),
    ],
)
def test_exits_are_reported_whatever_they_hold(receiver: Receiver, task: Any, words: str) -> None:
    summary = run(as_dict(receiver.payload(task)))
    assert summary["delivered"]
    message = receiver.frames("task_error")[0].event.task_error.error.message
    assert message.startswith(words)
    assert len(message) < 300


def test_a_fault_of_the_worker_ends_the_run(
    receiver: Receiver, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def fails(*_: Any) -> Any:
        raise MemoryError("no room")

    monkeypatch.setattr(execution.Endings, "raised", fails)
    assert run(as_dict(receiver.payload(lambda: 1 // 0)))["outcome"] == "failed"
    info = receiver.frames("task_error")[0].event.task_error.error
    assert (info.source, info.code) == ("wove", "worker_lost")
    assert info.message == "the worker itself failed at task 'report': MemoryError: no room"
    assert "a run failed in the worker itself" in caplog.text


@pytest.mark.parametrize("name", ["wove-task", "wove-heartbeat", "wove-reports"])
def test_a_machine_without_threads_runs_the_task_all_the_same(
    receiver: Receiver, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    start = threading.Thread.start

    def refuse(thread: threading.Thread) -> None:
        if thread.name == name:
            raise RuntimeError("can't start new thread")
        start(thread)

    monkeypatch.setattr(heartbeat, "_hearts", {})
    monkeypatch.setattr(threading.Thread, "start", refuse)

    def task() -> int:
        progress(1)
        return 1

    payload = receiver.payload(task)
    payload.accepts.append("progress")
    assert run(as_dict(payload))["outcome"] == "succeeded"


@pytest.mark.parametrize("asked", [0.0, -1.0, 1e-12, 1e300, 1.7e308])
@pytest.mark.parametrize("by", ["payload", "task_started", "heartbeat"])
def test_odd_intervals_neither_flood_nor_end_the_beats(
    receiver: Receiver, asked: float, by: str, caplog: pytest.LogCaptureFixture
) -> None:
    payload = receiver.payload(lambda: time.sleep(0.3))
    payload.delivery.delivery_heartbeat_seconds = asked if by == "payload" else 0.15
    if by != "payload":
        receiver.rule = answer(by, Reply(200, b'{"heartbeat_seconds": %g}' % asked))
    assert run(as_dict(payload))["outcome"] == "succeeded"
    assert len(receiver.frames("heartbeat")) < 60
    assert not [record for record in caplog.records if record.levelno >= logging.ERROR]
    hearts = [thread for thread in threading.enumerate() if thread.name == "wove-heartbeat"]
    assert hearts


@pytest.mark.parametrize(
    ("asked", "usable"),
    [
        (0.0, None),
        (-1.0, None),
        (float("nan"), None),
        (float("inf"), None),
        (1e-12, 0.01),
        (2.0, 2.0),
        (1e300, 240.0),
    ],
)
def test_intervals_are_kept_within_reason(asked: float, usable: float | None) -> None:
    assert heartbeat.usable_interval(asked) == usable
    payload = TaskPayload(accepts=["heartbeat"])
    payload.delivery.delivery_heartbeat_seconds = 3 * asked
    assert starting.heartbeat_interval(payload) == pytest.approx(usable or 5.0)


@pytest.mark.parametrize("when", ["before", "while"])
def test_a_loop_that_was_closed_leaves_no_coroutine_behind(when: str) -> None:
    async def task() -> None:
        raise AssertionError

    loop = asyncio.new_event_loop()
    if when == "before":
        loop.close()
    else:
        threading.Timer(0.1, loop.close).start()
    with warnings.catch_warnings(record=True) as seen:
        warnings.simplefilter("always")
        with pytest.raises(RuntimeError, match="event loop was closed while the task ran"):
            on_loop(loop)(task(), Stop())
        gc.collect()
    assert [str(found.message) for found in seen if "never awaited" in str(found.message)] == []


def test_a_push_stops_the_task_though_its_beat_has_no_answer_yet(receiver: Receiver) -> None:
    release = threading.Event()

    def beats(requests: Iterator[bytes], context: Any) -> Iterator[bytes]:
        context.send_initial_metadata((("wove-receiver", RECEIVER_ID),))
        event = StreamEventsRequest.FromString(next(requests)).event
        push = StreamEventsResponse()
        push.cancel_task.run_id = event.run_id
        yield push.SerializeToString()
        release.wait(30)
        yield answer_from_ack(EventAck(receiver_id=RECEIVER_ID), stream=True)

    def publish(request: bytes, context: Any) -> bytes:
        context.send_initial_metadata((("wove-receiver", RECEIVER_ID),))
        return answer_from_ack(EventAck(receiver_id=RECEIVER_ID))

    with ThreadPoolExecutor(4) as pool:
        server, port = serve(pool, call=publish, beats=beats)
        payload = receiver.payload(task_of_ten_seconds)
        payload.callback_grpc = f"grpc://127.0.0.1:{port}/t"
        payload.delivery.delivery_heartbeat_seconds = 60
        began = time.monotonic()
        assert run(as_dict(payload))["outcome"] == "cancelled"
        assert time.monotonic() - began < 8
        release.set()
        server.stop(0).wait()


def task_of_ten_seconds() -> None:
    for _ in range(1000):
        time.sleep(0.01)
