"""What the receiver remembers, and how much it takes."""

from __future__ import annotations

import gc
import tracemalloc
from collections.abc import Callable

import pytest

from tests.unit.receiver.events import RUN, TOKEN, Desk, Kept, make, started
from wove.receiver.endings import NO_EVENT, TOMBSTONE_SECONDS, Tombstones, ending_of
from wove.receiver.hub import Hub
from wove.receiver.window import SequenceWindow


def allocated(work: Callable[[], object]) -> int:
    """Bytes that `work` leaves allocated."""
    gc.collect()
    tracemalloc.start()
    try:
        before = tracemalloc.get_traced_memory()[0]
        kept = work()
        gc.collect()
        after = tracemalloc.get_traced_memory()[0]
        del kept
        return after - before
    finally:
        tracemalloc.stop()


def test_a_run_in_flight_takes_at_most_1500_bytes() -> None:
    hub, sink, connections = Hub(), Kept(), [object() for _ in range(20)]
    count = 1000

    def fill() -> None:
        for number in range(count):
            run = f"{number:032x}"
            hub.open_run(run, task_id="report", token=TOKEN, sink=sink)
            for event in (
                started(run=run, execution=f"{number:032d}", seq=1),
                make("heartbeat", run=run, execution=f"{number:032d}", seq=2),
            ):
                connection = connections[number % 20]
                hub.handle(event, token=TOKEN, receiver=None, connection=connection)
            hub.flush()
            sink.batches.clear()

    assert allocated(fill) / count <= 1500


def test_an_ended_run_takes_under_200_bytes() -> None:
    hub, sink = Hub(), Kept()
    count = 5000

    def fill() -> None:
        for number in range(count):
            run = f"{number:032x}"
            hub.open_run(run, task_id="report", token=TOKEN, sink=sink)
            event = make("task_result", run=run, event_id=f"{number:0128d}")
            hub.handle(event, token=TOKEN, receiver=None)
            hub.flush()
            sink.batches.clear()

    assert allocated(fill) / count < 200


class TestTombstones:
    def ended(self, event_id: str = "e") -> Tombstones:
        tombstones = Tombstones()
        event = make("task_result", event_id=event_id)
        tombstones.add(RUN, ending_of(event, "task_result"), 1000.0)
        return tombstones

    def test_it_holds_what_is_asked_of_it(self) -> None:
        ending = self.ended().get(RUN, 1000.0)
        assert ending is not None
        assert ending.result
        assert ending.is_same(make("task_result", event_id="e"), "task_result")
        assert not ending.is_same(make("task_result", event_id="f"), "task_result")
        assert ending.is_other_execution(make("heartbeat", execution="x2"))
        assert not ending.is_other_execution(make("heartbeat", execution="x1"))

    def test_it_lasts_an_hour(self) -> None:
        tombstones = self.ended()
        assert tombstones.get(RUN, 1000.0 + TOMBSTONE_SECONDS) is not None
        assert tombstones.get(RUN, 1001.0 + TOMBSTONE_SECONDS) is None

    def test_old_ones_make_room(self) -> None:
        tombstones = self.ended()
        tombstones.add("later", NO_EVENT, 1001.0 + TOMBSTONE_SECONDS)
        assert len(tombstones) == 1

    def test_there_are_at_most_so_many(self) -> None:
        tombstones = Tombstones(limit=10)
        for number in range(25):
            tombstones.add(f"run-{number}", NO_EVENT, float(number))
        assert len(tombstones) == 10
        assert tombstones.get("run-14", 25.0) is None
        assert tombstones.get("run-15", 25.0) == NO_EVENT

    def test_the_limit_is_a_hundred_thousand(self) -> None:
        tombstones = Tombstones()
        for number in range(100_010):
            tombstones.add(str(number), NO_EVENT, 0.0)
        assert len(tombstones) == 100_000

    def test_after_an_hour_the_hub_knows_the_run_no_more(self, desk: Desk) -> None:
        desk.open()
        desk.status(make("task_result"))
        desk.clock.move(TOMBSTONE_SECONDS)
        assert desk.status(make("task_result")) == 204
        desk.clock.move(1)
        assert desk.status(make("task_result")) == 410


def test_nothing_of_an_ended_run_is_kept_but_its_tombstone(desk: Desk) -> None:
    desk.open()
    desk.status(started())
    desk.status(make("heartbeat"), connection=object())
    desk.status(started(execution="x2"))
    desk.status(make("task_result"))
    ledger = desk.hub._ledger
    assert (ledger.runs, ledger._beats, ledger._batches, ledger.contested) == ({}, {}, {}, set())


class TestBeatConnections:
    def test_the_newest_connection_counts(self, desk: Desk) -> None:
        run = desk.open()
        one, two = object(), object()
        desk.status(make("heartbeat"), connection=one)
        desk.status(make("heartbeat"), connection=two)
        desk.hub.connection_lost(one)
        assert run.beat_closed_at is None
        desk.hub.connection_lost(two)
        assert run.beat_closed_at == desk.clock.now

    def test_before_the_first_heartbeat_it_is_the_one_of_the_start(self, desk: Desk) -> None:
        run = desk.open()
        start, beats = object(), object()
        desk.status(started(), connection=start)
        desk.hub.connection_lost(start)
        assert run.beat_closed_at == desk.clock.now
        desk.status(make("heartbeat"), connection=beats)
        assert run.beat_closed_at is None

    def test_a_start_that_announces_no_heartbeat_is_tied_to_no_connection(self, desk: Desk) -> None:
        run = desk.open()
        wire = object()
        desk.status(started(beats=None), connection=wire)
        desk.hub.connection_lost(wire)
        assert run.beat_closed_at is None

    def test_one_connection_may_carry_several_runs(self, desk: Desk) -> None:
        runs = [desk.open("a"), desk.open("b")]
        wire = object()
        for name in ("a", "b"):
            desk.status(make("heartbeat", run=name), connection=wire)
        desk.status(make("task_result", run="a"))
        desk.hub.connection_lost(wire)
        assert [run.beat_closed_at for run in runs] == [None, desk.clock.now]

    def test_a_drop_by_the_receiver_says_nothing(self, desk: Desk) -> None:
        run = desk.open()
        wire = object()
        desk.status(make("heartbeat"), connection=wire)
        desk.hub.connection_dropped(wire)
        desk.hub.connection_lost(wire)
        assert run.beat_closed_at is None

    @pytest.mark.parametrize("kind", ["heartbeat", "log", "task_started"])
    def test_whatever_comes_after_takes_it_back(self, desk: Desk, kind: str) -> None:
        run = desk.open()
        wire = object()
        desk.status(make("heartbeat"), connection=wire)
        desk.hub.connection_lost(wire)
        desk.status(make(kind))
        assert run.beat_closed_at is None


class TestWindow:
    def test_it_takes_each_number_once_in_any_order(self) -> None:
        window = SequenceWindow()
        assert [window.add(n) for n in (3, 1, 2, 3, 1, 2, 4)] == [True] * 3 + [False] * 3 + [True]

    def test_it_reaches_back_64_numbers(self) -> None:
        window = SequenceWindow()
        window.add(100)
        assert window.add(37)
        assert not window.add(37)
        assert not window.add(36)

    def test_a_jump_forgets_what_is_too_far_back(self) -> None:
        window = SequenceWindow()
        window.add(1)
        assert window.add(65)
        assert not window.add(1)
        assert window.add(4_000_000_000)
        assert not window.add(4_000_000_000)
        assert window.add(3_999_999_999)
