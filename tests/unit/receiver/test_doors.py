"""Bad callers at both doors: each gets its exact answer, and all others go on unharmed."""

from __future__ import annotations

import socket
import ssl
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import grpc
import pytest

from tests.certificates import Authority, Pair
from tests.unit.receiver.calls import LOCAL, Client
from tests.unit.receiver.conftest import Place
from tests.unit.receiver.events import make
from tests.unit.receiver.wire import LIMIT, Wire, connect, path_of, post, request, until
from wove.contract import event_to_json
from wove.receiver import grpc as grpc_door
from wove.receiver.grpc_settings import GrpcSettings

pytestmark = pytest.mark.slow

HONEST = "honest"
"""The run whose worker must not notice anything."""


class Bystander(threading.Thread):
    """A worker that beats over HTTP, by unary calls and on a stream, and wants every answer."""

    def __init__(self, place: Place, client: Client) -> None:
        super().__init__(name="bystander")
        self.rounds = 0
        self.trouble: list[str] = []
        self._place = place
        self._client = client
        self._over = threading.Event()

    def run(self) -> None:
        call = self._client.stream()
        beat = make("heartbeat", run=HONEST)
        try:
            with connect(self._place.receiver) as wire:
                while not self._over.is_set():
                    assert post(wire, self._place.receiver, beat).status == 204
                    assert self._client.publish(beat).code == 0
                    assert call.ack(beat).code == 0
                    self.rounds += 1
                    self._over.wait(0.002)
            call.end()
        except BaseException as error:
            self.trouble.append(repr(error))

    def goes_on(self) -> None:
        """It gets through another few rounds from now on."""
        goal = self.rounds + 3
        until(lambda: self.rounds >= goal or self.trouble)
        assert self.trouble == []

    def stop(self) -> None:
        self._over.set()
        self.join(LIMIT)
        assert not self.is_alive()
        assert self.trouble == []


@pytest.fixture
def client(place: Place) -> Iterator[Client]:
    client = Client(place, place.service.grpc_port(LOCAL))
    yield client
    client.channel.close()


@pytest.fixture
def bystander(place: Place, client: Client) -> Iterator[Bystander]:
    place.open(HONEST)
    bystander = Bystander(place, client)
    bystander.start()
    bystander.goes_on()
    yield bystander
    bystander.goes_on()
    bystander.stop()


def status_of(call: Callable[[], object]) -> Any:
    """The status code with which a call of gRPC fails."""
    with pytest.raises(grpc.RpcError) as caught:
        call()
    error: Any = caught.value
    return error.code()


def heard_of_others(place: Place) -> set[str]:
    """The runs, beside the bystander's, of which an event was taken."""
    return {run for run, _ in place.sink.kinds} - {HONEST}


class TestTokens:
    def test_http(self, place: Place, bystander: Bystander) -> None:
        place.open()
        with connect(place.receiver) as wire:
            for token in ("wrong", "secret-toke", "secret-token2", "secret%2Dtoken3", "-"):
                reply = post(
                    wire, place.receiver, make("task_result"), path=f"/wove/events/{token}"
                )
                assert reply.status == 404
                assert reply.headers["Wove-Receiver"] == place.hub.receiver_id
        assert heard_of_others(place) == set()

    @pytest.mark.parametrize(
        "header", ["Bearer wrong", "Bearer secret-toke", "secret-token", "Basic secret-token", ""]
    )
    def test_grpc(self, place: Place, bystander: Bystander, header: str) -> None:
        place.open()
        stranger = Client(place, place.service.grpc_port(LOCAL), authorization=header)
        result = make("task_result")
        refused = grpc.StatusCode.UNAUTHENTICATED
        assert status_of(lambda: stranger.publish(result)) is refused
        assert status_of(lambda: stranger.stream().ack(result)) is refused
        stranger.channel.close()
        assert heard_of_others(place) == set()


