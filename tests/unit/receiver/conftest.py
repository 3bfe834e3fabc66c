from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from tests.unit.receiver.events import RUN, Desk, Kept
from tests.unit.receiver.wire import LIMIT
from wove.receiver.limits import Limits
from wove.receiver.records import RunEntry
from wove.receiver.server import Receiver
from wove.receiver.service import Service
from wove.receiver.settings import CallbackSettings


@pytest.fixture
def desk() -> Desk:
    return Desk()


class Waiting(Kept):
    """A sink that can be waited for from another thread."""

    def __init__(self) -> None:
        super().__init__()
        self._changed = threading.Condition()

    def put(self, batch: Any) -> None:
        with self._changed:
            super().put(batch)
            self._changed.notify_all()

    def wait_for(self, count: int) -> list[tuple[str, str]]:
        """Wait until `count` events came; return them all as (run_id, type)."""
        with self._changed:
            assert self._changed.wait_for(lambda: len(self.events) >= count, LIMIT), self.kinds
            return self.kinds


class Place:
    """A receiver on a port of its own, with a sink and one run."""

    def __init__(self, service: Service, receiver: Receiver) -> None:
        self.service = service
        self.receiver = receiver
        self.hub = receiver.hub
        self.sink = Waiting()

    def open(self, run: str = RUN, **options: Any) -> RunEntry:
        return self.hub.open_run(
            run, task_id="report", token=self.receiver.token, sink=self.sink, **options
        )


@pytest.fixture
def place_with() -> Iterator[Callable[..., Place]]:
    """Starts a receiver with the given limits; stopped when the test ends."""
    services = []

    def start(**limits: Any) -> Place:
        service = Service("127.0.0.1", 0, Limits(**limits))
        services.append(service)
        return Place(service, Receiver(service, CallbackSettings(), "secret-token"))

    yield start
    for service in services:
        service.stop()


@pytest.fixture
def place(place_with: Callable[..., Place]) -> Place:
    return place_with()
