"""`callback_host`, `callback_port`, `callback_token`, `callback_url`, and who answers there."""

from __future__ import annotations

import asyncio
import logging
import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import pytest

from tests.unit.receiver.conftest import Place
from tests.unit.receiver.events import make
from tests.unit.receiver.wire import LIMIT, Wire, request
from wove.contract import event_to_json
from wove.dispatch.urls import redacted
from wove.errors import CallbackUnreachableError, ErrorCode
from wove.receiver import probe
from wove.receiver.address import callback_url
from wove.receiver.server import Receiver, receiver_for
from wove.receiver.settings import CallbackSettings


def settings(**config: Any) -> CallbackSettings:
    return CallbackSettings.from_config({f"callback_{key}": value for key, value in config.items()})


def test_defaults() -> None:
    assert settings() == CallbackSettings(host="127.0.0.1", port=0, token=None, url=None)


def test_other_keys_are_not_ours() -> None:
    assert CallbackSettings.from_config({"broker_url": 7}) == settings()


@pytest.mark.parametrize(
    ("config", "error", "text"),
    [
        ({"port": "9010"}, TypeError, "callback_port must be a whole number, not str"),
        ({"port": True}, TypeError, "callback_port must be a whole number, not bool"),
        ({"port": 65536}, ValueError, "from 0 .any free port. to 65535, not 65536"),
        ({"host": 1}, TypeError, "callback_host must be text, not int"),
        ({"token": ""}, ValueError, "callback_token is empty"),
        ({"url": "http://web:9010/hook"}, ValueError, "/wove/events/{token}.* or set callback_tok"),
        ({"url": "http://web:9010/wove/events/"}, ValueError, "has no token"),
        ({"url": "web:9010/wove/events/x"}, ValueError, "begin with http:// or https://"),
        ({"url": "http://{hots}/wove/events/x"}, ValueError, "{hots}.*{host}, {port}, {token}"),
        ({"url": "http://{host/wove/events/x"}, ValueError, "brace"),
    ],
)
def test_what_cannot_be_right_is_refused(
    config: dict[str, Any], error: type[Exception], text: str
) -> None:
    with pytest.raises(error, match=text):
        settings(**config)


class TestToken:
    def test_it_is_taken_from_the_url(self) -> None:
        assert settings(url="http://web:9010/wove/events/shared-secret").token == "shared-secret"
        assert settings(url="https://p/a/b/wove/events/x%2Fy?z=1").token == "x/y"

    def test_one_that_is_given_wins_and_the_url_needs_none(self) -> None:
        assert settings(url="http://web/hook", token="t").token == "t"

    def test_a_template_has_a_place_for_it(self) -> None:
        assert settings(url="http://web/wove/events/{token}").token is None

    def test_odd_ones_survive_the_url(self, place: Place) -> None:
        token = "a/b ü?#%"
        receiver = Receiver(place.service, settings(token=token), "own")
        place.hub.open_run("odd", task_id="t", token=receiver.token, sink=place.sink)
        with Wire(receiver.host, receiver.port) as wire:
            path = receiver.url.partition(str(receiver.port))[2]
            wire.send(request(path, event_to_json(make("heartbeat", run="odd"))))
            assert wire.reply().status == 204


class TestUrl:
    def test_everything_is_filled_in(self) -> None:
        template = "http://{hostname}/{ip}/{host}/{port}/wove/events/{token}"
        url = callback_url(template, host="127.0.0.1", port=9, token="a b")
        name, ip, host, port = url.split("/")[2:6]
        assert (name, host, port) == (socket.gethostname(), "127.0.0.1", "9")
        assert socket.inet_aton(ip)
        assert url.endswith("/wove/events/a%20b")

    def test_without_one_it_is_made_of_what_is_bound(self) -> None:
        assert callback_url(None, host="::1", port=9, token="t") == "http://[::1]:9/wove/events/t"

    def test_an_address_that_means_all_is_not_told_to_workers(self) -> None:
        assert "0.0.0.0" not in callback_url(None, host="0.0.0.0", port=9, token="t")

    @pytest.mark.parametrize(
        ("url", "shown"),
        [
            ("http://h:1/wove/events/a%20b", "http://h:1/wove/events/***"),
            ("http://ops:hunter2@h/wove/events/t?via=lb", "http://h/wove/events/***"),
            ("http://h/x/wove/events/se!cret", "http://h/x/wove/events/***"),
            ("http://h/hook/token", "http://h/hook/***"),
            ("http://h/wove/events/token/", "http://h/wove/events/***/"),
            ("http://[::1", "<not a URL>"),
        ],
    )
    def test_secrets_are_not_shown(self, url: str, shown: str) -> None:
        assert redacted(url) == shown

    def test_a_token_beside_another_one_is_refused(self) -> None:
        config = {"callback_token": "a", "callback_url": "http://h:1/wove/events/b"}
        with pytest.raises(ValueError, match="different tokens"):
            CallbackSettings.from_config(config)


