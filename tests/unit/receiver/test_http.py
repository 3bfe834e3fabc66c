"""The response table and the protocol's rules over real sockets."""

from __future__ import annotations

import json
import logging
import time
from collections.abc import Callable

import pytest

from tests.unit.receiver.conftest import Place
from tests.unit.receiver.events import RUN, make, started
from tests.unit.receiver.wire import Reply, connect, path_of, post, request, until
from wove.contract import ack_from_json, event_to_json


def named(place: Place, reply: Reply) -> int:
    """The status of a reply that says who answered, as every one must."""
    assert reply.headers["Wove-Receiver"] == place.hub.receiver_id
    return reply.status


class TestTheTable:
    @pytest.mark.parametrize("binary", [False, True])
    def test_accepted_and_duplicate(self, place: Place, binary: bool) -> None:
        run = place.open()
        with connect(place.receiver) as wire:
            for event in (started(), started(), make("task_result"), make("task_result")):
                reply = post(wire, place.receiver, event, binary=binary)
                assert (named(place, reply), reply.body) == (204, b"")
        assert run.cause == "task_result"
        assert place.sink.wait_for(2) == [(RUN, "task_started"), (RUN, "task_result")]

    def test_no_content_type_is_json(self, place: Place) -> None:
        place.open()
        with connect(place.receiver) as wire:
            wire.send(request(path_of(place.receiver), event_to_json(make("task_result"))))
            assert named(place, wire.reply()) == 204

    def test_cancel_is_a_200_with_the_acknowledgement_as_json(self, place: Place) -> None:
        place.open()
        with connect(place.receiver) as wire:
            post(wire, place.receiver, started())
            place.hub.request_cancel(RUN)
            reply = post(wire, place.receiver, make("heartbeat"))
        assert named(place, reply) == 200
        assert reply.headers["Content-Type"] == "application/json"
        ack = ack_from_json(reply.body)
        assert (ack.cancel.run_id, ack.cancel.task_id) == (RUN, "report")

    @pytest.mark.parametrize(
        "body",
        [
            b"",
            b"{",
            b"[]",
            b"\xff",
            b'{"type": "task_result", "run_id": "run-1", "task_id": "report"}',
            b'{"type": "task_result", "run_id": 7, "result": 1}',
            b"[" * 100_000,
        ],
    )
    def test_what_is_no_event_is_400_and_the_connection_stays(
        self, place: Place, body: bytes
    ) -> None:
        run = place.open()
        with connect(place.receiver) as wire:
            assert named(place, post(wire, place.receiver, body)) == 400
            assert named(place, post(wire, place.receiver, make("heartbeat"))) == 204
        assert run.state == "open"

    def test_no_protobuf_is_400(self, place: Place) -> None:
        with connect(place.receiver) as wire:
            assert named(place, post(wire, place.receiver, b"\xff\xff", binary=True)) == 400

    def test_wrong_token_is_404(self, place: Place) -> None:
        run = place.open()
        with connect(place.receiver) as wire:
            reply = post(wire, place.receiver, make("task_result"), path="/wove/events/no")
            assert named(place, reply) == 404
            assert named(place, post(wire, place.receiver, make("heartbeat"))) == 204
        assert run.state == "open"

    def test_another_terminal_event_is_409(self, place: Place) -> None:
        place.open()
        with connect(place.receiver) as wire:
            post(wire, place.receiver, make("task_result"))
            assert named(place, post(wire, place.receiver, make("task_error"))) == 409

    def test_an_unknown_run_is_410(self, place: Place) -> None:
        with connect(place.receiver) as wire:
            assert named(place, post(wire, place.receiver, make("task_result"))) == 410

    def test_another_receivers_run_or_token_is_421(self, place: Place) -> None:
        elsewhere = {"Wove-Receiver": "another"}
        with connect(place.receiver) as wire:
            for path in (None, "/wove/events/no"):
                reply = post(
                    wire, place.receiver, make("task_result"), headers=elsewhere, path=path
                )
                assert named(place, reply) == 421

    def test_a_second_execution_is_503_with_retry_after(self, place: Place) -> None:
        place.open()
        with connect(place.receiver) as wire:
            post(wire, place.receiver, started())
            reply = post(wire, place.receiver, started(execution="x2"))
            assert named(place, reply) == 503
            assert 1 <= int(reply.headers["Retry-After"]) <= 5
            assert 0 < ack_from_json(reply.body).retry_after_seconds <= 5
            post(wire, place.receiver, make("heartbeat"))
            assert named(place, post(wire, place.receiver, started(execution="x2"))) == 409

    def test_another_content_type_is_415(self, place: Place) -> None:
        place.open()
        with connect(place.receiver) as wire:
            for headers in ({"Content-Type": "text/plain"}, {"Content-Encoding": "gzip"}):
                reply = post(wire, place.receiver, make("task_result"), headers=headers)
                assert named(place, reply) == 415
            identity = {"Content-Encoding": "Identity"}
            reply = post(wire, place.receiver, make("task_result"), headers=identity)
            assert named(place, reply) == 204

    def test_shutting_down_is_503(self, place: Place) -> None:
        place.open()
        with connect(place.receiver) as wire:
            place.hub.closing = True
            reply = post(wire, place.receiver, make("task_result"))
        assert (named(place, reply), reply.headers["Retry-After"]) == (503, "1")

    def test_a_failing_hub_is_500_and_is_logged_without_the_event(
        self, place: Place, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
    ) -> None:
        def fail(*_: object, **__: object) -> None:
            raise RuntimeError("a bug")

        monkeypatch.setattr(place.hub, "handle", fail)
        with connect(place.receiver) as wire:
            assert named(place, post(wire, place.receiver, make("task_result"))) == 500
        assert "The receiver failed on an event" in caplog.text


