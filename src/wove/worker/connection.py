"""One HTTP/1.1 connection: a request, its answer parsed by httptools."""

from __future__ import annotations

import contextlib
import functools
import os
import select
import socket
import time
from http import HTTPStatus
from typing import TYPE_CHECKING

import httptools

if TYPE_CHECKING:
    import ssl

    from wove.worker.endpoint import Endpoint

__all__ = ["Connection", "Response"]

CONNECT_SECONDS = 10.0
LEFTOVER_SECONDS = 1.0
"""How long an answer may take that is looked for after the request could not be sent whole."""
STALL_SECONDS = 30.0
"""How long the sending of a request may go without progress."""
SLICE_BYTES = 64 * 1024
"""What is sent before it is looked again whether there is an answer already."""
MAX_ANSWER_BYTES = 1024 * 1024


class Response:
    """An answer, and httptools' protocol object while it is being parsed.

    Attributes:
        status: the HTTP status code.
        headers: by lower-case name.
        body: as received.
        complete: nothing of it is missing.
        keep_alive: the connection can take another request.
    """

    __slots__ = ("body", "complete", "headers", "keep_alive", "parser", "status")

    def __init__(self, status: int = 0) -> None:
        self.parser = httptools.HttpResponseParser(self)
        self.status = status
        self.headers: dict[str, str] = {}
        self.body = b""
        self.complete = False
        self.keep_alive = False

    def on_header(self, name: bytes, value: bytes) -> None:
        """Called by httptools."""
        self.headers[name.decode("latin-1").lower()] = value.decode("latin-1")

    def on_body(self, body: bytes) -> None:
        """Called by httptools."""
        self.body += body
        if len(self.body) > MAX_ANSWER_BYTES:
            raise ConnectionError("the answer is too large")

    def on_headers_complete(self) -> None:
        """Called by httptools."""
        self.status = self.parser.get_status_code()

    def on_message_complete(self) -> None:
        """Called by httptools, also for each interim answer (1xx), which is not the answer."""
        if self.status < 200:
            self.headers.clear()
            return
        self.complete = True
        self.keep_alive = self.parser.should_keep_alive()

    def ended(self) -> bool:
        """The connection has ended: True if that is also the end of a whole answer."""
        sized = {"content-length", "transfer-encoding"} & self.headers.keys()
        self.complete = self.complete or (self.status >= 200 and not sized)
        return self.complete