class TestPlainHttp:
    def test_to_another_host_it_is_allowed_with_one_warning(
        self, caplog: pytest.LogCaptureFixture
    ) -> None:
        caplog.set_level(logging.WARNING)
        for _ in range(2):
            receiver_for(settings(url="http://web-1.example:9010/wove/events/shared-secret"))
        warnings = [record.getMessage() for record in caplog.records]
        assert len(warnings) == 1
        assert "web-1.example:9010" in warnings[0]
        assert "shared-secret" not in warnings[0]

    @pytest.mark.parametrize(
        "url",
        [
            "https://web.example/wove/events/s",
            "http://localhost/wove/events/s",
            "http://127.1.2.3/wove/events/s",
            "http://[::1]/wove/events/s",
        ],
    )
    def test_otherwise_there_is_none(self, url: str, caplog: pytest.LogCaptureFixture) -> None:
        receiver_for(settings(url=url))
        assert caplog.records == []


@contextmanager
def somebody_else(answer: bytes) -> Iterator[int]:
    """A server that gives everybody the same answer."""
    with socket.create_server(("127.0.0.1", 0)) as server:

        def serve() -> None:
            while True:
                try:
                    connection, _ = server.accept()
                except OSError:
                    return
                with connection:
                    asked.append(connection.recv(65536))
                    connection.sendall(answer)

        asked: list[bytes] = []
        thread = threading.Thread(target=serve, daemon=True)
        thread.start()
        try:
            yield server.getsockname()[1]
        finally:
            server.shutdown(socket.SHUT_RDWR)
            thread.join(LIMIT)
        assert asked
        assert not any(b"secret" in each for each in asked)


class TestWhoAnswers:
    def at(self, place: Place, url: str) -> Receiver:
        return Receiver(place.service, settings(url=url), "unused")

    def test_this_receiver(self, place: Place, caplog: pytest.LogCaptureFixture) -> None:
        receiver = self.at(place, f"http://127.0.0.1:{place.receiver.port}/wove/events/secret")
        asyncio.run(receiver.check_address())
        assert caplog.records == []

    def test_another_receiver(
        self, place: Place, place_with: Callable[..., Place], caplog: pytest.LogCaptureFixture
    ) -> None:
        sibling = place_with()
        receiver = self.at(place, f"http://127.0.0.1:{sibling.receiver.port}/wove/events/secret")
        with pytest.raises(CallbackUnreachableError) as caught:
            asyncio.run(receiver.check_address())
        assert caught.value.code is ErrorCode.CALLBACK_MISDIRECTED
        for word in ("{ip}", "{hostname}", "callback_port=0", str(sibling.receiver.port)):
            assert word in str(caught.value)
        assert "secret" not in str(caught.value)

    @pytest.mark.parametrize(
        "answer", [b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n", b"nonsense", b"", b"x" * 99_999]
    )
    def test_something_else_is_only_logged(
        self, place: Place, caplog: pytest.LogCaptureFixture, answer: bytes
    ) -> None:
        with somebody_else(answer) as port:
            receiver = self.at(place, f"http://127.0.0.1:{port}/wove/events/secret")
            asyncio.run(receiver.check_address())
        assert "No Wove receiver answered" in caplog.text
        assert "secret" not in caplog.text

    def test_the_log_says_why(self, place: Place, caplog: pytest.LogCaptureFixture) -> None:
        with socket.create_server(("127.0.0.1", 0)) as server:
            port = server.getsockname()[1]
        receiver = self.at(place, f"https://127.0.0.1:{port}/wove/events/secret")
        asyncio.run(receiver.check_address())
        assert "which callback_url names (ConnectionRefusedError: " in caplog.text
        assert "secret" not in caplog.text

    def test_nobody_is_only_logged(
        self, place: Place, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(probe, "_SECONDS", 0.2)
        with socket.create_server(("127.0.0.1", 0)) as silent:  # accepts nobody
            port = silent.getsockname()[1]
            receiver = self.at(place, f"http://127.0.0.1:{port}/wove/events/secret")
            asyncio.run(receiver.check_address())
            assert "No Wove receiver answered" in caplog.text
            caplog.clear()
            monkeypatch.setattr(probe, "_ask", None)  # a second weave does not wait for it again
            asyncio.run(receiver.check_address())
        assert caplog.records == []

    def test_it_is_asked_again_after_a_while(
        self, place: Place, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
    ) -> None:
        monkeypatch.setattr("wove.receiver.server._ASK_AGAIN_SECONDS", 0.0)
        with somebody_else(b"nonsense") as port:
            receiver = self.at(place, f"http://127.0.0.1:{port}/wove/events/secret")
            for _ in range(2):
                asyncio.run(receiver.check_address())
        assert caplog.text.count("No Wove receiver answered") == 2

    def test_a_url_that_wove_made_is_not_asked(
        self, place: Place, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(probe, "_ask", None)
        asyncio.run(place.receiver.check_address())