class TestOtherRequests:
    @pytest.mark.parametrize("method", ["GET", "PUT", "DELETE", "OPTIONS"])
    @pytest.mark.parametrize("token", ["right", "wrong"])
    def test_other_methods_are_405(self, place: Place, method: str, token: str) -> None:
        path = path_of(place.receiver) if token == "right" else "/wove/events/-"
        with connect(place.receiver) as wire:
            for _ in range(2):
                wire.send(request(path, method=method))
                reply = wire.reply(method)
                assert (named(place, reply), reply.headers["Allow"]) == (405, "POST")

    def test_head_has_no_body(self, place: Place) -> None:
        with connect(place.receiver) as wire:
            wire.send(request(path_of(place.receiver), method="HEAD"))
            wire.send(request(path_of(place.receiver), method="GET"))
            head = wire.reply("HEAD")
            assert (named(place, head), head.body) == (405, b"")
            assert int(head.headers["Content-Length"]) == len(wire.reply("GET").body)

    @pytest.mark.parametrize(
        "path", ["/", "/wove/events", "/wove/events/", "/wove/events/a/b", "/x/wove/events/a", "*"]
    )
    def test_other_paths_are_404(self, place: Place, path: str) -> None:
        with connect(place.receiver) as wire:
            wire.send(request(path))
            assert named(place, wire.reply()) == 404

    def test_a_query_and_the_absolute_form_are_understood(self, place: Place) -> None:
        place.open()
        path = path_of(place.receiver)
        with connect(place.receiver) as wire:
            for form in (path + "?from=proxy", "http://proxy:80" + path):
                assert named(place, post(wire, place.receiver, make("heartbeat"), path=form)) == 204


