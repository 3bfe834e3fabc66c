"""The gRPC door: the same answers as over HTTP, in gRPC's words."""

from __future__ import annotations

import os
import subprocess
import sys
import textwrap
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import grpc
import pytest

from tests.certificates import Authority
from tests.unit.receiver.calls import LOCAL, Client
from tests.unit.receiver.conftest import Place
from tests.unit.receiver.events import RUN, make, started
from tests.unit.receiver.wire import LIMIT, connect, post, until
from wove.contract import event_to_bytes
from wove.contract.services import (
    SERVICE,
    request_from_event,
)
from wove.errors import CallbackUnreachableError
from wove.receiver.grpc_settings import GrpcSettings
from wove.receiver.limits import Limits
from wove.receiver.server import Receiver
from wove.receiver.service import Service
from wove.receiver.settings import CallbackSettings
from wovepb.v1.event_service_pb2 import (
    PublishEventRequest,
    StreamEventsRequest,
)

pytestmark = pytest.mark.slow


@pytest.fixture
def client(place: Place) -> Iterator[Client]:
    client = Client(place, place.service.grpc_port(LOCAL))
    yield client
    client.channel.close()


class TestEncoding:
    @pytest.mark.parametrize("size", [0, 1, 127, 128, 300, 70_000])
    def test_the_request_is_the_message(self, size: int) -> None:
        event = make("progress")
        event.progress.message = "x" * size
        expected = PublishEventRequest(event=event).SerializeToString()
        assert request_from_event(event_to_bytes(event)) == expected
        assert expected == StreamEventsRequest(event=event).SerializeToString()


class TestTable:
    def test_accepted(self, place: Place, client: Client) -> None:
        place.open()
        ack = client.publish(started())
        assert (ack.code, ack.event_id) == (0, started().event_id)
        assert ack.receiver_id == place.hub.receiver_id
        client.publish(make("task_result"))
        assert place.sink.wait_for(2) == [(RUN, "task_started"), (RUN, "task_result")]

    def test_a_duplicate_is_accepted_and_delivered_once(self, place: Place, client: Client) -> None:
        place.open()
        for _ in range(3):
            assert client.publish(make("task_result")).code == 0
        assert place.sink.wait_for(1) == [(RUN, "task_result")]

    def test_the_answer_asks_to_cancel(self, place: Place, client: Client) -> None:
        place.open()
        client.publish(started())
        place.hub.request_cancel(RUN)
        assert client.publish(make("heartbeat")).cancel.run_id == RUN

    @pytest.mark.parametrize("request_", [b"", b"\x0a\x00", b"garbage", b"\x0a\x02\x0a\x00"])
    def test_invalid(self, place: Place, client: Client, request_: bytes) -> None:
        place.open()
        code, trailing = client.refused(request_)
        assert code is grpc.StatusCode.INVALID_ARGUMENT
        assert trailing["wove-receiver"] == place.hub.receiver_id

    def test_invalid_is_told_where_and_why(self, place: Place, client: Client) -> None:
        place.open()
        words = "the event is invalid: missing_value: task_result: expected result_pickle or"
        bare = make("heartbeat")
        bare.task_result.SetInParent()
        with pytest.raises(grpc.RpcError) as caught:
            client.publish(bare)
        assert caught.value.details() == f"{words} result_json"
        assert client.stream().ack(bare).message == f"{words} result_json"

    @pytest.mark.parametrize("header", ["Bearer wrong", "Basic secret-token", "", "Bearer "])
    def test_a_wrong_token(self, place: Place, client: Client, header: str) -> None:
        place.open()
        stranger = Client(place, place.service.grpc_port(LOCAL), authorization=header)
        code, trailing = stranger.refused(make("task_result"))
        assert code is grpc.StatusCode.UNAUTHENTICATED
        assert trailing["wove-receiver"] == place.hub.receiver_id
        stranger.channel.close()

    def test_another_receivers_token(self, place: Place, client: Client) -> None:
        stranger = Client(
            place, place.service.grpc_port(LOCAL), authorization="Bearer x", wove_receiver="other"
        )
        assert stranger.refused(make("task_result"))[0] is grpc.StatusCode.ABORTED
        stranger.channel.close()

    def test_another_terminal_event(self, place: Place, client: Client) -> None:
        place.open()
        client.publish(make("task_result"))
        assert client.refused(make("task_error"))[0] is grpc.StatusCode.FAILED_PRECONDITION

    def test_an_unknown_run(self, place: Place, client: Client) -> None:
        place.open()
        code, _ = client.refused(make("task_result", run="nobody"))
        assert code is grpc.StatusCode.NOT_FOUND

    def test_another_execution_waits(self, place: Place, client: Client) -> None:
        place.open()
        client.publish(started())
        code, trailing = client.refused(started(execution="x2"))
        assert code is grpc.StatusCode.UNAVAILABLE
        assert 0 < float(trailing["retry-after"]) <= 5

    def test_too_large(self, place_with: Callable[..., Place]) -> None:
        place = place_with(body_bytes=10_000)
        place.open()
        client = Client(place, place.service.grpc_port(LOCAL))
        event = make("task_result")
        event.task_result.result_pickle = b"x" * 20_000
        assert client.refused(event)[0] is grpc.StatusCode.RESOURCE_EXHAUSTED
        event.task_result.result_pickle = b"x" * 9_000
        assert client.publish(event).code == 0
        client.channel.close()

    def test_shutting_down(self, place: Place, client: Client) -> None:
        place.open()
        place.hub.closing = True
        code, trailing = client.refused(make("heartbeat"))
        assert code is grpc.StatusCode.UNAVAILABLE
        assert trailing["retry-after"] == "1"

    def test_an_unknown_method(self, client: Client) -> None:
        with pytest.raises(grpc.RpcError) as caught:
            client.channel.unary_unary(f"/{SERVICE}/Other")(b"", timeout=LIMIT)
        assert caught.value.code() is grpc.StatusCode.UNIMPLEMENTED  # type: ignore[attr-defined]


