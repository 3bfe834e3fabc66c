"""`wove worker rq`: RQ's own worker program, with what Wove's payloads need imported once."""

from __future__ import annotations

import argparse
import os
import sys
from typing import Any

from wove.cli._starting import (
    CannotStartError,
    add_loglevel,
    at_least_one,
    check_redis,
    import_all,
    say_ready,
)
from wove.dispatch.requirements import require_dispatch
from wove.errors import MissingDispatchFeatureError
from wove.integrations._url import masked

CONNECT_SECONDS = 10
"""How long Redis may take to answer before the command gives up."""


def add_to(backends: Any) -> None:
    """Add the `rq` command to argparse's subparsers `backends`."""
    parser: argparse.ArgumentParser = backends.add_parser(
        "rq",
        help="an RQ worker",
        description=(
            "Start RQ's own worker program, or a pool of them, ready to run Wove's payloads. "
            "SIGTERM stops it after the jobs in hand."
        ),
    )
    parser.add_argument(
        "--redis-url", required=True, metavar="URL", help="where jobs come from: redis://..."
    )
    parser.add_argument(
        "--queue",
        action="append",
        metavar="NAME",
        help="take jobs from this queue; may be repeated, the first one first (default: default)",
    )
    parser.add_argument(
        "-c",
        "--concurrency",
        type=at_least_one,
        default=1,
        metavar="N",
        help="jobs at once: workers, each with one job in a process of its own (default: 1)",
    )
    parser.add_argument(
        "--preload",
        action="append",
        default=[],
        metavar="MODULE",
        help="import this before the first job, and not in each; may be repeated",
    )
    add_loglevel(parser, "RQ's")
    parser.set_defaults(run=run)


def run(arguments: argparse.Namespace) -> int:
    """Start the worker and stay until it has stopped; the exit status."""
    sys.path.insert(0, os.getcwd())  # as `rq worker` does: jobs import the application's modules
    queues = arguments.queue or ["default"]
    try:
        connection = _connect(arguments.redis_url)
        import_all(arguments.preload)
    except CannotStartError as error:
        print(f"wove: {error}", file=sys.stderr)
        return 1
    print(f"wove: RQ worker on {masked(arguments.redis_url)}", file=sys.stderr)
    jobs = arguments.concurrency
    at_once = "one job at a time" if jobs == 1 else f"{jobs} jobs at once"
    print(f"wove: queue {', '.join(queues)}, {at_once}", file=sys.stderr, flush=True)

    from wove.integrations._rq_worker import serve

    serve(connection, queues, jobs=jobs, level=arguments.loglevel, ready=say_ready)
    print("wove: stopped", file=sys.stderr)
    return 0


def _connect(url: str) -> Any:
    """A client of Redis for RQ, after one that gives up in time has had an answer."""
    try:
        require_dispatch("running Wove's payloads in RQ")
        import redis
        import rq  # noqa: F401 - is it there
    except MissingDispatchFeatureError as error:
        raise CannotStartError(str(error)) from error
    except ImportError as error:
        raise CannotStartError(
            f"RQ is not installed ({error}). Install with: pip install 'wove[rq]'"
        ) from error
    check_redis(url, seconds=CONNECT_SECONDS)
    return redis.Redis.from_url(url)
