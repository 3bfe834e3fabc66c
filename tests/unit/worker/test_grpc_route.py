"""The gRPC route when its channel breaks, and where there is no receiver behind it."""

from __future__ import annotations

import socket
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import grpc
import pytest

from wove.contract.services import SERVICE, answer_from_ack
from wove.worker import grpc_channels
from wove.worker.answers import Answer, Verdict
from wove.worker.endpoint import Endpoint
from wove.worker.grpc_route import GrpcRoute
from wove.worker.messages import Body
from wove.worker.routes import HttpRoute, route_for
from wovepb.v1.ack_pb2 import EventAck
from wovepb.v1.payload_pb2 import TaskPayload

ME = "receiver-1"
BODY = Body(b"\x0a\x02r1", "application/x-protobuf")


class Elsewhere:
    """The route behind gRPC; its lines are names."""

    key = "elsewhere"

    def __init__(self, verdict: Verdict = Verdict.ACCEPTED) -> None:
        self.lines: list[Any] = []
        self.verdict = verdict

    def post(self, body: Body, *, line: Any = None, **options: Any) -> Answer:
        self.lines.append(line)
        return Answer(self.verdict, "elsewhere")

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


def serve(
    pool: ThreadPoolExecutor,
    port: int = 0,
    *,
    service: str = SERVICE,
    call: Callable[[bytes, Any], bytes] = publish,
    beats: Callable[[Iterator[bytes], Any], Iterator[bytes]] = stream,
) -> tuple[Any, int]:
    server = grpc.server(pool)
    handlers = {
        "PublishEvent": grpc.unary_unary_rpc_method_handler(call),
        "StreamEvents": grpc.stream_stream_rpc_method_handler(beats),
    }
    server.add_generic_rpc_handlers((grpc.method_handlers_generic_handler(service, handlers),))
    port = server.add_insecure_port(f"127.0.0.1:{port}")
    server.start()
    return server, port


@pytest.fixture
def pool() -> Iterator[ThreadPoolExecutor]:
    with ThreadPoolExecutor(4) as found:
        yield found


@pytest.fixture(autouse=True)
def _impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(grpc_channels, "CONNECT_SECONDS", 0.5)
    monkeypatch.setattr(grpc_channels, "AVOID_SECONDS", 0.0)
    monkeypatch.setattr(grpc_channels, "_current", grpc_channels.Channels())


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


def route_to(port: int, verdict: Verdict = Verdict.ACCEPTED, scheme: str = "grpc") -> GrpcRoute:
    return GrpcRoute(f"{scheme}://127.0.0.1:{port}/t", ME, otherwise=Elsewhere(verdict))


