"""Is this run still alive? The rules, without any input or output.

A `Judge` is fed with what the receiver heard, what the backend answers and what
the clock says; it tells when to ask again, and when to give the run up. The
rules are those that docs/delivery.md states under "Silence" and "How a run ends".
All times are monotonic seconds of one clock.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from wove.executors.backend_state import BackendState, BackendStatus
from wove.executors.liveness import Liveness
from wove.executors.run_facts import RunFacts

__all__ = ["Cause", "Judge", "RunFacts", "Verdict"]

Cause = Literal[
    "worker_lost",
    "backend_failed",
    "backend_cancelled",
    "backend_forgot",
    "result_missing",
    "callback_unreachable",
]

_KNOWN = frozenset(BackendStatus) - {BackendStatus.ABSENT, BackendStatus.CANNOT_SAY}
_ENDED: dict[BackendStatus, Cause] = {
    BackendStatus.FAILED: "backend_failed",
    BackendStatus.CANCELLED: "backend_cancelled",
    BackendStatus.LOST: "worker_lost",
}
_BUSY = frozenset({BackendStatus.RUNNING, BackendStatus.SUCCEEDED, BackendStatus.FAILED})


@dataclass(frozen=True, slots=True)
class Verdict:
    """The run is to be given up.

    Args:
        cause: which rule says so.
        reason: the backend's words, or what was observed.
        proof: the backend itself says that the job does not run any more. Silence
            proves nothing: its worker may be cut off, and working.
    """

    cause: Cause
    reason: str
    proof: bool = False


class Judge:
    """Everything the rules remember about one run.

    Args:
        liveness: the delays.
        heartbeat_seconds: the task's `delivery_heartbeat_seconds`, if set.
        knows_queued: the backend tells a queued job from an unknown one.
        now: when the run was submitted.
    """

    __slots__ = (
        "_absent_at",
        "_answered_at",
        "_asked_at",
        "_busy_at",
        "_cancel_asked",
        "_ended_at",
        "_final",
        "_forgot",
        "_liveness",
        "_missing",
        "_over_at",
        "_period",
        "_running_at",
        "_seen",
        "_silence_from",
        "_state",
        "_succeeded_at",
    )

    def __init__(
        self,
        liveness: Liveness,
        *,
        heartbeat_seconds: float | None,
        knows_queued: bool,
        now: float,
    ) -> None:
        self._liveness = liveness
        self._period = heartbeat_seconds or liveness.silence_seconds
        self._seen = knows_queued
        self._silence_from = now
        self._asked_at = now
        self._answered_at: float | None = None
        self._state = BackendState(BackendStatus.CANNOT_SAY)
        self._absent_at: float | None = None
        self._succeeded_at: float | None = None
        self._busy_at: float | None = None
        self._running_at: float | None = None
        self._over_at: float | None = None
        self._ended_at: float | None = None
        self._final: Verdict | None = None
        self._forgot = self._missing = self._cancel_asked = False

    @property
    def state(self) -> BackendState:
        """The backend's last answer."""
        return self._state

    def cancel_asked(self) -> None:
        """Proof is wanted that the run has stopped: ask often, and one `absent` will do."""
        self._cancel_asked = True

    def clocks(self, now: float, late: float, apart: float) -> None:
        """Suspect ourselves: after a pause of our own, all silence starts again.

        Args:
            now: the time.
            late: seconds by which our own timer was late.
            apart: seconds by which the wall and the monotonic clock have parted.
        """
        if max(late, apart) >= self._period / 3:
            self._silence_from = now

    def asked(self, now: float) -> None:
        """A poll of this run begins."""
        self._asked_at = now

    def wants_poll(self, now: float, facts: RunFacts) -> bool:
        """Whether this run must be asked about before its turn."""
        live = self._liveness
        if self._final is not None or self._forgot or self._missing:
            return False
        since_asked = now - self._asked_at
        if self._cancel_asked and since_asked >= live.cancel_poll_seconds:
            return True
        closed = self._closed_at(facts)
        for begun, pause in (
            (self._absent_at, live.absent_apart),
            (self._succeeded_at, live.succeeded_grace),
            (None if facts.heard else self._busy_at, live.callback_grace),
            (closed, 0.0),
            *((closed, pause) for pause in live.closed_again),
        ):
            if begun is not None and now >= begun + pause > self._asked_at:
                return True
        silent_at = self._silent_since(facts)
        period = self._period_of(facts)
        return silent_at is not None and min(now - silent_at, since_asked) >= period

    def answer(self, now: float, state: BackendState, facts: RunFacts) -> None:
        """Take the backend's answer about this run."""
        status = state.status
        self._state, self._answered_at = state, now
        self._seen = self._seen or status in _KNOWN
        if status in _ENDED:
            self._final = Verdict(_ENDED[status], state.reason, proof=True)
            self._ended_at = now if self._ended_at is None else self._ended_at
        else:
            self._final = self._ended_at = None
        self._absent(now, status, facts)
        self._succeeded(now, status)
        if status in _BUSY:
            self._busy_at = now if self._busy_at is None else self._busy_at
        elif status is not BackendStatus.CANNOT_SAY:
            self._busy_at = None
        self._running(now, status)

    def grace_ends(self) -> float | None:
        """When a verdict that waits for events in flight falls due."""
        if self._final is None or self._ended_at is None:
            return None
        live = self._liveness
        lost = self._final.cause == "worker_lost"
        return self._ended_at + (live.lost_grace if lost else live.ended_grace)

    def verdict(self, now: float, facts: RunFacts, last_contact_at: float | None) -> Verdict | None:
        """Whether the run is to be given up now.

        Args:
            now: the time.
            facts: what the receiver knows.
            last_contact_at: when the receiver last heard anybody at all.
        """
        due = self.grace_ends()
        if due is not None and self._final is not None:  # silence meanwhile proves less
            return self._unless_unheard(self._final, facts) if now >= due else None
        if self._forgot:
            forgot = Verdict("backend_forgot", self._state.reason, proof=True)
            return self._unless_unheard(forgot, facts)
        if self._missing:
            missing = Verdict("result_missing", self._state.reason, proof=True)
            return self._unless_unheard(missing, facts)
        if self._cancel_asked:  # nobody waits for it but for proof, and what follows is none
            return None
        if (
            not facts.heard
            and self._busy_at is not None
            and self._answered_at is not None
            and self._answered_at - self._busy_at >= self._liveness.callback_grace
        ):
            return Verdict("callback_unreachable", self._words())
        return self._silent(now, facts, last_contact_at)

    # ---- what the backend says --------------------------------------------------------

    def _absent(self, now: float, status: BackendStatus, facts: RunFacts) -> None:
        # A worker that beats is better evidence than a backend that has forgotten it.
        if status is not BackendStatus.ABSENT or not self._seen or self._beats(now, facts):
            self._absent_at = None
        elif self._absent_at is None:
            self._absent_at = now
            self._forgot = self._cancel_asked
        elif now - self._absent_at >= self._liveness.absent_apart:
            self._forgot = True

    def _succeeded(self, now: float, status: BackendStatus) -> None:
        if status is not BackendStatus.SUCCEEDED:
            self._succeeded_at = None
        elif self._succeeded_at is None:
            self._succeeded_at = now
        elif now - self._succeeded_at >= self._liveness.succeeded_grace:
            self._missing = True

    # ---- never heard ------------------------------------------------------------------

    def _running(self, now: float, status: BackendStatus) -> None:
        if status is BackendStatus.RUNNING:
            self._running_at = now if self._running_at is None else self._running_at
            self._over_at = None
        elif status is BackendStatus.QUEUED:
            self._running_at = self._over_at = None
        elif status is not BackendStatus.CANNOT_SAY:
            self._over_at = now if self._over_at is None else self._over_at

    def _unless_unheard(self, verdict: Verdict, facts: RunFacts) -> Verdict:
        """However such a run ended: its worker had the time to report, and could not."""
        if facts.heard or self._running_at is None or self._over_at is None:
            return verdict
        ran = self._over_at - self._running_at
        if ran < self._liveness.unheard_at_least or verdict.cause == "backend_cancelled":
            return verdict
        words = f"running for {ran:.0f} s, then {self._words()}"
        return Verdict("callback_unreachable", words, proof=verdict.proof)

    def _words(self) -> str:
        return self._state.words

    # ---- silence ----------------------------------------------------------------------

    def _silent(self, now: float, facts: RunFacts, last_contact_at: float | None) -> Verdict | None:
        since = self._silent_since(facts)
        if since is None:
            return None
        live, period = self._liveness, self._period_of(facts)
        closed = self._closed_at(facts)
        if closed is not None and now - max(closed, self._silence_from) >= period:
            return Verdict(
                "worker_lost",
                f"the worker's heartbeat connection closed, and it was silent for {period:g} s",
            )
        answered = self._answered_at is not None and self._answered_at > since
        if answered and self._state.status in _KNOWN and self._state.sees_worker:
            return None  # running, as far as the backend knows: believe it, ask again
        somebody = answered or (last_contact_at is not None and last_contact_at > since)
        patience = max(live.silent_periods * period, live.silent_at_least)
        if not somebody:  # the fault may be on this side
            patience = max(patience, live.silent_alone)
        if now - since < patience:
            return None
        return Verdict(
            "worker_lost",
            f"the worker was silent for {now - since:.0f} s, and the backend cannot say "
            "whether it lives",
        )

    def _period_of(self, facts: RunFacts) -> float:
        # A worker that announced slower beats than were asked for is judged by its own.
        return max(self._period, 3.0 * (facts.heartbeat_seconds or 0.0))

    def _silent_since(self, facts: RunFacts) -> float | None:
        if facts.started_at is None or facts.heartbeat_seconds is None:
            return None  # queued time never counts; who announced no beats is not judged
        return max(facts.last_heard_at or facts.started_at, self._silence_from)

    def _closed_at(self, facts: RunFacts) -> float | None:
        return None if facts.heartbeat_seconds is None else facts.beat_closed_at

    def _beats(self, now: float, facts: RunFacts) -> bool:
        since = self._silent_since(facts)
        return since is not None and now - since < self._period_of(facts)
