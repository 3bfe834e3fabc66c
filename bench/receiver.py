"""The HTTP receiver under load, beside a bare aiohttp application that parses and answers.

Each server runs in a process of its own and is driven by `load.c`, which keeps
as many connections busy as asked. The receiver does all of its work for every
event: token, run, duplicates, order, and the hand-over to a waiting event loop.
"""

from __future__ import annotations

import asyncio
import json
import statistics
import subprocess
import sys
import tempfile
import threading
from pathlib import Path

from bench.harness import ROOT, Line, report

RUN = "bench-run"
PATH = "/wove/events/bench-token"


class CountingSink:
    """Takes batches on the receiver's thread and counts them on a loop of its own."""

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self.loop = loop
        self.seen = 0

    def put(self, batch: list[tuple[str, object]]) -> None:
        self.loop.call_soon_threadsafe(self._count, len(batch))

    def _count(self, number: int) -> None:
        self.seen += number


def serve_wove() -> None:
    """Print the port of a receiver with one open run, then serve until stdin closes."""
    from wove.receiver import CallbackSettings, receiver_for

    async def main() -> None:
        loop = asyncio.get_running_loop()
        receiver = receiver_for(CallbackSettings.from_config({"callback_token": "bench-token"}))
        receiver.hub.open_run(RUN, task_id="task", token="bench-token", sink=CountingSink(loop))
        print(receiver.port, flush=True)
        await _stdin_closed()
        receiver.hub.close_item(RUN)  # the loop that counts its events ends here

    asyncio.run(main())


def serve_aiohttp() -> None:
    """The same with the least that aiohttp can do."""
    from aiohttp import web

    async def handler(request: web.Request) -> web.Response:
        json.loads(await request.read())
        return web.Response(status=204)

    async def main() -> None:
        application = web.Application()
        application.router.add_post("/wove/events/{token}", handler)
        runner = web.AppRunner(application, access_log=None)
        await runner.setup()
        site = web.TCPSite(runner, "127.0.0.1", 0, backlog=1024)
        await site.start()
        print(runner.addresses[0][1], flush=True)
        await _stdin_closed()
        await runner.cleanup()

    asyncio.run(main())


async def _stdin_closed() -> None:
    loop = asyncio.get_running_loop()
    closed = asyncio.Event()

    def wait() -> None:
        sys.stdin.read()
        loop.call_soon_threadsafe(closed.set)

    threading.Thread(target=wait, daemon=True).start()
    await closed.wait()


def _load(program: Path, server: str, connections: int, seconds: float) -> dict[str, float]:
    with subprocess.Popen(
        [sys.executable, "-m", "bench.receiver", server],
        cwd=ROOT,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    ) as process:
        assert process.stdout is not None
        port = process.stdout.readline().strip()
        done = subprocess.run(
            [str(program), port, str(connections), str(seconds), PATH, RUN],
            capture_output=True,
            text=True,
            timeout=seconds + 60,
            check=True,
        )
    figures: dict[str, float] = json.loads(done.stdout)
    if figures["refused"]:
        raise RuntimeError(f"{server} refused {figures['refused']} events: the figures are void")
    return figures


def measure(seconds: float = 2.0, rounds: int = 3) -> list[Line]:
    """One line for each number of connections."""
    lines = []
    with tempfile.TemporaryDirectory() as folder:
        program = Path(folder) / "load"
        source = Path(__file__).with_name("load.c")
        subprocess.run(["cc", "-O2", "-o", str(program), str(source)], check=True)
        for connections in (16, 64, 512):
            ours: list[float] = []
            theirs: list[float] = []
            slowest = 0.0
            for _ in range(rounds):
                figures = _load(program, "wove", connections, seconds)
                ours.append(figures["answered"] / figures["seconds"])
                slowest = max(slowest, figures["slowest_ms"])
                figures = _load(program, "aiohttp", connections, seconds)
                theirs.append(figures["answered"] / figures["seconds"])
            rate, limit = statistics.median(ours), statistics.median(theirs)
            lines.append(
                Line(
                    name=f"events a second over {connections} connections",
                    limit="a bare aiohttp application",
                    target=">= 2x, none over 500 ms",
                    ours=rate,
                    against=limit,
                    unit="events/s",
                    ratio=rate / limit,
                    reached=rate >= 2 * limit and slowest <= 500,
                    note=f"slowest answer {slowest:.0f} ms",
                )
            )
    return lines


if __name__ == "__main__":
    kind = sys.argv[1] if len(sys.argv) > 1 else ""
    if kind == "wove":
        serve_wove()
    elif kind == "aiohttp":
        serve_aiohttp()
    else:
        report(measure())