class TestConnections:
    def test_pipelined_requests_are_answered_in_order_with_one_write(self, place: Place) -> None:
        place.open()
        path = path_of(place.receiver)
        with connect(place.receiver) as wire:
            wire.send(
                request(path, event_to_json(started()))
                + request("/nowhere")
                + request(path, b"{")
                + request(path, event_to_json(make("task_result")))
                + request(path, event_to_json(make("task_error")))
            )
            assert [wire.reply().status for _ in range(5)] == [204, 404, 400, 204, 409]
        assert place.sink.wait_for(2) == [(RUN, "task_started"), (RUN, "task_result")]

    def test_events_read_together_reach_the_sink_as_one_batch(self, place: Place) -> None:
        place.open()
        body = [event_to_json(make("progress", seq=n)) for n in range(1, 21)]
        with connect(place.receiver) as wire:
            wire.send(b"".join(request(path_of(place.receiver), each) for each in body))
            place.sink.wait_for(20)
        assert len(place.sink.batches) < 20

    def test_byte_by_byte(self, place: Place) -> None:
        place.open()
        with connect(place.receiver) as wire:
            for byte in request(path_of(place.receiver), event_to_json(make("task_result"))):
                wire.send(bytes([byte]))
            assert wire.reply().status == 204

    def test_chunked(self, place: Place) -> None:
        place.open()
        body = event_to_json(make("task_result"))
        head = f"POST {path_of(place.receiver)} HTTP/1.1\r\nHost: x\r\n"
        with connect(place.receiver) as wire:
            wire.send(head.encode() + b"Transfer-Encoding: chunked\r\n\r\n")
            for piece in (body[:10], body[10:]):
                wire.send(b"%x\r\n%s\r\n" % (len(piece), piece))
            wire.send(b"0\r\n\r\n")
            assert wire.reply().status == 204

    def test_connection_close_is_honoured_at_once(self, place: Place) -> None:
        place.open()
        headers = {"Connection": "close"}
        with connect(place.receiver) as wire:
            begin = time.monotonic()
            reply = post(wire, place.receiver, make("task_result"), headers=headers)
            assert (reply.status, reply.headers["Connection"]) == (204, "close")
            assert wire.rest() == b""
            assert time.monotonic() - begin < 4  # it did not wait for the caller to close

    def test_http_1_0(self, place: Place) -> None:
        place.open()
        body = event_to_json(make("task_result"))
        with connect(place.receiver) as wire:
            head = f"POST {path_of(place.receiver)} HTTP/1.0\r\nContent-Length: {len(body)}\r\n\r\n"
            wire.send(head.encode() + body)
            assert wire.rest().startswith(b"HTTP/1.1 204 ")

    def test_expect_100_continue(self, place: Place) -> None:
        place.open()
        body = event_to_json(make("task_result"))
        with connect(place.receiver) as wire:
            wire.send(
                request(path_of(place.receiver), body, headers={"Expect": "100-continue"})[
                    : -len(body)
                ]
            )
            assert wire.sock.recv(1024) == b"HTTP/1.1 100 Continue\r\n\r\n"
            wire.send(body)
            assert wire.reply().status == 204

    def test_expect_is_answered_with_the_refusal(self, place: Place) -> None:
        with connect(place.receiver) as wire:
            head = request("/wove/events/no", b"x" * 10, headers={"Expect": "100-continue"})[:-10]
            wire.send(head)
            reply = wire.reply()
            assert (reply.status, reply.headers["Connection"]) == (404, "close")

    def test_another_expectation_is_417(self, place: Place) -> None:
        with connect(place.receiver) as wire:
            wire.send(request(path_of(place.receiver), headers={"Expect": "tea"}))
            assert wire.reply().status == 417

    def test_many_offers_in_one_read_are_refused(
        self, place: Place, caplog: pytest.LogCaptureFixture
    ) -> None:
        with connect(place.receiver) as wire:
            offer = b"GET / HTTP/1.1\r\nConnection: upgrade\r\nUpgrade: h2c\r\n\r\n"
            wire.send(offer * 4500)
            assert wire.rest().count(b"HTTP/1.1 ") <= 3
        assert caplog.records == []

    def test_an_offered_upgrade_is_ignored(self, place: Place) -> None:
        place.open()
        h2c = {
            "Connection": "Upgrade, HTTP2-Settings",
            "Upgrade": "h2c",
            "HTTP2-Settings": "AAMAAAB",
        }
        with connect(place.receiver) as wire:
            assert post(wire, place.receiver, make("task_result"), headers=h2c).status == 204
            assert post(wire, place.receiver, make("task_error"), headers=h2c).status == 409

    def test_connect_is_refused(self, place: Place) -> None:
        with connect(place.receiver) as wire:
            wire.send(b"CONNECT example.org:443 HTTP/1.1\r\nHost: example.org:443\r\n\r\n")
            assert wire.reply().status == 405

    @pytest.mark.parametrize(
        "junk",
        [
            b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03",
            b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
            b"POST /wove/events/a HTTP/1.1\r\nContent-Length: nine\r\n\r\n",
            b"POST /wove/events/a HTTP/1.1\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\nx",
            b"POST / HTTP/1.1\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n",
            b"POST /wove/events/a HTTP/1.1\r\nHost: x\r\n : y\r\n\r\n",
        ],
    )
    def test_what_is_no_request_is_400_and_the_end(self, place: Place, junk: bytes) -> None:
        with connect(place.receiver) as wire:
            wire.send(junk)
            reply = wire.reply()
            assert (named(place, reply), reply.headers["Connection"]) == (400, "close")

    def test_requests_before_the_junk_are_answered(self, place: Place) -> None:
        place.open()
        with connect(place.receiver) as wire:
            wire.send(
                request(path_of(place.receiver), event_to_json(make("task_result"))) + b"junk\r\n"
            )
            assert [wire.reply().status, wire.reply().status] == [204, 400]


