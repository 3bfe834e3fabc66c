"""What commands of the documentation find when they are typed as they stand."""

from __future__ import annotations

import os
import uuid
from pathlib import Path

import pytest

from tests import services

NAMES = Path(__file__).parent / "names"


@pytest.fixture
def host_redis() -> dict[str, str]:
    """Environment variables in which the host `redis`, port 6379, is a Redis of the test's own.

    The documentation's commands use Celery's default queue: a Redis that is shared, with
    another test or with another checkout's tests on this machine, would mix up their jobs.
    """
    url = services.shared(f"redis-{uuid.uuid4().hex[:8]}", services.start_redis)
    return {
        "PYTHONPATH": os.pathsep.join([str(NAMES), os.environ["PYTHONPATH"]]),
        "WOVE_TEST_REDIS_PORT": url.rpartition(":")[2].split("/")[0],
    }
