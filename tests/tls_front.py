"""What ends TLS before a receiver, as a load balancer does."""

from __future__ import annotations

import contextlib
import socket
import ssl
import threading

from tests.certificates import Authority, Pair

PATIENCE = 10.0
"""Seconds for a handshake."""


class TlsFront:
    """Takes TLS on a free port of 127.0.0.1, and forwards what is in it to another port there.

    Args:
        upstream: the other port.
        server: the certificate that it shows.
        clients: the authority of which those who connect must show a certificate; None: any may.

    Attributes:
        port: where it listens.
        handshakes: how many were completed.
        refused: how many were not.
    """

    def __init__(self, upstream: int, server: Pair, clients: Authority | None) -> None:
        self.handshakes = 0
        self.refused = 0
        self._upstream = upstream
        self._context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        self._context.load_cert_chain(*server)
        if clients is not None:
            self._context.load_verify_locations(clients.certificate)
            self._context.verify_mode = ssl.CERT_REQUIRED
        self._listener = socket.create_server(("127.0.0.1", 0), backlog=128)
        self.port: int = self._listener.getsockname()[1]
        self._open: set[socket.socket] = set()
        self._threads = [threading.Thread(target=self._accept, name="tls-front", daemon=True)]
        self._threads[0].start()

    def close(self) -> None:
        """Cut everything."""
        _end(self._listener)
        for connection in list(self._open):
            _end(connection)
        for thread in self._threads:
            thread.join(PATIENCE)
        self._listener.close()

    def _accept(self) -> None:
        with contextlib.suppress(OSError):  # closed
            while True:
                connection, _ = self._listener.accept()
                self._open.add(connection)
                thread = threading.Thread(target=self._serve, args=(connection,), daemon=True)
                self._threads.append(thread)
                thread.start()

    def _serve(self, connection: socket.socket) -> None:
        connection.settimeout(PATIENCE)
        try:
            secure = self._context.wrap_socket(connection, server_side=True)
        except OSError:
            self.refused += 1
            connection.close()
            return
        self.handshakes += 1
        self._open.add(secure)
        with secure, socket.create_connection(("127.0.0.1", self._upstream)) as upstream:
            secure.settimeout(None)
            self._open.add(upstream)
            back = threading.Thread(target=_pour, args=(upstream, secure), daemon=True)
            back.start()
            _pour(secure, upstream)
            back.join()


def _pour(source: socket.socket, target: socket.socket) -> None:
    with contextlib.suppress(OSError):
        while data := source.recv(65536):
            target.sendall(data)
    _end(source)
    _end(target)


def _end(connection: socket.socket) -> None:
    with contextlib.suppress(OSError):
        connection.shutdown(socket.SHUT_RDWR)
