"""The listening socket, and what a fork does to it.

A forked child inherits every descriptor. While it holds a listening or an
accepted socket, connections to a receiver that is gone are still taken by the
kernel and never answered. So all of them are known from the moment they exist,
and closed in the child.
"""

from __future__ import annotations

import errno
import os
import socket
import threading
import weakref

from wove.errors import CallbackUnreachableError

__all__ = ["Listener", "address_of", "bind", "close_sockets_on", "noting"]

noting = threading.Lock()
"""Held while a connection is accepted and noted, while one is closed, and across a fork,
so that no child can inherit a descriptor that no object of it knows."""

_CLOSED_AT_ONCE = 64


class _Accepted(socket.socket):
    """An accepted connection."""

    home: weakref.WeakSet[socket.socket]

    def close(self) -> None:
        """Close it; never in the middle of a fork."""
        # CPython first forgets the descriptor and then closes it, without the interpreter's
        # lock: a child forked in between would hold it for ever.
        with noting:
            super().close()
            # Whoever closes it may keep the object until the next garbage collection.
            self.home.discard(self)


class Listener(socket.socket):
    """A listening socket that knows the connections it accepted."""

    def __init__(self, family: int, kind: int, protocol: int) -> None:
        super().__init__(family, kind, protocol)
        self._accepted: weakref.WeakSet[socket.socket] = weakref.WeakSet()
        self.most = 1 << 30
        """Connections open at once; any more is closed as soon as it comes."""

    def accept(self) -> tuple[socket.socket, object]:
        """Accept one connection and note it.

        Raises:
            BlockingIOError: none is there, or those that are may wait.
        """
        for _ in range(_CLOSED_AT_ONCE):
            with noting:
                plain, address = super().accept()
                connection = _Accepted(fileno=plain.detach())
                connection.home = self._accepted
                if len(self._accepted) < self.most:
                    self._accepted.add(connection)
                    return connection, address
            connection.close()
        raise BlockingIOError

    def close_inherited(self) -> None:
        """In a forked child: give all descriptors up; the parent keeps its own."""
        for connection in list(self._accepted):
            connection.close()
        self.close()


def close_sockets_on(port: int) -> None:
    """In a forked child: close every descriptor of a socket whose own port this is.

    For sockets that a library opened and tells nobody about.
    """
    for name in os.listdir("/dev/fd"):
        descriptor = int(name)
        try:
            with socket.socket(fileno=os.dup(descriptor)) as inherited:
                address = inherited.getsockname()
        except OSError:
            continue  # no socket, or the listing's own descriptor
        if isinstance(address, tuple) and address[1:2] == (port,):
            os.close(descriptor)


def address_of(host: str, port: int) -> tuple[int, int, int, tuple[object, ...]]:
    """Family, kind, protocol and address that `bind` takes for a host.

    Raises:
        OSError: the name is not known.
    """
    found = socket.getaddrinfo(
        host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE | socket.AI_NUMERICSERV
    )
    family, kind, protocol, _, address = found[0]
    return family, kind, protocol, address


def bind(host: str, port: int, backlog: int) -> Listener:
    """Listen on `host` and `port`; the kernel takes connections from now on.

    Raises:
        CallbackUnreachableError: that is not possible; the message says what to change.
    """
    try:
        family, kind, protocol, address = address_of(host, port)
        listener = Listener(family, kind, protocol)
    except OSError as error:
        raise _cannot_bind(host, port, error) from error
    try:
        if os.name == "posix":
            # Without it a port stays taken for a minute after its receiver is gone.
            listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind(address)
        listener.listen(backlog)
        listener.setblocking(False)
    except OSError as error:
        listener.close()
        raise _cannot_bind(host, port, error) from error
    return listener


def _cannot_bind(host: str, port: int, error: OSError) -> CallbackUnreachableError:
    words = error.strerror or str(error)
    if error.errno == errno.EADDRINUSE:
        advice = (
            "another process has this address. Set callback_port=0 to take any free port, and "
            "write {port} for the port in callback_url"
        )
    else:
        advice = "set callback_host to an address of this machine, and callback_port to a free port"
    return CallbackUnreachableError(
        f"Wove cannot receive callbacks on {host} port {port}: {words}; {advice}.", reason=words
    )
