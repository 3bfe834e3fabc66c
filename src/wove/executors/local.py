"""The `local` executor: tasks run in this process.

The scheduler runs local tasks itself, without frames. This class is the same
behind the executors' interface, for code that is handed an executor by name.
"""

from __future__ import annotations

import asyncio
import inspect
from collections.abc import Mapping
from typing import Any

from wove.dispatch.threads import in_thread
from wove.executors.base import EnvironmentExecutor, Frame

__all__ = ["LocalEnvironmentExecutor"]


class LocalEnvironmentExecutor(EnvironmentExecutor):
    """Runs each callable on the weave's loop, or in a thread if it is no coroutine function."""

    backend_name = "local"

    async def start(
        self,
        *,
        environment_name: str,
        environment_config: Mapping[str, Any],
        run_config: Mapping[str, Any],
    ) -> None:
        """Get ready for frames; there are no settings."""
        self._events: asyncio.Queue[Frame] = asyncio.Queue()
        self._tasks: dict[str, asyncio.Task[None]] = {}

    async def send(self, frame: Frame) -> None:
        """Run or cancel a callable."""
        run_id = frame.get("run_id", "")
        if frame["type"] == "run_task":
            self._tasks[run_id] = asyncio.create_task(self._run(run_id, frame))
        elif frame["type"] == "cancel_task" and run_id in self._tasks:
            self._tasks[run_id].cancel()

    async def recv(self) -> Frame:
        """Wait for the next event."""
        return await self._events.get()

    async def stop(self) -> None:
        """Cancel what still runs."""
        for task in self._tasks.values():
            task.cancel()
        if self._tasks:
            await asyncio.wait(self._tasks.values())

    async def _run(self, run_id: str, frame: Frame) -> None:
        function, args = frame["callable"], frame["args"]
        self._put("task_started", run_id)
        try:
            if inspect.iscoroutinefunction(function):
                result = await function(**args)
            else:
                result = await in_thread(function, **args)
                if inspect.isawaitable(result):
                    result = await result
        except asyncio.CancelledError:
            self._put("task_cancelled", run_id)
        except Exception as error:  # noqa: BLE001 - it is the task's
            self._put("task_error", run_id, exception=error)
        else:
            self._put("task_result", run_id, result=result)

    def _put(self, kind: str, run_id: str, **fields: Any) -> None:
        self._events.put_nowait({"type": kind, "run_id": run_id, **fields})