class TestSize:
    """A message over the limit; the limit itself is test_limits's and test_grpc's."""

    @pytest.fixture
    def place(self, place_with: Callable[..., Place]) -> Place:
        return place_with(body_bytes=10_000)

    def test_http(self, place: Place, bystander: Bystander) -> None:
        place.open()
        large = make("task_result")
        large.task_result.result_pickle = b"x" * 20_000
        with connect(place.receiver) as wire:
            assert post(wire, place.receiver, large, binary=True).status == 413
        with connect(place.receiver) as wire:
            assert post(wire, place.receiver, make("task_error")).status == 204
        bystander.goes_on()

    def test_grpc(self, place: Place, client: Client, bystander: Bystander) -> None:
        """On the channel of the bystander's own, whose stream goes on."""
        place.open()
        large = make("task_result")
        large.task_result.result_pickle = b"x" * 20_000
        refused = grpc.StatusCode.RESOURCE_EXHAUSTED
        assert status_of(lambda: client.publish(large)) is refused
        assert status_of(lambda: client.stream().ack(large)) is refused
        bystander.goes_on()
        assert client.stream().ack(make("task_error")).code == 0


class TestDeaf:
    """A client that sends and never reads."""

    def test_http(self, place: Place, bystander: Bystander) -> None:
        one = request(path_of(place.receiver), event_to_json(make("heartbeat")), headers={})
        place.open()
        with connect(place.receiver) as wire:
            wire.sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
            wire.sock.settimeout(0.5)
            with pytest.raises(TimeoutError):  # it is no longer read itself
                for _ in range(100_000):
                    wire.send(one * 100)
            bystander.goes_on()

    def test_grpc(
        self, place: Place, bystander: Bystander, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(grpc_door, "_WRITE_SECONDS", 0.5)
        run = place.open()
        # What it has not read must not be let in to wait with it.
        windows = [("grpc.http2.bdp_probe", 0), ("grpc.http2.lookahead_bytes", 8192)]
        deaf = Client(place, place.service.grpc_port(LOCAL), options=windows)
        call = deaf.stream()
        for _ in range(2000):
            call.send(make("heartbeat"))
        until(lambda: run.tell is not None)
        bystander.goes_on()
        until(lambda: run.tell is None)  # hung up on
        bystander.goes_on()
        assert status_of(lambda: list(call.down)) is grpc.StatusCode.UNAVAILABLE
        assert deaf.publish(make("task_result")).code == 0  # the channel itself lives on
        deaf.channel.close()


class TestMany:
    COUNT = 500

    def test_http(self, place: Place, bystander: Bystander) -> None:
        wires = [Wire(place.receiver.host, place.receiver.port) for _ in range(self.COUNT)]
        for number, wire in enumerate(wires):
            place.open(f"run-{number}")
            body = event_to_json(make("task_result", run=f"run-{number}"))
            headers = {"Content-Type": "application/json"}
            wire.send(request(path_of(place.receiver), body, headers=headers))
        assert [wire.reply().status for wire in wires] == [204] * self.COUNT
        for wire in wires:
            wire.sock.close()
        bystander.goes_on()

    @pytest.mark.parametrize("channels", [1, 20])
    def test_grpc(self, place: Place, bystander: Bystander, channels: int) -> None:
        port = place.service.grpc_port(LOCAL)
        clients = [Client(place, port) for _ in range(channels)]
        calls = []
        for number in range(self.COUNT):
            place.open(f"run-{number}")
            calls.append(clients[number % channels].stream())
        for number, call in enumerate(calls):
            call.send(make("heartbeat", run=f"run-{number}"))
        assert [call.next().ack.code for call in calls] == [0] * self.COUNT
        bystander.goes_on()  # all of them are open
        for number, call in enumerate(calls):
            assert call.ack(make("task_result", run=f"run-{number}")).code == 0
            call.end()
        for each in clients:
            each.channel.close()

    def test_one_stream_too_many(self, place_with: Callable[..., Place]) -> None:
        place = place_with(connections=self.COUNT)
        place.open()
        client = Client(place, place.service.grpc_port(LOCAL))
        calls = [client.stream() for _ in range(self.COUNT)]
        assert [call.ack(make("heartbeat")).code for call in calls] == [0] * self.COUNT
        assert status_of(lambda: client.stream().ack(make("heartbeat"))) in (
            grpc.StatusCode.RESOURCE_EXHAUSTED,  # gRPC's own count
            grpc.StatusCode.UNAVAILABLE,  # the receiver's, of both doors
        )
        assert [call.ack(make("heartbeat")).code for call in calls] == [0] * self.COUNT
        for call in calls:
            call.end()
        client.channel.close()


class TestCertificates:
    """Only gRPC's door has TLS of its own."""

    @pytest.fixture
    def ours(self, tmp_path: Path) -> Authority:
        return Authority(tmp_path / "ours")

    @pytest.fixture
    def theirs(self, tmp_path: Path) -> Authority:
        return Authority(tmp_path / "theirs")

    def port(self, place: Place, server: Pair, clients: Authority | None = None) -> int:
        settings = GrpcSettings(
            host="127.0.0.1",
            certificate=str(server.certificate),
            private_key=str(server.key),
            client_ca=None if clients is None else str(clients.certificate),
        )
        return place.service.grpc_port(settings)

    def calls(self, place: Place, port: int, trusted: Authority, shown: Pair | None = None) -> Any:
        """OK, or the status with which both methods fail for a caller."""
        tls = grpc.ssl_channel_credentials(
            trusted.certificate.read_bytes(),
            shown and shown.key.read_bytes(),
            shown and shown.certificate.read_bytes(),
        )
        caller = Client(place, port, tls=tls)
        try:
            caller.publish(make("heartbeat"))
            assert caller.stream().ack(make("heartbeat")).code == 0
        except grpc.RpcError as error:
            status: Any = error
            assert status_of(lambda: caller.stream().ack(make("heartbeat"))) is status.code()
            return status.code()
        finally:
            caller.channel.close()
        return grpc.StatusCode.OK

    def test_a_good_one(self, place: Place, bystander: Bystander, ours: Authority) -> None:
        place.open()
        port = self.port(place, ours.sign("server"))
        assert self.calls(place, port, ours) is grpc.StatusCode.OK

    @pytest.mark.parametrize("fault", ["another authority", "expired", "another host"])
    def test_of_the_server(
        self, place: Place, bystander: Bystander, ours: Authority, theirs: Authority, fault: str
    ) -> None:
        run = place.open()
        expired = fault == "expired"
        host = "DNS:elsewhere.example" if fault == "another host" else "IP:127.0.0.1"
        port = self.port(place, ours.sign("server", host=host, expired=expired))
        trusted = theirs if fault == "another authority" else ours
        assert self.calls(place, port, trusted) is grpc.StatusCode.UNAVAILABLE
        assert not run.heard

    @pytest.mark.parametrize("fault", ["none", "another authority's", "expired"])
    def test_of_the_client(
        self, place: Place, bystander: Bystander, ours: Authority, theirs: Authority, fault: str
    ) -> None:
        run = place.open()
        port = self.port(place, ours.sign("server"), clients=ours)
        shown = {
            "none": lambda: None,
            "another authority's": lambda: theirs.sign("worker"),
            "expired": lambda: ours.sign("worker", expired=True),
        }[fault]()
        assert self.calls(place, port, ours, shown) is grpc.StatusCode.UNAVAILABLE
        assert not run.heard
        assert self.calls(place, port, ours, ours.sign("good")) is grpc.StatusCode.OK

    def test_no_tls_where_it_is_asked_for(
        self, place: Place, bystander: Bystander, ours: Authority
    ) -> None:
        run = place.open()
        plain = Client(place, self.port(place, ours.sign("server")))
        refused = grpc.StatusCode.UNAVAILABLE
        assert status_of(lambda: plain.publish(make("heartbeat"))) is refused
        plain.channel.close()
        assert self.calls(place, place.service.grpc_port(LOCAL), ours) is refused
        assert not run.heard

    def test_callers_that_never_finish_the_handshake(
        self, place: Place, bystander: Bystander, ours: Authority
    ) -> None:
        place.open()
        port = self.port(place, ours.sign("server"))
        silent = [socket.create_connection(("127.0.0.1", port), timeout=LIMIT) for _ in range(200)]
        begun = _client_hello()[:40]
        for wire in silent[::2]:
            wire.sendall(begun)
        assert self.calls(place, port, ours) is grpc.StatusCode.OK
        for wire in silent:
            wire.close()


def _client_hello() -> bytes:
    """The first bytes of a TLS handshake."""
    context = ssl.create_default_context()
    incoming, outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
    wrapped = context.wrap_bio(incoming, outgoing, server_hostname="127.0.0.1")
    with pytest.raises(ssl.SSLWantReadError):
        wrapped.do_handshake()
    return outgoing.read()
