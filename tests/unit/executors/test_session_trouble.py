"""Executors and adapters that fail in the middle of something: nobody may wait for ever."""

from __future__ import annotations

import asyncio
import dataclasses

import pytest

from tests.unit.executors.adapters import PlayedAdapter
from tests.unit.executors.scripted import Items, Scripted, items_on, until
from wove.errors import DeliveryError, DeliveryTimeoutError, ErrorCode
from wove.executors import deadlines
from wove.executors.backend import BackendAdapterEnvironmentExecutor
from wove.executors.liveness import Liveness
from wove.executors.session import EnvironmentSession


class Failing(Scripted):
    """Starts nothing; `trouble` is what a question of the session comes to."""

    def __init__(self, trouble: str) -> None:
        super().__init__(lambda executor, frame: None)
        self.trouble = trouble

    async def pending_reason(self, run_id: str) -> str:
        if self.trouble == "reason hangs":
            await asyncio.Event().wait()
        if self.trouble == "reason":
            raise OSError("the broker is away")
        return ""

    async def end_run(self, run_id: str, cause: str, *, item_goes_on: bool = False) -> bool:
        if self.trouble == "end":
            raise OSError("the broker is away")
        return True


@pytest.mark.parametrize("trouble", ["reason", "reason hangs", "end"])
@pytest.mark.parametrize(
    ("option", "code"),
    [
        ("start_timeout", ErrorCode.START_TIMEOUT),
        ("delivery_timeout", ErrorCode.DELIVERY_TIMEOUT),
    ],
)
def test_a_limit_ends_a_run_though_the_executor_fails(
    trouble: str,
    option: str,
    code: ErrorCode,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    monkeypatch.setattr(deadlines, "_REASON_SECONDS", 0.1)

    async def main() -> None:
        async with items_on(Failing(trouble)) as items:
            with pytest.raises(DeliveryTimeoutError) as failed:
                await items.run(**{option: 0.05})
            assert failed.value.code is code

    asyncio.run(main())
    assert "environment 'reports'" in caplog.text


def test_a_cancellation_that_the_executor_raises_itself_ends_every_run() -> None:
    async def main() -> None:
        executor = Scripted(lambda executor, frame: None)
        async with items_on(executor) as items:
            waiting = items.start()
            await until(lambda: items.records)
            executor.events.put_nowait(asyncio.CancelledError())
            with pytest.raises(DeliveryError) as failed:
                await asyncio.wait_for(waiting, 10)
            assert failed.value.code is ErrorCode.EXECUTOR_FAILED

    asyncio.run(main())


@pytest.mark.parametrize("closes", [True, False])
def test_a_detached_run_that_cannot_be_handed_over_holds_nobody_up_and_is_told_of(
    closes: bool, caplog: pytest.LogCaptureFixture
) -> None:
    class Away(PlayedAdapter):
        async def submit(self, payload, frame):
            await asyncio.Event().wait()

        async def close(self):
            if not closes:
                await asyncio.Event().wait()

    executor = BackendAdapterEnvironmentExecutor(
        "played", adapter_class=Away, liveness=Liveness(stop_seconds=0.2)
    )
    config = {"play": None, "jobs": [], "adapters": []}

    async def main() -> None:
        environment = {"executor": executor, "executor_config": config}
        session = EnvironmentSession("reports", environment, {"error_mode": "raise"})
        await session.start()
        items = Items(session)
        call = dataclasses.replace(items.call(delivery_orphan_policy="detach"), args={"obj": "a"})
        task = asyncio.create_task(session.execute(call))
        await until(lambda: items.records)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        await asyncio.wait_for(session.stop(failed=None), 10)
        await until(lambda: not [each for each in asyncio.all_tasks() if "_submit" in repr(each)])

    asyncio.run(main())
    assert "did not stop within" in caplog.text
    assert "a detached run in environment 'reports' was not handed over to played" in caplog.text
