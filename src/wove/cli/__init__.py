"""The `wove` command.

wove --version
wove worker celery --broker-url redis://localhost:6379/0 --queue reports
wove worker rq --redis-url redis://localhost:6379/0 --queue reports
"""

from __future__ import annotations

import argparse
from collections.abc import Sequence

from wove.cli import (
    arq_worker,
    celery_worker,
    dask_worker,
    ray_worker,
    rq_worker,
    taskiq_worker,
    temporal_worker,
)

__all__ = ["main"]


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command line.

    Args:
        argv: the arguments, without the program's name; those of the process by default.

    Returns:
        The exit status: 0, or 1 with a message on standard error.

    Raises:
        SystemExit: argparse's own, status 2, for arguments that make no sense.
    """
    arguments = _parser().parse_args(argv)
    status: int = arguments.run(arguments)
    return status


def _parser() -> argparse.ArgumentParser:
    from wove import __version__

    parser = argparse.ArgumentParser(
        prog="wove", description="Run any task of an inline Python workflow elsewhere."
    )
    parser.add_argument("--version", action="version", version=f"wove {__version__}")
    commands = parser.add_subparsers(title="commands", required=True, metavar="COMMAND")
    worker = commands.add_parser("worker", help="start a backend's own worker with Wove's task")
    backends = worker.add_subparsers(title="backends", required=True, metavar="BACKEND")
    arq_worker.add_to(backends)
    celery_worker.add_to(backends)
    dask_worker.add_to(backends)
    rq_worker.add_to(backends)
    taskiq_worker.add_to(backends)
    temporal_worker.add_to(backends)
    ray_worker.add_to(backends)
    return parser
