"""The servers that `bench.doors` compares: `python -m bench.door_servers wove|aiohttp|grpc`.

Each prints its ports, then obeys lines on its standard input until that closes:
`open N` opens the runs `bench-0` to `bench-(N-1)` anew, `cpu` prints the seconds of
processor time that the process has used.
"""

from __future__ import annotations

import asyncio
import base64
import json
import sys
import threading
import time
from collections.abc import Callable, Sequence
from typing import Any

from wove.contract import TERMINAL, event_type
from wove.executors.inbox import HOLD_SECONDS
from wovepb.v1.event_pb2 import Event

TOKEN = "bench-token"
PATH = f"/wove/events/{TOKEN}"
NAME = "bench-{}"


async def obey(open_runs: Callable[[int], None]) -> None:
    """Answer the lines on standard input; ends with it."""
    loop = asyncio.get_running_loop()
    closed = asyncio.Event()

    def read() -> None:
        for line in sys.stdin:
            word, _, rest = line.strip().partition(" ")
            if word == "open":
                open_runs(int(rest))
            print(time.process_time(), flush=True)
        loop.call_soon_threadsafe(closed.set)

    threading.Thread(target=read, daemon=True).start()
    await closed.wait()


class HoldingSink:
    """Hands events to a loop of its own when a weave's inbox would, and counts them there."""

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self._loop = loop
        self._held: list[tuple[str, Event]] = []
        self.seen = 0

    def put(self, batch: Sequence[tuple[str, Event]]) -> None:
        """Wake the other loop at once for an end of a run, soon for anything else."""
        self._held += batch
        if any(event_type(event) in TERMINAL for _, event in batch):
            self._pass_on()
        elif len(self._held) == len(batch):
            asyncio.get_running_loop().call_later(HOLD_SECONDS, self._pass_on)

    def _pass_on(self) -> None:
        held, self._held = self._held, []
        if held:
            self._loop.call_soon_threadsafe(self._take, held)

    def _take(self, batch: Sequence[tuple[str, Event]]) -> None:
        self.seen += len(batch)


async def serve_wove() -> None:
    """The receiver with both of its doors."""
    from wove.receiver import CallbackSettings, receiver_for

    sink = HoldingSink(asyncio.get_running_loop())
    config = {"callback_token": TOKEN, "callback_grpc": True}
    receiver = receiver_for(CallbackSettings.from_config(config))
    hub = receiver.hub
    opened = 0

    def open_runs(number: int) -> None:
        nonlocal opened
        for index in range(opened):
            hub.close_item(NAME.format(index))
        for index in range(number):
            hub.open_run(NAME.format(index), task_id="bench", token=TOKEN, sink=sink)
        opened = number

    assert receiver.grpc_url is not None
    print(receiver.port, receiver.grpc_url.split("/")[2].rpartition(":")[2], flush=True)
    await obey(open_runs)
    open_runs(0)  # the loop that counts their events ends here


async def serve_aiohttp() -> None:
    """The least that aiohttp can do: decode the message and answer."""
    from aiohttp import web

    async def handler(request: web.Request) -> web.Response:
        body = await request.read()
        if request.content_type == "application/json":
            event = json.loads(body)
            if "result_pickle" in event:
                base64.b64decode(event["result_pickle"])
        else:
            Event.FromString(body)
        return web.Response(status=204)

    application = web.Application(client_max_size=1 << 30)
    application.router.add_post("/wove/events/{token}", handler)
    runner = web.AppRunner(application, access_log=None)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0, backlog=1024).start()
    print(runner.addresses[0][1], flush=True)
    await obey(lambda _: None)
    await runner.cleanup()


async def serve_grpc() -> None:
    """The least that grpc.aio can do, with the classes that gRPC generates."""
    import grpc.aio

    from wovepb.v1 import event_service_pb2 as messages
    from wovepb.v1 import event_service_pb2_grpc as services
    from wovepb.v1.ack_pb2 import EventAck

    class Bare(services.EventServiceServicer):
        async def PublishEvent(self, request: Any, context: Any) -> Any:  # noqa: N802
            return messages.PublishEventResponse(
                ack=EventAck(event_id=request.event.event_id, receiver_id="bare")
            )

        async def StreamEvents(self, requests: Any, context: Any) -> Any:  # noqa: N802
            async for request in requests:
                yield messages.StreamEventsResponse(
                    ack=EventAck(event_id=request.event.event_id, receiver_id="bare")
                )

    server = grpc.aio.server(options=[("grpc.max_receive_message_length", -1)])
    services.add_EventServiceServicer_to_server(Bare(), server)
    print(server.add_insecure_port("127.0.0.1:0"), flush=True)
    await server.start()
    await obey(lambda _: None)
    await server.stop(None)


if __name__ == "__main__":
    asyncio.run({"wove": serve_wove, "aiohttp": serve_aiohttp, "grpc": serve_grpc}[sys.argv[1]]())