class TestBothDoors:
    def test_an_event_that_comes_by_both_is_taken_once(self, place: Place, client: Client) -> None:
        place.open()
        with connect(place.receiver) as wire:
            for event in (started(), make("progress", seq=1), make("task_result")):
                assert post(wire, place.receiver, event).status == 204
                assert client.publish(event).code == 0
            code, _ = client.refused(make("task_error"))
            assert code is grpc.StatusCode.FAILED_PRECONDITION
        assert place.sink.kinds == [(RUN, k) for k in ("task_started", "progress", "task_result")]


class TestStream:
    def test_every_event_is_acknowledged(self, place: Place, client: Client) -> None:
        place.open()
        call = client.stream()
        for event in (started(), make("heartbeat"), make("progress", seq=3), make("task_result")):
            ack = call.ack(event)
            assert (ack.code, ack.event_id) == (0, event.event_id)
        call.end()
        kinds = [kind for _, kind in place.sink.wait_for(4)]
        assert kinds == ["task_started", "heartbeat", "progress", "task_result"]

    def test_a_refusal_does_not_end_the_call(self, place: Place, client: Client) -> None:
        place.open()
        call = client.stream()
        invalid = call.ack(b"\x0a\x00")
        assert invalid.code == grpc.StatusCode.INVALID_ARGUMENT.value[0]
        unknown = call.ack(make("task_result", run="nobody"))
        assert unknown.code == grpc.StatusCode.NOT_FOUND.value[0]
        call.ack(started())
        second = call.ack(started(execution="x2"))
        assert second.code == grpc.StatusCode.UNAVAILABLE.value[0]
        assert 0 < second.retry_after_seconds <= 5
        assert call.ack(make("task_result")).code == 0
        call.end()

    def test_a_wrong_token_ends_it(self, place: Place, client: Client) -> None:
        stranger = Client(place, place.service.grpc_port(LOCAL), authorization="Bearer x")
        with pytest.raises(grpc.RpcError) as caught:
            stranger.stream().ack(make("heartbeat"))
        assert caught.value.code() is grpc.StatusCode.UNAUTHENTICATED  # type: ignore[attr-defined]
        stranger.channel.close()

    def test_a_cancel_comes_down_at_once(self, place: Place, client: Client) -> None:
        place.open()
        place.open("run-2")
        call = client.stream()
        call.ack(started())
        call.ack(make("heartbeat", run="run-2"))
        place.hub.request_cancel(RUN)
        told = call.next().cancel_task
        assert (told.run_id, told.task_id) == (RUN, "report")
        assert call.ack(make("heartbeat")).cancel.run_id == RUN
        call.end()

    def test_a_detached_run_is_left_alone(self, place: Place, client: Client) -> None:
        place.open(detached=True)
        call = client.stream()
        call.ack(started())
        place.hub.request_cancel(RUN)
        assert not call.ack(make("heartbeat")).HasField("cancel")
        call.end()

    def test_the_end_of_the_call_is_a_reason_to_ask(self, place: Place, client: Client) -> None:
        run = place.open()
        call = client.stream()
        call.ack(started())
        call.ack(make("heartbeat"))
        assert run.tell is not None
        call.down.cancel()
        until(lambda: run.beat_closed_at is not None)
        until(lambda: run.tell is None)

    def test_our_own_end_of_the_call_says_nothing(self, place_with: Callable[..., Place]) -> None:
        place = place_with(idle_seconds=0.3)
        client = Client(place, place.service.grpc_port(LOCAL))
        run = place.open()
        call = client.stream()
        call.ack(started())
        with pytest.raises(grpc.RpcError):
            call.next()
        assert run.beat_closed_at is None
        client.channel.close()

    def test_a_stream_does_not_remember_the_runs_that_are_over(
        self, place: Place, client: Client
    ) -> None:
        call = client.stream()
        for number in range(300):
            place.open(f"run-{number}")
            assert call.ack(make("heartbeat", run=f"run-{number}")).code == 0
            place.hub.close_item(f"run-{number}")
        (stream,) = place.service._door._connections
        assert len(stream._runs) < 100  # type: ignore[attr-defined]
        call.end()

    def test_too_many(self, place_with: Callable[..., Place]) -> None:
        place = place_with(connections=1)
        client = Client(place, place.service.grpc_port(LOCAL))
        place.open()
        first = client.stream()
        first.ack(started())
        with pytest.raises(grpc.RpcError) as caught:
            client.stream().ack(make("heartbeat"))
        error: Any = caught.value
        # RESOURCE_EXHAUSTED would mean that the event is too large.
        assert error.code() is grpc.StatusCode.UNAVAILABLE
        trailing = dict(error.trailing_metadata())
        assert (trailing["retry-after"], trailing["wove-receiver"]) == ("1", place.hub.receiver_id)
        assert client.publish(make("task_result")).code == 0
        first.end()
        client.channel.close()


