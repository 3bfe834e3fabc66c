"""`wove worker celery`: Celery's own worker program, with Wove's task registered."""

from __future__ import annotations

import argparse
import os
import sys
from typing import TYPE_CHECKING, Any

from wove.cli._starting import (
    CannotStartError,
    add_loglevel,
    at_least_one,
    load_object,
    say_ready,
)
from wove.errors import MissingDispatchFeatureError
from wove.integrations._celery_logs import guard_logs, quiet_revocations
from wove.integrations._celery_url import (
    UNUSABLE,
    address_of,
    check_result_backend,
    is_redis,
    unusable,
)
from wove.integrations.celery import DEFAULT_TASK_NAME, register

if TYPE_CHECKING:
    from celery.app.base import Celery

CONNECT_SECONDS = 10
"""How long the broker may take to answer before the command gives up."""

INTERRUPTED = 130
"""What a shell makes of a program that Ctrl-C has ended."""


def add_to(backends: Any) -> None:
    """Add the `celery` command to argparse's subparsers `backends`."""
    parser: argparse.ArgumentParser = backends.add_parser(
        "celery",
        help="a Celery worker",
        description=(
            "Start Celery's own worker program with the task that runs Wove's payloads. "
            "SIGTERM stops it after the jobs in hand."
        ),
    )
    parser.add_argument("--broker-url", metavar="URL", help="where jobs come from")
    parser.add_argument("--app", metavar="MODULE:NAME", help="a Celery application of yours")
    parser.add_argument(
        "--result-backend",
        metavar="URL",
        help="where Celery keeps what became of its jobs; lets Wove ask about them",
    )
    parser.add_argument(
        "--queue",
        action="append",
        metavar="NAME",
        help="consume this queue; may be repeated (default: the application's own)",
    )
    parser.add_argument(
        "--task-name",
        default=DEFAULT_TASK_NAME,
        metavar="NAME",
        help="the weave's `task_name` (default: %(default)s)",
    )
    parser.add_argument("-c", "--concurrency", type=at_least_one, metavar="N", help="jobs at once")
    parser.add_argument(
        "--pool",
        default="prefork",
        choices=["prefork", "threads", "solo"],
        help="what runs the jobs: processes, threads, or the worker itself (default: %(default)s)",
    )
    parser.add_argument(
        "-n",
        "--hostname",
        # Celery's own default is one name for a machine. Two workers of one name answer for
        # each other, and a job of one looks lost when the other is asked.
        default=f"wove-{os.getpid()}@%h",
        metavar="NAME",
        help="the worker's node name, unique (default: wove-PROCESS@HOST)",
    )
    add_loglevel(parser, "Celery's")
    parser.set_defaults(run=run)


def run(arguments: argparse.Namespace) -> int:
    """Start the worker and stay until it has stopped; the exit status."""
    # What `celery --broker ... --result-backend ...` does: these variables beat all settings.
    if arguments.broker_url:
        os.environ["CELERY_BROKER_URL"] = arguments.broker_url
    if arguments.result_backend:
        os.environ["CELERY_RESULT_BACKEND"] = arguments.result_backend
    sys.path.insert(0, os.getcwd())  # as `celery` does: jobs import the application's modules
    try:
        app = _application(arguments)
        _check_broker(app, arguments)
        _check_result_backend(app, arguments)
        _announce(app, arguments)
        return _start(app, arguments)
    except CannotStartError as error:
        print(f"wove: {error}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("wove: interrupted before it was ready", file=sys.stderr)
        return INTERRUPTED


def _start(app: Celery, arguments: argparse.Namespace) -> int:
    import click

    try:
        return int(app.start(argv=_celery_arguments(arguments)) or 0)
    except click.Abort:  # Celery's words for Ctrl-C, until it handles that itself
        raise KeyboardInterrupt from None
    except click.ClickException as error:
        raise CannotStartError(error.format_message()) from error


def _application(arguments: argparse.Namespace) -> Celery:
    try:
        from celery import Celery
    except ImportError as error:
        raise CannotStartError(
            f"Celery is not installed ({error}). Install with: pip install 'wove[celery]'"
        ) from error
    if arguments.app:
        app = _load(arguments.app)
    elif arguments.broker_url:
        app = Celery("wove")
        # Jobs of a weave are few and long: a worker takes no more than it can start.
        app.conf.worker_prefetch_multiplier = 1
        # Over Redis not even one: what a worker has in its hands is lost for an hour, Redis's
        # visibility timeout, when the worker loses its connection. RabbitMQ knows better.
        app.conf.worker_disable_prefetch = is_redis(arguments.broker_url)
        app.conf.broker_connection_retry_on_startup = True
    else:
        raise CannotStartError("give --broker-url URL, or --app MODULE:NAME")
    if arguments.task_name not in app.tasks:
        try:
            register(app, name=arguments.task_name)
        except MissingDispatchFeatureError as error:
            raise CannotStartError(str(error)) from error
    guard_logs(arguments.task_name)  # the application may have a task of that name
    quiet_revocations()
    return app


def _load(reference: str) -> Celery:
    from celery import Celery

    return load_object("--app", reference, Celery, "a Celery application", default="app")


def _check_broker(app: Celery, arguments: argparse.Namespace) -> None:
    import kombu.exceptions

    address = address_of(app, reads=True)
    setting = "--broker-url" if arguments.broker_url else f"the broker_url of {arguments.app}"
    try:
        with app.connection_for_read() as connection:
            connection_errors = connection.connection_errors
            try:
                connection.ensure_connection(max_retries=1, timeout=CONNECT_SECONDS)
                connection.default_channel.close()
            except (OSError, kombu.exceptions.KombuError, *connection_errors) as error:
                raise CannotStartError(
                    f"cannot reach the broker at {address}: {str(error).rstrip('.')}. "
                    f"Check that it runs and that {setting} is right."
                ) from error
    except UNUSABLE as error:
        raise CannotStartError(str(unusable(error, address, setting))) from error


def _check_result_backend(app: Celery, arguments: argparse.Namespace) -> None:
    given = arguments.result_backend
    setting = "--result-backend" if given else "the result_backend of the application"
    try:
        check_result_backend(app, setting)
    except ValueError as error:
        raise CannotStartError(str(error)) from error


def _announce(app: Celery, arguments: argparse.Namespace) -> None:
    from celery.signals import worker_ready, worker_shutdown

    queues = ", ".join(arguments.queue or [app.conf.task_default_queue])
    print(f"wove: Celery worker on {address_of(app, reads=True)}", file=sys.stderr)
    print(f"wove: task {arguments.task_name}, queue {queues}", file=sys.stderr, flush=True)

    def on_ready(**_: Any) -> None:
        say_ready()

    def on_shutdown(**_: Any) -> None:
        print("wove: stopped", file=sys.stderr)

    worker_ready.connect(on_ready, weak=False)
    worker_shutdown.connect(on_shutdown, weak=False)


def _celery_arguments(arguments: argparse.Namespace) -> list[str]:
    argv = [
        *("--quiet", "worker", "--hostname", arguments.hostname),
        *("--pool", arguments.pool, "--loglevel", arguments.loglevel),
    ]
    if arguments.concurrency is not None:
        argv += ["--concurrency", str(arguments.concurrency)]
    if arguments.queue:
        argv += ["--queues", ",".join(arguments.queue)]
    return argv
