"""What arq's keys are taken to mean."""

from __future__ import annotations

import pytest

from wove.executors.backend_state import BackendStatus
from wove.integrations._arq_result import ArqResult
from wove.integrations._arq_state import ArqJob, Keys, state_of

JOB = ArqJob("j", "q")
NOW = 1000.0


@pytest.mark.parametrize(
    ("keys", "status", "words"),
    [
        (Keys(), BackendStatus.ABSENT, "arq has no job j"),
        (Keys(held=True), BackendStatus.ABSENT, "its queue 'q' does not hold it"),
        (Keys(due_ms=NOW), BackendStatus.ABSENT, "the job itself is gone"),
        (Keys(due_ms=NOW, held=True), BackendStatus.QUEUED, "in arq's queue 'q'"),
        (Keys(due_ms=NOW + 1, held=True), BackendStatus.QUEUED, "deferred in arq's queue"),
        (Keys(due_ms=NOW, held=True, in_progress=True, tries=1), BackendStatus.RUNNING, "progress"),
        (Keys(held=True, in_progress=True, tries=1), BackendStatus.RUNNING, "in progress"),
        (Keys(due_ms=NOW + 1, held=True, tries=1), BackendStatus.QUEUED, "after 1 tries"),
        (Keys(due_ms=NOW, held=True, tries=1), BackendStatus.CANNOT_SAY, "its worker is gone"),
    ],
)
def test_keys(keys: Keys, status: BackendStatus, words: str) -> None:
    found = state_of(JOB, keys, now_ms=NOW)
    assert found.status is status
    assert words in found.reason


@pytest.mark.parametrize(
    ("result", "status", "words"),
    [
        (ArqResult(True), BackendStatus.SUCCEEDED, "arq says complete"),
        (ArqResult(False, "CancelledError"), BackendStatus.CANCELLED, "aborted"),
        (ArqResult(False, "KeyError", "'x'"), BackendStatus.FAILED, "failed: KeyError: 'x'"),
        (ArqResult(False), BackendStatus.FAILED, "no reason is kept"),
        (
            ArqResult(False, "JobExecutionFailed", "function 'f' not found"),
            BackendStatus.FAILED,
            "function 'f' not found",
        ),
        (
            ArqResult(False, "JobExecutionFailed", "max 1 retries exceeded"),
            BackendStatus.LOST,
            "max 1 retries exceeded: the worker that had taken it is gone",
        ),
        (  # of a function that may be tried so often, and perhaps asked for that itself
            ArqResult(False, "JobExecutionFailed", "max 5 retries exceeded"),
            BackendStatus.FAILED,
            "max 5 retries exceeded",
        ),
    ],
)
def test_a_result_says_more_than_the_other_keys(
    result: ArqResult, status: BackendStatus, words: str
) -> None:
    found = state_of(JOB, Keys(result=result, in_progress=True, tries=1), now_ms=NOW)
    assert found.status is status
    assert words in found.reason
