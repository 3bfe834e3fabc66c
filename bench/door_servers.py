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
from collections.abc import Callable
from typing import Any

TOKEN = "bench-token"  # noqa: S105 - it guards nothing
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


async def serve_wove() -> None:
    """The receiver with both of its doors."""
    from bench.receiver import CountingSink
    from wove.receiver import CallbackSettings, receiver_for

    sink = CountingSink(asyncio.get_running_loop())
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

    from wovepb.v1.event_pb2 import Event

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
        async def PublishEvent(self, request: Any, context: Any) -> Any:
            return messages.PublishEventResponse(
                ack=EventAck(event_id=request.event.event_id, receiver_id="bare")
            )

        async def StreamEvents(self, requests: Any, context: Any) -> Any:
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
