"""Who answers at a callback URL?

Behind a balancer or a pre-forked server it may be a sibling of the process that
waits. Every answer of a receiver names it, so a GET is enough to find out.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import socket
import ssl
from http import HTTPStatus
from typing import NamedTuple
from urllib.parse import urlsplit

from wove.dispatch.failures import words_of
from wove.dispatch.threads import in_thread
from wove.errors import CallbackUnreachableError, ErrorCode

__all__ = ["require_own"]

logger = logging.getLogger(__name__)

_CONNECTIONS = 3
_SECONDS = 2.0
_HEAD_LIMIT = 16 * 1024


class _Answer(NamedTuple):
    """Status and `Wove-Receiver` of an answer."""

    status: int
    receiver_id: str | None
    trouble: str = ""


async def require_own(url: str, receiver_id: str) -> bool:
    """Ask `url` over several fresh connections which receiver is there.

    Args:
        url: an events URL; its token need not be right.
        receiver_id: the only right answer.

    Returns:
        Whether this receiver answered each time; False, and logged, where nobody did.

    Raises:
        CallbackUnreachableError: another receiver answered, or this one says that its
            events are not posted there; code CALLBACK_MISDIRECTED.
    """
    place = urlsplit(url).netloc.rpartition("@")[2]
    # In threads of our own: looking a name up blocks, and the event loop's way of not
    # blocking (concurrent.futures) refuses work once the interpreter is exiting.
    answers = await asyncio.gather(*(_ask(url, place) for _ in range(_CONNECTIONS)))
    if any(each.receiver_id not in (None, receiver_id) for each in answers):
        raise CallbackUnreachableError(
            f"callback_url leads to another process: at {place} another Wove receiver answered. "
            "Several processes seem to share that address, as behind a balancer or in a "
            "pre-forked server. Let each have its own: set callback_port=0 and write {port} "
            "with {ip} or {hostname} in callback_url.",
            code=ErrorCode.CALLBACK_MISDIRECTED,
        )
    if _Answer(HTTPStatus.NOT_FOUND, receiver_id) in answers:
        raise CallbackUnreachableError(
            f"callback_url leads to this process, but not to its events: {place} passes on "
            f"the path {urlsplit(url).path!r}. What arrives here must be /wove/events/ and the "
            "token.",
            code=ErrorCode.CALLBACK_MISDIRECTED,
        )
    if any(each.receiver_id is None for each in answers):
        trouble = next((each.trouble for each in answers if each.trouble), "something else did")
        logger.warning(
            "No Wove receiver answered at %s, which callback_url names (%s). Where workers can "
            "reach it though this machine cannot, that is no fault.",
            place,
            trouble,
        )
        return False
    return True


async def _ask(url: str, place: str) -> _Answer:
    try:
        return await asyncio.wait_for(in_thread(_answer_at, url, place), _SECONDS)
    except (OSError, ValueError, RuntimeError, asyncio.TimeoutError) as error:
        return _Answer(0, None, words_of(error))


def _answer_at(url: str, place: str) -> _Answer:
    parts = urlsplit(url)
    secure = parts.scheme == "https"
    host, port = parts.hostname or "", parts.port or (443 if secure else 80)
    with contextlib.ExitStack() as stack:
        wire: socket.socket = stack.enter_context(
            socket.create_connection((host, port), timeout=_SECONDS)
        )
        if secure:
            context = ssl.create_default_context()
            wire = stack.enter_context(context.wrap_socket(wire, server_hostname=host))
        target = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
        wire.sendall(
            f"GET {target} HTTP/1.1\r\nHost: {place}\r\nConnection: close\r\n\r\n".encode()
        )
        head = b""
        while b"\r\n\r\n" not in head and len(head) < _HEAD_LIMIT:
            piece = wire.recv(4096)
            if not piece:
                raise ConnectionError("no complete answer")
            head += piece
    lines = head.partition(b"\r\n\r\n")[0].decode("latin-1").split("\r\n")
    _, _, rest = lines[0].partition(" ")
    status = int(rest[:3])  # a ValueError is no answer
    for line in lines[1:]:
        name, _, value = line.partition(":")
        if name.strip().lower() == "wove-receiver":
            return _Answer(status, value.strip())
    return _Answer(status, None)
