"""The callback tokens one receiver accepts."""

from __future__ import annotations

import hmac
from hashlib import blake2b

__all__ = ["Tokens", "same_token"]


def same_token(expected: str, given: str) -> bool:
    """Compare two tokens in a time that does not depend on where they differ."""
    return hmac.compare_digest(_bytes(expected), _bytes(given))


class Tokens:
    """The set of valid tokens, kept as digests for the life of the process.

    A lookup by digest takes the same time whatever part of a guess is right,
    and a dump of the set gives no token away.
    """

    __slots__ = ("_digests",)

    def __init__(self) -> None:
        self._digests: set[bytes] = set()

    def add(self, token: str) -> None:
        """Accept `token` from now on."""
        self._digests.add(_digest(token))

    def __contains__(self, token: object) -> bool:
        return isinstance(token, str) and _digest(token) in self._digests


def _digest(token: str) -> bytes:
    return blake2b(_bytes(token), digest_size=16).digest()


def _bytes(token: str) -> bytes:
    # A token decoded from a URL may hold lone surrogates; they must compare, not raise.
    return token.encode("utf-8", "surrogatepass")
