"""Retries, and what each answer to an event means."""

from __future__ import annotations

import contextlib
import socket
import threading
import time

import pytest

from tests.unit.worker.receiver import Receiver, Reply, answer, as_dict
from wove.errors import CallbackUnreachableError
from wove.integrations.worker import run
from wove.worker import reporter


@pytest.mark.parametrize("kind", ["task_started", "task_result"])
@pytest.mark.parametrize(
    "trouble",
    [
        *(Reply(status) for status in (301, 408, 429, 500, 502, 503, 504)),
        Reply(drop=True),
        Reply(204, ours=False),
        Reply(404, ours=False),
        Reply(410, ours=False),
        Reply(410, headers={"Wove-Receiver": "another"}),
        Reply(404, headers={"Wove-Receiver": "another"}),
        Reply(421, headers={"Wove-Receiver": "another"}),
        Reply(raw=b"HTTP/1.1 204 No Con", close=True),
        Reply(raw=b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\n{", close=True),
        Reply(raw=b"\x00\x01\x02\r\n\r\n", close=True),
        Reply(raw=b"HTTP/1.1 101 No\r\nConnection: Upgrade\r\nUpgrade: h2c\r\n\r\n", close=True),
    ],
    ids=str,
)
def test_an_event_is_repeated_byte_for_byte(receiver: Receiver, kind: str, trouble: Reply) -> None:
    receiver.rule = answer(kind, trouble, trouble, Reply())
    assert run(as_dict(receiver.payload(int)))["delivered"]
    sent = receiver.frames(kind)
    assert len(sent) == 3
    assert len({seen.body for seen in sent}) == 1


def test_another_receivers_answer_is_retried_on_a_new_connection(receiver: Receiver) -> None:
    other = Reply(421, headers={"Wove-Receiver": "another"})
    receiver.rule = answer("task_started", other, other, Reply())
    run(as_dict(receiver.payload(int)))
    assert len({seen.connection for seen in receiver.frames("task_started")}) == 3


def test_without_a_receiver_id_the_plain_table_holds(receiver: Receiver) -> None:
    payload = as_dict(receiver.payload(int))
    del payload["receiver_id"]
    receiver.rule = answer("task_started", Reply(410, ours=False))
    assert run(payload)["outcome"] == "not_started"


@pytest.mark.parametrize("seconds", [0.0, -1.0])
def test_retry_seconds_that_are_not_above_0_are_as_absent(
    receiver: Receiver, seconds: float
) -> None:
    payload = receiver.payload(int)
    payload.delivery_retry_seconds = seconds
    receiver.rule = answer("task_result", Reply(503), Reply(503), Reply())
    assert run(as_dict(payload))["delivered"]


def test_retry_after_is_honoured(receiver: Receiver) -> None:
    wait = Reply(503, headers={"Retry-After": "0.6"})
    receiver.rule = answer("task_started", wait, Reply())
    run(as_dict(receiver.payload(int)))
    first, second = receiver.frames("task_started")
    assert second.at - first.at >= 0.6


def test_backoff_has_full_jitter_and_a_limit(
    receiver: Receiver, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[tuple[float, float]] = []

    def uniform(low: float, high: float) -> float:
        asked.append((low, high))
        return 0.0

    monkeypatch.setattr(reporter.random, "uniform", uniform)
    receiver.rule = answer("task_started", *[Reply(503)] * 12, Reply())
    run(as_dict(receiver.payload(int)))
    assert all(low == 0 for low, _ in asked)
    highs = [high for _, high in asked]
    assert highs == sorted(highs)
    assert highs[0] <= 0.2
    assert highs[-1] == highs[-2] == reporter.MAX_BACKOFF


def test_interim_answers_are_no_answers(receiver: Receiver) -> None:
    raw = b"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 204 OK\r\nWove-Receiver: receiver-1\r\n\r\n"
    receiver.rule = lambda seen: Reply(raw=raw)
    assert run(as_dict(receiver.payload(int)))["delivered"]
    assert receiver.names() == ["task_started", "task_result"]


def test_an_answer_may_end_with_its_connection(receiver: Receiver) -> None:
    raw = b"HTTP/1.0 200 OK\r\nWove-Receiver: receiver-1\r\n\r\nfine"
    receiver.rule = lambda seen: Reply(raw=raw, close=True)
    assert run(as_dict(receiver.payload(int)))["delivered"]
    assert [seen.connection for seen in receiver.frames()] == [0, 1]


def test_a_kept_connection_that_was_closed_meanwhile_costs_no_backoff(
    receiver: Receiver, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(reporter, "FIRST_BACKOFF", 1e6)
    monkeypatch.setattr(reporter, "MAX_BACKOFF", 1e6)
    receiver.rule = lambda seen: Reply(close=True)
    payload = as_dict(receiver.payload(lambda: time.sleep(0.1)))
    assert run(payload)["delivered"]


@pytest.mark.parametrize("status", [400, 413, 415])
def test_a_refused_terminal_event_is_replaced_once_by_a_minimal_error(
    receiver: Receiver, status: int
) -> None:
    receiver.rule = answer("task_result", Reply(status))
    summary = run(as_dict(receiver.payload(lambda: "é" * 10)))
    assert receiver.names() == ["task_started", "task_result", "task_error"]
    refused, error = receiver.frames("task_result", "task_error")
    assert error.event.event_id != refused.event.event_id
    info = error.event.task_error.error
    code = "result_too_large" if status == 413 else "event_refused"
    assert (info.source, info.code) == ("wove", code)
    assert str(status) in info.message
    assert info.message.isascii()
    assert not info.HasField("cause")
    assert not error.event.task_error.exception_pickle
    assert summary["outcome"] == "failed"


def test_a_refused_minimal_error_is_not_answered_by_another(receiver: Receiver) -> None:
    receiver.rule = lambda seen: Reply(204 if seen.frame == "task_started" else 400)
    with pytest.raises(CallbackUnreachableError, match="refused the end of task 'report'"):
        run(as_dict(receiver.payload(int)))
    assert receiver.names() == ["task_started", "task_result", "task_error"]


def test_an_early_413_is_read_although_the_connection_broke(receiver: Receiver) -> None:
    server = socket.create_server(("127.0.0.1", 0))
    heads: list[bytes] = []

    def serve() -> None:
        # Refuses on the head alone, as servers do that limit bodies.
        for _ in range(8):
            connection, _address = server.accept()
            with connection:
                while True:
                    head = b""
                    while b"\r\n\r\n" not in head:
                        data = connection.recv(65536)
                        if not data:
                            break
                        head += data
                    if not head:
                        break
                    head, _, rest = head.partition(b"\r\n\r\n")
                    heads.append(head)
                    length = int(head.lower().split(b"content-length: ")[1].split(b"\r\n")[0])
                    if length > 1_000_000:
                        connection.sendall(
                            b"HTTP/1.1 413 Too Large\r\nWove-Receiver: receiver-1\r\n"
                            b"Connection: close\r\nContent-Length: 0\r\n\r\n"
                        )
                        connection.shutdown(socket.SHUT_RD)
                        time.sleep(0.1)
                        break
                    while len(rest) < length:
                        rest += connection.recv(65536)
                    connection.sendall(b"HTTP/1.1 204 OK\r\nWove-Receiver: receiver-1\r\n\r\n")

    def serve_until_closed() -> None:
        with contextlib.suppress(OSError):
            serve()

    threading.Thread(target=serve_until_closed, daemon=True).start()
    payload = receiver.payload(lambda: b"x" * 20_000_000)
    payload.callback_url = f"http://127.0.0.1:{server.getsockname()[1]}/wove/events/secret-token"
    summary = run(as_dict(payload))
    server.close()
    assert summary["error"]["kind"] == "EventRefused"
    assert len([head for head in heads if b"Content-Length: 20" in head]) == 1
