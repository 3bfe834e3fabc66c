"""`python -m bench [MODULE ...]`: measure and print the table, as Markdown.

With `--write`, also puts it into docs/benchmarks.md, between its two markers.
"""

from __future__ import annotations

import argparse
import platform
import sys
from datetime import datetime, timezone

from bench.harness import ROOT, in_fresh_process

BACKENDS = ("celery", "rq", "taskiq", "dask", "ray", "temporal")
MODULES = ("local", "remote", "receiver", "doors", "workers", "startup", *BACKENDS)
APART = ("arq",)
"""Measured only when named: they need an environment of their own."""

PAGE = ROOT / "docs" / "benchmarks.md"
BEGIN, END = "<!-- figures -->", "<!-- end of figures -->"


def table(rows: list[dict[str, object]]) -> str:
    """The Markdown table of the measured lines."""
    words = {True: "yes", False: "**no**", None: "-"}
    out = [
        "| what | ours | against | ratio | target | reached |",
        "| --- | --- | --- | --- | --- | --- |",
    ]
    for row in rows:
        note = f" ({row['note']})" if row["note"] else ""
        reached = row["reached"]
        assert reached is None or isinstance(reached, bool)
        out.append(
            f"| {row['name']} | {row['ours']:,.4g} {row['unit']}{note} "
            f"| {row['against']:,.4g} {row['unit']}: {row['limit']} "
            f"| {row['ratio']:.2f}x | {row['target']} | {words[reached]} |"
        )
    return "\n".join(out)


def main() -> None:
    """Run the modules asked for, each in a process of its own."""
    parser = argparse.ArgumentParser(prog="python -m bench", description=__doc__)
    parser.add_argument("modules", nargs="*", metavar="MODULE", help=", ".join((*MODULES, *APART)))
    parser.add_argument("--write", action="store_true", help=f"write {PAGE.name} too")
    options = parser.parse_args()
    unknown = set(options.modules) - {*MODULES, *APART}
    if unknown:
        known = ", ".join((*MODULES, *APART))
        parser.error(f"no such module: {', '.join(sorted(unknown))}; there are {known}")
    rows: list[dict[str, object]] = []
    for module in options.modules or MODULES:
        print(f"measuring {module} ...", file=sys.stderr)
        found = in_fresh_process(module)
        assert isinstance(found, list)
        rows.extend(found)
    text = table(rows)
    print(text)
    if options.write:
        page = PAGE.read_text()
        before, rest = page.split(BEGIN)
        _, after = rest.split(END)
        when = datetime.now(timezone.utc).strftime("%Y-%m-%d")
        head = f"Measured on {when}, Python {platform.python_version()}, {platform.machine()}."
        PAGE.write_text(f"{before}{BEGIN}\n\n{head}\n\n{text}\n\n{END}{after}")


if __name__ == "__main__":
    main()
