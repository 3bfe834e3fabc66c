"""The head of one HTTP request, and what can be refused by it alone."""

from __future__ import annotations

from functools import lru_cache
from http import HTTPStatus
from urllib.parse import unquote, urlsplit

from wove.dispatch.urls import EVENTS_PATH
from wove.receiver.answers import Answer
from wove.receiver.hub import Hub
from wove.receiver.limits import Limits
from wove.receiver.responses import refused

__all__ = ["TOO_LARGE", "Head", "token_of"]

_NOT_FOUND = refused(HTTPStatus.NOT_FOUND, "there is nothing here")
_POST_ONLY = refused(HTTPStatus.METHOD_NOT_ALLOWED, "events are posted here")
_ENCODED = refused(HTTPStatus.UNSUPPORTED_MEDIA_TYPE, "the content encoding must be identity")
_EXPECTATION = refused(HTTPStatus.EXPECTATION_FAILED, "only 100-continue can be expected")
TOO_LARGE = refused(HTTPStatus.REQUEST_ENTITY_TOO_LARGE, "the event is too large")


class Head:
    """Method, target and headers of one request."""

    __slots__ = ("headers", "method", "receiver", "token", "url")

    def __init__(self, method: bytes, url: bytes, headers: dict[bytes, bytes]) -> None:
        self.method = method
        self.url = url
        self.headers = headers
        self.token = token_of(url)
        receiver = headers.get(b"wove-receiver")
        self.receiver = receiver.decode("latin-1") if receiver else None

    @property
    def content_type(self) -> str:
        """The media type as sent; empty when there is none."""
        return self.headers.get(b"content-type", b"").decode("latin-1")

    @property
    def announced(self) -> int | None:
        """The announced length of the body; None when it is chunked."""
        if b"transfer-encoding" in self.headers:
            return None
        return int(self.headers.get(b"content-length", b"0") or b"0")

    @property
    def expects_continue(self) -> bool:
        """The caller waits for leave to send the body."""
        return self.headers.get(b"expect", b"").lower() == b"100-continue"

    def refusal(self, hub: Hub, limits: Limits) -> Answer | None:
        """The answer to a request that needs no body to be refused."""
        if self.token is None:
            return _NOT_FOUND
        if self.method != b"POST":
            return _POST_ONLY
        refusal = hub.refusal(self.token, self.receiver)
        if refusal is not None:
            return refusal
        if b"expect" in self.headers and not self.expects_continue:
            return _EXPECTATION
        if self.headers.get(b"content-encoding", b"identity").strip().lower() != b"identity":
            return _ENCODED
        announced = self.announced
        if announced is not None and announced > limits.body_bytes:
            return TOO_LARGE
        return None


@lru_cache(maxsize=256)
def token_of(url: bytes) -> str | None:
    """The token in the path of an events URL; None for any other path."""
    target = url.decode("latin-1")
    if not target.startswith("/"):  # the absolute form, as proxies send it
        try:
            target = urlsplit(target).path
        except ValueError:
            return None
    path = target.partition("?")[0]
    token = path[len(EVENTS_PATH) :] if path.startswith(EVENTS_PATH) else ""
    return unquote(token) if token and "/" not in token else None
