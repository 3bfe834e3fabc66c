"""`wove worker taskiq`: Taskiq's own receiver, with the task that runs Wove's payloads."""

from __future__ import annotations

import argparse
import asyncio
import importlib
import inspect
import logging
import os
import signal
import sys
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from wove.cli._starting import (
    CannotStartError,
    add_loglevel,
    at_least_one,
    import_all,
    load_object,
    say_ready,
)
from wove.dispatch.requirements import require_dispatch
from wove.errors import MissingDispatchFeatureError
from wove.integrations._taskiq_task import DEFAULT_TASK_NAME
from wove.integrations._url import masked

if TYPE_CHECKING:
    from taskiq import AsyncBroker

    from wove.integrations._taskiq_receiver import JobsReceiver

CONNECT_SECONDS = 10.0
"""How long the broker's server may take to answer before the command gives up."""

RESULT_SECONDS = 24 * 3600
"""How long a broker made of --redis-url keeps what became of a job."""


def add_to(backends: Any) -> None:
    """Add the `taskiq` command to argparse's subparsers `backends`."""
    parser: argparse.ArgumentParser = backends.add_parser(
        "taskiq",
        help="a Taskiq worker",
        description=(
            "Start Taskiq's receiver on a broker of yours, or on a list in Redis, with the task "
            "that runs Wove's payloads. SIGTERM stops it after the jobs in hand."
        ),
    )
    source = parser.add_mutually_exclusive_group(required=True)
    source.add_argument(
        "--broker",
        metavar="MODULE:NAME",
        help="a Taskiq broker of yours, or a function that makes one (NAME: broker)",
    )
    source.add_argument(
        "--redis-url",
        metavar="URL",
        help="instead: take jobs from taskiq-redis's ListQueueBroker(URL), which keeps results "
        "for a day",
    )
    parser.add_argument(
        "--queue", metavar="NAME", help="with --redis-url: its queue_name (default: taskiq)"
    )
    parser.add_argument(
        "--task-name",
        default=DEFAULT_TASK_NAME,
        metavar="NAME",
        help="the weave's `task_name` (default: %(default)s)",
    )
    parser.add_argument(
        "-c",
        "--concurrency",
        type=at_least_one,
        default=10,
        metavar="N",
        help="jobs at once, all in this process (default: %(default)s)",
    )
    parser.add_argument(
        "--preload",
        action="append",
        default=[],
        metavar="MODULE",
        help="import this before the first job, such as your tasks'; may be repeated",
    )
    add_loglevel(parser, "Taskiq's")
    parser.set_defaults(run=run)


def run(arguments: argparse.Namespace) -> int:
    """Start the worker and stay until it has stopped; the exit status."""
    sys.path.insert(0, os.getcwd())  # as Taskiq's own program does
    logging.basicConfig(format="[%(asctime)s: %(levelname)s] %(message)s")
    try:
        require_dispatch("running Wove's payloads in Taskiq")
        logging.getLogger("taskiq").setLevel(arguments.loglevel)
        importlib.import_module("taskiq")
        asyncio.run(_serve(arguments))
    except ImportError as error:
        return _refused(
            f"Taskiq is not installed ({error}). Install with: pip install 'wove[taskiq]'"
        )
    except (CannotStartError, MissingDispatchFeatureError) as error:
        return _refused(str(error))
    print("wove: stopped", file=sys.stderr)
    return 0


def _refused(why: str) -> int:
    print(f"wove: {why}", file=sys.stderr)
    return 1


async def _serve(arguments: argparse.Namespace) -> None:
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, _stop_once, loop, number, stop)
    broker, option = await _broker(arguments)
    receiver = await _started(broker, option, arguments)
    if not stop.is_set():
        say_ready()
    try:
        await receiver.serve(stop)
    finally:
        await broker.shutdown()


def _stop_once(loop: asyncio.AbstractEventLoop, number: int, stop: asyncio.Event) -> None:
    loop.remove_signal_handler(number)  # the second one ends the process
    stop.set()


async def _broker(arguments: argparse.Namespace) -> tuple[AsyncBroker, str]:
    """The broker, marked as a worker's before the modules with its tasks are imported."""
    from taskiq import AsyncBroker, InMemoryBroker

    if arguments.broker:
        option = f"--broker {arguments.broker}"
        found: Any = load_object("--broker", arguments.broker, object, "", default="broker")
        if not isinstance(found, AsyncBroker) and callable(found):
            found = await _made(found, option)
        if not isinstance(found, AsyncBroker):
            raise CannotStartError(
                f"{option}: it is of the type {type(found).__name__}, not a Taskiq broker or a "
                "function that makes one"
            )
        if isinstance(found, InMemoryBroker):
            raise CannotStartError(f"{option}: nothing can be sent to an InMemoryBroker")
        if arguments.queue:
            raise CannotStartError("--queue goes with --redis-url; a broker has its own")
    else:
        option = "--redis-url"
        found = _list_broker(arguments.redis_url, arguments.queue)
    found.is_worker_process = True
    import_all(arguments.preload)
    return found, option


async def _made(make: Callable[[], Any], option: str) -> Any:
    try:
        made = make()
        return await made if inspect.isawaitable(made) else made
    except Exception as error:
        raise CannotStartError(f"{option} raised {type(error).__name__}: {error}") from error


def _list_broker(url: str, queue: str | None) -> AsyncBroker:
    try:
        from taskiq_redis import ListQueueBroker, RedisAsyncResultBackend
    except ImportError as error:
        raise CannotStartError(
            f"taskiq-redis is not installed ({error}). Install with: pip install 'wove[taskiq]'"
        ) from error
    try:
        results: Any = RedisAsyncResultBackend(url, result_ex_time=RESULT_SECONDS)
        broker = ListQueueBroker(url, queue_name=queue or "taskiq")
    except ValueError as error:  # its text may quote a part of the password
        raise CannotStartError(f"--redis-url {masked(url)} is no URL of a Redis") from error
    return broker.with_result_backend(results)


async def _started(broker: AsyncBroker, option: str, arguments: argparse.Namespace) -> JobsReceiver:
    """What takes jobs from the broker, which has answered."""
    from wove.integrations._taskiq_client import address_of
    from wove.integrations._taskiq_receiver import JobsReceiver, connect
    from wove.integrations.taskiq import register

    name, jobs = arguments.task_name, arguments.concurrency
    if broker.find_task(name) is None:
        register(broker, name)
    address = address_of(broker)
    try:
        await asyncio.wait_for(connect(broker), CONNECT_SECONDS)
    except Exception as error:
        why = str(error).rstrip(".") or type(error).__name__
        if isinstance(error, asyncio.TimeoutError):
            why = f"no answer in {CONNECT_SECONDS:g} s"
        raise CannotStartError(
            f"cannot reach the broker at {address}: {why}. Check that it runs and that "
            f"{option} is right."
        ) from error
    queue = getattr(broker, "queue_name", None)
    where = f"queue {queue}, " if isinstance(queue, str) else ""
    at_once = "one job at a time" if jobs == 1 else f"{jobs} jobs at once"
    print(f"wove: Taskiq worker on {address} ({type(broker).__name__})", file=sys.stderr)
    print(f"wove: {where}task {name}, {at_once}", file=sys.stderr, flush=True)
    return JobsReceiver(broker, jobs)
