"""Asks the backend about outstanding runs, and applies the rules of `watch` to them."""

from __future__ import annotations

import asyncio
import logging
import random
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from wove.executors.backend_state import BackendState, BackendStatus
from wove.executors.liveness import Liveness
from wove.executors.watch import Judge, RunFacts, Verdict

if TYPE_CHECKING:
    from wove.receiver.clock import Clock

__all__ = ["Watcher"]

logger = logging.getLogger("wove.executors")

_CANNOT_SAY = BackendState(BackendStatus.CANNOT_SAY)


@dataclass(slots=True)
class _Watched:
    facts: RunFacts
    submission: Any
    judge: Judge
    since: float
    named: str
    told: bool = False


class Watcher:
    """Watches the runs of one environment of one weave, on the weave's loop.

    Costs nothing until a run has been out for a second.

    Args:
        poll: the adapter's `poll`.
        report: called with a run id and the verdict that ends its watching.
        last_contact_at: when the receiver last heard anybody.
        clock: the receiver's clock.
        liveness: the delays.
        knows_queued: the adapter's `knows_queued`.
    """

    def __init__(
        self,
        *,
        poll: Callable[[Mapping[str, Any]], Awaitable[Mapping[str, BackendState]]],
        report: Callable[[str, Verdict], None],
        last_contact_at: Callable[[], float | None],
        clock: Clock,
        liveness: Liveness,
        knows_queued: bool,
    ) -> None:
        self._poll = poll
        self._report = report
        self._last_contact_at = last_contact_at
        self._clock = clock
        self._liveness = liveness
        self._knows_queued = knows_queued
        self._watched: dict[str, _Watched] = {}
        self._hurry: set[str] = set()
        self._warned = False
        self._pause = liveness.poll_seconds
        self._next_batch = 0.0
        self._asking: asyncio.Task[None] | None = None
        self._timer: asyncio.TimerHandle | None = None
        self._planned = self._monotonic = self._wall = 0.0

    def add(
        self,
        run_id: str,
        submission: Any,
        facts: RunFacts,
        heartbeat_seconds: float | None,
        *,
        named: str = "a task",
    ) -> None:
        """Watch a run that the backend has taken.

        Args:
            run_id: the run.
            submission: what `submit` returned; None: the backend cannot be asked about it.
            facts: what the receiver knows of it, kept current by the receiver.
            heartbeat_seconds: the task's `delivery_heartbeat_seconds`.
            named: the task and its environment, for the log.
        """
        now = self._clock.monotonic()
        judge = Judge(
            self._liveness,
            heartbeat_seconds=heartbeat_seconds,
            knows_queued=self._knows_queued,
            now=now,
        )
        self._watched[run_id] = _Watched(facts, submission, judge, now, named)
        self._pause = self._liveness.poll_seconds
        if self._timer is None:
            self._next_batch = now + self._jittered()
            self._wake_in(self._liveness.tick_seconds)
        else:
            self._next_batch = min(self._next_batch, now + self._jittered())

    def remove(self, run_id: str) -> None:
        """The run has ended."""
        self._watched.pop(run_id, None)
        self._hurry.discard(run_id)
        if not self._watched and self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def hurry(self, run_id: str) -> None:
        """Ask about this run now: the backend has news."""
        if run_id in self._watched:
            self._hurry.add(run_id)
            self._ask_if_due()

    def cancel_asked(self, run_id: str) -> None:
        """Proof is wanted that this run has stopped."""
        watched = self._watched.get(run_id)
        if watched is not None:
            watched.judge.cancel_asked()

    def state(self, run_id: str) -> BackendState:
        """The backend's last answer about a run."""
        watched = self._watched.get(run_id)
        return _CANNOT_SAY if watched is None else watched.judge.state

    async def stop(self) -> None:
        """Watch nothing any more."""
        self._watched.clear()
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        if self._asking is not None:
            self._asking.cancel()
            await asyncio.wait({self._asking})

    # ---- the tick ---------------------------------------------------------------------

    def _wake_in(self, seconds: float) -> None:
        self._monotonic, self._wall = self._clock.monotonic(), self._clock.wall()
        self._planned = self._monotonic + seconds
        if self._timer is not None:
            self._timer.cancel()
        self._timer = asyncio.get_running_loop().call_later(seconds, self._tick)

    def _tick(self) -> None:
        now, wall = self._clock.monotonic(), self._clock.wall()
        late = now - self._planned
        apart = abs((wall - self._wall) - (now - self._monotonic))
        for watched in self._watched.values():
            watched.judge.clocks(now, late, apart)
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        self._judge(now)
        self._ask_if_due()
        if self._watched:
            graces = [watched.judge.grace_ends() for watched in self._watched.values()]
            soonest = min((due - now for due in graces if due is not None), default=1e9)
            self._wake_in(max(0.0, min(self._liveness.tick_seconds, soonest)))

    def _judge(self, now: float) -> None:
        contact = self._last_contact_at()
        for run_id, watched in list(self._watched.items()):
            verdict = watched.judge.verdict(now, watched.facts, contact)
            if verdict is not None:
                self._watched.pop(run_id, None)
                self._report(run_id, verdict)
            elif not watched.told and now - watched.since >= self._liveness.queued_warning:
                watched.told = True
                if not watched.facts.heard:
                    _tell_of_waiting(run_id, watched, now - watched.since)

    # ---- asking -----------------------------------------------------------------------

    def _ask_if_due(self) -> None:
        if self._asking is not None:
            return
        now = self._clock.monotonic()
        if now >= self._next_batch:
            due = dict(self._watched)
            # What takes a job out of a queue is known by asking alone; a started one reports.
            if all(watched.facts.started_at is not None for watched in due.values()):
                self._pause = min(self._pause * 1.5, self._liveness.poll_seconds_max)
            self._next_batch = now + self._jittered()
        else:
            due = {
                run_id: watched
                for run_id, watched in self._watched.items()
                if run_id in self._hurry or watched.judge.wants_poll(now, watched.facts)
            }
        if due:
            self._hurry.difference_update(due)
            for watched in due.values():
                watched.judge.asked(now)
            self._asking = asyncio.get_running_loop().create_task(self._ask(due))

    async def _ask(self, due: Mapping[str, _Watched]) -> None:
        submissions = {
            run_id: watched.submission
            for run_id, watched in due.items()
            if watched.submission is not None
        }
        states: dict[str, BackendState] | None = None
        try:
            said = await asyncio.wait_for(self._poll(submissions), self._liveness.poll_timeout)
            states = {run_id: _checked(said.get(run_id)) for run_id in due}
        except (Exception, asyncio.CancelledError) as error:  # noqa: BLE001
            # Whatever an adapter raises is no answer; a client library's own cancellation
            # too, or nobody would ever be asked about again.
            if self._watched:  # `stop` cancels the question, and then nobody misses the answer
                level = logging.INFO if self._warned else logging.WARNING
                self._warned = True
                words = f"{type(error).__name__}: {error}"
                if isinstance(error, asyncio.TimeoutError) and not str(error):
                    words = f"no answer in {self._liveness.poll_timeout:g} s"
                one = next(iter(self._watched.values())).named
                logger.log(
                    level,
                    "the backend could not be asked about its jobs, such as %s: %s",
                    one,
                    words,
                )
        self._asking = None
        if states is None:
            return
        now = self._clock.monotonic()
        for run_id, watched in due.items():
            watched.judge.answer(now, states[run_id], watched.facts)
        if self._watched:
            self._tick()  # an answer may set a grace that ends before the next tick

    def _jittered(self) -> float:
        return self._pause * random.uniform(0.9, 1.0)  # noqa: S311 - only spreads the load


def _tell_of_waiting(run_id: str, watched: _Watched, seconds: float) -> None:
    state = watched.judge.state
    if state.status is BackendStatus.RUNNING:
        said = (
            "%s: the backend says that its job runs, and no event of it has come in %.0f s (%s). "
            "Can its worker reach callback_url? (run %s)"
        )
    else:
        said = (
            "%s has waited %.0f s for a worker (%s). Is one running that takes its jobs? (run %s)"
        )
    words = state.words if state.reason else "the backend cannot say more"
    logger.warning(said, watched.named, seconds, words, run_id)


def _checked(state: object) -> BackendState:
    if state is None:
        return _CANNOT_SAY
    if not isinstance(state, BackendState):
        raise TypeError(f"poll gave a {type(state).__name__} where a BackendState is expected")
    return state
