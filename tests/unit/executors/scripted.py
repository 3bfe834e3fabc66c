"""A custom executor whose answers the test writes, and a way to run items on it."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Callable, Mapping
from typing import Any

from wove.executors.base import EnvironmentExecutor
from wove.executors.records import RunRecord
from wove.executors.session import EnvironmentSession, TaskCall
from wove.options import DeliveryPolicy, TaskOptions

LIMIT = 30.0
"""Seconds after which a test that waits has hung."""

Script = Callable[["Scripted", dict[str, Any]], None]


class Scripted(EnvironmentExecutor):
    """Answers each `run_task` as `script(executor, frame)` says; notes every command."""

    def __init__(self, script: Script | None = None) -> None:
        self.script = script or (lambda executor, frame: executor.result(frame, "done"))
        self.commands: list[dict[str, Any]] = []
        self.calls: list[str] = []
        self.started_with: dict[str, Any] = {}

    async def start(
        self,
        *,
        environment_name: str,
        environment_config: Mapping[str, Any],
        run_config: Mapping[str, Any],
    ) -> None:
        self.calls.append("start")
        self.started_with = {
            "environment_name": environment_name,
            "environment_config": environment_config,
            "run_config": run_config,
        }
        self.events: asyncio.Queue[Any] = asyncio.Queue()

    async def send(self, frame: dict[str, Any]) -> None:
        self.commands.append(frame)
        self.calls.append(frame["type"])
        if frame["type"] == "run_task":
            self.script(self, frame)

    async def recv(self) -> dict[str, Any]:
        frame = await self.events.get()
        if isinstance(frame, BaseException):
            raise frame
        return frame

    async def stop(self) -> None:
        self.calls.append("stop")

    def put(self, frame: dict[str, Any], kind: str, **fields: Any) -> None:
        self.events.put_nowait({"type": kind, "run_id": frame["run_id"], **fields})

    def result(self, frame: dict[str, Any], value: Any) -> None:
        self.put(frame, "task_started")
        self.put(frame, "task_result", result=value)

    def sent(self, kind: str) -> list[dict[str, Any]]:
        return [frame for frame in self.commands if frame["type"] == kind]


class Items:
    """Runs items in a session, keeping their records."""

    def __init__(self, session: EnvironmentSession) -> None:
        self.session = session
        self.records: list[RunRecord] = []

    def call(self, *, args: Mapping[str, Any] | None = None, **options: Any) -> TaskCall:
        names = DeliveryPolicy.__dataclass_fields__
        delivery = {name: options.pop(name) for name in list(options) if name in names}
        return TaskCall(
            task_id="report",
            callable=len,
            args=args or {},
            options=TaskOptions(**options, delivery=DeliveryPolicy(**delivery)),
            on_run=self.records.append,
        )

    async def run(self, *, args: Mapping[str, Any] | None = None, **options: Any) -> Any:
        return await asyncio.wait_for(self.session.execute(self.call(args=args, **options)), LIMIT)

    def start(self, **options: Any) -> asyncio.Task[Any]:
        return asyncio.create_task(self.session.execute(self.call(**options)))


@contextlib.asynccontextmanager
async def items_on(executor: EnvironmentExecutor) -> AsyncIterator[Items]:
    """A started session of environment "reports" on this executor."""
    run_config = {"error_mode": "raise", "max_pending": None}
    session = EnvironmentSession("reports", {"executor": executor}, run_config)
    await session.start()
    try:
        yield Items(session)
    finally:
        await asyncio.wait_for(session.stop(failed=None), LIMIT)


async def until(condition: Callable[[], Any]) -> None:
    """Wait until `condition()` is true; fail if that takes too long."""

    async def wait() -> None:
        while not condition():
            await asyncio.sleep(0.002)

    await asyncio.wait_for(wait(), LIMIT)
