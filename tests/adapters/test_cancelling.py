"""What is cancelled does not happen, and `.runs` says what the cancellation came to."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.adapters import tasks
from tests.adapters.backend import Backend
from tests.services import wait_until
from wove import DeliveryTimeoutError, weave
from wove.errors import ErrorCode, TaskTimeoutError

Use = Callable[..., None]
BEATS: Any = {"delivery_heartbeat_seconds": 1}
"""Where a backend cannot stop a job itself, the answer to the next heartbeat does."""


def write_slowly(started: str, effect: str) -> None:
    """A side effect that takes a few seconds, in Python code that a cancellation reaches."""
    tasks.note(started)
    deadline = time.monotonic() + 3
    while time.monotonic() < deadline:
        time.sleep(0.01)
    tasks.note(effect)


async def write_slowly_async(started: str, effect: str) -> None:
    tasks.note(started)
    await asyncio.sleep(3)
    tasks.note(effect)


def assert_never(effect: Path, *, started: Path) -> None:
    """The side effect is absent, also after it would have happened."""
    time.sleep(max(0.0, started.stat().st_mtime + 3.7 - time.time()))
    assert tasks.lines(effect) == []


def test_a_delivery_timeout_prevents_the_side_effect(
    use: Use, backend: Backend, tmp_path: Path
) -> None:
    use()
    started, effect = tmp_path / "started", tmp_path / "effect"
    begun = time.monotonic()
    with (
        pytest.raises(DeliveryTimeoutError) as caught,
        weave(started=str(started), effect=str(effect)) as w,
    ):
        w.do(environment="remote", delivery_timeout=1.5, **BEATS)(write_slowly)

    assert time.monotonic() - begun < 10
    assert caught.value.code is ErrorCode.DELIVERY_TIMEOUT
    assert caught.value.limit == 1.5
    assert "write_slowly" in str(caught.value)
    assert "delivery_timeout" in str(caught.value)
    assert len(tasks.lines(started)) == 1
    (run,) = w.runs
    assert run.state == "timed_out"
    assert run.cancel in backend.capabilities.cancelled_running
    assert_never(effect, started=started)


def test_a_job_still_queued_at_its_timeout_never_starts(
    use: Use, backend: Backend, tmp_path: Path, callback_port: int
) -> None:
    effect = tmp_path / "effect"
    with backend.stalled(tmp_path) as stalled:
        config = {**stalled.config, "callback_port": callback_port}
        use(config)
        with pytest.raises(DeliveryTimeoutError), weave(effect=str(effect)) as w:

            @w.do(environment="remote", delivery_timeout=0.8)
            def late(effect: str) -> None:
                tasks.note(effect, "late")

        (run,) = w.runs
        assert run.state == "timed_out"
        assert run.started_at is None
        assert run.cancel in backend.capabilities.cancelled_queued

        stalled.resume()
        # A later weave, which listens on the same port and whose job is behind the old one.
        with weave(effect=str(effect)) as later:

            @later.do(environment="remote")
            def next_one(effect: str) -> None:
                tasks.note(effect, "next")

    assert tasks.lines(effect) == ["next"]


def test_a_start_timeout_names_what_the_job_waits_for(
    use: Use, backend: Backend, tmp_path: Path
) -> None:
    with backend.stalled(tmp_path) as stalled:
        use(stalled.config)
        with pytest.raises(DeliveryTimeoutError) as caught, weave() as w:

            @w.do(environment="remote", start_timeout=0.8)
            def waiting() -> None: ...

    assert caught.value.code is ErrorCode.START_TIMEOUT
    assert caught.value.limit == 0.8
    assert "waiting" in str(caught.value)
    assert "start_timeout" in str(caught.value)


@pytest.mark.parametrize("task", [write_slowly, write_slowly_async])
def test_cancelling_the_coroutine_reaches_a_running_task(
    use: Use, backend: Backend, tmp_path: Path, task: Callable[..., None]
) -> None:
    use()
    started, effect = tmp_path / "started", tmp_path / "effect"

    async def block(out: list[object]) -> None:
        async with weave(started=str(started), effect=str(effect)) as w:
            out.append(w)
            w.do(environment="remote", **BEATS)(task)

    async def main() -> object:
        out: list[object] = []
        running = asyncio.ensure_future(block(out))
        while not started.exists():
            await asyncio.sleep(0.02)
        running.cancel()
        with pytest.raises(asyncio.CancelledError):
            await running
        return out[0]

    w = asyncio.run(main())
    (run,) = w.runs  # type: ignore[attr-defined]
    assert run.state == "cancelled"
    assert run.cancel in backend.capabilities.cancelled_running
    assert_never(effect, started=started)


@pytest.mark.parametrize("task", [write_slowly, write_slowly_async])
def test_the_first_failure_cancels_remote_siblings(
    use: Use, backend: Backend, tmp_path: Path, task: Callable[..., None]
) -> None:
    use()
    started, effect = tmp_path / "started", tmp_path / "effect"
    begun = time.monotonic()
    with (
        pytest.raises(tasks.Refused),
        weave(started=str(started), effect=str(effect)) as w,
    ):
        w.do(environment="remote", **BEATS)(task)

        @w.do(environment="remote")
        def fail(started: str) -> None:
            tasks.wait_for(started)
            raise tasks.Refused("first")

    assert time.monotonic() - begun < 20
    assert task.__name__ in w.result.cancelled
    (run,) = [run for run in w.runs if run.task == task.__name__]
    assert run.state == "cancelled"
    assert run.cancel in backend.capabilities.cancelled_running
    assert_never(effect, started=started)


def test_a_timeout_bounds_one_try_from_its_start(
    use: Use, backend: Backend, tmp_path: Path
) -> None:
    use()
    started, effect = tmp_path / "started", tmp_path / "effect"
    with (
        pytest.raises(TaskTimeoutError),
        weave(started=str(started), effect=str(effect)) as w,
    ):
        w.do(environment="remote", timeout=0.7, **BEATS)(write_slowly)

    assert w.result.cancelled == {"write_slowly"}
    assert [run.state for run in w.runs] == ["timed_out"]
    assert_never(effect, started=started)


def test_the_time_in_the_queue_does_not_count_against_timeout(
    use: Use, backend: Backend, tmp_path: Path
) -> None:
    import threading

    with backend.stalled(tmp_path) as stalled:
        use(stalled.config)
        resume = threading.Timer(1.2, stalled.resume)
        resume.start()
        with weave() as w:

            @w.do(environment="remote", timeout=1.0)
            def quick() -> str:
                return "in time"

        resume.join(30)
    assert w.result.quick == "in time"


def test_require_ack_waits_for_proof(use: Use, backend: Backend, tmp_path: Path) -> None:
    use()
    started, effect = tmp_path / "started", tmp_path / "effect"
    with (
        pytest.raises(tasks.Refused),
        weave(started=str(started), effect=str(effect)) as w,
    ):
        w.do(
            environment="remote",
            delivery_cancel_mode="require_ack",
            delivery_heartbeat_seconds=1,
            cancel_timeout=15,
        )(write_slowly)

        @w.do(environment="remote")
        def fail(started: str) -> None:
            tasks.wait_for(started)
            raise tasks.Refused("first")

    (run,) = [run for run in w.runs if run.task == "write_slowly"]
    assert (run.state, run.cancel) == ("cancelled", "stopped")
    assert_never(effect, started=started)


def test_workers_go_on_after_a_cancellation(use: Use, tmp_path: Path) -> None:
    use()
    for number in range(3):
        started, effect = tmp_path / f"started{number}", tmp_path / f"effect{number}"
        with (
            pytest.raises(DeliveryTimeoutError),
            weave(started=str(started), effect=str(effect)) as w,
        ):
            w.do(environment="remote", delivery_timeout=1.0)(write_slowly)
        wait_until(lambda: bool(tasks.lines(started)), seconds=5, what="it had begun")  # noqa: B023
    with weave() as w:

        @w.do(range(4), environment="remote")
        def after(n: int) -> int:
            return n

    assert w.result.after == [0, 1, 2, 3]
