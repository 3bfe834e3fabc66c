"""`wove worker temporal`: a Temporal worker with Wove's workflow and activity."""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import importlib
import inspect
import logging
import os
import signal
import sys
import time
from collections.abc import Callable
from datetime import timedelta
from types import FunctionType
from typing import TYPE_CHECKING, Any

from wove.cli._starting import (
    CannotStartError,
    add_loglevel,
    at_least_one,
    load_object,
    say_ready,
)
from wove.dispatch.requirements import require_dispatch
from wove.errors import MissingDispatchFeatureError
from wove.integrations._temporal_calls import note_call
from wove.integrations._temporal_names import (
    DEFAULT_ACTIVITY,
    DEFAULT_TASK_QUEUE,
    DEFAULT_WORKFLOW,
)

if TYPE_CHECKING:
    from temporalio.client import Client
    from temporalio.worker import Worker

CONNECT_SECONDS = 10.0
"""How long the server may take to answer before the command gives up."""

SEEN_SECONDS = 5.0
"""How long the server is given to see the worker before the command says that it is ready."""

CLOSE_SECONDS = 5.0
"""How long a worker that stops goes on with the last step of the workflows of its jobs."""

THROTTLE_SECONDS = 5.0
"""Longest pause between two heartbeats of an activity, whose answers carry cancellations."""


def add_to(backends: Any) -> None:
    """Add the `temporal` command to argparse's subparsers `backends`."""
    parser: argparse.ArgumentParser = backends.add_parser(
        "temporal",
        help="a Temporal worker",
        description=(
            "Start a Temporal worker with the workflow and the activity that run Wove's "
            "payloads. Without --target-host and --client it connects as the `temporal` "
            "command does: TEMPORAL_ADDRESS, TEMPORAL_NAMESPACE, TEMPORAL_API_KEY, the TLS "
            "variables, or the configuration file. SIGTERM stops it after the jobs in hand."
        ),
    )
    parser.add_argument("--target-host", metavar="HOST:PORT", help="the Temporal server")
    parser.add_argument("--namespace", metavar="NAME", help="the namespace (default: default)")
    parser.add_argument("--tls", action="store_true", default=None, help="connect with TLS")
    parser.add_argument(
        "--client",
        metavar="MODULE:NAME",
        help="an async function of yours, without arguments, that returns a connected client",
    )
    parser.add_argument(
        "--task-queue",
        default=DEFAULT_TASK_QUEUE,
        metavar="NAME",
        help="the weave's `task_queue` (default: %(default)s)",
    )
    parser.add_argument(
        "-c",
        "--max-concurrent-activities",
        type=at_least_one,
        metavar="N",
        help="jobs at once, each in a thread (default: Temporal's own, 100)",
    )
    parser.add_argument(
        "--max-concurrent-workflow-tasks",
        type=at_least_one,
        metavar="N",
        help="workflows that are advanced at once (default: Temporal's own, 100)",
    )
    parser.add_argument("--identity", metavar="NAME", help="the worker's name in Temporal's views")
    add_loglevel(parser, "Temporal's")
    parser.set_defaults(run=run)


def run(arguments: argparse.Namespace) -> int:
    """Start the worker and stay until it has stopped; the exit status."""
    sys.path.insert(0, os.getcwd())  # jobs import the application's modules
    logging.basicConfig(format="[%(asctime)s: %(levelname)s] %(message)s")
    try:
        require_dispatch("running Wove's payloads in Temporal")
        logging.getLogger("temporalio").setLevel(arguments.loglevel)
        importlib.import_module("temporalio.worker")
        asyncio.run(_serve(arguments))
    except ImportError as error:
        return _refused(
            f"Temporal's SDK is not installed ({error}). Install with: pip install 'wove[temporal]'"
        )
    except (CannotStartError, MissingDispatchFeatureError) as error:
        return _refused(str(error))
    finally:
        note_call()
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
    client = await _connect(arguments)
    address = client.service_client.config.target_host
    print(
        f"wove: Temporal worker on {address}, namespace {client.namespace}\n"
        f"wove: workflow {DEFAULT_WORKFLOW}, activity {DEFAULT_ACTIVITY}, "
        f"task queue {arguments.task_queue}",
        file=sys.stderr,
        flush=True,
    )
    worker = _worker(client, arguments)
    running = asyncio.ensure_future(worker.run())
    stopping = asyncio.ensure_future(stop.wait())
    await _seen(client, arguments.task_queue, unless=lambda: running.done() or stop.is_set())
    if running.done():
        raise CannotStartError(f"the worker cannot start: {running.exception()}")
    if not stop.is_set():
        say_ready()
    await asyncio.wait({running, stopping}, return_when=asyncio.FIRST_COMPLETED)
    if running.done():
        await running
        return
    from wove.integrations._temporal_worker import in_hand

    unfinished = set(in_hand)
    await worker.shutdown()
    await running
    if unfinished:
        await _close_workflows(client, arguments.task_queue, unfinished)


def _stop_once(loop: asyncio.AbstractEventLoop, number: int, stop: asyncio.Event) -> None:
    loop.remove_signal_handler(number)  # the second one ends the process
    stop.set()


