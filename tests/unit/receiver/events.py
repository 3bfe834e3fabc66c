"""What the receiver's tests share: events, a clock that is moved by hand, a sink that keeps."""

from __future__ import annotations

from typing import Any

from wove.receiver.hub import Hub
from wovepb.v1.event_pb2 import Event

TOKEN = "the-token"
RUN = "run-1"
TERMINAL_KINDS = ("task_result", "task_error", "task_cancelled")


class FakeClock:
    """Both clocks, moved by hand."""

    def __init__(self) -> None:
        self.now = 1000.0
        self.unix = 1_700_000_000.0

    def monotonic(self) -> float:
        return self.now

    def wall(self) -> float:
        return self.unix

    def move(self, seconds: float) -> None:
        self.now += seconds
        self.unix += seconds


class Kept:
    """A sink that keeps what it is given."""

    def __init__(self) -> None:
        self.batches: list[list[tuple[str, Event]]] = []

    def put(self, batch: Any) -> None:
        self.batches.append(list(batch))

    @property
    def events(self) -> list[tuple[str, Event]]:
        return [pair for batch in self.batches for pair in batch]

    @property
    def kinds(self) -> list[tuple[str, str]]:
        """(run_id, type) of every event, in order."""
        return [(run_id, event.WhichOneof("frame") or "?") for run_id, event in self.events]


def make(
    kind: str, *, run: str = RUN, execution: str = "x1", event_id: str | None = None, seq: int = 0
) -> Event:
    """An event of `kind`; its event_id is made of kind and execution unless given."""
    event = Event(run_id=run, task_id="report", execution_id=execution, sequence=seq)
    event.event_id = f"{kind}-{execution}-{seq}" if event_id is None else event_id
    if kind == "task_result":
        event.task_result.result_json = "1"
    elif kind == "task_error":
        event.task_error.error.kind = "ValueError"
    elif kind != "unknown":
        getattr(event, kind).SetInParent()
    return event


def started(*, beats: float | None = 5.0, execution: str = "x1", **more: Any) -> Event:
    event = make("task_started", execution=execution, **more)
    event.task_started.worker_id = f"worker-of-{execution}"
    event.task_started.backend_job_id = "job-7"
    if beats is not None:
        event.task_started.heartbeat_seconds = beats
    return event


class Desk:
    """A hub with one token, a fake clock and a sink, and short ways to use them."""

    def __init__(self) -> None:
        self.clock = FakeClock()
        self.hub = Hub(clock=self.clock)
        self.sink = Kept()
        self.receiver: str | None = self.hub.receiver_id

    def open(self, run: str = RUN, **options: Any) -> Any:
        return self.hub.open_run(run, task_id="report", token=TOKEN, sink=self.sink, **options)

    def answer(self, event: Event, **options: Any) -> Any:
        """The hub's answer; events accepted by it go to the sink at once."""
        sent = {"token": TOKEN, "receiver": self.receiver, **options}
        answer = self.hub.handle(event, **sent)
        self.hub.flush()
        return answer

    def status(self, event: Event, **options: Any) -> int:
        return int(self.answer(event, **options).status)

    def pass_time(self, seconds: float) -> None:
        """Let time pass as a running receiver sees it: with its own timer firing."""
        while seconds > 0:
            step = min(1.0, seconds)
            self.clock.move(step)
            seconds -= step
            if self.hub.needs_ticks:
                self.hub.tick()
