"""Who answers at a callback URL?

Behind a balancer or a pre-forked server it may be a sibling of the process that
waits. Every answer of a receiver names it, so a GET is enough to find out.
"""

from __future__ import annotations

import asyncio
import logging
import ssl
from urllib.parse import urlsplit

from wove.errors import CallbackUnreachableError, ErrorCode

__all__ = ["require_own"]

logger = logging.getLogger(__name__)

_CONNECTIONS = 3
_SECONDS = 2.0
_HEAD_LIMIT = 16 * 1024


async def require_own(url: str, receiver_id: str) -> None:
    """Ask `url` over several fresh connections which receiver is there.

    Args:
        url: an events URL; its token need not be right.
        receiver_id: the only right answer.

    Raises:
        CallbackUnreachableError: another receiver answered; code CALLBACK_MISDIRECTED.
    """
    place = urlsplit(url).netloc.rpartition("@")[2]
    answers = await asyncio.gather(*(_ask(url, place) for _ in range(_CONNECTIONS)))
    if any(each not in (None, receiver_id) for each in answers):
        raise CallbackUnreachableError(
            f"callback_url leads to another process: at {place} another Wove receiver answered. "
            "Several processes seem to share that address, as behind a balancer or in a "
            "pre-forked server. Let each have its own: set callback_port=0 and write {port} "
            "with {ip} or {hostname} in callback_url.",
            code=ErrorCode.CALLBACK_MISDIRECTED,
        )
    if None in answers:
        logger.warning(
            "No Wove receiver answered at %s, which callback_url names. Where workers can "
            "reach it though this machine cannot, that is no fault.",
            place,
        )


async def _ask(url: str, place: str) -> str | None:
    try:
        return await asyncio.wait_for(_receiver_at(url, place), _SECONDS)
    except (OSError, ValueError, asyncio.TimeoutError, asyncio.IncompleteReadError) as error:
        logger.debug("asking who is at %s: %s", place, type(error).__name__)
        return None
    except asyncio.LimitOverrunError:
        return None


async def _receiver_at(url: str, place: str) -> str | None:
    parts = urlsplit(url)
    secure = parts.scheme == "https"
    reader, writer = await asyncio.open_connection(
        parts.hostname,
        parts.port or (443 if secure else 80),
        ssl=ssl.create_default_context() if secure else None,
        limit=_HEAD_LIMIT,
    )
    try:
        target = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
        writer.write(
            f"GET {target} HTTP/1.1\r\nHost: {place}\r\nConnection: close\r\n\r\n".encode()
        )
        head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1")
    finally:
        writer.close()
    for line in head.split("\r\n")[1:]:
        name, _, value = line.partition(":")
        if name.strip().lower() == "wove-receiver":
            return value.strip()
    return None