class TestCompanions:
    def test_health(self, client: Client) -> None:
        from grpc_health.v1 import health_pb2

        method = client.channel.unary_unary(
            "/grpc.health.v1.Health/Check",
            request_serializer=lambda message: message.SerializeToString(),
            response_deserializer=health_pb2.HealthCheckResponse.FromString,
        )
        answer = method(health_pb2.HealthCheckRequest(service=SERVICE), timeout=LIMIT)
        assert answer.status == health_pb2.HealthCheckResponse.SERVING

    def test_reflection(self, client: Client) -> None:
        from grpc_reflection.v1alpha import reflection_pb2

        method = client.channel.stream_stream(
            "/grpc.reflection.v1alpha.ServerReflection/ServerReflectionInfo",
            request_serializer=lambda message: message.SerializeToString(),
            response_deserializer=reflection_pb2.ServerReflectionResponse.FromString,
        )
        asked = reflection_pb2.ServerReflectionRequest(list_services="")
        answer = next(iter(method(iter([asked]), timeout=LIMIT)))
        assert SERVICE in [each.name for each in answer.list_services_response.service]


class TestTls:
    @pytest.mark.parametrize("mutual", [False, True])
    @pytest.mark.parametrize("shown", ["ours", "a stranger's", "none"])
    def test_certificates(self, tmp_path: Path, place: Place, mutual: bool, shown: str) -> None:
        ours, theirs = Authority(tmp_path / "ours"), Authority(tmp_path / "theirs")
        certificate, key = ours.sign("server")
        settings = GrpcSettings(
            host="127.0.0.1",
            certificate=str(certificate),
            private_key=str(key),
            client_ca=str(ours.certificate) if mutual else None,
        )
        place.open()
        receiver = Receiver(place.service, CallbackSettings(grpc=settings), "secret-token")
        assert receiver.grpc_url is not None
        assert receiver.grpc_url.startswith("grpcs://127.0.0.1:")
        environment = {"WOVE_GRPC_CA": str(ours.certificate)}
        if shown != "none":
            mine, my_key = (ours if shown == "ours" else theirs).sign("worker")
            environment |= {
                "WOVE_GRPC_CERTIFICATE": str(mine),
                "WOVE_GRPC_PRIVATE_KEY": str(my_key),
            }
        answered = self._post(receiver, place, environment)
        assert answered == ("accepted" if shown == "ours" or not mutual else "otherwise")

    def test_another_authority_is_not_believed(self, tmp_path: Path, place: Place) -> None:
        ours, theirs = Authority(tmp_path / "ours"), Authority(tmp_path / "theirs")
        certificate, key = ours.sign("server")
        settings = GrpcSettings(
            host="127.0.0.1", certificate=str(certificate), private_key=str(key)
        )
        place.open()
        receiver = Receiver(place.service, CallbackSettings(grpc=settings), "secret-token")
        environment = {"WOVE_GRPC_CA": str(theirs.certificate)}
        assert self._post(receiver, place, environment) == "otherwise"

    @staticmethod
    def _post(receiver: Receiver, place: Place, environment: dict[str, str]) -> str:
        """What a worker's route makes of it, in a process of its own."""
        code = """
            import sys
            from wove.worker.answers import Answer, Verdict
            from wove.worker.grpc_route import GrpcRoute
            from wove.worker.messages import Body

            class Otherwise:
                def post(self, body, **_):
                    return Answer(Verdict.REFUSED, "otherwise")

            url, receiver, event = sys.argv[1:]
            route = GrpcRoute(url, receiver, otherwise=Otherwise())
            answer = route.post(Body(bytes.fromhex(event), "application/x-protobuf"), timeout=10)
            print("accepted" if answer.verdict is Verdict.ACCEPTED else answer.text)
        """
        event = event_to_bytes(make("task_result")).hex()
        url = receiver.grpc_url or ""
        done = subprocess.run(
            [sys.executable, "-c", textwrap.dedent(code), url, place.hub.receiver_id, event],
            env={**os.environ, **environment, "PYTHONPATH": os.pathsep.join(sys.path)},
            capture_output=True,
            text=True,
            timeout=3 * LIMIT,
            check=False,
        )
        assert done.returncode == 0, done.stderr
        return done.stdout.strip()

    def test_a_file_that_is_not_there(self, place: Place) -> None:
        settings = GrpcSettings(host="127.0.0.1", certificate="/nowhere", private_key="/nowhere")
        words = r"callback_grpc_\w+ cannot.*nowhere"
        with pytest.raises(CallbackUnreachableError, match=words) as caught:
            place.service.grpc_port(settings)
        assert "callback_grpc_port" not in str(caught.value)  # it is not about the port

    @pytest.mark.parametrize("wrong", ["private_key", "client_ca"])
    def test_files_that_do_not_fit(self, tmp_path: Path, place: Place, wrong: str) -> None:
        ours = Authority(tmp_path / "ours")
        (certificate, key), (_, other) = ours.sign("server"), ours.sign("other")
        files = {"certificate": certificate, "private_key": key, "client_ca": ours.certificate}
        files[wrong] = other
        settings = GrpcSettings(host="127.0.0.1", **{name: str(at) for name, at in files.items()})
        words = rf"callback_grpc_{wrong} \({other}\) must be"
        with pytest.raises(CallbackUnreachableError, match=words) as caught:
            place.service.grpc_port(settings)
        assert "callback_grpc_port" not in str(caught.value)


