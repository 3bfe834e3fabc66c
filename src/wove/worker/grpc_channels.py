"""gRPC channels of this process, and the addresses for which HTTP is used instead."""

from __future__ import annotations

import logging
import os
import threading
import time
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import unquote, urlsplit

import grpc

__all__ = ["Channels", "Peer", "Target", "channels"]

_log = logging.getLogger(__name__)

CONNECT_SECONDS = 3.0
"""How long a channel may take to be made before HTTP is used instead."""
AVOID_SECONDS = 60.0
"""For how long an address is not tried again after that."""
MAX_CHANNELS = 16
"""Channels for events that are kept. A worker serves one weave after another."""
MAX_STRANGE = 3
"""So many answers in a row that are no receiver's, and the address is avoided."""

_OPTIONS = [
    ("grpc.enable_retries", 0),  # retries are the reporter's
    # As over HTTP: a callback address leads into the user's own network, and its token is
    # nobody else's to see.
    ("grpc.enable_http_proxy", 0),
    ("grpc.max_send_message_length", -1),
    ("grpc.keepalive_time_ms", 30_000),
    ("grpc.keepalive_timeout_ms", 10_000),
    ("grpc.use_local_subchannel_pool", 1),  # two channels are two connections
]


@dataclass(frozen=True)
class Peer:
    """Where a channel leads.

    Attributes:
        address: host and port.
        secure: with TLS.
    """

    address: str
    secure: bool


@dataclass(frozen=True)
class Target:
    """`callback_grpc` in parts."""

    peer: Peer
    token: str = field(repr=False)

    @classmethod
    def parse(cls, url: str) -> Target:
        """Take it apart.

        Raises:
            ValueError: it is no such address. The message does not hold it.
        """
        parts = urlsplit(url)
        if parts.scheme not in ("grpc", "grpcs") or not parts.hostname or parts.port == 0:
            raise ValueError("it is no gRPC address with a host")
        token = unquote(parts.path[1:])
        if not (token.isascii() and token.isprintable()):
            raise ValueError("its token is no printable ASCII")
        return cls(Peer(parts.netloc, parts.scheme == "grpcs"), token)


@dataclass
class _Avoided:
    until: float
    reason: str


class Channels:
    """This process's channels by peer, and the peers that are avoided. For any thread."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._open: dict[Peer, grpc.Channel] = {}
        self._avoided: dict[Peer, _Avoided] = {}
        self._strange: dict[Peer, int] = {}
        """Strange answers since the last of a receiver's; 0: there has been one of those."""

    def get(self, peer: Peer, *, fresh: bool = False) -> grpc.Channel | None:
        """A channel that works, or did; None where there is none."""
        with self._lock:
            if self._is_avoided(peer):
                return None
            channel = self._open.pop(peer, None)
            if channel is not None and not fresh:
                self._open[peer] = channel  # in order of use
                return channel
        made = self.connect(peer)
        if made is not None:
            with self._lock:
                # Those that fall out may be in use: the collector closes them.
                self._open[peer] = made
                while len(self._open) > MAX_CHANNELS:
                    del self._open[next(iter(self._open))]
        return made

    def forget(self, peer: Peer, channel: grpc.Channel) -> bool:
        """This one does not work any more; whoever uses it closes it by letting go of it.

        Returns:
            False if that was known already.
        """
        with self._lock:
            known = self._open.get(peer) is not channel
            if not known:
                del self._open[peer]
            return not known

    def connect(self, peer: Peer) -> grpc.Channel | None:
        """A new channel, once it is connected; None when that cannot be."""
        with self._lock:
            if self._is_avoided(peer):
                return None
        try:
            channel = (
                grpc.secure_channel(peer.address, _credentials(), _OPTIONS)
                if peer.secure
                else grpc.insecure_channel(peer.address, _OPTIONS)
            )
        except (OSError, ValueError) as error:
            _log.warning("%s; events go by HTTP", error)
            self.avoid(peer, str(error))
            return None
        try:
            grpc.channel_ready_future(channel).result(CONNECT_SECONDS)
        except grpc.FutureTimeoutError:
            channel.close()
            self.avoid(peer, f"no channel could be made in {CONNECT_SECONDS:g} s")
            return None
        return channel

    def answered(self, peer: Peer) -> None:
        """A receiver has answered there."""
        with self._lock:
            self._remember(peer, 0)

    def strange(self, peer: Peer, reason: str, *, silent: bool = False) -> bool:
        """Something else than a receiver has answered there, or nothing at all.

        Args:
            peer: where.
            reason: what came, for people.
            silent: nothing at all came in time.

        Returns:
            The peer is avoided from now on: after a few in a row, and after the first silence
            where no receiver has ever answered.
        """
        with self._lock:
            known = peer in self._strange
            count = self._strange.get(peer, 0) + 1
            self._remember(peer, count)
        if count < MAX_STRANGE and (known or not silent):
            return False
        self.avoid(peer, reason)
        return True

    def avoid(self, peer: Peer, reason: str) -> None:
        """Use HTTP instead for a while."""
        with self._lock:
            now = time.monotonic()
            for other in [one for one, found in self._avoided.items() if found.until <= now]:
                del self._avoided[other]
            self._avoided[peer] = _Avoided(now + AVOID_SECONDS, reason)
            self._open.pop(peer, None)
            self._strange.pop(peer, None)

    def why_avoided(self, peer: Peer) -> str:
        """Why there was no channel the last time; empty if there was."""
        with self._lock:
            found = self._avoided.get(peer)
            return "" if found is None else found.reason

    def _is_avoided(self, peer: Peer) -> bool:
        found = self._avoided.get(peer)
        return found is not None and found.until > time.monotonic()

    def _remember(self, peer: Peer, count: int) -> None:
        self._strange.pop(peer, None)
        self._strange[peer] = count
        while len(self._strange) > MAX_CHANNELS:
            del self._strange[next(iter(self._strange))]


def _credentials() -> grpc.ChannelCredentials:
    """What TLS needs, from files that the worker's environment names.

    Raises:
        OSError: one cannot be read; the message names the variable.
        ValueError: a certificate without its key, or the reverse: gRPC would end the process.
    """
    authorities = _read("WOVE_GRPC_CA")
    key, certificate = _read("WOVE_GRPC_PRIVATE_KEY"), _read("WOVE_GRPC_CERTIFICATE")
    if (key is None) != (certificate is None):
        raise ValueError(
            "WOVE_GRPC_CERTIFICATE and WOVE_GRPC_PRIVATE_KEY go together: set both, or neither"
        )
    return grpc.ssl_channel_credentials(authorities, key, certificate)


def _read(name: str) -> bytes | None:
    path = os.environ.get(name)
    if not path:
        return None
    try:
        return Path(path).read_bytes()
    except (OSError, ValueError) as error:  # a name with a NUL is a ValueError
        words = error.strerror if isinstance(error, OSError) else str(error)
        raise OSError(f"the file that {name} names cannot be read: {path}: {words}") from None


_current = Channels()


def channels() -> Channels:
    """Those of this process."""
    return _current


def _after_fork() -> None:
    global _current
    _current = Channels()  # the parent's are the parent's


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_after_fork)
