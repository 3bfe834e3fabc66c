"""A custom executor with dictionary frames, as a user would write one, that tells what it saw."""

from __future__ import annotations

import asyncio
import inspect
from collections.abc import Callable
from typing import Any

from wove import EnvironmentExecutor

Frame = dict[str, Any]


class Recorder(EnvironmentExecutor):
    """Keeps every call in `seen`; what it answers to a frame is up to `answer(self, frame)`."""

    def __init__(self, answer: Callable[[Recorder, Frame], Any] | None = None) -> None:
        self.answer = answer or run_here
        self.seen: list[tuple[str, Any]] = []
        self.loops: set[Any] = set()
        self.settings: dict[str, Any] = {}
        self.events: asyncio.Queue[Any]

    async def start(
        self, *, environment_name: str, environment_config: Any, run_config: Any
    ) -> None:
        self._see("start", environment_name)
        self.settings = {
            "environment_name": environment_name,
            "environment_config": environment_config,
            "run_config": run_config,
        }
        self.events = asyncio.Queue()

    async def send(self, frame: Frame) -> None:
        self._see("send", frame)
        answer = self.answer(self, frame)
        if inspect.isawaitable(answer):
            await answer

    async def recv(self) -> Frame:
        event = await self.events.get()
        if isinstance(event, BaseException):
            raise event
        return event

    async def stop(self) -> None:
        self._see("stop", None)

    def _see(self, what: str, value: Any) -> None:
        self.loops.add(asyncio.get_running_loop())
        self.seen.append((what, value))

    def give(self, frame: Frame, type_: str, **fields: Any) -> None:
        """One event about the run of `frame`."""
        self.events.put_nowait(
            {"type": type_, "run_id": frame["run_id"], "task_id": frame["task_id"], **fields}
        )

    @property
    def calls(self) -> list[str]:
        """What was called, a frame by its type: start, run_task, shutdown, stop..."""
        return [value["type"] if what == "send" else what for what, value in self.seen]

    def frames(self, type_: str) -> list[Frame]:
        """The frames of one type that were sent, in order."""
        return [value for what, value in self.seen if what == "send" and value["type"] == type_]


def run_here(executor: Recorder, frame: Frame) -> None:
    """Answer `run_task` by running the callable at once; nothing to anything else."""
    if frame["type"] != "run_task":
        return
    executor.give(frame, "task_started")
    try:
        value = frame["callable"](**frame["args"])
    except Exception as failure:
        executor.give(frame, "task_error", exception=failure)
    else:
        executor.give(frame, "task_result", result=value)


def never(executor: Recorder, frame: Frame) -> None:
    """Start every task and say nothing more; confirm no cancellation."""
    if frame["type"] == "run_task":
        executor.give(frame, "task_started")


def until_cancelled(executor: Recorder, frame: Frame) -> None:
    """Start every task; end it only when it is cancelled."""
    if frame["type"] == "run_task":
        executor.give(frame, "task_started")
    elif frame["type"] == "cancel_task":
        executor.give(frame, "task_cancelled")