def _worker(client: Client, arguments: argparse.Namespace) -> Worker:
    from temporalio.worker import Worker

    from wove.integrations.temporal import WoveWorkflow, wove_activity

    return Worker(
        client,
        task_queue=arguments.task_queue,
        workflows=[WoveWorkflow],
        activities=[wove_activity],
        max_concurrent_activities=arguments.max_concurrent_activities,
        max_concurrent_workflow_tasks=arguments.max_concurrent_workflow_tasks,
        max_heartbeat_throttle_interval=timedelta(seconds=THROTTLE_SECONDS),
        graceful_shutdown_timeout=timedelta(days=365),  # the jobs in hand take what they take
    )


async def _close_workflows(client: Client, task_queue: str, workflow_ids: set[str]) -> None:
    """Take the last step of workflows whose activity has ended here.

    A worker that stops takes no further step of any workflow: without another worker they
    would count as running for as long as there is none.
    """
    from temporalio.client import WorkflowExecutionStatus
    from temporalio.service import RPCError
    from temporalio.worker import Worker

    from wove.integrations.temporal import WoveWorkflow

    begun = time.monotonic()
    async with Worker(client, task_queue=task_queue, workflows=[WoveWorkflow]):
        for workflow_id in workflow_ids:
            job = client.get_workflow_handle(workflow_id)
            with contextlib.suppress(RPCError):  # it was deleted, or Temporal does not answer
                while (await job.describe()).status == WorkflowExecutionStatus.RUNNING:
                    if time.monotonic() - begun > CLOSE_SECONDS:
                        return
                    await asyncio.sleep(0.1)


async def _connect(arguments: argparse.Namespace) -> Client:
    from temporalio.client import Client

    if arguments.client:
        function = load_object(
            "--client", arguments.client, FunctionType, "an async function", default="connect"
        )
        address = arguments.client
        try:
            connecting = function()
        except Exception as error:
            raise CannotStartError(
                f"--client {address} raised {type(error).__name__}: {error}"
            ) from error
        if not inspect.isawaitable(connecting):
            raise CannotStartError(f"--client {address}: it returned no awaitable")
    else:
        options = _connect_options(arguments)
        address = str(options.pop("target_host"))
        connecting = Client.connect(address, **options)
    try:
        client: Client = await asyncio.wait_for(connecting, CONNECT_SECONDS)
    except (OSError, RuntimeError, asyncio.TimeoutError) as error:
        why = str(error).rstrip(".") or f"no answer in {CONNECT_SECONDS:g} s"
        raise CannotStartError(
            f"cannot reach the Temporal server at {address}: {why}. Check that it runs and that "
            f"{'--client' if arguments.client else '--target-host'} is right."
        ) from error
    except Exception as error:
        if arguments.client:
            raise CannotStartError(
                f"--client {address} raised {type(error).__name__}: {error}"
            ) from error
        if not isinstance(error, ValueError):
            raise
        raise CannotStartError(f"Temporal's SDK cannot use {address}: {error}") from error
    if not isinstance(client, Client):
        raise CannotStartError(f"--client {address}: it gave a {type(client).__name__}")
    return client


def _connect_options(arguments: argparse.Namespace) -> dict[str, Any]:
    options: dict[str, Any] = {}
    if arguments.target_host is None:
        try:
            from temporalio.envconfig import ClientConfig

            options.update(ClientConfig.load_client_connect_config())
        except ImportError:  # it is of temporalio 1.16 and later
            pass
        except (RuntimeError, OSError, ValueError) as error:
            # The lines between may show those of the file, and so a key.
            lines = str(error).strip().splitlines() or [type(error).__name__]
            why = lines[0] if len(lines) == 1 else f"{lines[0]}: {lines[-1]}"
            raise CannotStartError(
                f"Temporal's own variables or configuration file are no use: {why}"
            ) from error
    elif os.environ.get("TEMPORAL_API_KEY"):
        options["api_key"] = os.environ["TEMPORAL_API_KEY"]
    given = {
        "target_host": arguments.target_host,
        "namespace": arguments.namespace,
        "tls": arguments.tls,
        "identity": arguments.identity,
    }
    options.update({name: value for name, value in given.items() if value is not None})
    options.setdefault("target_host", os.environ.get("TEMPORAL_ADDRESS", "localhost:7233"))
    return options


async def _seen(client: Client, task_queue: str, *, unless: Callable[[], bool]) -> None:
    """Wait until the server has this worker among those that take activities.

    Not to be cancelled: see `wove.integrations._temporal_calls`.
    """
    from temporalio.api.enums.v1 import TaskQueueType
    from temporalio.api.taskqueue.v1 import TaskQueue
    from temporalio.api.workflowservice.v1 import DescribeTaskQueueRequest
    from temporalio.service import RPCError

    request = DescribeTaskQueueRequest(
        namespace=client.namespace,
        task_queue=TaskQueue(name=task_queue),
        task_queue_type=TaskQueueType.TASK_QUEUE_TYPE_ACTIVITY,
    )
    begun = time.monotonic()
    while not unless() and time.monotonic() - begun < SEEN_SECONDS:
        with contextlib.suppress(RPCError):  # it may not be allowed to ask
            answer = await client.workflow_service.describe_task_queue(
                request, timeout=timedelta(seconds=2)
            )
            if any(poller.identity == client.identity for poller in answer.pollers):
                return
        await asyncio.sleep(0.05)
