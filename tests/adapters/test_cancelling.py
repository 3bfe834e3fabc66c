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
from wove.integrations import get_backend_adapter_class

Use = Callable[..., None]
BEATS: Any = {"delivery_heartbeat_seconds": 1}
"""Where a backend cannot stop a job itself, the answer to the next heartbeat does."""


def write_slowly(started: str, effect: str, seconds: float) -> None:
    """A side effect that takes a few seconds, in Python code that a cancellation reaches."""
    tasks.note(started)
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        time.sleep(0.01)
    tasks.note(effect)


async def write_slowly_async(started: str, effect: str, seconds: float) -> None:
    tasks.note(started)
    await asyncio.sleep(seconds)
    tasks.note(effect)


@pytest.fixture
def given(backend: Backend, tmp_path: Path) -> dict[str, Any]:
    """What `write_slowly` takes. It lasts longer where a job may begin later."""
    return {
        "started": str(tmp_path / "started"),
        "effect": str(tmp_path / "effect"),
        "seconds": 3 + backend.capabilities.start_seconds,
    }


def assert_never(given: dict[str, Any]) -> None:
    """The side effect is absent, also after it would have happened."""
    begun, effect = Path(given["started"]).stat().st_mtime, Path(given["effect"])
    time.sleep(max(0.0, begun + given["seconds"] + 0.7 - time.time()))
    assert tasks.lines(effect) == []


def test_a_delivery_timeout_prevents_the_side_effect(
    use: Use, backend: Backend, given: dict[str, Any]
) -> None:
    use()
    started = Path(given["started"])
    limit = 1.5 + backend.capabilities.start_seconds
    begun = time.monotonic()
    with pytest.raises(DeliveryTimeoutError) as caught, weave(**given) as w:
        w.do(environment="remote", delivery_timeout=limit, **BEATS)(write_slowly)

    assert time.monotonic() - begun < limit + 8.5
    assert caught.value.code is ErrorCode.DELIVERY_TIMEOUT
    assert caught.value.limit == limit
    assert "write_slowly" in str(caught.value)
    assert "delivery_timeout" in str(caught.value)
    assert len(tasks.lines(started)) == 1
    (run,) = w.runs
    assert run.state == "timed_out"
    assert run.cancel in backend.capabilities.cancelled_running
    assert_never(given)


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


def test_a_job_that_its_backend_keeps_after_the_timeout_is_turned_away(
    use: Use,
    backend: Backend,
    tmp_path: Path,
    callback_port: int,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Nobody takes it from the queue: a worker does, and asks a receiver that has another weave."""

    async def nothing(*_: object) -> None: ...

    adapter = get_backend_adapter_class(backend.executor)
    if adapter.start_gate:  # else no job can outlive its weave, which holds it itself
        monkeypatch.setattr(adapter, "cancel", nothing)
    effect = tmp_path / "effect"
    with backend.stalled(tmp_path) as stalled:
        use({**stalled.config, "callback_port": callback_port})
        with pytest.raises(DeliveryTimeoutError), weave(effect=str(effect)) as w:

            @w.do(environment="remote", delivery_timeout=2.0)
            def late(effect: str) -> None:
                tasks.note(effect, "late")

        assert [run.started_at for run in w.runs] == [None]
        stalled.resume()
        for _ in range(2):
            with weave(effect=str(effect)) as later:

                @later.do(environment="remote")
                def next_one(effect: str) -> None:
                    tasks.note(effect, "next")

    assert tasks.lines(effect) == ["next", "next"]


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
    use: Use, backend: Backend, given: dict[str, Any], task: Callable[..., None]
) -> None:
    use()
    started = Path(given["started"])

    async def block(out: list[object]) -> None:
        async with weave(**given) as w:
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
    assert_never(given)


@pytest.mark.parametrize("task", [write_slowly, write_slowly_async])
def test_the_first_failure_cancels_remote_siblings(
    use: Use, backend: Backend, given: dict[str, Any], task: Callable[..., None]
) -> None:
    use()
    begun = time.monotonic()
    with pytest.raises(tasks.Refused), weave(**given) as w:
        w.do(environment="remote", **BEATS)(task)

        @w.do(environment="remote")
        def fail(started: str) -> None:
            tasks.wait_for(started)
            raise tasks.Refused("first")

    assert time.monotonic() - begun < 20 + backend.capabilities.start_seconds
    assert task.__name__ in w.result.cancelled
    (run,) = [run for run in w.runs if run.task == task.__name__]
    assert run.state == "cancelled"
    assert run.cancel in backend.capabilities.cancelled_running
    assert_never(given)


def test_a_timeout_bounds_one_try_from_its_start(
    use: Use, backend: Backend, given: dict[str, Any]
) -> None:
    use()
    limit = 0.7 * backend.capabilities.start_seconds
    with pytest.raises(TaskTimeoutError), weave(**given) as w:
        w.do(environment="remote", timeout=limit, **BEATS)(write_slowly)

    assert w.result.cancelled == {"write_slowly"}
    assert [run.state for run in w.runs] == ["timed_out"]
    assert_never(given)


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


def test_require_ack_waits_for_proof(use: Use, backend: Backend, given: dict[str, Any]) -> None:
    use()
    with pytest.raises(tasks.Refused), weave(**given) as w:
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
    assert_never(given)


def test_workers_go_on_after_a_cancellation(
    use: Use, backend: Backend, given: dict[str, Any], tmp_path: Path
) -> None:
    use()
    limit = 1.0 + backend.capabilities.start_seconds
    for number in range(3):
        started = tmp_path / f"started{number}"
        with (
            pytest.raises(DeliveryTimeoutError),
            weave(**{**given, "started": str(started)}) as w,
        ):
            w.do(environment="remote", delivery_timeout=limit)(write_slowly)
        wait_until(lambda: bool(tasks.lines(started)), seconds=5, what="it had begun")  # noqa: B023
    with weave() as w:

        @w.do(range(4), environment="remote")
        def after(n: int) -> int:
            return n

    assert w.result.after == [0, 1, 2, 3]
