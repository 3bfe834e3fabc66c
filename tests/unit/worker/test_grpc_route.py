"""The gRPC route when its channel breaks."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import grpc
import pytest

from wove.contract.services import SERVICE, answer_from_ack
from wove.worker import grpc_route
from wove.worker.answers import Answer, Verdict
from wove.worker.grpc_route import GrpcRoute
from wove.worker.messages import Body
from wovepb.v1.ack_pb2 import EventAck

ME = "receiver-1"
BODY = Body(b"\x0a\x02r1", "application/x-protobuf")


class Elsewhere:
    """The route behind gRPC; its lines are names."""

    key = "elsewhere"

    def __init__(self) -> None:
        self.lines: list[Any] = []

    def post(self, body: Body, *, line: Any = None, **options: Any) -> Answer:
        self.lines.append(line)
        return Answer(Verdict.ACCEPTED, "elsewhere")

    def new_line(self) -> Any:
        class Spare:
            closed = False

            def close(self) -> None:
                self.closed = True

        return Spare()


def publish(request: bytes, context: Any) -> bytes:
    context.send_initial_metadata((("wove-receiver", ME),))
    return answer_from_ack(EventAck(receiver_id=ME))


def stream(requests: Iterator[bytes], context: Any) -> Iterator[bytes]:
    for _ in requests:
        yield answer_from_ack(EventAck(receiver_id=ME), stream=True)


def serve(pool: ThreadPoolExecutor, port: int = 0) -> tuple[Any, int]:
    server = grpc.server(pool)
    handlers = {
        "PublishEvent": grpc.unary_unary_rpc_method_handler(publish),
        "StreamEvents": grpc.stream_stream_rpc_method_handler(stream),
    }
    server.add_generic_rpc_handlers((grpc.method_handlers_generic_handler(SERVICE, handlers),))
    port = server.add_insecure_port(f"127.0.0.1:{port}")
    server.start()
    return server, port


@pytest.fixture
def pool() -> Iterator[ThreadPoolExecutor]:
    with ThreadPoolExecutor(4) as found:
        yield found


@pytest.fixture(autouse=True)
def _impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(grpc_route, "CONNECT_SECONDS", 0.5)
    monkeypatch.setattr(grpc_route, "AVOID_SECONDS", 0.0)


def test_http_takes_over_when_the_channel_is_lost_and_gives_back(pool: ThreadPoolExecutor) -> None:
    server, port = serve(pool)
    elsewhere = Elsewhere()
    route = GrpcRoute(f"grpc://127.0.0.1:{port}/t", ME, otherwise=elsewhere)
    line = route.new_line()
    for way in (None, line):
        assert route.post(BODY, timeout=5, line=way).text == "OK"
    server.stop(0).wait()
    for way in (None, line):
        answer = route.post(BODY, timeout=5, line=way)
        assert (answer.verdict, answer.status) == (Verdict.RETRY, 503)
    for way in (None, line):
        assert route.post(BODY, timeout=5, line=way).text == "elsewhere"
    unlined, spare = elsewhere.lines
    assert unlined is None
    assert spare is not line  # HTTP has beats on a connection of their own, too
    server, _ = serve(pool, port)
    for way in (None, line):
        assert route.post(BODY, timeout=5, line=way).text == "OK"
    line.close()
    assert spare.closed
    server.stop(0).wait()
