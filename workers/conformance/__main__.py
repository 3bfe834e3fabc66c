"""`python -m workers.conformance [options] -- COMMAND...`: judge a worker."""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import shutil
import sys
import time
from pathlib import Path

# The workers are started from a process that serves gRPC: nothing of it may go along.
os.environ["GRPC_ENABLE_FORK_SUPPORT"] = "0"
os.environ.setdefault("GRPC_VERBOSITY", "NONE")

from workers.conformance import cases  # noqa: F401 - they register themselves
from workers.conformance.engine import Outcome, Settings, run_all, selected
from workers.conformance.registry import ENCODINGS, EVERY_RUN

__all__ = ["main"]


def main(arguments: list[str] | None = None) -> int:
    """Run the cases; 0 if all have passed, 1 if not, 2 if there is nothing to run."""
    arguments = sys.argv[1:] if arguments is None else arguments
    options, argv = arguments, []
    if "--" in arguments:
        at = arguments.index("--")
        options, argv = arguments[:at], arguments[at + 1 :]
    parsed = _parser().parse_args(options)
    encodings = [name for name in parsed.encodings.split(",") if name]
    unknown = [name for name in encodings if name not in ENCODINGS]
    if unknown or not encodings:
        return _usage(f"encodings are {', '.join(ENCODINGS)}, not {parsed.encodings!r}")
    if parsed.list:
        _list(parsed.only)
        return 0
    if not argv:
        return _usage("give the worker's command after --")
    if shutil.which(argv[0]) is None:
        fault = "may not be executed" if Path(argv[0]).exists() else "is not there"
        return _usage(f"{argv[0]!r} {fault}; a relative path starts at this folder")
    if not selected(parsed.only):
        return _usage(f"no case matches {parsed.only}")
    settings = Settings(argv, encodings, parsed.only, parsed.jobs, parsed.patience)
    began = time.monotonic()
    outcomes = asyncio.run(run_all(settings, lambda outcome: _tell(outcome, parsed.verbose)))
    seconds = time.monotonic() - began
    failed = sum(not outcome.passed for outcome in outcomes)
    if parsed.report is not None:
        report = {
            "name": parsed.name or Path(argv[0]).name,
            "encodings": encodings,
            "complete": not parsed.only,
            "seconds": round(seconds, 1),
            "cases": [outcome.as_dict() for outcome in outcomes],
        }
        parsed.report.write_text(json.dumps(report, indent=1) + "\n", encoding="utf-8")
    print(f"{len(outcomes) - failed} passed, {failed} failed ({seconds:.0f} s)")
    return 1 if failed else 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m workers.conformance", description=__doc__)
    add = parser.add_argument
    add("--encodings", default=",".join(ENCODINGS), help="some of json,protobuf,grpc (all)")
    add("--only", action="append", default=[], metavar="PATTERN", help="part of GROUP/NAME")
    add("--list", action="store_true", help="print the cases and what they say")
    add("--name", default="", help="of the implementation, in the report")
    add("--report", type=Path, metavar="FILE", help="write the outcomes as JSON")
    add("--jobs", type=int, default=4, help="cases at a time (4)")
    add("--patience", type=float, default=1.0, help="factor for every wait (1)")
    add("-v", "--verbose", action="store_true", help="print the cases that pass, too")
    return parser


def _usage(problem: str) -> int:
    print(f"conformance: {problem}", file=sys.stderr)
    return 2


def _list(only: list[str]) -> None:
    for found in selected(only):
        where = "once" if found.once else ",".join(found.encodings)
        print(f"{found.group}/{found.name} [{where}]\n    {found.says}")
    for rule in EVERY_RUN:
        print(f"every run/{rule.name}\n    {rule.says}")


def _tell(outcome: Outcome, verbose: bool) -> None:
    name = f"{outcome.group}/{outcome.name} [{outcome.encoding}]"
    if outcome.passed:
        if verbose:
            print(f"ok   {name} {outcome.seconds:.1f} s", flush=True)
        return
    lines = [
        f"FAIL {name} {outcome.seconds:.1f} s",
        f"  must      {outcome.says}",
        f"  {outcome.what}",
        f"  expected  {outcome.expected}",
        f"  seen      {outcome.seen}",
        *(f"  {line}" for line in outcome.background),
    ]
    print("\n".join(lines), flush=True)


if __name__ == "__main__":
    sys.exit(main())
