"""Answers as HTTP/1.1 responses."""

from __future__ import annotations

import math
from functools import lru_cache
from http import HTTPStatus

from wove.contract import ack_to_json
from wove.receiver.answers import Answer
from wovepb.v1.ack_pb2 import EventAck

__all__ = ["BAD_REQUEST", "CONTINUE", "Responses", "refused"]

CONTINUE = b"HTTP/1.1 100 Continue\r\n\r\n"


def refused(status: HTTPStatus, reason: str, retry_after: float | None = None) -> Answer:
    """An answer of the HTTP door itself, for what never reaches the hub."""
    return Answer(int(status), reason=reason, retry_after=retry_after)


BAD_REQUEST = refused(HTTPStatus.BAD_REQUEST, "this is not an HTTP/1.1 request")


class Responses:
    """Encodes answers; every response names the receiver that answers."""

    def __init__(self, receiver_id: str) -> None:
        self._receiver_id = receiver_id
        self._common = f"Wove-Receiver: {receiver_id}\r\n".encode()
        self._accepted = b"HTTP/1.1 204 No Content\r\n" + self._common + b"\r\n"
        self._refusal = lru_cache(maxsize=128)(self._build)

    def encode(self, answer: Answer, *, close: bool = False, body: bool = True) -> bytes:
        """The whole response.

        Args:
            answer: what to say.
            close: the connection ends with it.
            body: False for the answer to a HEAD, which has none.
        """
        if answer.status == HTTPStatus.NO_CONTENT and not close:
            return self._accepted
        if answer.ack is not None:
            return self._build(answer.status, ack_to_json(answer.ack), None, close, body)
        return self._refusal(answer.status, answer.reason or None, answer.retry_after, close, body)

    def _build(
        self,
        status: int,
        content: bytes | str | None,
        retry_after: float | None,
        close: bool,
        body: bool,
    ) -> bytes:
        head = [f"HTTP/1.1 {status} {HTTPStatus(status).phrase}\r\n".encode(), self._common]
        if status == HTTPStatus.METHOD_NOT_ALLOWED:
            head.append(b"Allow: POST\r\n")
        if retry_after is not None:
            head.append(b"Retry-After: %d\r\n" % max(1, math.ceil(retry_after)))
        if close:
            head.append(b"Connection: close\r\n")
        if isinstance(content, str):
            ack = EventAck(message=content, receiver_id=self._receiver_id)
            if retry_after is not None:
                ack.retry_after_seconds = retry_after
            content = ack_to_json(ack)
        if content is not None:
            head.append(b"Content-Type: application/json\r\nContent-Length: %d\r\n" % len(content))
        head.append(b"\r\n")
        if content is not None and body:
            head.append(content)
        return b"".join(head)
