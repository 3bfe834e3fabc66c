"""`celery` with RabbitMQ as its broker and no result backend."""

from __future__ import annotations

import pytest

from tests.adapters.backend import Backend
from tests.adapters.backends._celery import CeleryBackend
from tests.services import free_port


class CeleryOnRabbitMQ(CeleryBackend):
    name = "celery-rabbitmq"

    @classmethod
    def running(cls, request: pytest.FixtureRequest) -> Backend:
        url = request.getfixturevalue("rabbitmq_url")
        return cls(url, request.getfixturevalue("celery_worker"))

    def down_url(self) -> str:
        return f"amqp://guest:guest@127.0.0.1:{free_port()}//"


BACKEND = CeleryOnRabbitMQ
