"""Many submissions at once: the time that one waits for the others is not its own."""

from __future__ import annotations

import asyncio
import logging
import threading
import time
from typing import Any

import pytest

from wove.errors import ErrorCode, SubmissionError
from wove.integrations import _service
from wove.integrations import celery as module
from wove.integrations.celery import CeleryAdapter


class Broker:
    """Takes each job for a while, one at a time, as a connection does."""

    def __init__(self, seconds: float) -> None:
        self.seconds = seconds
        self.lock = threading.Lock()
        self.sent = 0
        self.error: Exception | None = None

    def send(self, *_: Any) -> str:
        with self.lock:
            time.sleep(self.seconds)
            self.sent += 1
            if self.error is not None:
                raise self.error
        return "job"

    def is_connection_trouble(self, error: Exception) -> bool:
        return isinstance(error, OSError)

    def leave_connection(self) -> None: ...


async def submit_many(broker: Broker, count: int) -> list[Any]:
    config = {"broker_url": "redis://127.0.0.1:1/0"}
    url = "http://127.0.0.1:1/wove/events/t"
    adapter = CeleryAdapter(name="celery", config=config, callback_url=url, run_config={})
    await adapter.start()
    adapter._broker = broker  # type: ignore[assignment]
    payload = {"run_id": "r", "task_id": "t", "delivery": {}}
    jobs = (adapter.submit(payload, {}) for _ in range(count))
    return await asyncio.gather(*jobs, return_exceptions=True)


def test_a_long_queue_is_no_outage(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(_service, "SUBMIT_SECONDS", 1.0)
    broker = Broker(0.02)
    answers = asyncio.run(submit_many(broker, 150))  # three seconds of work
    assert answers == ["job"] * 150


def test_an_outage_is_found_once_for_all_that_wait() -> None:
    broker = Broker(0.05)
    broker.error = ConnectionRefusedError("refused")
    answers = asyncio.run(submit_many(broker, 400))
    assert {type(answer) for answer in answers} == {SubmissionError}
    assert {answer.code for answer in answers} == {ErrorCode.BACKEND_UNAVAILABLE}
    assert broker.sent <= 2 * module.AT_ONCE


@pytest.mark.parametrize(
    ("backend", "callback", "told"),
    [
        ("redis://broker.example:6379/0", "http://127.0.0.1:9/wove/events/t", 1),
        ("redis://broker-2.example:6379/0", "http://web:9/wove/events/t", 0),
        ("redis://localhost:6379/0", "http://127.0.0.1:9/wove/events/t", 0),
        ("memory://", "http://127.0.0.1:9/wove/events/t", 0),
    ],
)
def test_a_callback_that_only_this_machine_can_reach(
    backend: str, callback: str, told: int, caplog: pytest.LogCaptureFixture
) -> None:
    adapter = CeleryAdapter(name="celery", config={}, callback_url=callback, run_config={})
    with caplog.at_level(logging.WARNING):
        adapter.warn_of_local_callback(backend)
        adapter.warn_of_local_callback(backend)
    assert [("callback_url" in record.message) for record in caplog.records] == [True] * told
