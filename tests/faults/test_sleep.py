"""A laptop sleeps: what it did not hear meanwhile is held against nobody.

The hub, the watcher and its judge are the real ones; both of their clocks are the test's.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from typing import Any

import pytest

from wove.executors.backend_state import BackendState, BackendStatus
from wove.executors.liveness import Liveness
from wove.executors.watch import Verdict
from wove.executors.watcher import Watcher
from wove.receiver.hub import Hub
from wovepb.v1.event_pb2 import Event, Heartbeat, TaskStarted

pytestmark = pytest.mark.xdist_group("faults-sleep")

HOUR = 3600.0
BEAT = 5.0  # what a worker announces when nothing else is asked for


class Clocks:
    """The machine's two clocks, moved by hand."""

    def __init__(self) -> None:
        self.now = 1000.0
        self.unix = 1_800_000_000.0

    def monotonic(self) -> float:
        return self.now

    def wall(self) -> float:
        return self.unix

    def passes(self, seconds: float) -> None:
        self.now += seconds
        self.unix += seconds

    def sleeps(self, seconds: float, *, monotonic_goes_on: bool) -> None:
        self.unix += seconds
        self.now += seconds if monotonic_goes_on else 0.0


class Laptop:
    """One started run, whose worker beats as long as the machine is awake."""

    def __init__(self) -> None:
        self.clocks = Clocks()
        self.hub = Hub(clock=self.clocks)
        self.hub.add_token("t")
        self.run = self.hub.open_run("run-1", task_id="task", token="t", sink=self)
        self.verdicts: list[Verdict] = []
        self.polls = 0
        self.sequence = 0

    def put(self, batch: Sequence[tuple[str, Event]]) -> None:
        """Take the events, as a weave would."""

    def event(self, execution: str = "first", **frame: Any) -> int:
        self.sequence += 1
        event = Event(
            run_id="run-1",
            event_id=f"e{self.sequence}",
            execution_id=execution,
            sequence=self.sequence,
            **frame,
        )
        return self.hub.handle(event, token="t", receiver=self.hub.receiver_id).status

    def starts(self, execution: str = "first") -> int:
        return self.event(execution, task_started=TaskStarted(heartbeat_seconds=BEAT))

    def beats(self) -> int:
        return self.event(heartbeat=Heartbeat())

    async def poll(self, submissions: Mapping[str, Any]) -> Mapping[str, BackendState]:
        self.polls += 1
        return {"run-1": BackendState(BackendStatus.CANNOT_SAY)}

    def watcher(self) -> Watcher:
        watcher = Watcher(
            poll=self.poll,
            report=lambda run_id, verdict: self.verdicts.append(verdict),
            last_contact_at=lambda: self.hub.last_contact_at,
            clock=self.clocks,
            liveness=Liveness(tick_seconds=0.005),
            knows_queued=False,
        )
        watcher.add("run-1", "submission", self.run, None)
        return watcher

    async def awake(self, seconds: float, *, beats: bool) -> None:
        """So much time passes, in steps of a second; the watcher keeps up."""
        for step in range(round(seconds)):
            self.clocks.passes(1.0)
            if beats and step % round(BEAT) == 0:
                assert self.beats() == 204
            self.hub.tick()
            await asyncio.sleep(0.012)


@pytest.mark.parametrize("monotonic_goes_on", [False, True])
def test_a_sleep_is_not_taken_for_a_workers_silence(monotonic_goes_on: bool) -> None:
    async def main() -> None:
        laptop = Laptop()
        watcher = laptop.watcher()
        assert laptop.starts() == 204
        await laptop.awake(20, beats=True)

        laptop.clocks.sleeps(HOUR, monotonic_goes_on=monotonic_goes_on)
        await laptop.awake(10, beats=False)  # the network needs a while
        assert laptop.verdicts == []
        await laptop.awake(20, beats=True)
        assert laptop.verdicts == []
        assert laptop.run.state == "open"
        await watcher.stop()

    asyncio.run(main())


@pytest.mark.parametrize("monotonic_goes_on", [False, True])
def test_silence_counts_again_after_the_sleep(monotonic_goes_on: bool) -> None:
    """Four periods of 15 s after waking, and not before, a dead worker is given up."""

    async def main() -> None:
        laptop = Laptop()
        watcher = laptop.watcher()
        assert laptop.starts() == 204
        await laptop.awake(5, beats=True)
        laptop.clocks.sleeps(HOUR, monotonic_goes_on=monotonic_goes_on)
        await laptop.awake(50, beats=False)
        assert laptop.verdicts == []
        assert laptop.polls  # the backend was asked meanwhile
        await laptop.awake(30, beats=False)
        assert [verdict.cause for verdict in laptop.verdicts] == ["worker_lost"]
        await watcher.stop()

    asyncio.run(main())


@pytest.mark.parametrize("monotonic_goes_on", [False, True])
def test_a_second_execution_does_not_start_because_of_a_sleep(monotonic_goes_on: bool) -> None:
    laptop = Laptop()
    clocks = laptop.clocks

    def second() -> int:
        laptop.hub.tick()
        return laptop.event("second", task_started=TaskStarted(heartbeat_seconds=BEAT))

    assert laptop.starts() == 204
    clocks.passes(1.0)
    assert second() == 503
    clocks.sleeps(HOUR, monotonic_goes_on=monotonic_goes_on)
    assert second() == 503  # the first could not have been heard
    clocks.passes(1.0)
    assert laptop.beats() == 204  # and there it is
    assert second() == 409
