"""`make conformance`: run every worker of this repository, and write docs/conformance.md.

Arguments are passed on to the runner; with any, the page is left as it is.
"""

from __future__ import annotations

import subprocess
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).parents[1]


@dataclass(frozen=True)
class Implementation:
    """A worker with the five tasks, and how it is made."""

    name: str
    command: tuple[str, ...]
    encodings: str = "json,protobuf,grpc"
    build: tuple[str, ...] = ()


IMPLEMENTATIONS = (
    Implementation("Python", (sys.executable, "workers/python/tasks/worker.py")),
    Implementation(
        "Go", (".build/workers/wove-tasks-go",), build=("scripts/workers", "build", "go")
    ),
    Implementation("Java", ("workers/java/bin/tasks",), build=("scripts/workers", "build", "java")),
    Implementation(
        "Rust",
        ("workers/rust/target/release/wove-tasks",),
        build=("scripts/workers", "build", "rust"),
    ),
    Implementation(
        "TypeScript",
        ("node", "workers/typescript/dist/examples/worker.js"),
        build=("scripts/workers", "build", "typescript"),
    ),
)


def main(options: list[str]) -> int:
    """Run them all; 1 if one has failed a case."""
    failed: list[str] = []
    reports: list[str] = []
    with tempfile.TemporaryDirectory() as folder:
        for found in IMPLEMENTATIONS:
            print(f"{found.name}:", flush=True)
            if found.build:
                subprocess.run(found.build, cwd=ROOT, check=True)
            reports.append(f"{folder}/{found.name}.json")
            known = ["--encodings", found.encodings, "--name", found.name, "--report", reports[-1]]
            if run("workers.conformance", *known, *options, "--", *found.command):
                failed.append(found.name)
        if not options:
            run("workers.conformance.table", *reports)
    if failed:
        print(f"not conformant: {', '.join(failed)}")
    return 1 if failed else 0


def run(module: str, *arguments: str) -> int:
    """Run a module of this repository; its exit status."""
    return subprocess.run([sys.executable, "-m", module, *arguments], cwd=ROOT).returncode


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
