"""The limit of a round trip: two bare POSTs and the pickling, with nothing around them.

The parent runs a bare `asyncio.Protocol` that finds the body, parses the JSON
and answers 204. A worker process reads payloads from a pipe, unpickles callable
and arguments, posts `task_started`, waits for its answer, calls, pickles the
result, posts it and waits again, all on one kept connection. No check, no
heartbeat, no retry, no identity of anything.
"""

from __future__ import annotations

import asyncio
import base64
import json
import os
import pickle
import socket
import statistics
import subprocess
import sys
import time
import uuid
from collections.abc import Callable

import cloudpickle

ANSWER = b"HTTP/1.1 204 No Content\r\n\r\n"


class Handler(asyncio.Protocol):
    """Answers every POST; hands a result to whoever waits for it."""

    def __init__(self, waiting: dict[str, asyncio.Future[object]]) -> None:
        self.waiting = waiting
        self.buffer = b""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self.transport = transport
        transport.get_extra_info("socket").setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)

    def data_received(self, data: bytes) -> None:
        self.buffer += data
        while True:
            head = self.buffer.find(b"\r\n\r\n")
            if head < 0:
                return
            at = self.buffer.lower().find(b"content-length:", 0, head)
            length = int(self.buffer[at + 15 : self.buffer.find(b"\r\n", at)])
            end = head + 4 + length
            if len(self.buffer) < end:
                return
            event = json.loads(self.buffer[head + 4 : end])
            self.buffer = self.buffer[end:]
            self.transport.write(ANSWER)
            if event["type"] == "task_result":
                value = pickle.loads(base64.b64decode(event["result_pickle"]))
                self.waiting.pop(event["run_id"]).set_result(value)


def worker() -> None:
    """The worker process: one JSON payload a line on standard input."""
    connection: socket.socket | None = None
    for line in sys.stdin.buffer:
        payload = json.loads(line)
        if connection is None:
            port = int(payload["callback_url"].split(":")[2].split("/")[0])
            connection = socket.create_connection(("127.0.0.1", port))
            connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        function = pickle.loads(base64.b64decode(payload["callable_pickle"]))
        arguments = pickle.loads(base64.b64decode(payload["args_pickle"]))
        identity = {"run_id": payload["run_id"], "task_id": payload["task_id"]}
        _post(connection, {"type": "task_started", **identity})
        result = base64.b64encode(pickle.dumps(function(**arguments))).decode()
        _post(connection, {"type": "task_result", **identity, "result_pickle": result})


def _post(connection: socket.socket, event: dict[str, object]) -> None:
    body = json.dumps(event).encode()
    head = (
        "POST /wove/events/token HTTP/1.1\r\nHost: 127.0.0.1\r\n"
        f"Content-Type: application/json\r\nContent-Length: {len(body)}\r\n\r\n"
    )
    connection.sendall(head.encode() + body)
    answer = b""
    while not answer.endswith(b"\r\n\r\n"):
        answer += connection.recv(4096)


class Limit:
    """The parent's side: starts the worker and makes round trips one by one."""

    async def start(self) -> None:
        loop = asyncio.get_running_loop()
        self.waiting: dict[str, asyncio.Future[object]] = {}
        self.server = await loop.create_server(lambda: Handler(self.waiting), "127.0.0.1", 0)
        self.port = self.server.sockets[0].getsockname()[1]
        self.process = subprocess.Popen(
            [sys.executable, "-m", "bench.two_posts"], stdin=subprocess.PIPE, env=os.environ.copy()
        )

    async def round_trip(self, function: Callable[..., object], **arguments: object) -> object:
        run_id = uuid.uuid4().hex
        payload = {
            "version": 1,
            "adapter": "limit",
            "callback_url": f"http://127.0.0.1:{self.port}/wove/events/token",
            "run_id": run_id,
            "task_id": "task",
            "callable_pickle": base64.b64encode(cloudpickle.dumps(function)).decode(),
            "args_pickle": base64.b64encode(cloudpickle.dumps(arguments)).decode(),
            "delivery": {},
        }
        future = asyncio.get_running_loop().create_future()
        self.waiting[run_id] = future
        pipe = self.process.stdin
        assert pipe is not None
        pipe.write(json.dumps(payload).encode() + b"\n")
        pipe.flush()
        return await future

    async def stop(self) -> None:
        assert self.process.stdin is not None
        self.process.stdin.close()
        self.process.wait(10)
        self.server.close()
        await self.server.wait_closed()


async def p50(limit: Limit, function: Callable[..., object], count: int) -> float:
    """Median seconds of `count` round trips."""
    times = []
    for _ in range(count):
        begin = time.perf_counter()
        await limit.round_trip(function)
        times.append(time.perf_counter() - begin)
    return statistics.median(times)


if __name__ == "__main__":
    worker()