class TestService:
    def test_one_door_for_equal_settings(self, place: Place) -> None:
        assert place.service.grpc_port(LOCAL) == place.service.grpc_port(
            GrpcSettings(host="127.0.0.1")
        )

    def test_what_workers_are_told_is_no_door_of_its_own(self, place: Place) -> None:
        port = place.service.grpc_port(LOCAL)
        for settings in (
            GrpcSettings(host="127.0.0.1", address="workers.example:443"),
            GrpcSettings(host="127.0.0.1", port=port),
        ):
            assert place.service.grpc_port(settings) == port

    def test_a_port_that_is_taken(self, place: Place) -> None:
        with pytest.raises(CallbackUnreachableError, match=r"callback_grpc_port=0"):
            place.service.grpc_port(GrpcSettings(host="127.0.0.1", port=place.receiver.port))

    def test_stopping_ends_open_calls_soon(self) -> None:
        service = Service("127.0.0.1", 0, Limits())
        place = Place(service, Receiver(service, CallbackSettings(), "secret-token"))
        client = Client(place, service.grpc_port(LOCAL))
        place.open()
        call = client.stream()
        call.ack(started())
        service.stop()
        with pytest.raises(grpc.RpcError):
            call.next()
        client.channel.close()

    def test_a_forked_child_holds_no_socket_of_it(self) -> None:
        code = """
            import os, socket
            from wove.receiver.server import receiver_for
            from wove.receiver.settings import CallbackSettings
            settings = CallbackSettings.from_config({"callback_grpc": True})
            receiver = receiver_for(settings)
            port = int(receiver.grpc_url.split(":")[2].split("/")[0])
            wire = socket.create_connection(("127.0.0.1", port))
            wire.recv(1)  # accepted: the server has sent its settings
            pid = os.fork()
            if pid == 0:
                held = 0
                for fd in range(3, 256):
                    try:
                        name = socket.socket(fileno=os.dup(fd)).getsockname()
                    except OSError:
                        continue
                    held += isinstance(name, tuple) and name[1] == port
                os._exit(held)
            assert os.waitpid(pid, 0)[1] == 0, "a child holds a socket of the receiver"
            print("done")
        """
        done = subprocess.run(
            [sys.executable, "-c", textwrap.dedent(code)],
            env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)},
            capture_output=True,
            text=True,
            timeout=3 * LIMIT,
            check=False,
        )
        assert done.stdout == "done\n", done.stderr


