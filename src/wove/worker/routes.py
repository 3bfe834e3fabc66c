"""Ways to a receiver: one event goes there, and its answer comes back, judged."""

from __future__ import annotations

import functools
import importlib.util
import logging
from collections.abc import Callable, Hashable
from typing import TYPE_CHECKING, Protocol

from wove import __version__
from wove.worker.answers import Answer, Verdict, judge
from wove.worker.endpoint import Endpoint
from wove.worker.transport import Transport, is_wrapped, new_transport, shared_transport

if TYPE_CHECKING:
    from wove.worker.messages import Body
    from wovepb.v1.payload_pb2 import TaskPayload

__all__ = ["HttpRoute", "Line", "Route", "route_for"]

_log = logging.getLogger(__name__)


class Line(Protocol):
    """A connection of its own, for heartbeats."""

    on_cancel: Callable[[str], None]
    """Called with a run id when the receiver asks to stop it out of turn; from any thread."""

    @property
    def pushes(self) -> bool:
        """The receiver can ask out of turn, once there has been a beat."""
        ...

    def close(self) -> None:
        """Close it."""
        ...


class Route(Protocol):
    """The way from one execution to its receiver. Any thread may use it."""

    @property
    def key(self) -> Hashable:
        """Equal for routes whose heartbeats may share a line."""
        ...

    def post(
        self, body: Body, *, timeout: float, fresh: bool = False, line: Line | None = None
    ) -> Answer:
        """One try. Having no answer is an answer too: `Verdict.RETRY`.

        Args:
            body: the event; the same on every try.
            timeout: seconds after which it is given up.
            fresh: use a new connection.
            line: use this one, which `new_line` of a route of the same key has made.
        """
        ...

    def new_line(self) -> Line:
        """A connection of its own."""
        ...


class _HttpLine:
    """Heartbeats' own pool of connections, of which one is used."""

    pushes = False

    def __init__(self) -> None:
        self.transport = new_transport()
        self.on_cancel: Callable[[str], None] = lambda run_id: None

    def close(self) -> None:
        """See `Line`."""
        self.transport.close()


class HttpRoute:
    """HTTP POST to the callback URL.

    Args:
        endpoint: the callback URL in parts.
        receiver_id: the payload's; empty if it has none.
        transport: carries the requests; by default the process's own.
    """

    def __init__(
        self, endpoint: Endpoint, receiver_id: str = "", transport: Transport | None = None
    ) -> None:
        self._endpoint = endpoint
        self._receiver_id = receiver_id
        self._transport = transport or shared_transport()

    @property
    def key(self) -> Hashable:
        """See `Route`."""
        return self._endpoint.address

    def post(
        self, body: Body, *, timeout: float, fresh: bool = False, line: Line | None = None
    ) -> Answer:
        """See `Route`."""
        transport = line.transport if isinstance(line, _HttpLine) else self._transport
        try:
            response = transport.send(
                self._endpoint, self._request(body), timeout=timeout, fresh=fresh
            )
        except OSError as error:
            return Answer(Verdict.RETRY, f"{type(error).__name__}: {error}")
        return judge(response, self._receiver_id)

    def new_line(self) -> Line:
        """See `Route`."""
        return _HttpLine()

    def _request(self, body: Body) -> bytes:
        receiver = f"Wove-Receiver: {self._receiver_id}\r\n" if self._receiver_id else ""
        head = (
            f"POST {self._endpoint.target} HTTP/1.1\r\n"
            f"Host: {self._endpoint.authority}\r\n"
            f"User-Agent: wove/{__version__}\r\n"
            f"Content-Type: {body.content_type}\r\n"
            f"Content-Length: {len(body.data)}\r\n"
            f"{receiver}\r\n"
        )
        return head.encode("latin-1") + body.data


def route_for(payload: TaskPayload, endpoint: Endpoint, *, grpc: bool = True) -> Route:
    """A route by gRPC, with HTTP behind it, where the payload offers it and this worker can.

    Args:
        payload: what is to be run.
        endpoint: its callback URL in parts.
        grpc: False: by HTTP whatever is offered.
    """
    http = HttpRoute(endpoint, payload.receiver_id)
    # Faults that a test injects are injected into HTTP.
    wanted = grpc and payload.callback_grpc and payload.receiver_id and not is_wrapped()
    if wanted and _has_grpc():
        from wove.worker.grpc_route import GrpcRoute

        try:
            return GrpcRoute(payload.callback_grpc, payload.receiver_id, otherwise=http)
        except ValueError as error:
            _log.warning("callback_grpc cannot be used: %s; events go by HTTP", error)
    return http


@functools.lru_cache(maxsize=1)
def _has_grpc() -> bool:
    return importlib.util.find_spec("grpc") is not None
