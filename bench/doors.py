"""The receiver's doors side by side: HTTP JSON, HTTP binary, gRPC unary, gRPC stream.

Each beside a bare server of the same kind that decodes the same message and answers.
Measured is the processor time that a server spends on an event, kernel included: unlike
the time until the answer it holds nothing of the client's, and a busy machine hardly
changes it. The time an event takes, eight of them in flight, is kept within the same
target, so that nothing is gained by waiting.

The small event is a `progress` of 200 bytes, all of one run; the large one a
`task_result` of 1 MB, each of a run of its own.
"""

from __future__ import annotations

import contextlib
import gc
import queue
import socket
import statistics
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from typing import Any

import grpc

from bench.door_servers import NAME, PATH, TOKEN
from bench.harness import ROOT, Line, report
from wove.contract import event_to_bytes, event_to_json
from wove.contract.services import PUBLISH_METHOD, STREAM_METHOD, request_from_event
from wovepb.v1.event_pb2 import Event

IN_FLIGHT = 8
MOST = 1.5
SIZES = {"200 B": 2_000, "1 MB": 96}
"""How many events of a size are sent in one go."""

Drive = Callable[[Sequence[bytes]], None]


class Server:
    """A server in a process of its own."""

    def __init__(self, kind: str) -> None:
        self._process = subprocess.Popen(
            [sys.executable, "-m", "bench.door_servers", kind],
            cwd=ROOT,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        self.ports = [int(port) for port in self._read().split()]

    def tell(self, line: str) -> float:
        """Have it do something; the seconds of processor time that it has used so far."""
        assert self._process.stdin is not None
        self._process.stdin.write(f"{line}\n")
        self._process.stdin.flush()
        return float(self._read())

    def stop(self) -> None:
        """End it."""
        self._process.communicate()

    def _read(self) -> str:
        assert self._process.stdout is not None
        return self._process.stdout.readline()


def events(size: str, count: int) -> list[Event]:
    """`count` different events."""
    made = []
    for number in range(1, count + 1):
        event = Event(
            run_id=NAME.format(0),
            task_id="bench",
            event_id=f"{number:032x}",
            execution_id="b" * 32,
            sequence=number,
            emitted_at=1.7e9 + number,
        )
        if size == "1 MB":
            event.run_id = NAME.format(number - 1)
            event.task_result.result_pickle = bytes(range(256)) * 4096
        else:
            event.progress.current = float(number)
            event.progress.total = 1e6
            event.progress.message = "working on the next part of it"
        made.append(event)
    return made


def post(body: bytes, content_type: str) -> bytes:
    """A whole request."""
    head = (
        f"POST {PATH} HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: {content_type}\r\n"
        f"Content-Length: {len(body)}\r\n\r\n"
    )
    return head.encode() + body


def _require(held: bool, what: object) -> None:
    if not held:
        raise RuntimeError(f"an event was refused, so the figures are void: {what!r}")


@contextlib.contextmanager
def over_http(port: int) -> Iterator[Drive]:
    """Whole requests over as many connections as are in flight."""
    connections = [socket.create_connection(("127.0.0.1", port)) for _ in range(IN_FLIGHT)]
    for connection in connections:
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)

    def drive(requests: Sequence[bytes]) -> None:
        for begin in range(0, len(requests), IN_FLIGHT):
            batch = requests[begin : begin + IN_FLIGHT]
            for connection, request in zip(connections, batch, strict=False):
                connection.sendall(request)
            for connection, _ in zip(connections, batch, strict=False):
                answer = b""
                while b"\r\n\r\n" not in answer:
                    piece = connection.recv(65536)
                    _require(bool(piece), answer)
                    answer += piece
                _require(answer.startswith(b"HTTP/1.1 204"), answer)

    yield drive
    for connection in connections:
        connection.close()


_CHANNEL = [("grpc.max_send_message_length", -1), ("grpc.use_local_subchannel_pool", 1)]
_METADATA = (("authorization", f"Bearer {TOKEN}"),)


@contextlib.contextmanager
def by_unary(port: int) -> Iterator[Drive]:
    """Calls of PublishEvent."""
    with grpc.insecure_channel(f"127.0.0.1:{port}", options=_CHANNEL) as channel:
        publish = channel.unary_unary(PUBLISH_METHOD)

        def drive(requests: Sequence[bytes]) -> None:
            for begin in range(0, len(requests), IN_FLIGHT):
                batch = requests[begin : begin + IN_FLIGHT]
                calls = [publish.future(request, metadata=_METADATA) for request in batch]
                for call in calls:
                    call.result()

        yield drive