class TestSettings:
    def read(self, **config: Any) -> GrpcSettings | None:
        given = {
            f"callback_grpc_{name}" if name else "callback_grpc": v for name, v in config.items()
        }
        return CallbackSettings.from_config(given).grpc

    def test_off(self) -> None:
        assert CallbackSettings.from_config({}).grpc is None
        assert CallbackSettings.from_config({"callback_grpc": False}).grpc is None

    @pytest.mark.parametrize(
        ("told", "url"),
        [
            (True, "grpc://127.0.0.1:7/a%2Fb"),
            ("web:9011", "grpc://web:9011/a%2Fb"),
            ("grpcs://web:443", "grpcs://web:443/a%2Fb"),
            ("{host}:{port}", "grpc://127.0.0.1:7/a%2Fb"),
        ],
    )
    def test_what_workers_are_told(self, told: object, url: str) -> None:
        settings = CallbackSettings.from_config({"callback_grpc": told}).grpc
        assert settings is not None
        assert settings.url(7, "a/b") == url

    def test_the_address_to_bind_is_https_without_one_of_its_own(self) -> None:
        config = {"callback_grpc": True, "callback_host": "0.0.0.0"}
        settings = CallbackSettings.from_config(config).grpc
        assert settings is not None
        assert settings.host == "0.0.0.0"

    @pytest.mark.parametrize(
        ("config", "words"),
        [
            ({"callback_grpc": 5}, "callback_grpc must be True, or an address"),
            ({"callback_grpc": "http://web:1"}, "callback_grpc must be host:port"),
            ({"callback_grpc": "web:1/path"}, "without a path"),
            ({"callback_grpc": "{name}:1"}, r"callback_grpc has \{name\}"),
            ({"callback_grpc": True, "callback_grpc_port": -1}, "callback_grpc_port must be"),
            ({"callback_grpc": True, "callback_grpc_certificate": "x"}, "go together"),
            ({"callback_grpc": True, "callback_grpc_client_ca": "x"}, "callback_grpc_client_ca"),
            ({"callback_grpc": True, "callback_grpc_certificate": 5}, "path of a PEM file"),
        ],
    )
    def test_what_cannot_be_right(self, config: dict[str, Any], words: str) -> None:
        with pytest.raises((TypeError, ValueError), match=words):
            CallbackSettings.from_config(config)
