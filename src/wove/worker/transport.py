"""How requests get out of this process: pooled connections, one pool per process."""

from __future__ import annotations

import os
import threading
import time
import weakref
from collections.abc import Callable
from typing import Protocol

from wove.worker.connection import Connection, Response
from wove.worker.endpoint import Endpoint

__all__ = [
    "SocketTransport",
    "Transport",
    "install",
    "is_wrapped",
    "new_transport",
    "shared_transport",
]

MAX_IDLE = 16
"""Idle connections that are kept, to all addresses together."""
MAX_IDLE_SECONDS = 60.0


class Transport(Protocol):
    """Carries one request and brings its answer."""

    def send(
        self, endpoint: Endpoint, request: bytes, *, timeout: float, fresh: bool = False
    ) -> Response:
        """Carry `request`, blocking.

        Args:
            endpoint: where to.
            request: a whole HTTP/1.1 request.
            timeout: seconds after which it is given up.
            fresh: use a new connection.

        Raises:
            OSError: no complete answer came; the request may have arrived all the same.
        """
        ...

    def close(self) -> None:
        """Close the connections that no request is using."""
        ...


class SocketTransport:
    """The real transport: keep-alive connections, taken and given back by any thread."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._idle: list[tuple[tuple[str, str, int], Connection]] = []
        _opened.add(self)

    def send(
        self, endpoint: Endpoint, request: bytes, *, timeout: float, fresh: bool = False
    ) -> Response:
        """See `Transport`. A kept connection that turns out dead is replaced at once."""
        kept = None if fresh else self._take(endpoint.address)
        if kept is not None:
            try:
                return self._exchange(endpoint, kept, request, timeout)
            except TimeoutError:
                raise
            except OSError:
                pass  # closed between our look and our send: says nothing about the receiver
        connection = Connection(endpoint, timeout=timeout)
        return self._exchange(endpoint, connection, request, timeout)

    def close(self) -> None:
        """Close the idle connections."""
        with self._lock:
            idle, self._idle = self._idle, []
        for _, connection in idle:
            connection.close()

    def forget(self) -> None:
        """In a forked child: the parent's connections are not ours, nor is its lock's state."""
        self._lock = threading.Lock()
        self.close()

    def _exchange(
        self, endpoint: Endpoint, connection: Connection, request: bytes, timeout: float
    ) -> Response:
        pid = os.getpid()
        try:
            response = connection.exchange(request, timeout=timeout)
        except BaseException:
            connection.close()
            raise
        if response.keep_alive and pid == os.getpid():
            self._give_back(endpoint.address, connection)
        else:
            connection.close()
        return response

    def _take(self, address: tuple[str, str, int]) -> Connection | None:
        while True:
            with self._lock:
                for index in range(len(self._idle) - 1, -1, -1):
                    if self._idle[index][0] == address:
                        connection = self._idle.pop(index)[1]
                        break
                else:
                    return None
            if not connection.is_stale():
                return connection
            connection.close()

    def _give_back(self, address: tuple[str, str, int], connection: Connection) -> None:
        oldest = time.monotonic() - MAX_IDLE_SECONDS
        with self._lock:
            self._idle.append((address, connection))
            # In order of use: what is too old, or too many, is in front.
            surplus = []
            while len(self._idle) > MAX_IDLE or self._idle[0][1].last_used < oldest:
                surplus.append(self._idle.pop(0)[1])
        for unused in surplus:
            unused.close()


_opened: weakref.WeakSet[SocketTransport] = weakref.WeakSet()
_wrap: Callable[[Transport], Transport] | None = None
_shared: Transport | None = None


def new_transport() -> Transport:
    """A transport with connections of its own."""
    transport = SocketTransport()
    return transport if _wrap is None else _wrap(transport)


def shared_transport() -> Transport:
    """This process's transport for everything but heartbeats."""
    global _shared
    if _shared is None:
        _shared = new_transport()
    return _shared


def is_wrapped() -> bool:
    """Whether `install` has put something between."""
    return _wrap is not None


def install(wrap: Callable[[Transport], Transport] | None) -> None:
    """Put something between this process's reporters and the network, such as faults.

    Args:
        wrap: makes a transport around the real one; None takes it away again. Transports
            that are in use stay as they are.
    """
    global _wrap, _shared
    _wrap, _shared = wrap, None


def _after_fork() -> None:
    for transport in list(_opened):
        transport.forget()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_after_fork)