@contextlib.contextmanager
def by_stream(port: int) -> Iterator[Drive]:
    """One call of StreamEvents."""
    from wovepb.v1.event_service_pb2 import StreamEventsResponse

    up: queue.SimpleQueue[bytes | None] = queue.SimpleQueue()
    with grpc.insecure_channel(f"127.0.0.1:{port}", options=_CHANNEL) as channel:
        method = channel.stream_stream(
            STREAM_METHOD, response_deserializer=StreamEventsResponse.FromString
        )
        answers: Any = method(iter(up.get, None), metadata=_METADATA)

        def drive(requests: Sequence[bytes]) -> None:
            for begin in range(0, len(requests), IN_FLIGHT):
                batch = requests[begin : begin + IN_FLIGHT]
                for request in batch:
                    up.put(request)
                for _ in batch:
                    ack = next(answers).ack
                    _require(not ack.code, ack)

        yield drive
        up.put(None)


def _json(event: Event) -> bytes:
    return post(event_to_json(event), "application/json")


def _binary(event: Event) -> bytes:
    return post(event_to_bytes(event), "application/x-protobuf")


def _request(event: Event) -> bytes:
    return request_from_event(event_to_bytes(event))


DOORS: list[tuple[str, str, int, Callable[..., Any], Callable[[Event], bytes]]] = [
    ("HTTP JSON", "aiohttp", 0, over_http, _json),
    ("HTTP binary", "aiohttp", 0, over_http, _binary),
    ("gRPC unary", "grpc", 1, by_unary, _request),
    ("gRPC stream", "grpc", 1, by_stream, _request),
]
"""Name, bare server, which of our ports, how to send, and what is sent."""


def measure(rounds: int = 7, names: Sequence[str] = ()) -> list[Line]:
    """One line for each door and size."""
    servers = {kind: Server(kind) for kind in ("wove", "aiohttp", "grpc")}
    lines = []
    try:
        for size, count in SIZES.items():
            made = events(size, count)
            for name, bare, port, sending, encode in DOORS:
                if names and name not in names:
                    continue
                requests = [encode(event) for event in made]
                with (
                    sending(servers["wove"].ports[port]) as ours,
                    sending(servers[bare].ports[0]) as theirs,
                ):
                    pairs = [(servers["wove"], ours), (servers[bare], theirs)]
                    lines.append(_line(name, size, bare, _figures(pairs, requests, rounds)))
    finally:
        for server in servers.values():
            server.stop()
    return lines


def _figures(
    pairs: list[tuple[Server, Drive]], requests: list[bytes], rounds: int
) -> list[tuple[float, float]]:
    """For each server: median processor seconds and median seconds an event."""
    found: list[list[tuple[float, float]]] = [[], []]
    for number in range(rounds + 1):
        for (server, drive), figures in zip(pairs, found, strict=True):
            gc.collect()
            used = server.tell(f"open {len(requests)}")
            begin = time.perf_counter()
            drive(requests)
            seconds = time.perf_counter() - begin
            used = server.tell("cpu") - used
            if number:
                figures.append((used / len(requests), seconds / len(requests)))
    return [
        (statistics.median(used for used, _ in figures), statistics.median(s for _, s in figures))
        for figures in found
    ]


def _line(name: str, size: str, bare: str, figures: list[tuple[float, float]]) -> Line:
    (ours, ours_wall), (theirs, theirs_wall) = figures
    ratio, wall = ours / theirs, ours_wall / theirs_wall
    server = "grpc.aio" if bare == "grpc" else bare
    return Line(
        name=f"{name}, {size}: the receiver's processor time an event",
        limit=f"a bare {server} server",
        target=f"<= {MOST}x, time too",
        ours=ours * 1e6,
        against=theirs * 1e6,
        unit="us",
        ratio=ratio,
        reached=ratio <= MOST and wall <= MOST,
        note=f"time: {ours_wall * 1e6:.0f} against {theirs_wall * 1e6:.0f} us, {wall:.2f}x",
    )


if __name__ == "__main__":
    report(measure(names=sys.argv[1:]))
