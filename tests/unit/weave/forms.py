"""The ways to run a weave that must all behave alike, and small helpers for the tests."""

from __future__ import annotations

import asyncio
import functools
import threading
from collections.abc import Callable
from typing import Any

from wove import weave

FORMS = ("with", "async with", "with in a loop")
BOUND = 10.0
"""Seconds that anything in these tests may take at most before it counts as hanging."""

Define = Callable[[Any], None]


def run_weave(form: str, define: Define, *args: Any, **options: Any) -> Any:
    """Run one weave, its tasks declared by `define(w)`, in the given form; returns `w`."""

    def plainly() -> Any:
        with weave(*args, **options) as w:
            define(w)
        return w

    async def with_async() -> Any:
        async with weave(*args, **options) as w:
            define(w)
        return w

    async def inside_a_loop() -> Any:
        return plainly()

    if form == "with":
        return plainly()
    return asyncio.run(with_async() if form == "async with" else inside_a_loop())


def as_kind(kind: str, function: Callable[..., Any]) -> Callable[..., Any]:
    """The function itself ("sync"), or a coroutine function of the same name and parameters."""
    if kind == "sync":
        return function

    @functools.wraps(function)
    async def asynchronous(*args: Any, **kwargs: Any) -> Any:
        return function(*args, **kwargs)

    return asynchronous


def wait(event: threading.Event) -> None:
    """Wait for an event of another thread; an event that never comes is a failure."""
    if not event.wait(BOUND):
        raise AssertionError("an event that had to come did not")


async def wait_async(event: asyncio.Event) -> None:
    """The same for an event of the running loop."""
    await asyncio.wait_for(event.wait(), BOUND)


class Peak:
    """Counts how many are inside at once, from any thread."""

    def __init__(self) -> None:
        self.now = self.most = 0
        self._lock = threading.Lock()

    def __enter__(self) -> Peak:
        with self._lock:
            self.now += 1
            self.most = max(self.most, self.now)
        return self

    def __exit__(self, *exc: object) -> None:
        with self._lock:
            self.now -= 1


class Flaky:
    """Fails the first `failures` calls, each with an exception of its own; then gives `value`."""

    def __init__(self, failures: int, value: Any = "ok") -> None:
        self.failures = failures
        self.value = value
        self.calls = 0
        self.raised: list[Exception] = []

    def __call__(self) -> Any:
        self.calls += 1
        if self.calls <= self.failures:
            self.raised.append(ValueError(f"failure {self.calls}"))
            raise self.raised[-1]
        return self.value
