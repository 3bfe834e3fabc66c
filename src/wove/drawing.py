"""Pictures of a graph: Mermaid and DOT as text, SVG drawn here without any dependency."""

from __future__ import annotations

import html
from collections.abc import Iterator, Mapping

from wove.graph import Node, plan

__all__ = ["draw"]

# Pixels.
_HEIGHT = 32
_LETTER = 8
_GAP_X = 56
_GAP_Y = 20
_MARGIN = 16


def draw(nodes: Mapping[str, Node], format: str) -> str:  # noqa: A002 - the documented word
    """Draw connected tasks; keywords are left out.

    Args:
        nodes: the tasks by name.
        format: `mermaid`, `dot` or `svg`.

    Raises:
        ValueError: an unknown format.
    """
    drawers = {"mermaid": _mermaid, "dot": _dot, "svg": _svg}
    drawer = drawers.get(format)
    if drawer is None:
        raise ValueError(f"format must be one of {', '.join(map(repr, drawers))}, not {format!r}")
    return drawer(nodes)


def _edges(nodes: Mapping[str, Node]) -> Iterator[tuple[str, str]]:
    for name, node in nodes.items():
        for other in node.awaited:
            if other in nodes:
                yield other, name


def _label(node: Node) -> str:
    return f"{node.name} [map]" if node.mapped else node.name


def _mermaid(nodes: Mapping[str, Node]) -> str:
    # Names such as "end" are words of the language, so the nodes are numbered.
    numbers = {name: f"t{number}" for number, name in enumerate(nodes)}
    lines = ["flowchart LR"]
    for name, node in nodes.items():
        # Mermaid's own entities: &lt; is written #lt; there.
        text = html.escape(_label(node)).replace("#x27;", "#39;").replace("&", "#")
        lines.append(f'    {numbers[name]}["{text.replace("##", "#")}"]')
    lines += [f"    {numbers[a]} --> {numbers[b]}" for a, b in _edges(nodes)]
    return "\n".join(lines) + "\n"


def _dot(nodes: Mapping[str, Node]) -> str:
    def quoted(text: str) -> str:
        escaped = text.replace("\\", "\\\\").replace('"', '\\"')
        return f'"{escaped}"'

    lines = ["digraph weave {", "    rankdir=LR;", "    node [shape=box];"]
    lines += [f"    {quoted(n)} [label={quoted(_label(node))}];" for n, node in nodes.items()]
    lines += [f"    {quoted(a)} -> {quoted(b)};" for a, b in _edges(nodes)]
    return "\n".join([*lines, "}"]) + "\n"


def _svg(nodes: Mapping[str, Node]) -> str:
    """One column per tier, from left to right."""
    every = plan(nodes, _keywords(nodes))["tiers"]
    tiers = list(filter(None, ([name for name in tier if name in nodes] for tier in every)))
    places: dict[str, tuple[int, int, int]] = {}  # left, top, width
    left = _MARGIN
    for tier in tiers:
        width = max(len(_label(nodes[name])) for name in tier) * _LETTER + 2 * _LETTER
        for row, name in enumerate(tier):
            places[name] = (left, _MARGIN + row * (_HEIGHT + _GAP_Y), width)
        left += width + _GAP_X
    wide = max(left - _GAP_X, _MARGIN) + _MARGIN
    rows = max((len(tier) for tier in tiers), default=0)
    high = 2 * _MARGIN + max(rows * (_HEIGHT + _GAP_Y) - _GAP_Y, 0)
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{wide}" height="{high}" '
        f'viewBox="0 0 {wide} {high}" font-family="monospace" font-size="13">',
        '<defs><marker id="tip" viewBox="0 0 8 8" refX="8" refY="4" markerWidth="8" '
        'markerHeight="8" orient="auto"><path d="M0 0 L8 4 L0 8 z"/></marker></defs>',
    ]
    parts += [_curve(places[a], places[b]) for a, b in _edges(nodes)]
    parts += [_box(places[name], _label(node)) for name, node in nodes.items()]
    return "\n".join([*parts, "</svg>"]) + "\n"


def _keywords(nodes: Mapping[str, Node]) -> dict[str, None]:
    return {name: None for node in nodes.values() for name in node.awaited if name not in nodes}


def _curve(start: tuple[int, int, int], end: tuple[int, int, int]) -> str:
    x1, y1 = start[0] + start[2], start[1] + _HEIGHT // 2
    x2, y2 = end[0], end[1] + _HEIGHT // 2
    middle = (x1 + x2) // 2
    return (
        f'<path d="M{x1} {y1} C{middle} {y1} {middle} {y2} {x2} {y2}" '
        'fill="none" stroke="black" marker-end="url(#tip)"/>'
    )


def _box(place: tuple[int, int, int], label: str) -> str:
    left, top, width = place
    return (
        f'<rect x="{left}" y="{top}" width="{width}" height="{_HEIGHT}" rx="4" '
        'fill="white" stroke="black"/>'
        f'<text x="{left + width // 2}" y="{top + _HEIGHT // 2}" text-anchor="middle" '
        f'dominant-baseline="central">{html.escape(label)}</text>'
    )
