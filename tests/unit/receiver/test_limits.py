"""Limits on what callers send, and on the time they take."""

from __future__ import annotations

import contextlib
import socket
import subprocess
import sys
import textwrap
import time
from collections.abc import Callable

import pytest

from tests.unit.receiver.conftest import Place
from tests.unit.receiver.events import make
from tests.unit.receiver.wire import LIMIT, Reply, connect, path_of, post, request, until
from wove.contract import event_to_json


def refused(reply: Reply) -> tuple[int, str | None]:
    return reply.status, reply.headers["Connection"]


class TestBody:
    def test_an_announced_length_over_the_limit_is_413_before_the_body(
        self, place_with: Callable[..., Place]
    ) -> None:
        place = place_with(body_bytes=1000)
        with connect(place.receiver) as wire:
            wire.send(request(path_of(place.receiver), b"x" * 100_000)[:-100_000])
            assert refused(wire.reply()) == (413, "close")

    def test_a_little_over_the_limit_keeps_the_connection(
        self, place_with: Callable[..., Place]
    ) -> None:
        place = place_with(body_bytes=1000)
        place.open()
        with connect(place.receiver) as wire:
            assert post(wire, place.receiver, b"x" * 1001).status == 413
            assert post(wire, place.receiver, make("heartbeat")).status == 204

    def test_the_limit_itself_is_taken(self, place_with: Callable[..., Place]) -> None:
        body = event_to_json(make("task_result"))
        place = place_with(body_bytes=len(body))
        place.open()
        with connect(place.receiver) as wire:
            assert post(wire, place.receiver, body).status == 204

    def test_a_chunked_body_over_the_limit_is_413(self, place_with: Callable[..., Place]) -> None:
        place = place_with(body_bytes=1000)
        head = f"POST {path_of(place.receiver)} HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n"
        with connect(place.receiver) as wire:
            wire.send(head.encode() + b"1f4\r\n" + b"x" * 500 + b"\r\n")
            wire.send(b"1f5\r\n" + b"x" * 501 + b"\r\n")
            assert refused(wire.reply()) == (413, "close")

    def test_a_client_that_sends_it_all_first_can_read_the_413(
        self, place_with: Callable[..., Place]
    ) -> None:
        place = place_with(body_bytes=1000, drain_bytes=16 * 1024 * 1024)
        with connect(place.receiver) as wire:
            wire.send(request(path_of(place.receiver), b"x" * (8 * 1024 * 1024)))
            assert refused(wire.reply()) == (413, "close")

    def test_draining_is_bounded_in_bytes(self, place_with: Callable[..., Place]) -> None:
        place = place_with(body_bytes=1000, drain_bytes=100_000, drain_seconds=60)
        with connect(place.receiver) as wire, pytest.raises(ConnectionError):
            for _ in range(10_000):
                wire.send(request(path_of(place.receiver), b"x" * 100_000))

    def test_draining_is_bounded_in_time(self, place_with: Callable[..., Place]) -> None:
        place = place_with(body_bytes=1000, drain_seconds=0.2)
        with connect(place.receiver) as wire:
            wire.send(request(path_of(place.receiver), b"x" * 100_000)[:-1000])
            assert wire.rest().startswith(b"HTTP/1.1 413 ")

    def test_unfinished_bodies_of_all_callers_are_bounded(
        self, place_with: Callable[..., Place]
    ) -> None:
        place = place_with(buffered_bytes=10_000)
        place.open()
        path = path_of(place.receiver)
        with connect(place.receiver) as one, connect(place.receiver) as two:
            one.send(request(path, b"x" * 9000)[:-1000])
            two.send(request(path, b"x" * 9000)[:-1000])
            full = two.reply()
            assert refused(full) == (503, "close")
            assert full.headers["Retry-After"] == "1"
            one.send(b"x" * 1000)
            assert one.reply().status == 400
            # What was refused and what is done is given back.
            assert post(one, place.receiver, b"x" * 9000).status == 400

    def test_a_lost_connection_gives_its_share_back(self, place_with: Callable[..., Place]) -> None:
        place = place_with()
        with connect(place.receiver) as wire:
            wire.send(request(path_of(place.receiver), b"x" * 9000)[:-1000])
            until(lambda: place.service._door.buffered == 8000)
        until(lambda: place.service._door.buffered == 0)

    def test_a_wrong_tokens_body_is_not_kept(self, place_with: Callable[..., Place]) -> None:
        place = place_with(discard_bytes=1000)
        with connect(place.receiver) as wire:
            wire.send(request("/wove/events/no", b"x" * 100_000)[:-1])
            assert refused(wire.reply()) == (404, "close")
            assert place.service._door.buffered == 0


