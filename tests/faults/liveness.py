"""Delays for tests."""

from __future__ import annotations

from wove.executors.liveness import Liveness

QUICK = Liveness(
    silence_seconds=1.0,
    silent_at_least=3.0,
    poll_seconds=0.5,
    poll_seconds_max=1.0,
    absent_apart=0.3,
    succeeded_grace=0.5,
    ended_grace=0.3,
    callback_grace=3.0,
)
"""The delays of the backend's judgement, shrunk so that a test can wait for them."""
