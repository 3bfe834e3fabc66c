"""Celery's own log holds no payload. The texts are those of the installed Celery."""

from __future__ import annotations

import json
import logging
from collections.abc import Iterator
from typing import Any

import pytest
from celery.worker.consumer import consumer

from wove.integrations._celery_logs import guard_logs, quiet_revocations

SECRET = "very-secret-token"
BODY = json.dumps([[{"callback_url": f"http://h/wove/events/{SECRET}", "run_id": "r"}], {}, {}])


class Records(logging.Handler):
    def __init__(self) -> None:
        super().__init__()
        self.texts: list[str] = []

    def emit(self, record: logging.LogRecord) -> None:
        self.texts.append(logging.Formatter().format(record))


@pytest.fixture
def logged() -> Iterator[list[str]]:
    """What the loggers of Celery write meanwhile; what was done to them is undone."""
    names = ("celery.worker.consumer.consumer", "celery.pool", "celery.worker.control")
    loggers = [logging.getLogger(name) for name in names]
    before = [(logger.level, logger.filters[:]) for logger in loggers]
    records = Records()
    for logger in loggers:
        logger.addHandler(records)
        logger.setLevel(logging.DEBUG)
    yield records.texts
    for logger, (level, filters) in zip(loggers, before, strict=True):
        logger.removeHandler(records)
        logger.setLevel(level)
        logger.filters[:] = filters


def unknown_task(body: str, headers: dict[str, Any]) -> None:
    try:
        {}["app.unknown"]
    except KeyError as error:
        consumer.error(consumer.UNKNOWN_TASK_ERROR, error, body, headers, {}, exc_info=True)


def test_an_unknown_task_is_named_and_its_payload_is_not_shown(logged: list[str]) -> None:
    guard_logs("app.wove")
    guard_logs("app.wove")  # twice is once
    unknown_task(BODY, {"task": "app.unknown"})
    (text,) = logged
    assert SECRET not in text
    assert "'app.unknown'" in text
    assert "'app.wove'" in text
    assert "Traceback" not in text


def test_the_adapters_headers_give_a_packed_payload_away(logged: list[str]) -> None:
    guard_logs("app.wove")
    unknown_task("x\\x9c\\xed\\xbd", {"argsrepr": "(<wove payload>,)"})
    assert "xed" not in logged[0]


def test_other_jobs_are_logged_as_ever(logged: list[str]) -> None:
    guard_logs("app.wove")
    unknown_task("[[1, 2], {}, {}]", {"task": "app.unknown"})
    assert "[[1, 2], {}, {}]" in logged[0]
    assert "Traceback" in logged[0]


def test_other_reports_of_a_message_lose_it(logged: list[str]) -> None:
    guard_logs("app.wove")
    consumer.error(consumer.INVALID_TASK_ERROR, ValueError("no id"), BODY)
    consumer.warn(consumer.UNKNOWN_FORMAT, f"body: {BODY}")
    logging.getLogger("celery.pool").debug("TaskPool: Apply %s (args:%s kwargs:%s)", 1, BODY, {})
    assert len(logged) == 3
    assert all("not shown" in text and SECRET not in text for text in logged)
    assert "no id" in logged[0]


def test_that_nothing_keeps_a_mark_of_a_cancel_is_not_said(logged: list[str]) -> None:
    quiet_revocations()
    logger, text = logging.getLogger("celery.worker.control"), "Failed to mark task %s as revoked"
    logger.warning(f"{text} in backend: %s", "j", "No result backend is configured.\nSee")
    logger.warning(f"{text} in backend: %s", "j", "connection refused")
    assert logged == ["Failed to mark task j as revoked in backend: connection refused"]