class TestHead:
    def test_too_many_bytes_in_one_header_that_never_ends(
        self, place_with: Callable[..., Place]
    ) -> None:
        place = place_with(head_bytes=4096)
        with connect(place.receiver) as wire:
            wire.send(b"POST / HTTP/1.1\r\nX: ")
            for _ in range(10):
                wire.send(b"y" * 1000)
                time.sleep(0.005)
            assert refused(wire.reply()) == (431, "close")

    def test_too_many_bytes_in_all(self, place_with: Callable[..., Place]) -> None:
        place = place_with(head_bytes=4096)
        headers = {f"X-{n}": "y" * 500 for n in range(10)}
        with connect(place.receiver) as wire:
            wire.send(request(path_of(place.receiver), headers=headers))
            assert refused(wire.reply()) == (431, "close")

    @pytest.mark.parametrize("path", ["/wove/events/no", None])
    @pytest.mark.parametrize("piece", [b"X: " + b"y" * 997, b"y" * 1000])
    def test_trailers_that_never_end(
        self, place_with: Callable[..., Place], path: str | None, piece: bytes
    ) -> None:
        place = place_with(head_bytes=4096)
        head = f"POST {path or path_of(place.receiver)} HTTP/1.1\r\n"
        with connect(place.receiver) as wire:
            wire.send(head.encode() + b"Transfer-Encoding: chunked\r\n\r\n2\r\n{}\r\n0\r\nX: ")
            for _ in range(30):
                wire.send(piece)
                time.sleep(0.005)
            assert refused(wire.reply()) == (431, "close")

    def test_the_smallest_chunks_and_a_trailer_are_taken(
        self, place_with: Callable[..., Place]
    ) -> None:
        place = place_with(head_bytes=300)
        place.open()
        body = event_to_json(make("task_result"))
        head = f"POST {path_of(place.receiver)} HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n"
        data = head.encode() + b"".join(b"00000001\r\n%c\r\n" % each for each in body)
        data += b"0\r\nContent-Type: image/png\r\nWove-Receiver: another\r\n\r\n"
        with connect(place.receiver) as wire:
            for start in range(0, len(data), 50):
                wire.send(data[start : start + 50])
            assert wire.reply().status == 204

    def test_a_target_too_long(self, place_with: Callable[..., Place]) -> None:
        place = place_with(head_bytes=4096)
        with connect(place.receiver) as wire:
            wire.send(request("/" + "x" * 5000))
            assert refused(wire.reply()) == (431, "close")

    def test_too_many_headers(self, place_with: Callable[..., Place]) -> None:
        place = place_with(headers=20)
        with connect(place.receiver) as wire:
            wire.send(request(path_of(place.receiver), headers={f"X-{n}": "y" for n in range(30)}))
            assert refused(wire.reply()) == (431, "close")

    def test_heads_of_several_requests_are_not_added_up(
        self, place_with: Callable[..., Place]
    ) -> None:
        place = place_with(head_bytes=300)
        place.open()
        data = request(path_of(place.receiver), event_to_json(make("heartbeat"))) * 20
        with connect(place.receiver) as wire:
            for start in range(0, len(data), 50):
                wire.send(data[start : start + 50])
            assert [wire.reply().status for _ in range(20)] == [204] * 20


