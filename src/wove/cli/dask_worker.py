"""`wove worker dask`: one Dask worker, in this process."""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import signal
import sys
from typing import TYPE_CHECKING, Any

from wove.cli._starting import CannotStartError, amounts, at_least_one, say_ready
from wove.integrations._dask_cluster import address_in

if TYPE_CHECKING:
    from distributed import Worker

CONNECT_SECONDS = 10
"""How long the scheduler may take to answer before the command gives up."""

LEAVE_SECONDS = 5
"""How long the scheduler may take to let a worker go that has nothing in hand any more."""


def add_to(backends: Any) -> None:
    """Add the `dask` command to argparse's subparsers `backends`."""
    parser: argparse.ArgumentParser = backends.add_parser(
        "dask",
        help="a Dask worker",
        description=(
            "Start one Dask worker in this process. SIGTERM stops it after the tasks in hand, "
            "a second one at once. "
            "For nannies and several processes use `dask worker`: it needs only that wove "
            "can be imported."
        ),
    )
    parser.add_argument("--address", metavar="URL", help="the scheduler's, tcp://HOST:PORT")
    parser.add_argument("--scheduler-file", metavar="PATH", help="the file that holds it")
    parser.add_argument(
        "-c",
        "--concurrency",
        type=at_least_one,
        default=1,
        metavar="N",
        help="tasks at once (default: 1)",
    )
    parser.add_argument("-n", "--name", metavar="NAME", help="the worker's name (default: its URL)")
    parser.add_argument("--host", metavar="HOST", help="address that the cluster reaches it at")
    parser.add_argument(
        "--resource",
        action="append",
        default=[],
        metavar="NAME=AMOUNT",
        help="what `resources` in submit_options asks for; may be repeated",
    )
    parser.set_defaults(run=run)


def run(arguments: argparse.Namespace) -> int:
    """Start the worker and stay until it has stopped; the exit status."""
    sys.path.insert(0, "")  # as `dask worker` does: tasks import the application's modules
    try:
        return asyncio.run(_work(arguments))
    except CannotStartError as error:
        print(f"wove: {error}", file=sys.stderr)
        return 1


async def _work(arguments: argparse.Namespace) -> int:
    try:
        from distributed import Worker
        from distributed.comm.addressing import get_address_host_port
    except ImportError as error:
        raise CannotStartError(
            f"Dask is not installed ({error}). Install with: pip install 'wove[dask]'"
        ) from error
    if bool(arguments.address) == bool(arguments.scheduler_file):
        raise CannotStartError("give --address URL or --scheduler-file PATH")
    address, file = arguments.address, arguments.scheduler_file
    if file:
        try:
            address = address_in(file, seconds=CONNECT_SECONDS)
        except OSError as error:
            raise CannotStartError(f"--scheduler-file {file}: {error}") from error
    try:
        get_address_host_port(address)
    except (ValueError, NotImplementedError) as error:
        option = f"--scheduler-file {file}:" if file else "--address"
        raise CannotStartError(f"{option} {address}: {error}. Give tcp://HOST:PORT") from error
    try:
        worker = Worker(
            address,
            nthreads=arguments.concurrency,
            name=arguments.name,
            host=arguments.host,
            resources=amounts(arguments.resource),
            dashboard=False,
        )
        await asyncio.wait_for(worker, CONNECT_SECONDS)
    except (OSError, RuntimeError, ValueError, asyncio.TimeoutError) as error:
        # Dask says only that its worker failed to start, and keeps why as the cause.
        why = error.__cause__ if isinstance(error, RuntimeError) and error.__cause__ else error
        reason = str(why).rstrip(".") or f"no answer in {CONNECT_SECONDS} s"
        raise CannotStartError(
            f"cannot reach the Dask scheduler at {address}: {reason}. "
            "Check that it runs and that the address is right."
        ) from error
    return await _until_stopped(worker, arguments)


async def _until_stopped(worker: Worker, arguments: argparse.Namespace) -> int:
    loop, stop = asyncio.get_running_loop(), asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, _stop_once, loop, number, stop)
    print(f"wove: Dask worker {worker.name} on {worker.scheduler.address}", file=sys.stderr)
    print(f"wove: {arguments.concurrency} tasks at once", file=sys.stderr)
    say_ready()
    closed = asyncio.ensure_future(worker.finished())
    stopped = asyncio.ensure_future(stop.wait())
    await asyncio.wait({closed, stopped}, return_when=asyncio.FIRST_COMPLETED)
    if closed.done():
        print("wove: the scheduler is gone", file=sys.stderr)
        return 1
    from distributed.core import Status

    worker.status = Status.closing_gracefully  # no new tasks
    while worker.state.executing and not closed.done():  # noqa: ASYNC110 - Dask has no event
        await asyncio.sleep(0.05)
    if not closed.done():
        await _leave(worker)
    await worker.close()
    print("wove: stopped", file=sys.stderr)
    return 0


async def _leave(worker: Worker) -> None:
    """Have the scheduler give other workers what is here.

    A worker that only closes has failed, to Dask, at each task that it had and had not begun.
    """
    scheduler: Any = worker.scheduler  # whose calls have no types
    stimulus = "wove-worker-stops"
    here = worker.address
    for call, more in (
        (scheduler.retire_workers, {"workers": [here], "close_workers": False, "remove": True}),
        # It is not let go like that while no other worker can take a result that is here.
        (scheduler.unregister, {"address": here, "expected": True, "close": False}),
    ):
        with contextlib.suppress(Exception):  # the scheduler may be gone
            await asyncio.wait_for(call(**more, stimulus_id=stimulus), LEAVE_SECONDS)


def _stop_once(
    loop: asyncio.AbstractEventLoop, number: signal.Signals, stop: asyncio.Event
) -> None:
    loop.remove_signal_handler(number)
    signal.signal(number, signal.SIG_DFL)  # the second one ends the process
    stop.set()
