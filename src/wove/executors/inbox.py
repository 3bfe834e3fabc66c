"""Where accepted events cross from the receiver's thread to the weave's loop."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Callable, Sequence
from typing import Any

from wove.dispatch.threads import in_thread
from wove.dispatch.typed import Convert
from wove.executors.base import Frame
from wove.executors.intake import frame_from, is_large, unreadable
from wovepb.v1.event_pb2 import Event

__all__ = ["HOLD_SECONDS", "Inbox"]

HOLD_SECONDS = 0.005
"""An event that ends nothing waits this long for one that does, so that a short task wakes
the weave's loop once and not twice."""

_TERMINAL = ("task_result", "task_error", "task_cancelled")


class Inbox:
    """The events of one environment of one weave; to be made on the weave's loop.

    Args:
        listener: is given each frame, on the weave's loop; None: `get` waits for them.
        facts: `task`, `environment`, `run_id`, `backend`, `backend_job_id` of a run.
        convert: of a run, where no pickle may be loaded; see `frame_from`.
        on_terminal: called with the run of each terminal event, before its frame is given.
    """

    def __init__(
        self,
        *,
        listener: Callable[[Frame], None] | None,
        facts: Callable[[str], dict[str, Any]],
        on_terminal: Callable[[str], None],
        convert: Callable[[str], Convert | None],
    ) -> None:
        self._loop = asyncio.get_running_loop()
        self._frames: asyncio.Queue[Frame] = asyncio.Queue()
        self._give = listener or self._frames.put_nowait
        self._facts = facts
        self._on_terminal = on_terminal
        self._convert = convert
        self._held: list[tuple[str, Event]] = []
        self._loading: set[asyncio.Task[None]] = set()

    def give(self, kind: str, run_id: str, **fields: Any) -> None:
        """Give a frame of this side's own making."""
        self._give({"type": kind, "run_id": run_id, **fields})

    async def get(self) -> Frame:
        """Wait for the next frame, where there is no listener."""
        return await self._frames.get()

    async def close(self) -> None:
        """Load nothing any more."""
        for task in self._loading:
            task.cancel()
        if self._loading:
            await asyncio.wait(self._loading)

    def put(self, batch: Sequence[tuple[str, Event]]) -> None:
        """Take accepted events; called by the receiver, in its thread and on its loop."""
        self._held += batch
        if any(event.WhichOneof("frame") in _TERMINAL for _, event in batch):
            self._pass_on()
        elif len(self._held) == len(batch):  # else a timer is set already
            asyncio.get_running_loop().call_later(HOLD_SECONDS, self._pass_on)

    def _pass_on(self) -> None:
        held, self._held = self._held, []
        if held:
            with contextlib.suppress(RuntimeError):  # the weave's loop is closed: nobody waits
                self._loop.call_soon_threadsafe(self._take, held)

    def _take(self, batch: Sequence[tuple[str, Event]]) -> None:
        for run_id, event in batch:
            if event.WhichOneof("frame") in _TERMINAL:
                self._on_terminal(run_id)
            if is_large(event):
                task = self._loop.create_task(self._take_large(run_id, event))
                self._loading.add(task)
                task.add_done_callback(self._loading.discard)
                continue
            try:
                frame = frame_from(event, self._facts(run_id), self._convert(run_id))
            except BaseException as error:  # noqa: BLE001 - the worker's values run their own code
                frame = unreadable(event, self._facts(run_id), error)
            if frame is not None:
                self._give(frame)

    async def _take_large(self, run_id: str, event: Event) -> None:
        facts = self._facts(run_id)
        try:
            frame = await in_thread(frame_from, event, facts, self._convert(run_id))
        except asyncio.CancelledError:
            raise  # `close` gives it up
        except BaseException as error:  # noqa: BLE001 - as above
            frame = unreadable(event, facts, error)
        if frame is not None:
            self._give(frame)