class TestTime:
    def test_a_head_that_trickles_is_408(self, place_with: Callable[..., Place]) -> None:
        place = place_with(head_seconds=0.4)
        with connect(place.receiver) as wire:
            self.trickle(wire, b"POST / HTTP/1.1\r\n" + b"X: y\r\n" * 1000)
            assert wire.rest().startswith(b"HTTP/1.1 408 ")

    def test_a_body_that_trickles_is_408(self, place_with: Callable[..., Place]) -> None:
        place = place_with(head_seconds=0.4, body_seconds=0.4, body_rate=1e6)
        with connect(place.receiver) as wire:
            wire.send(request(path_of(place.receiver), b"x" * 10_000)[:-10_000])
            self.trickle(wire, b"x" * 10_000)
            assert wire.rest().startswith(b"HTTP/1.1 408 ")

    def test_a_slow_body_that_keeps_its_rate_is_taken(
        self, place_with: Callable[..., Place]
    ) -> None:
        place = place_with(head_seconds=0.2, body_seconds=0.2, body_rate=100)
        place.open()
        body = event_to_json(make("task_result")) + b" " * 300
        head = request(path_of(place.receiver), body)[: -len(body)]
        with connect(place.receiver) as wire:
            wire.send(head)
            for start in range(0, len(body), 60):
                wire.send(body[start : start + 60])
                time.sleep(0.1)
            assert wire.reply().status == 204

    def test_an_idle_connection_is_closed_without_a_word(
        self, place_with: Callable[..., Place]
    ) -> None:
        place = place_with(idle_seconds=0.2)
        place.open()
        with connect(place.receiver) as silent, connect(place.receiver) as served:
            assert post(served, place.receiver, make("heartbeat")).status == 204
            assert (silent.rest(), served.rest()) == (b"", b"")

    @pytest.mark.parametrize("said", [b"", request("/wove/events/no"), request("/", method="GET")])
    def test_a_stranger_is_not_kept_for_as_long(
        self, place_with: Callable[..., Place], said: bytes
    ) -> None:
        place = place_with(head_seconds=0.2)
        place.open()
        with connect(place.receiver) as stranger, connect(place.receiver) as worker:
            assert post(worker, place.receiver, make("heartbeat")).status == 204
            stranger.send(said)
            stranger.rest()
            assert post(worker, place.receiver, make("heartbeat")).status == 204

    def test_empty_lines_do_not_keep_a_connection(self, place_with: Callable[..., Place]) -> None:
        place = place_with(idle_seconds=0.4)
        with connect(place.receiver) as wire:
            self.trickle(wire, b"\r\n" * 1000)
            assert wire.rest() == b""

    @staticmethod
    def trickle(wire: object, data: bytes) -> None:
        """Send a few bytes at a time until the other side has enough."""
        try:
            for start in range(0, len(data), 4):
                wire.send(data[start : start + 4])  # type: ignore[attr-defined]
                time.sleep(0.02)
        except ConnectionError:
            return
        pytest.fail("nobody stopped it")


class TestConnections:
    def test_one_too_many_is_503(self, place_with: Callable[..., Place]) -> None:
        place = place_with(connections=2)
        place.open()
        with connect(place.receiver) as one, connect(place.receiver) as two:
            for wire in (one, two):
                assert post(wire, place.receiver, make("heartbeat")).status == 204
            with connect(place.receiver) as three:
                reply = three.reply()
                assert refused(reply) == (503, "close")
                assert reply.headers["Retry-After"] == "1"
            assert post(one, place.receiver, make("heartbeat")).status == 204

    def test_strangers_do_not_take_all_files_that_the_process_may_open(self) -> None:
        program = """
            import os, resource, socket, sys, threading, time
            from tests.unit.receiver.events import RUN, Kept, make
            from tests.unit.receiver.wire import connect, post
            from wove.receiver import CallbackSettings, Limits, receiver_for

            resource.setrlimit(resource.RLIMIT_NOFILE, (256, 256))
            receiver = receiver_for(CallbackSettings(), limits=Limits(head_seconds=2.0))
            receiver.hub.open_run(RUN, task_id="t", token=receiver.token, sink=Kept())
            print(receiver.port, flush=True)
            sys.stdin.readline()  # the strangers are there
            for _ in range(20):
                os.close(os.open(os.devnull, os.O_RDONLY))
                time.sleep(0.02)
            end = time.monotonic() + 20
            while True:
                try:
                    with connect(receiver) as wire:
                        status = post(wire, receiver, make("heartbeat")).status
                except (OSError, ValueError):
                    status = 0
                if status == 204:
                    break
                assert time.monotonic() < end, status
                time.sleep(0.1)
            print("served")
        """
        with contextlib.ExitStack() as strangers:
            process = subprocess.Popen(
                [sys.executable, "-c", textwrap.dedent(program)],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=subprocess.PIPE,
                text=True,
            )
            assert process.stdin is not None
            assert process.stdout is not None
            port = int(process.stdout.readline())
            for _ in range(500):
                address = ("127.0.0.1", port)
                strangers.enter_context(socket.create_connection(address, timeout=LIMIT))
            out, err = process.communicate("go\n", timeout=3 * LIMIT)
        assert (process.returncode, out) == (0, "served\n"), err
        assert "Too many open files" not in err
        assert "ulimit -n" in err

    def test_a_caller_that_does_not_read_stops_being_read(self, place: Place) -> None:
        """Otherwise its answers, longer than its requests, would fill the memory."""
        one = request("/nowhere", method="GET")
        with connect(place.receiver) as wire:
            wire.send(one)
            until(lambda: place.service._door._connections)
            (connection,) = place.service._door._connections
            wire.sock.setblocking(False)
            begun = time.monotonic()
            most = 0
            # On a busy machine it takes a while until the kernel's buffers are full.
            while time.monotonic() < begun + (2.0 if most else 30.0):
                with contextlib.suppress(BlockingIOError):
                    wire.sock.send(one * 1000)
                most = max(most, connection._transport.get_write_buffer_size())
                time.sleep(0.001)
        assert 0 < most < 4 * 1024 * 1024
