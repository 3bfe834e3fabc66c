"""One run as the weave's side sees it: its record, its clocks, its one ending."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from wove.executors.records import CancelOutcome, RunRecord, RunState

if TYPE_CHECKING:
    from wove.executors.item import Item

__all__ = ["Outcome", "Run"]


@dataclass(frozen=True, slots=True)
class Outcome:
    """How a run ended: a value, or an error.

    It is handed over as an object because a future would treat some errors
    (`CancelledError`, `StopIteration`) as its own affair.
    """

    value: Any = None
    error: BaseException | None = None


class Run:
    """One submission of an item.

    `waiting` is what the item awaits while this is its newest run. `gone` is set when
    there is proof that the job neither runs nor will start.
    """

    __slots__ = ("_timers", "ended", "gone", "heard_at", "item", "record", "sending", "waiting")

    def __init__(self, item: Item, record: RunRecord) -> None:
        loop = asyncio.get_running_loop()
        self.item = item
        self.record = record
        self.waiting: asyncio.Future[Outcome] = loop.create_future()
        self.gone: asyncio.Future[None] | None = None
        self.sending: asyncio.Task[None] | None = None
        self.ended = False
        self.heard_at = 0.0
        self._timers: dict[str, asyncio.TimerHandle] = {}

    @property
    def run_id(self) -> str:
        """The run's identifier."""
        return self.record.run_id

    def set_timer(self, name: str, seconds: float, function: Callable[[], None]) -> None:
        """Call `function` in `seconds`, unless the run ends first."""
        self.drop_timer(name)
        loop = asyncio.get_running_loop()
        self._timers[name] = loop.call_later(seconds, function)

    def drop_timer(self, name: str) -> None:
        """Forget one timer, if it is set."""
        timer = self._timers.pop(name, None)
        if timer is not None:
            timer.cancel()

    def start(self) -> None:
        """A worker has it."""
        if self.record.started_at is None:
            self.record.started_at = time.time()
        if not self.ended:
            self.record.state = "started"

    def end(self, state: RunState, outcome: Outcome) -> None:
        """The run's one ending: what comes later changes nothing here."""
        if self.ended:
            return
        self.ended = True
        for timer in self._timers.values():
            timer.cancel()
        self._timers.clear()
        self.record.state = state
        self.record.ended_at = time.time()
        self.record.error = outcome.error
        if not self.waiting.done():
            self.waiting.set_result(outcome)

    def note_cancel(self, outcome: CancelOutcome) -> None:
        """Record what a cancellation came to; proof is never taken back."""
        if self.record.cancel != "stopped":
            self.record.cancel = outcome
        if outcome == "stopped":
            self.note_gone()

    def note_gone(self) -> None:
        """There is proof that the job does not run."""
        if self.gone is not None and not self.gone.done():
            self.gone.set_result(None)
