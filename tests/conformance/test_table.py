"""The page that is written from reports."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from workers.conformance.table import main, page


def report(name: str, encodings: list[str], failed: set[str] = frozenset()) -> dict[str, Any]:  # type: ignore[assignment]
    cases = [
        {
            "group": group,
            "name": case,
            "encoding": encoding,
            "passed": case not in failed,
            "says": f"{case} must hold.",
        }
        for group, case in (("values", "adds"), ("values", "echoes"), ("cancel", "stops"))
        for encoding in encodings
    ]
    return {"name": name, "encodings": encodings, "complete": True, "cases": cases}


def test_groups_by_language() -> None:
    text = page([report("Python", ["json", "grpc"]), report("Go", ["json"], {"echoes"})])
    assert "|  | Python | Go |" in text
    assert "| encodings | json, grpc | json |" in text
    assert "| values | 4 | 1 of 2 |" in text
    assert "| cancel | 2 | 1 |" in text
    assert "| errors | - | - |" in text
    assert "| all | 6 | 2 of 3 |" in text
    assert "- Python has no protobuf." in text
    assert "- Go has no protobuf and no grpc." in text
    assert "- Go, values/echoes (json): echoes must hold." in text


def test_nothing_to_say_is_not_said() -> None:
    text = page([report("Python", ["json", "protobuf", "grpc"])])
    assert "What is not there" not in text
    assert "What fails" not in text


def test_the_command_writes_the_page(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    source, out = tmp_path / "python.json", tmp_path / "page.md"
    source.write_text(json.dumps(report("Python", ["json"])))
    assert main([str(source), "--out", str(out)]) == 0
    assert out.read_text().startswith("# Conformance\n")
    source.write_text(json.dumps({**report("Python", ["json"]), "complete": False}))
    assert main([str(source), "--out", str(out)]) == 1
    assert "left cases out" in capsys.readouterr().err
