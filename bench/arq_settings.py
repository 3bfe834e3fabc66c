"""Settings of the arq worker of the benchmark: Wove's function, and the native client's."""

from __future__ import annotations

import os
from typing import Any

from arq.connections import RedisSettings

from wove.integrations.arq import worker_settings


async def one(ctx: dict[str, Any], item: int) -> int:
    """The native client's job."""
    return item


SETTINGS = worker_settings(
    redis_settings=RedisSettings.from_dsn(os.environ["WOVE_BENCH_REDIS"]),
    functions=[one],
    max_jobs=100,
)
