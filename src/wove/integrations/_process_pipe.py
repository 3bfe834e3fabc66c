"""Length-framed messages through a worker's pipes: the weave's end, which never blocks."""

from __future__ import annotations

import json
import os
import struct
from collections import deque
from itertools import islice
from typing import Any

__all__ = ["MAX_MESSAGE_BYTES", "Inbox", "Outbox", "UnexpectedMessageError"]

MAX_MESSAGE_BYTES = 0xFFFF_FFFF
"""What four bytes of length can say."""

MAX_ANSWER_BYTES = 1 << 20
"""A worker's answers are summaries. A longer one is none: something else wrote to the pipe."""

_LENGTH = struct.Struct(">I")


class UnexpectedMessageError(Exception):
    """What a worker sent, in words, that it should not: something else uses its pipe."""


class Outbox:
    """Messages on their way into a pipe, which takes 64 KiB at a time.

    Args:
        descriptor: the pipe's end, non-blocking.
    """

    def __init__(self, descriptor: int) -> None:
        self._descriptor = descriptor
        self._left: deque[memoryview] = deque()  # a view: what is sent is never copied here

    def __bool__(self) -> bool:
        """Bytes wait for room in the pipe."""
        return bool(self._left)

    def put(self, message: bytes) -> None:
        """Send one message; what the pipe does not take now is kept for `flush`."""
        waiting = bool(self._left)
        self._left += (memoryview(_LENGTH.pack(len(message))), memoryview(message))
        if not waiting:
            self.flush()

    def flush(self) -> None:
        """Write once; the caller holds a lock, and the pipe may be emptied as fast as filled."""
        try:
            written = os.writev(self._descriptor, list(islice(self._left, 2)))
        except BlockingIOError:
            return
        except OSError:  # its reader is dead; the process's end tells the rest
            self._left.clear()
            return
        while self._left and written >= len(self._left[0]):
            written -= len(self._left.popleft())
        if written:
            self._left[0] = self._left[0][written:]


class Inbox:
    """Messages that come out of a pipe.

    Args:
        descriptor: the pipe's end, non-blocking.
    """

    def __init__(self, descriptor: int) -> None:
        self._descriptor = descriptor
        self._data = bytearray()

    def read(self) -> list[dict[str, Any]] | None:
        """The messages that have arrived; None when there will be no more.

        Raises:
            UnexpectedMessageError: what arrived is no message.
        """
        try:
            data = os.read(self._descriptor, 1 << 16)
        except BlockingIOError:
            return []
        except OSError:
            return None
        if not data:
            return None
        self._data += data
        messages = []
        while len(self._data) >= _LENGTH.size:
            (length,) = _LENGTH.unpack_from(self._data)
            if length > MAX_ANSWER_BYTES:
                raise UnexpectedMessageError(f"a message of {length} bytes")
            end = _LENGTH.size + length
            if len(self._data) < end:
                break
            messages.append(_decoded(bytes(self._data[_LENGTH.size : end])))
            del self._data[:end]
        return messages


def _decoded(data: bytes) -> dict[str, Any]:
    try:
        message = json.loads(data)
    except (ValueError, RecursionError):
        message = None
    if not isinstance(message, dict):
        raise UnexpectedMessageError(f"{data[:40]!r}, which is no message")
    return message
