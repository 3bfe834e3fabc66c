"""Routes: which encoding and which transport, and what when one is not there."""

from __future__ import annotations

import asyncio
import socket
import time

from workers.conformance.answers import Answer
from workers.conformance.checks import equal, expect
from workers.conformance.registry import case
from workers.conformance.run import Run

ARGUMENTS = {"a": 1, "b": 2}


async def _chosen(run: Run, expected: str, payload: dict[str, object], wish: str | None) -> None:
    await run.outcome(await run.hand(payload, encoding=wish), "task_result")
    for found in run.receiver.frames():
        equal(f"the encoding of {found.frame}", expected, found.encoding)
        if expected == "json":
            equal(f"`type` in {found.frame}", True, found.flat)
            media = found.headers.get("content-type", "").partition(";")[0].strip().lower()
            equal(f"Content-Type of {found.frame}", "application/json", media)


@case("routes")
async def as_told(run: Run) -> None:
    """WOVE_ENCODING decides, also where gRPC is offered."""
    payload = run.payload("add", ARGUMENTS, callback_grpc=await run.offer_grpc())
    await _chosen(run, run.encoding, payload, run.encoding)


@case("routes", once=True, needs=("grpc",))
async def grpc_by_itself(run: Run) -> None:
    """Without WOVE_ENCODING: gRPC where it is offered."""
    payload = run.payload("add", ARGUMENTS, callback_grpc=await run.offer_grpc())
    await _chosen(run, "grpc", payload, None)


@case("routes", once=True, needs=("protobuf",))
async def binary_by_itself(run: Run) -> None:
    """Without WOVE_ENCODING and gRPC: binary where there is a `receiver_id`."""
    await _chosen(run, "protobuf", run.payload("add", ARGUMENTS, callback_grpc=None), None)


@case("routes", once=True)
async def flat_json_by_itself(run: Run) -> None:
    """Without all of these: flat JSON."""
    payload = run.payload("add", ARGUMENTS, callback_grpc=None, receiver_id=None)
    run.receiver.rule = lambda delivery: Answer(receiver=None)
    await _chosen(run, "json", payload, None)


@case("routes", encodings=("grpc",))
async def http_where_nothing_listens(run: Run) -> None:
    """No channel can be made: the same events go to `callback_url`."""
    with socket.socket() as reserved:
        reserved.bind(("127.0.0.1", 0))  # taken, and nobody listens
        address = f"grpc://127.0.0.1:{reserved.getsockname()[1]}/x"
        await _by_http(run, address)


@case("routes", encodings=("grpc",))
async def http_where_nobody_speaks(run: Run) -> None:
    """The gRPC address takes connections and says nothing: HTTP after three seconds."""
    server = await asyncio.start_server(lambda reader, writer: None, "127.0.0.1", 0)
    async with server:
        await _by_http(run, f"grpc://127.0.0.1:{server.sockets[0].getsockname()[1]}/x")


async def _by_http(run: Run, address: str) -> None:
    program = await run.start("add", ARGUMENTS, callback_grpc=address)
    began = time.monotonic()
    await run.outcome(program, "task_result")
    calls = {found.call for found in run.receiver.frames()}
    equal("the calls", ["post"], sorted(calls))
    took = run.receiver.frames("task_started")[0].at - began
    limit = 10 * run.receiver.patience
    expect("task_started", took < limit, f"within {limit:g} s", f"{took:.1f} s")


@case("routes", encodings=("grpc",))
async def a_later_channel_is_http_too(run: Run) -> None:
    """gRPC is offered and works for the start; then its port is gone: the end goes by HTTP."""
    assert run.grpc is not None
    program = await run.start("slow", {"seconds": 1})
    await run.receiver.wait_for("task_started")
    await asyncio.sleep(0.2)
    run.grpc.cut()
    await run.outcome(program, "task_result", seconds=25)
    calls = [found.call for found in run.receiver.frames("task_result")]
    equal("the last call", "post", calls[-1])