@pytest.fixture
def _lasting(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(grpc_channels, "AVOID_SECONDS", 60.0)


def denied(request: bytes, context: Any) -> bytes:
    context.abort(grpc.StatusCode.PERMISSION_DENIED, "who are you")
    raise AssertionError


@pytest.mark.parametrize(
    "other", [{"service": "some.Other"}, {"call": denied}], ids=["service", "denied"]
)
def test_http_takes_over_where_the_service_is_somebody_elses(
    pool: ThreadPoolExecutor, other: Any
) -> None:
    server, port = serve(pool, **other)
    route = route_to(port)
    assert route.post(BODY, timeout=5).text == "elsewhere"
    line = route.new_line()
    if "service" in other:
        assert route.post(BODY, timeout=5, line=line).text == "elsewhere"
        assert route.post(BODY, timeout=5, line=line).text == "elsewhere"
    line.close()
    server.stop(0).wait()


@pytest.mark.usefixtures("_lasting")
def test_http_takes_over_from_answers_that_are_never_a_receivers(pool: ThreadPoolExecutor) -> None:
    def nobody(request: bytes, context: Any) -> bytes:
        context.abort(grpc.StatusCode.UNAUTHENTICATED, "a balancer's")
        raise AssertionError

    server, port = serve(pool, call=nobody)
    route = route_to(port, Verdict.RETRY)
    for _ in range(grpc_channels.MAX_STRANGE):
        assert route.post(BODY, timeout=5).verdict is Verdict.RETRY
    text = route.post(BODY, timeout=5).text
    assert text == "elsewhere; by gRPC: UNAUTHENTICATED, not from a Wove receiver"
    server.stop(0).wait()


@pytest.mark.usefixtures("_lasting")
def test_some_strange_answers_between_a_receivers_change_nothing(pool: ThreadPoolExecutor) -> None:
    turns = iter(["", "no", "no", "", "no", "no", ""])

    def sometimes(request: bytes, context: Any) -> bytes:
        if next(turns):
            context.abort(grpc.StatusCode.UNKNOWN, "a balancer's")
        return publish(request, context)

    server, port = serve(pool, call=sometimes)
    route = route_to(port)
    texts = [route.post(BODY, timeout=5).text for _ in range(7)]
    assert [text[:7] for text in texts] == [
        text[:7] for text in ("OK", "UNKNOWN", "UNKNOWN", "OK", "UNKNOWN", "UNKNOWN", "OK")
    ]
    server.stop(0).wait()


@pytest.mark.usefixtures("_lasting")
@pytest.mark.parametrize("lined", [False, True])
def test_http_takes_over_from_silence_where_no_receiver_has_answered(
    pool: ThreadPoolExecutor, lined: bool
) -> None:
    release = threading.Event()

    def silent(request: bytes, context: Any) -> bytes:
        release.wait(30)
        return publish(request, context)

    def silent_stream(requests: Iterator[bytes], context: Any) -> Iterator[bytes]:
        release.wait(30)
        return stream(requests, context)

    server, port = serve(pool, call=silent, beats=silent_stream)
    route = route_to(port)
    line = route.new_line() if lined else None
    assert route.post(BODY, timeout=0.3, line=line).verdict is Verdict.RETRY
    assert route.post(BODY, timeout=0.3, line=line).text == "elsewhere"
    release.set()
    server.stop(0).wait()


def test_the_channels_that_are_kept_are_few(
    pool: ThreadPoolExecutor, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(grpc_channels, "MAX_CHANNELS", 2)
    servers = [serve(pool) for _ in range(4)]
    for _, port in servers:
        assert route_to(port).post(BODY, timeout=5).text == "OK"
    kept = [peer.address for peer in grpc_channels.channels()._open]
    assert kept == [f"127.0.0.1:{port}" for _, port in servers[2:]]
    for server, _ in servers:
        server.stop(0).wait()


def test_weaves_of_one_receiver_share_a_channel(pool: ThreadPoolExecutor) -> None:
    server, port = serve(pool)
    for token in ("one", "two"):
        route = GrpcRoute(f"grpc://127.0.0.1:{port}/{token}", ME, otherwise=Elsewhere())
        assert route.post(BODY, timeout=5).text == "OK"
    addresses = [peer.address for peer in grpc_channels.channels()._open]
    assert addresses.count(f"127.0.0.1:{port}") == 1
    server.stop(0).wait()


@pytest.mark.parametrize("variable", ["grpc_proxy", "http_proxy", "https_proxy"])
def test_no_proxy_of_the_environment_is_used(
    pool: ThreadPoolExecutor, monkeypatch: pytest.MonkeyPatch, variable: str
) -> None:
    with socket.create_server(("127.0.0.1", 0)) as proxy:
        proxy.setblocking(False)
        for name in ("no_proxy", "no_grpc_proxy"):
            monkeypatch.delenv(name, raising=False)
        monkeypatch.setenv(variable, f"http://127.0.0.1:{proxy.getsockname()[1]}")
        server, port = serve(pool)
        assert route_to(port).post(BODY, timeout=5).text == "OK"
        with pytest.raises(BlockingIOError):
            proxy.accept()
        server.stop(0).wait()


@pytest.mark.usefixtures("_lasting")
@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("WOVE_GRPC_CA", "the file that WOVE_GRPC_CA names cannot be read: /no/such.pem: No such"),
        ("WOVE_GRPC_CERTIFICATE", "the file that WOVE_GRPC_CERTIFICATE names cannot be read"),
        ("WOVE_GRPC_PRIVATE_KEY", "the file that WOVE_GRPC_PRIVATE_KEY names cannot be read"),
    ],
)
def test_a_missing_certificate_is_named_and_http_is_used(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture, name: str, words: str
) -> None:
    monkeypatch.setenv(name, "/no/such.pem")
    route = route_to(1, Verdict.RETRY, "grpcs")
    assert f"elsewhere; by gRPC: {words}" in route.post(BODY, timeout=5).text
    assert words in caplog.text
    assert type(route.new_line()).__name__ == "Spare"


@pytest.mark.parametrize("name", ["WOVE_GRPC_CERTIFICATE", "WOVE_GRPC_PRIVATE_KEY"])
@pytest.mark.usefixtures("_lasting")
def test_a_certificate_without_its_key_does_not_end_the_process(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Any, name: str
) -> None:
    file = tmp_path / "one.pem"
    file.write_text("-----BEGIN X-----\n-----END X-----\n")
    monkeypatch.setenv(name, str(file))
    text = route_to(2, Verdict.RETRY, "grpcs").post(BODY, timeout=5).text
    assert "go together: set both, or neither" in text


@pytest.mark.parametrize(
    "url",
    ["grpc://", "grpc://[half:1/t", "ftp://host:1/t", "grpc://host:99999/t", "grpc://h:1/%0a"],
)
def test_an_address_that_is_none_is_not_used(url: str, caplog: pytest.LogCaptureFixture) -> None:
    endpoint = Endpoint.parse("http://127.0.0.1:1/wove/events/t")
    payload = TaskPayload(callback_grpc=url, receiver_id=ME)
    assert isinstance(route_for(payload, endpoint), HttpRoute)
    assert "callback_grpc cannot be used" in caplog.text
    assert url not in caplog.text