class TestBeatConnections:
    def test_one_that_the_peer_closes_is_a_fact_of_the_run(self, place: Place) -> None:
        run = place.open()
        with connect(place.receiver) as events, connect(place.receiver) as beats:
            post(events, place.receiver, started())
            post(beats, place.receiver, make("heartbeat"))
            assert run.beat_closed_at is None
            beats.sock.close()
            until(lambda: run.beat_closed_at is not None)
            post(events, place.receiver, make("heartbeat"))
            assert run.beat_closed_at is None

    def test_another_connection_is_no_such_fact(self, place: Place) -> None:
        run = place.open()
        with connect(place.receiver) as beats:
            post(beats, place.receiver, make("heartbeat"))
            with connect(place.receiver) as events:
                post(events, place.receiver, started())
            with connect(place.receiver) as events:  # proves that the close was seen
                post(events, place.receiver, make("log"))
            assert run.beat_closed_at is None

    def test_a_beat_that_says_connection_close_is_no_such_fact(self, place: Place) -> None:
        run = place.open()
        with connect(place.receiver) as wire:
            post(wire, place.receiver, make("heartbeat"), headers={"Connection": "close"})
            assert wire.rest() == b""
        with connect(place.receiver) as wire:
            post(wire, place.receiver, make("log"))
        assert run.heard
        assert run.beat_closed_at is None

    def test_one_that_the_receiver_closes_for_idleness_is_no_such_fact(
        self, place_with: Callable[..., Place]
    ) -> None:
        place = place_with(idle_seconds=0.2)
        run = place.open()
        with connect(place.receiver) as wire:
            post(wire, place.receiver, make("heartbeat"))
            assert wire.rest() == b""
        assert run.beat_closed_at is None


def test_neither_token_nor_body_is_logged(
    place: Place, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    caplog.set_level(logging.DEBUG)
    place.open()
    secret = b"the-body-is-secret"
    with connect(place.receiver) as wire:
        post(wire, place.receiver, secret)
        post(wire, place.receiver, make("task_result"))
        wire.send(secret + b"\r\n")
        assert wire.reply().status == 400
    text = caplog.text + json.dumps([record.__dict__ for record in caplog.records], default=str)
    assert "secret" not in text
