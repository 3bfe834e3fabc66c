"""What the tests of the Celery backend share."""

from __future__ import annotations

import uuid

import pytest


@pytest.fixture
def queue() -> str:
    """A queue of the test's own: the broker is shared."""
    return f"test-{uuid.uuid4().hex[:12]}"
