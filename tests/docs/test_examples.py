"""Every Python example of the documentation runs.

A fenced ```python block is a program: it is run in a process of its own, in an empty
folder, with warnings as errors. A line `<!-- fragment: reason -->` before it says why
it is not run; it must still be a piece of Python.
"""

from __future__ import annotations

import ast
import os
import re
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.services import ROOT

FENCE = re.compile(r"(?:<!-- (?P<note>[^\n]*) -->\n)?^```python\n(?P<code>.*?)^```$", re.M | re.S)
FILES = [ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md"))]


@dataclass
class Example:
    """One fenced block."""

    file: Path
    line: int
    code: str
    note: str

    @property
    def name(self) -> str:
        return f"{self.file.relative_to(ROOT)}:{self.line}"


def examples_of(file: Path) -> list[Example]:
    text = file.read_text()
    return [
        Example(
            file,
            text.count("\n", 0, match.start("code")) + 1,
            match["code"],
            match["note"] or "",
        )
        for match in FENCE.finditer(text)
    ]


EXAMPLES = [example for file in FILES for example in examples_of(file)]
FRAGMENTS = [example for example in EXAMPLES if example.note]
PROGRAMS = [example for example in EXAMPLES if not example.note]


@pytest.mark.parametrize("example", PROGRAMS, ids=lambda example: example.name)
def test_example_runs(example: Example, tmp_path: Path) -> None:
    script = tmp_path / "example.py"
    # Blank lines in front, so that a traceback has the document's line numbers.
    script.write_text("\n" * (example.line - 1) + example.code)
    done = subprocess.run(
        [sys.executable, "-W", "error", str(script)],
        cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": ""},
        capture_output=True,
        text=True,
        timeout=50,
        check=False,
    )
    assert done.returncode == 0, f"{example.name}\n{done.stdout}{done.stderr}"


@pytest.mark.parametrize("example", FRAGMENTS, ids=lambda example: example.name)
def test_fragment_is_python_and_says_why_it_does_not_run(example: Example) -> None:
    assert re.fullmatch(r"fragment: .{10,}", example.note)
    try:
        ast.parse(example.code)
    except SyntaxError:
        ast.parse("{" + example.code + "}")  # an entry of a dictionary


def test_there_are_examples() -> None:
    assert len(PROGRAMS) > 10


@pytest.mark.parametrize("file", [ROOT / "README.md", ROOT / "docs" / "backend-adapters.md"])
def test_the_runnable_example_is_the_documented_one(file: Path) -> None:
    text = (ROOT / "workers" / "python" / "celery" / "example.py").read_text()
    assert text in [example.code for example in examples_of(file)]


@pytest.mark.parametrize(
    "file", [*FILES, ROOT / "CONTRIBUTING.md", ROOT / "CHANGELOG.md"], ids=lambda file: file.name
)
def test_links_lead_somewhere(file: Path) -> None:
    prose = re.sub(r"^```.*?^```", "", file.read_text(), flags=re.M | re.S)
    for target in re.findall(r"\]\((?!https?:)([^)#\s]*)(#[^)\s]*)?\)", prose):
        path, anchor = target
        linked = file if not path else (file.parent / path)
        assert linked.exists(), f"{file.name} links to {path}"
        if anchor:
            headings = re.findall(r"^#+ (.*)$", linked.read_text(), re.M)
            anchors = {re.sub(r"[^\w\- ]", "", h.lower()).replace(" ", "-") for h in headings}
            assert anchor[1:] in anchors, f"{file.name} links to {path}{anchor}"


def test_every_error_and_code_is_explained() -> None:
    from wove import errors

    text = (ROOT / "docs" / "errors.md").read_text()
    types = set(errors.__all__) - {"ErrorCode", "WoveError"}
    assert types == set(re.findall(r"^\| `(\w+Error)` \|", text, re.M))
    codes = {code.value for code in errors.ErrorCode}
    assert codes == set(re.findall(r"^\| `([a-z_]+)` \|", text, re.M))
