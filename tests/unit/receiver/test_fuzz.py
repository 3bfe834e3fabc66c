"""Random bytes in random pieces: every connection is answered or closed, nothing is raised."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.unit.receiver.events import RUN, TOKEN, Kept, make, started
from tests.unit.receiver.wire import request
from wove.contract import event_to_json
from wove.receiver.door import Door
from wove.receiver.http import EventConnection
from wove.receiver.hub import Hub
from wove.receiver.limits import Limits

PATH = "/wove/events/" + TOKEN

PIECES = st.one_of(
    st.binary(max_size=40),
    st.sampled_from(
        [
            request(PATH, event_to_json(started())),
            request(PATH, event_to_json(make("task_result"))),
            request(PATH, event_to_json(make("heartbeat")), headers={"Connection": "close"}),
            request(PATH, method="GET"),
            request("/wove/events/no", b"x" * 200),
            request(PATH, b"x" * 200),
            request(PATH, b"x" * 5000),
            request(PATH, b"{}", headers={"Upgrade": "h2c", "Connection": "Upgrade"}),
            request(PATH, b"{}", headers={"Expect": "100-continue"}),
            b"CONNECT a:1 HTTP/1.1\r\n\r\n",
            b"POST " + PATH.encode() + b" HTTP/1.1\r\n",
            b"Transfer-Encoding: chunked\r\n",
            b"Content-Length: 5\r\n",
            b"Content-Length: 99999999999999999999\r\n",
            b"\r\n",
            b"5\r\nhello\r\n",
            b"ffffffffffffffff\r\n",
            b"0\r\n\r\n",
            b"\x00",
            b" : \r\n",
        ]
    ),
)


class Transport(asyncio.Transport):
    """Keeps what is written, and whether the connection was closed."""

    def __init__(self) -> None:
        super().__init__()
        self.written = b""
        self.closed = False

    def write(self, data: Any) -> None:
        assert not self.closed
        self.written += bytes(data)

    def close(self) -> None:
        self.closed = True

    abort = close


@settings(max_examples=200, deadline=None)
@given(pieces=st.lists(PIECES, max_size=8), cuts=st.lists(st.integers(1, 60), min_size=1))
def test_any_bytes(pieces: list[bytes], cuts: list[int]) -> None:
    failures: list[dict[str, Any]] = []
    loop = asyncio.new_event_loop()
    loop.set_exception_handler(lambda _, context: failures.append(context))
    try:
        hub = Hub()
        hub.open_run(RUN, task_id="report", token=TOKEN, sink=Kept())
        limits = Limits(body_bytes=1000, head_bytes=600, headers=10, discard_bytes=300)
        door = Door(hub, limits, loop)
        transport, connection = Transport(), EventConnection(door)
        connection.connection_made(transport)
        data, turn = b"".join(pieces), 0
        while data and not transport.closed:
            size = cuts[turn % len(cuts)]
            connection.data_received(data[:size])
            data, turn = data[size:], turn + 1
            loop.run_until_complete(asyncio.sleep(0))
        assert b" 500 " not in transport.written
        now = loop.time()
        while not transport.closed:  # whatever state it is in, its time runs out
            now = max(now, connection.deadline) + 1
            connection.expire(now)
        connection.connection_lost(None)
        assert door.buffered == 0
        loop.run_until_complete(asyncio.sleep(0))
    finally:
        loop.close()
    assert failures == []
    for answer in transport.written.split(b"HTTP/1.1 ")[1:]:
        assert answer.startswith(b"100 ") or hub.receiver_id.encode() in answer


def test_a_bug_in_a_callback_is_a_500_and_the_end(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    loop = asyncio.new_event_loop()
    try:
        door = Door(Hub(), Limits(), loop)
        transport, connection = Transport(), EventConnection(door)
        connection.connection_made(transport)
        monkeypatch.setattr(door, "decide", None)
        door.hub.add_token(TOKEN)
        connection.data_received(request(PATH, b"{}"))
        assert transport.written.startswith(b"HTTP/1.1 500 ")
    finally:
        loop.close()
    assert "The receiver failed on a request" in caplog.text
