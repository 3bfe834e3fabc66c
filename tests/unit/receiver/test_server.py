"""Receivers of a process: shared, forked, flooded, stopped."""

from __future__ import annotations

import gc
import os
import select
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from typing import Any

import pytest

from tests.unit.receiver.conftest import Place, Waiting
from tests.unit.receiver.events import RUN, make, started
from tests.unit.receiver.wire import LIMIT, connect, path_of, post
from wove.errors import CallbackUnreachableError
from wove.receiver.server import Receiver, open_receiver, receiver_for
from wove.receiver.settings import CallbackSettings

pytestmark = pytest.mark.slow


def free_port() -> int:
    with socket.socket() as sock:
        sock.bind(("127.0.0.1", 0))
        return int(sock.getsockname()[1])


def status_of(receiver: Receiver, run: str) -> int:
    with connect(receiver) as wire:
        return post(wire, receiver, make("heartbeat", run=run)).status


class TestSharing:
    def test_weaves_share_one_receiver_and_its_random_token(self) -> None:
        one, two = (receiver_for(CallbackSettings()) for _ in range(2))
        assert one.hub is two.hub
        assert (one.url, one.token) == (two.url, two.token)
        assert one.url == f"http://127.0.0.1:{one.port}/wove/events/{one.token}"
        assert len(one.token) >= 32

    def test_two_weaves_on_one_port_with_two_tokens(self) -> None:
        port = free_port()
        settings = [CallbackSettings(port=port, token=token) for token in ("one", "two")]
        one, two = (receiver_for(each) for each in settings)
        assert one.hub is two.hub
        for receiver in (one, two):
            run = f"run-{receiver.token}"
            receiver.hub.open_run(run, task_id="t", token=receiver.token, sink=Waiting())
            assert status_of(receiver, run) == 204
        assert status_of(one, "run-two") == 404
        for receiver in (one, two):
            receiver.hub.close_item(f"run-{receiver.token}")

    def test_a_port_that_was_given_can_be_named(self) -> None:
        any_port = receiver_for(CallbackSettings())
        named = receiver_for(CallbackSettings(port=any_port.port))
        assert named.hub is any_port.hub

    def test_one_address_under_two_names(self, monkeypatch: pytest.MonkeyPatch) -> None:
        here = receiver_for(CallbackSettings())
        look_up = socket.getaddrinfo

        def named(host: str, *more: Any, **options: Any) -> Any:
            return look_up("127.0.0.1" if host == "this-machine" else host, *more, **options)

        monkeypatch.setattr(socket, "getaddrinfo", named)
        settings = CallbackSettings(host="this-machine", port=here.port)
        assert receiver_for(settings).hub is here.hub
        present = open_receiver(settings)
        assert present is not None
        assert present.hub is here.hub

    def test_an_address_that_this_process_has_in_part(self) -> None:
        here = receiver_for(CallbackSettings())
        with pytest.raises(CallbackUnreachableError, match=r"callback_host=.127\.0\.0\.1"):
            receiver_for(CallbackSettings(host="0.0.0.0", port=here.port))

    def test_asking_for_an_open_one_does_not_wait_for_one_that_opens(
        self, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        here = receiver_for(CallbackSettings())
        opens, go = threading.Event(), threading.Event()
        look_up = socket.getaddrinfo

        def slow(*arguments: Any, **options: Any) -> Any:
            opens.set()
            go.wait(LIMIT)
            return look_up(*arguments, **options)

        monkeypatch.setattr(socket, "getaddrinfo", slow)
        opening = threading.Thread(
            target=receiver_for, args=(CallbackSettings(port=free_port()),), daemon=True
        )
        opening.start()
        assert opens.wait(LIMIT)
        asked: list[Receiver | None] = []
        asking = threading.Thread(
            target=lambda: asked.append(open_receiver(CallbackSettings())), daemon=True
        )
        asking.start()
        asking.join(2)
        waited = asking.is_alive()
        go.set()
        asking.join(LIMIT)
        opening.join(LIMIT)
        assert not waited
        assert asked == [None]
        again = open_receiver(CallbackSettings())
        assert again is not None
        assert again.hub is here.hub

    def test_threads_that_start_at_once_get_the_same(self) -> None:
        settings = CallbackSettings(port=free_port())
        found: list[Receiver] = []
        barrier = threading.Barrier(8)

        def start() -> None:
            barrier.wait(LIMIT)
            found.append(receiver_for(settings))

        threads = [threading.Thread(target=start) for _ in range(8)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(LIMIT)
        assert len({receiver.hub.receiver_id for receiver in found}) == 1
        assert len(found) == 8

    def test_an_address_of_another_process_is_refused_with_advice(self) -> None:
        with socket.socket() as other:
            other.bind(("127.0.0.1", 0))
            other.listen()
            port = other.getsockname()[1]
            with pytest.raises(CallbackUnreachableError) as caught:
                receiver_for(CallbackSettings(port=port))
        text = str(caught.value)
        assert f"127.0.0.1 port {port}" in text
        assert "callback_port=0" in text
        assert "{port}" in text
        assert isinstance(caught.value.__cause__, OSError)

    def test_an_address_of_another_machine_is_refused_with_advice(self) -> None:
        with pytest.raises(CallbackUnreachableError, match="callback_host"):
            receiver_for(CallbackSettings(host="192.0.2.1"))

    def test_nothing_secret_in_reprs(self) -> None:
        settings = CallbackSettings(token="s3cret", url="http://h/wove/events/s3cret")
        receiver = receiver_for(settings)
        run = receiver.hub.open_run("r", task_id="t", token=receiver.token, sink=Waiting())
        receiver.hub.close_item("r")
        assert "s3cret" not in repr(settings) + repr(receiver) + repr(run)


class TestVerdicts:
    def test_a_verdict_comes_after_every_request_that_arrived(self, place: Place) -> None:
        """The receiver is busy while a result lies in its socket and a verdict is asked for."""
        run = place.open()
        go, busy = threading.Event(), threading.Event()

        def block() -> None:
            busy.set()
            go.wait(LIMIT)

        with connect(place.receiver) as wire:
            post(wire, place.receiver, started())
            place.receiver.call(block)
            assert busy.wait(LIMIT)
            verdict = place.receiver.call(lambda: place.hub.end_run(RUN, "worker_lost"))
            sender = threading.Thread(
                target=post, args=(wire, place.receiver, make("task_result")), daemon=True
            )
            sender.start()
            time.sleep(0.2)  # the result is in the kernel now
            go.set()
            assert verdict.result(LIMIT) is False
            sender.join(LIMIT)
        assert run.cause == "task_result"

    def test_what_it_raises_reaches_the_caller(self, place: Place) -> None:
        def fail() -> None:
            raise KeyError("no")

        with pytest.raises(KeyError):
            place.receiver.call(fail).result(LIMIT)

    def test_after_the_stop_it_is_refused(self, place: Place) -> None:
        place.service.stop()
        with pytest.raises(RuntimeError):
            place.receiver.call(lambda: None)


def test_500_connections_at_once_are_served(place: Place) -> None:
    place.open()
    begin = time.monotonic()
    sockets = []
    poller = select.poll()
    for _ in range(500):
        sock = socket.socket()
        sock.setblocking(False)
        sock.connect_ex((place.receiver.host, place.receiver.port))
        sockets.append(sock)
        poller.register(sock, select.POLLOUT)
    data = b"GET %s HTTP/1.1\r\nHost: x\r\n\r\n" % path_of(place.receiver).encode()
    answered, by_fd = 0, {sock.fileno(): sock for sock in sockets}
    while answered < 500 and time.monotonic() < begin + LIMIT:
        for fd, event in poller.poll(1000):
            if event & select.POLLOUT:
                by_fd[fd].send(data)
                poller.modify(fd, select.POLLIN)
            elif by_fd[fd].recv(4096).startswith(b"HTTP/1.1 405 "):
                answered += 1
                poller.unregister(fd)
    for sock in sockets:
        sock.close()
    assert answered == 500


class TestFork:
    def test_a_child_holds_no_socket_of_its_parent(self, place_with: Callable[..., Place]) -> None:
        """While the child lives, the parent stops: the port must be free and the worker told."""
        code = """
import os, socket, sys, time
from wove.receiver.server import receiver_for, _registry
from wove.receiver.settings import CallbackSettings
receiver = receiver_for(CallbackSettings())
wire = socket.create_connection((receiver.host, receiver.port))
wire.sendall(b"GET /wove/events/x HTTP/1.1\\r\\nHost: x\\r\\n\\r\\n")
assert wire.recv(4096).startswith(b"HTTP/1.1 405")
ready, to_child = os.pipe(), os.pipe()
pid = os.fork()
if pid == 0:
    wire.close()
    try:
        receiver.call(int)
        verdict = b"bad: the parent's receiver is used"
    except RuntimeError:
        again = receiver_for(CallbackSettings())
        same = again.hub.receiver_id == receiver.hub.receiver_id
        verdict = b"bad: not a receiver of its own" if same else b"good"
    os.write(ready[1], verdict)
    os.read(to_child[0], 1)
    os._exit(0)
assert os.read(ready[0], 100) == b"good", "child"
receiver.call(int).result(10)   # the parent's receiver still runs
_registry.stop()
wire.settimeout(10)
try:
    assert wire.recv(10) == b""
except ConnectionResetError:
    pass
probe = socket.socket()
probe.settimeout(10)
assert probe.connect_ex((receiver.host, receiver.port)) != 0, "still listening"
os.write(to_child[1], b"x")
assert os.waitpid(pid, 0)[1] == 0
print("done")
"""
        assert _python(code).stdout == "done\n"

    def test_many_forks_while_connections_arrive(self) -> None:
        code = """
import os, socket, threading
from wove.receiver.server import receiver_for
from wove.receiver.settings import CallbackSettings
receiver = receiver_for(CallbackSettings())
stop = threading.Event()
def connect():
    while not stop.is_set():
        socket.create_connection((receiver.host, receiver.port)).close()
thread = threading.Thread(target=connect, daemon=True)
thread.start()
for _ in range(200):
    pid = os.fork()
    if pid == 0:
        mine = 0
        for fd in range(3, 256):
            try:
                name = socket.socket(fileno=os.dup(fd)).getsockname()
            except OSError:
                continue
            mine += isinstance(name, tuple) and name[1] == receiver.port
        os._exit(mine)
    assert os.waitpid(pid, 0)[1] == 0, "a child holds a socket of the receiver"
stop.set()
thread.join()
print("done")
"""
        assert _python(code).stdout == "done\n"


class TestStop:
    def test_it_takes_milliseconds(self, place: Place) -> None:
        place.open()
        with connect(place.receiver) as wire:
            post(wire, place.receiver, make("heartbeat"))
            begin = time.monotonic()
            place.service.stop()
            assert time.monotonic() - begin < 2  # it waits for nothing
            assert wire.rest() == b""
        place.service.stop()  # twice is once

    def test_the_interpreter_exits_silently(self) -> None:
        code = """
import socket
from wove.receiver.server import receiver_for
from wove.receiver.settings import CallbackSettings
receiver = receiver_for(CallbackSettings())
wire = socket.create_connection((receiver.host, receiver.port))
wire.sendall(b"POST /wove/events/x HTTP/1.1\\r\\nHost: x\\r\\n")
receiver.call(int).result(10)
wire.close()
"""
        done = _python(code, "-X", "dev")
        assert (done.stdout, done.stderr) == ("", "")


def _python(code: str, *options: str) -> subprocess.CompletedProcess[str]:
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}
    done = subprocess.run(
        [sys.executable, *options, "-c", code],
        capture_output=True,
        text=True,
        timeout=12 * LIMIT,  # 200 forks of a busy process on a busy machine
        env=environment,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return done


def test_a_receiver_that_stops_forgets_no_connection_that_it_has_just_taken(
    place_with: Callable[..., Place],
) -> None:
    """What is forgotten is found by the garbage collector, and is a warning: an error here."""
    for _ in range(20):
        place = place_with()
        taken: list[socket.socket] = []

        def flood(port: int = place.receiver.port, taken: list[socket.socket] = taken) -> None:
            try:
                while True:
                    taken.append(socket.create_connection(("127.0.0.1", port), timeout=30))
            except OSError:
                pass  # it is closed

        caller = threading.Thread(target=flood)
        caller.start()
        while len(taken) < 20:
            time.sleep(0.001)
        place.service.stop()
        caller.join(30)
        assert not caller.is_alive()
        for connection in taken:
            connection.close()
        del place
        gc.collect()
