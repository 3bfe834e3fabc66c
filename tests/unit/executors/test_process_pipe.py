"""The messages between a pool and its workers."""

from __future__ import annotations

import json
import os
import struct
from collections.abc import Iterator

import pytest

from wove.integrations import _process_pipe
from wove.integrations._process_pipe import MAX_ANSWER_BYTES, Inbox, Outbox, UnexpectedMessageError


@pytest.fixture
def pipe() -> Iterator[tuple[int, int]]:
    read, write = os.pipe()
    for descriptor in (read, write):
        os.set_blocking(descriptor, False)
    yield read, write
    for descriptor in (read, write):
        os.close(descriptor)


def test_messages_larger_than_the_pipe_arrive_in_order(pipe):
    outbox = Outbox(pipe[1])
    messages = [os.urandom(300_000), b"", b"small"]
    for message in messages:
        outbox.put(message)
    expected = b"".join(struct.pack(">I", len(message)) + message for message in messages)
    received = b""
    while len(received) < len(expected):
        outbox.flush()
        received += os.read(pipe[0], 1 << 16)
    assert received == expected
    assert not outbox


def test_a_large_message_is_never_copied_before_it_is_written(pipe, monkeypatch):
    outbox, message = Outbox(pipe[1]), bytes(1_000_000)
    offered = []
    writev = os.writev

    def spy(descriptor, parts):
        offered.append(parts[-1])
        return writev(descriptor, parts)

    monkeypatch.setattr(_process_pipe.os, "writev", spy)
    outbox.put(message)
    while outbox:
        os.read(pipe[0], 1 << 16)
        outbox.flush()
    assert len(offered) > 10
    assert all(part.obj is message for part in offered)


def test_a_dead_reader_is_no_error():
    read, write = os.pipe()
    os.close(read)
    outbox = Outbox(write)
    outbox.put(b"message")
    assert not outbox
    os.close(write)


@pytest.mark.parametrize(
    ("data", "words"),
    [
        (b"\0\0\0\4junk", "b'junk', which is no message"),
        (b"\0\0\0\2[]", "no message"),
        (b"\0\0\0\2\xff\xfe", "no message"),
        (struct.pack(">I", 100_000) + b"[" * 100_000, "no message"),
        (struct.pack(">I", MAX_ANSWER_BYTES + 1), "a message of 1048577 bytes"),
        (b"HTTP/1.1", "a message of 1213486160 bytes"),
    ],
)
def test_what_is_no_message_is_refused(pipe, data, words):
    inbox = Inbox(pipe[0])
    os.write(pipe[1], data[: 1 << 15])
    with pytest.raises(UnexpectedMessageError, match=words):
        while data:
            assert inbox.read() == []
            data = data[1 << 15 :]
            os.write(pipe[1], data[: 1 << 15])


def test_a_message_in_pieces(pipe):
    inbox, message = Inbox(pipe[0]), {"ready": 1}
    data = json.dumps(message).encode()
    for byte in struct.pack(">I", len(data)) + data[:-1]:
        os.write(pipe[1], bytes([byte]))
        assert inbox.read() == []
    os.write(pipe[1], data[-1:] + b"\0\0\0\2{}")
    assert inbox.read() == [message, {}]
    assert inbox.read() == []
