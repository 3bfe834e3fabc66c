"""Settings of workers that arq's own command starts, as an application would write them."""

from __future__ import annotations

import json
import os
from typing import Any

from arq.connections import RedisSettings
from arq.worker import Retry

from tests.backends.arq.plain_json import as_json
from wove.integrations.arq import worker_settings
from wove.integrations.worker import arun

_REDIS = RedisSettings.from_dsn(os.environ["WOVE_TEST_ARQ_URL"])
_QUEUE = os.environ["WOVE_TEST_ARQ_QUEUE"]


READY = worker_settings(redis_settings=_REDIS, queue_name=_QUEUE)

JSON = worker_settings(
    redis_settings=_REDIS,
    queue_name=_QUEUE,
    job_serializer=as_json,
    job_deserializer=json.loads,
)

SHORT = worker_settings(redis_settings=_REDIS, queue_name=_QUEUE, job_timeout=2)


async def wove_run_backend_payload(ctx: dict[str, Any], payload: dict[str, Any]) -> dict[str, Any]:
    return await arun(payload)


async def once_more(ctx: dict[str, Any], payload: dict[str, Any]) -> dict[str, Any]:
    """Has arq try it again, later than the weave asks about it."""
    if ctx["job_try"] == 1:
        raise Retry(defer=20)
    return await arun(payload)


ONCE_MORE = {"functions": [once_more], "redis_settings": _REDIS, "queue_name": _QUEUE}


class OwnFunction:
    """What users of the published package have: arq's defaults, five tries and no aborting."""

    functions = [wove_run_backend_payload]  # noqa: RUF012 - arq's way
    redis_settings = _REDIS
    queue_name = _QUEUE
