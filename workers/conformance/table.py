"""`python -m workers.conformance.table REPORT.json...`: write docs/conformance.md."""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from workers.conformance import cases  # noqa: F401 - they register themselves
from workers.conformance.registry import CASES, ENCODINGS, EVERY_RUN

__all__ = ["main", "page"]

DOCS = Path(__file__).parents[2] / "docs" / "conformance.md"

HEAD = """# Conformance

Written by `python -m workers.conformance.table` from the runner's reports; do not edit. \
[Writing a worker](writing-a-worker.md) says what a worker must do and how to run this on one \
of your own. `python -m workers.conformance --list` says what each case asks for.

A number is how many cases have passed, each in every encoding in which it means something; \
`3 of 5` means that two failed.
"""


def main(arguments: list[str] | None = None) -> int:
    """Write the page; 1 if a report is of a run that left cases out."""
    parser = argparse.ArgumentParser(prog="python -m workers.conformance.table")
    parser.add_argument("reports", nargs="+", type=Path, metavar="REPORT.json")
    parser.add_argument("--out", type=Path, default=DOCS, help="the page (docs/conformance.md)")
    parsed = parser.parse_args(arguments)
    reports = [json.loads(path.read_text(encoding="utf-8")) for path in parsed.reports]
    for report in reports:
        if not report["complete"]:
            print(f"conformance: the run of {report['name']} left cases out", file=sys.stderr)
            return 1
    parsed.out.write_text(page(reports), encoding="utf-8")
    return 0


def page(reports: Sequence[dict[str, Any]]) -> str:
    """The page of these reports."""
    parts = [HEAD, _groups(reports), *_gaps(reports), *_failures(reports)]
    return "\n".join(parts)


def _groups(reports: Sequence[dict[str, Any]]) -> str:
    names = list(dict.fromkeys([case.group for case in CASES] + ["every run"] * bool(EVERY_RUN)))
    lines = [
        _row(["", *(report["name"] for report in reports)]),
        _row(["---"] * (len(reports) + 1)),
        _row(["encodings", *(", ".join(report["encodings"]) for report in reports)]),
    ]
    lines += [_row([name, *(_count(report, name) for report in reports)]) for name in names]
    lines.append(_row(["all", *(_count(report, None) for report in reports)]))
    return "\n".join(lines) + "\n"


def _count(report: dict[str, Any], group: str | None) -> str:
    found = [case for case in report["cases"] if group in (None, case["group"])]
    passed = sum(case["passed"] for case in found)
    if not found:
        return "-"
    return str(passed) if passed == len(found) else f"{passed} of {len(found)}"


def _gaps(reports: Sequence[dict[str, Any]]) -> list[str]:
    lines = []
    for report in reports:
        missing = [name for name in ENCODINGS if name not in report["encodings"]]
        if missing:
            lines.append(f"- {report['name']} has no {' and no '.join(missing)}.")
    return ["## What is not there\n", *lines, ""] if lines else []


def _failures(reports: Sequence[dict[str, Any]]) -> list[str]:
    lines = [
        f"- {report['name']}, {case['group']}/{case['name']} ({case['encoding']}): {case['says']}"
        for report in reports
        for case in report["cases"]
        if not case["passed"]
    ]
    return ["## What fails\n", *lines, ""] if lines else []


def _row(cells: Sequence[str]) -> str:
    return f"| {' | '.join(cells)} |"


if __name__ == "__main__":
    sys.exit(main())
