"""An arq worker for this application: `arq myapp.worker.WorkerSettings`."""

from __future__ import annotations

from arq.connections import RedisSettings

from wove.integrations.arq import worker_settings

WorkerSettings = worker_settings(
    redis_settings=RedisSettings(host="redis"),
    queue_name="reports",
    functions=[],  # the application's own, beside Wove's
)
