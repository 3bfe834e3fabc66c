"""`celery` with Redis as its broker and as its result backend."""

from __future__ import annotations

from typing import Any

import pytest

from tests.adapters.backend import Backend
from tests.adapters.backends._celery import CeleryBackend


class CeleryOnRedis(CeleryBackend):
    name = "celery-redis"

    @classmethod
    def running(cls, request: pytest.FixtureRequest) -> Backend:
        url = request.getfixturevalue("redis_url")
        return cls(url, request.getfixturevalue("celery_worker"))

    def worker_arguments(self) -> list[str]:
        return ["--result-backend", self.url]

    def settings(self) -> dict[str, Any]:
        return {"broker_url": self.url, "result_backend": self.url}


BACKEND = CeleryOnRedis
