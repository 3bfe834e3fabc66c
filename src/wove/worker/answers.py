"""What an answer means to a worker: the response table of ack.proto."""

from __future__ import annotations

import enum
import logging
import math
from dataclasses import dataclass
from http import HTTPStatus

from wove.contract import TERMINAL, ContractError, ack_from_json
from wove.worker.connection import Response
from wovepb.v1.ack_pb2 import EventAck

__all__ = ["Answer", "Verdict", "judge", "judge_status"]

_log = logging.getLogger(__name__)


class Verdict(enum.Enum):
    """What to do next."""

    ACCEPTED = "accepted"
    """Done."""
    RETRY = "retry"
    """Try again later."""
    ELSEWHERE = "elsewhere"
    """Try again on a new connection: another receiver answered."""
    INVALID = "invalid"
    """The receiver will not take this event (400, 413, 415)."""
    CONFLICT = "conflict"
    """409: another terminal event, or another execution, was first."""
    GONE = "gone"
    """410: nobody waits for the run."""
    REFUSED = "refused"
    """Another final refusal: 401, 404 and statuses that no receiver should send."""


@dataclass(frozen=True)
class Answer:
    """An answer, judged.

    Attributes:
        verdict: what to do next.
        text: the answer in words, for errors.
        status: the HTTP status code.
        ack: the acknowledgement's body, if there was one.
        retry_after: seconds that the receiver asks to wait; None if it does not.
    """

    verdict: Verdict
    text: str
    status: int = 0
    ack: EventAck | None = None
    retry_after: float | None = None

    @property
    def cancels(self) -> bool:
        """The receiver asks to stop the task."""
        return self.ack is not None and self.ack.HasField("cancel")

    @property
    def is_final(self) -> bool:
        """It will be the same for every further try."""
        return self.verdict not in (Verdict.RETRY, Verdict.ELSEWHERE)

    def stops(self, frame: str, *, detached: bool = False) -> bool:
        """It ends the task: it must not be called, or is to be stopped.

        Args:
            frame: what was sent.
            detached: its weave may be gone (410), and no cancel or beat's answer stops it.
        """
        if frame in TERMINAL or not self.is_final:
            return False
        if self.verdict is Verdict.ACCEPTED:
            return self.cancels and not detached
        if frame == "task_started":
            # Another execution may have the run: that keeps a detached one from starting, too.
            return not (detached and self.verdict is Verdict.GONE)
        return self.status in _STOPPING and not detached


_STOPPING = frozenset({401, 404, 409, 410})
"""To a heartbeat: nothing that this execution sends will be taken any more."""
_TRY_AGAIN = frozenset({408, 429})
_FINAL = {
    400: Verdict.INVALID,
    413: Verdict.INVALID,
    415: Verdict.INVALID,
    409: Verdict.CONFLICT,
    410: Verdict.GONE,
    421: Verdict.ELSEWHERE,
}


def judge(response: Response, receiver_id: str) -> Answer:
    """Judge an answer.

    Args:
        response: what came.
        receiver_id: the payload's; empty for a receiver of the published package, to
            which the plain table applies.
    """
    return judge_status(
        response.status,
        _words(response.status),
        answered_by=response.headers.get("wove-receiver"),
        receiver_id=receiver_id,
        retry_after=_seconds(response.headers.get("retry-after")),
        ack=_ack(response),
    )


def judge_status(
    status: int,
    text: str,
    *,
    answered_by: str | None,
    receiver_id: str,
    retry_after: float | None = None,
    ack: EventAck | None = None,
) -> Answer:
    """Judge the parts of an answer.

    Args:
        status: HTTP's status code, or the one that stands for gRPC's.
        text: the status in words.
        answered_by: the id that the answer carries; None: it has none.
        receiver_id: as in `judge`.
        retry_after: seconds that the receiver asks to wait.
        ack: the acknowledgement's body, if there was one.
    """
    if retry_after is not None and not 0 <= retry_after < math.inf:
        retry_after = None
    if receiver_id:
        if answered_by is None:
            # A balancer's or a proxy's own answer, whatever its status.
            return Answer(
                Verdict.RETRY, f"{text}, not from a Wove receiver", status, None, retry_after
            )
        if answered_by != receiver_id and status in (404, 410):
            return Answer(Verdict.ELSEWHERE, f"{text} from another receiver", status)
    if 200 <= status < 300:
        return Answer(Verdict.ACCEPTED, text, status, ack)
    if status in _TRY_AGAIN or status >= 500 or status < 400:
        return Answer(Verdict.RETRY, text, status, None, retry_after)
    return Answer(_FINAL.get(status, Verdict.REFUSED), text, status)


def _ack(response: Response) -> EventAck | None:
    if not 200 <= response.status < 300 or not response.body.lstrip().startswith(b"{"):
        return None
    try:
        return ack_from_json(response.body)
    except ContractError as error:
        # Other receivers may say anything in it: it was accepted all the same.
        _log.debug("an acknowledgement could not be read: %s", error)
        return None


def _words(status: int) -> str:
    try:
        return f"{status} {HTTPStatus(status).phrase}"
    except ValueError:
        return str(status)


def _seconds(value: str | None) -> float | None:
    """`Retry-After` in seconds; its other form, a date, is left to our own backoff."""
    if value is None:
        return None
    try:
        return float(value)
    except ValueError:
        return None
