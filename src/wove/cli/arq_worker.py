"""`wove worker arq`: arq's own worker program, with the function that runs Wove's payloads."""

from __future__ import annotations

import argparse
import asyncio
import logging
import os
import sys
from typing import Any

from wove.cli._starting import (
    CannotStartError,
    add_loglevel,
    at_least_one,
    check_redis,
    say_ready,
)
from wove.dispatch.requirements import require_dispatch
from wove.errors import MissingDispatchFeatureError
from wove.integrations._arq_names import DEFAULT_FUNCTION, DEFAULT_QUEUE
from wove.integrations._url import masked

CONNECT_SECONDS = 10
"""How long Redis may take to answer before the command gives up."""

RETRIES = 10
"""Tries to reach a Redis that went away: about two minutes. arq itself would end at once."""


def add_to(backends: Any) -> None:
    """Add the `arq` command to argparse's subparsers `backends`."""
    parser: argparse.ArgumentParser = backends.add_parser(
        "arq",
        help="an arq worker",
        description=(
            "Start arq's own worker program with the function that runs Wove's payloads. "
            "SIGTERM stops it after the jobs in hand."
        ),
    )
    parser.add_argument(
        "--redis-url", required=True, metavar="URL", help="where jobs come from: redis://..."
    )
    parser.add_argument(
        "--queue",
        default=DEFAULT_QUEUE,
        metavar="NAME",
        help="take jobs from this queue (default: %(default)s)",
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
        "--job-timeout",
        type=at_least_one,
        default=24 * 3600,
        metavar="SECONDS",
        help="end a job after this; arq also waits so long before it gives up a worker that "
        "died (default: %(default)s, a day)",
    )
    parser.add_argument(
        "--function-name",
        default=DEFAULT_FUNCTION,
        metavar="NAME",
        help="the function that payloads are sent to (default: %(default)s)",
    )
    add_loglevel(parser, "arq's")
    parser.set_defaults(run=run)


def run(arguments: argparse.Namespace) -> int:
    """Start the worker and stay until it has stopped; the exit status."""
    sys.path.insert(0, os.getcwd())  # as `arq` does: jobs import the application's modules
    url = arguments.redis_url
    try:
        pool = _connect(url)
    except CannotStartError as error:
        print(f"wove: {error}", file=sys.stderr)
        return 1
    logging.basicConfig(format="%(asctime)s %(name)s: %(message)s")
    logging.getLogger("arq").setLevel(arguments.loglevel)
    print(f"wove: arq worker on {masked(url)}", file=sys.stderr)
    jobs = arguments.concurrency
    at_once = "one job at a time" if jobs == 1 else f"{jobs} jobs at once"
    print(
        f"wove: queue {arguments.queue}, {at_once}, function {arguments.function_name}",
        file=sys.stderr,
        flush=True,
    )

    from redis.exceptions import RedisError

    from wove.integrations._arq_client import is_connection_trouble, without_command
    from wove.integrations._arq_worker import serve

    try:
        serve(
            pool,
            arguments.queue,
            function=arguments.function_name,
            jobs=jobs,
            timeout=arguments.job_timeout,
            ready=say_ready,
        )
    except (RedisError, OSError) as error:
        redis = f"Redis at {masked(url)}"
        what = f"lost {redis}" if is_connection_trouble(error) else f"{redis} refused"
        print(f"wove: {what}: {without_command(error)}", file=sys.stderr)
        return 1
    print("wove: stopped", file=sys.stderr)
    return 0


def _connect(url: str) -> Any:
    """A client of Redis for arq, after one that gives up in time has had an answer."""
    try:
        require_dispatch("running Wove's payloads in arq")
        import redis
        from redis.asyncio.retry import Retry
        from redis.backoff import ExponentialBackoff

        from wove.integrations._arq_client import client_of_url
    except MissingDispatchFeatureError as error:
        raise CannotStartError(str(error)) from error
    except ImportError as error:
        raise CannotStartError(
            f"arq is not installed ({error}). Install with: pip install 'wove[arq]'"
        ) from error
    limits = check_redis(url, seconds=CONNECT_SECONDS)
    return client_of_url(
        url,
        retry=Retry(ExponentialBackoff(cap=2, base=0.1), RETRIES),
        # The last two are what connecting raises, inside redis-py.
        retry_on_error=[redis.ConnectionError, redis.TimeoutError, OSError, asyncio.TimeoutError],
        **limits,
    )