class Connection:
    """A connection to a callback's host, used by one thread at a time.

    Raises:
        OSError: from the constructor: the host could not be reached.
    """

    def __init__(self, endpoint: Endpoint, *, timeout: float) -> None:
        timeout = min(timeout, CONNECT_SECONDS)
        sock = socket.create_connection((endpoint.host, endpoint.port), timeout)
        try:
            sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            if endpoint.scheme == "https":
                sock = _tls().wrap_socket(sock, server_hostname=endpoint.host)
        except BaseException:
            sock.close()
            raise
        self._socket = sock
        self._again = _would_block(endpoint)
        self._timeout = timeout
        self._poll = select.poll()
        self._poll.register(sock, select.POLLIN)
        self.last_used = 0.0

    def exchange(self, request: bytes, *, timeout: float) -> Response:
        """Send a request and wait for its answer.

        Args:
            request: head and body.
            timeout: seconds for the whole.

        Raises:
            OSError: there was no complete answer. The connection is of no more use.
        """
        deadline = time.monotonic() + timeout
        response = Response()
        self._wait_at_most(timeout)
        whole = True
        try:
            rest = memoryview(request)
            rest = rest[self._socket.send(rest[:SLICE_BYTES]) :]
            if rest:
                whole = self._send_rest(rest, response, deadline)
        except TimeoutError:
            raise
        except OSError:
            # A receiver that refuses a body early breaks the connection; its answer, which
            # says why, is waiting to be read.
            with contextlib.suppress(OSError):
                self._wait_at_most(LEFTOVER_SECONDS)
                self._read(response, time.monotonic() + LEFTOVER_SECONDS)
                response.keep_alive = False
                return response
            raise
        self._read(response, deadline)
        response.keep_alive = response.keep_alive and whole
        return response

    def is_stale(self) -> bool:
        """The other side has closed it, or sent what nobody asked for."""
        try:
            return bool(self._poll.poll(0))
        except OSError:
            return True

    def close(self) -> None:
        """Close it. In a forked child this leaves the parent's end as it is."""
        with contextlib.suppress(OSError):
            self._socket.close()

    def _wait_at_most(self, timeout: float) -> None:
        if timeout != self._timeout:
            self._timeout = timeout
            self._socket.settimeout(timeout)

    def _send_rest(self, rest: memoryview, response: Response, deadline: float) -> bool:
        """Send until all is sent, or an answer begins, which is read as far as it is there.

        Whoever refuses a body early may neither read the rest nor close the connection.

        Returns:
            All was sent.
        """
        poll = select.poll()
        poll.register(self._socket, select.POLLIN | select.POLLOUT)
        self._wait_at_most(0)
        while rest and response.status < HTTPStatus.OK:
            ready = poll.poll(min(_left(deadline), STALL_SECONDS) * 1000)
            if not ready:
                raise TimeoutError("the request could not be sent in time")
            try:
                if ready[0][1] & ~select.POLLOUT:
                    self._receive(response)
                else:
                    rest = rest[self._socket.send(rest[:SLICE_BYTES]) :]
            except self._again:
                time.sleep(0.001)  # TLS has something to do before
        self._wait_at_most(_left(deadline))
        return not rest

    def _read(self, response: Response, deadline: float) -> None:
        while not response.complete:
            self._receive(response)
            if not response.complete:
                self._wait_at_most(_left(deadline))
        self.last_used = time.monotonic()

    def _receive(self, response: Response) -> None:
        data = self._socket.recv(65536)
        if not data:
            if response.ended():
                return
            raise ConnectionError("the connection was closed before a complete answer")
        try:
            response.parser.feed_data(data)
        except httptools.HttpParserUpgrade:
            raise ConnectionError("the answer is 101, and nothing was asked to change") from None
        except httptools.HttpParserError as error:
            raise ConnectionError(f"the answer is not HTTP: {error}") from None


def _left(deadline: float) -> float:
    """Seconds until then.

    Raises:
        TimeoutError: there are none.
    """
    left = deadline - time.monotonic()
    if left <= 0:
        raise TimeoutError("no answer in time")
    return left


def _would_block(endpoint: Endpoint) -> tuple[type[OSError], ...]:
    if endpoint.scheme != "https":
        return (BlockingIOError,)
    import ssl

    return (ssl.SSLWantReadError, ssl.SSLWantWriteError)


@functools.lru_cache(maxsize=1)
def _tls() -> ssl.SSLContext:
    """What TLS needs, from files that the worker's environment names.

    Raises:
        OSError: a file cannot be read, or is no PEM file of its kind; the message names the
            variables.
    """
    import ssl

    authorities, certificate, key = (
        os.environ.get(f"WOVE_HTTPS_{name}") or None
        for name in ("CA", "CERTIFICATE", "PRIVATE_KEY")
    )
    try:
        context = ssl.create_default_context(cafile=authorities)
    except OSError as error:
        raise OSError(f"WOVE_HTTPS_CA {authorities}: {error.strerror}") from None
    if certificate or key:
        try:
            # Without a password OpenSSL would ask the terminal for that of an encrypted key.
            context.load_cert_chain(certificate or "", key, password="")
        except OSError as error:
            raise OSError(
                f"WOVE_HTTPS_CERTIFICATE {certificate} and WOVE_HTTPS_PRIVATE_KEY {key}, which must"
                f" be a pair without a password: {error.strerror}"
            ) from None
    return context
