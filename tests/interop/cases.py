"""What both weaves send to the other's worker. Runs under both packages."""

from __future__ import annotations

import asyncio

MEBIBYTE = bytes(range(256)) * 4096


def value(base: int) -> dict[str, object]:
    return {"base": base, "text": "gr\u00fc\u00df", "large": 2**53 + 1}


async def awaited(base: int) -> int:
    await asyncio.sleep(0)
    return base + 1


def nothing(base: int) -> None:
    return None


def large(block: bytes) -> bytes:
    return block[::-1]


def fail(base: int) -> None:
    raise LookupError("no such account", base)
