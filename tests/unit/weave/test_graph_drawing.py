"""`w.graph(...)`."""

from __future__ import annotations

import xml.etree.ElementTree as ET
from typing import Any

import pytest

from wove import weave


def _drawn() -> Any:
    with weave(key=1) as w:

        @w.do
        def alpha(key: int) -> list[int]:
            return [key]

        @w.do("alpha")
        async def beta(n: int) -> int:
            return n

        w.do(lambda beta, alpha: 0)
    return w


def test_mermaid() -> None:
    text = _drawn().graph("mermaid")
    assert text.startswith(("graph ", "flowchart "))
    assert "alpha" in text
    assert "beta" in text
    arrows = [line for line in text.splitlines() if "-->" in line]
    assert len(arrows) >= 3
    # A bare < or > in a label is taken for HTML by Mermaid.
    assert "<lambda>" not in text


def test_dot() -> None:
    text = _drawn().graph("dot")
    assert text.startswith("digraph")
    assert text.rstrip().endswith("}")
    arrows = [line.strip().rstrip(";") for line in text.splitlines() if "->" in line]
    assert '"alpha" -> "beta"' in "\n".join(arrows)
    assert any('"<lambda>"' in arrow for arrow in arrows)


def test_svg_is_well_formed_and_shows_every_task() -> None:
    text = _drawn().graph("svg")
    root = ET.fromstring(text)
    assert root.tag == "{http://www.w3.org/2000/svg}svg"
    shown = " ".join(root.itertext())
    for name in ("alpha", "beta", "<lambda>"):
        assert name in shown


def test_svg_draws_every_edge() -> None:
    root = ET.fromstring(_drawn().graph("svg"))
    kinds = [element.tag.rpartition("}")[2] for element in root.iter()]
    edges = sum(kinds.count(kind) for kind in ("line", "path", "polyline"))
    assert edges >= 3


@pytest.mark.parametrize("kind", ["mermaid", "dot", "svg"])
def test_without_tasks(kind: str) -> None:
    with weave() as w:
        pass
    text = w.graph(kind)
    assert isinstance(text, str)
    assert text
    if kind == "svg":
        ET.fromstring(text)


def test_an_unknown_kind_names_the_known() -> None:
    with pytest.raises(ValueError, match=r"(?s)mermaid.*dot.*svg"):
        _drawn().graph("png")
