"""Random weaves for the property tests, and what running them one by one gives."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from hypothesis import strategies as st

KINDS = ("sync", "async")
MAPS = (None, "items", "task")
ERROR_MODES = ("raise", "defer", "return")


class Injected(Exception):
    """The failure of one task, made to happen."""


@dataclass(frozen=True)
class Node:
    """One task: which earlier tasks it needs, how it is written, whether it fails."""

    name: str
    needs: tuple[str, ...]
    kind: str
    over: str | None
    """None: a plain task. "items": mapped over a list. Another task's name: over its result."""
    items: int
    fails: bool
    failing_item: int


@dataclass
class Graph:
    """Tasks in topological order, and the order in which they are declared."""

    nodes: list[Node]
    declared: list[Node]

    def parents(self, name: str) -> set[str]:
        node = next(n for n in self.nodes if n.name == name)
        over = {node.over} if node.over not in (None, "items") else set()
        return set(node.needs) | over

    def ancestors(self, name: str) -> set[str]:
        found: set[str] = set()
        open_ = self.parents(name)
        while open_:
            found |= open_
            open_ = set().union(*(self.parents(n) for n in open_)) - found
        return found

    def descendants(self, name: str) -> set[str]:
        return {n.name for n in self.nodes if name in self.ancestors(n.name)}


@st.composite
def graphs(draw: Any, *, most: int = 8, failures: bool = False, maps: bool = True) -> Graph:
    """A random acyclic graph with any mix of kinds, declared in any order."""
    nodes: list[Node] = []
    for number in range(draw(st.integers(1, most))):
        earlier = [n.name for n in nodes]
        mapped_earlier = [n.name for n in nodes if n.over is not None]
        needs = tuple(n for n in earlier if draw(st.booleans()) and draw(st.booleans()))
        how = draw(st.sampled_from(MAPS)) if maps else None
        over: str | None = how
        if how == "task":
            over = draw(st.sampled_from(mapped_earlier)) if mapped_earlier else None
        nodes.append(
            Node(
                name=f"t{number}",
                needs=tuple(n for n in needs if n != over),
                kind=draw(st.sampled_from(KINDS)),
                over=over,
                items=draw(st.integers(0, 3)),
                fails=failures and draw(st.integers(0, 3)) == 0,
                failing_item=draw(st.integers(0, 2)),
            )
        )
    return Graph(nodes, list(draw(st.permutations(nodes))))


def _total(value: Any) -> int:
    return sum(value) if isinstance(value, list) else value


def compute(node: Node, arguments: dict[str, Any], item: int | None = None) -> int:
    """The value of one call: every dependency and the item count in it."""
    value = int(node.name[1:]) + 1
    for position, name in enumerate(node.needs):
        value += (position + 2) * _total(arguments[name])
    return value % 1_000_003 if item is None else (value + 7 * item) % 1_000_003


def one_by_one(graph: Graph) -> dict[str, Any]:
    """The results of running the tasks one after the other (failures left out of account)."""
    results: dict[str, Any] = {}
    for node in graph.nodes:
        arguments = {name: results[name] for name in node.needs}
        if node.over is None:
            results[node.name] = compute(node, arguments)
        else:
            source = range(node.items) if node.over == "items" else results[node.over]
            results[node.name] = [compute(node, arguments, item) for item in source]
    return results


Hook = Callable[[Node, "int | None"], Any]


@dataclass
class Trace:
    """What happened during a weave: calls begun and ended, from any thread, in order."""

    events: list[tuple[str, str, int | None]] = field(default_factory=list)
    failures: dict[str, list[Injected]] = field(default_factory=dict)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def note(self, what: str, node: Node, item: int | None) -> None:
        with self._lock:
            self.events.append((what, node.name, item))

    def called(self, name: str) -> int:
        return sum(1 for what, who, _ in self.events if what == "begin" and who == name)


def declare(w: Any, graph: Graph, trace: Trace, during: Hook | None = None, **options: Any) -> None:
    """Declare the graph's tasks as plain functions with the parameters that they need.

    `during(node, item)` is called (and awaited, in async tasks) inside every call.
    """
    for node in graph.declared:
        _declare_one(w, node, trace, during, options)


def _declare_one(
    w: Any, node: Node, trace: Trace, during: Hook | None, options: dict[str, Any]
) -> None:
    seen = {"n": 0}
    lock = threading.Lock()

    def begin(item: int | None) -> int:
        trace.note("begin", node, item)
        with lock:
            number = seen["n"]
            seen["n"] += 1
        return number

    def finish(arguments: dict[str, Any], item: int | None, number: int) -> int:
        if node.fails and (node.over is None or number == node.failing_item):
            failure = Injected(node.name)
            trace.failures.setdefault(node.name, []).append(failure)
            trace.note("fail", node, item)
            raise failure
        value = compute(node, arguments, item)
        trace.note("end", node, item)
        return value

    def body(arguments: dict[str, Any]) -> int:
        item = arguments.pop("item", None)
        number = begin(item)
        if during is not None:
            during(node, item)
        return finish(arguments, item, number)

    async def async_body(arguments: dict[str, Any]) -> int:
        item = arguments.pop("item", None)
        number = begin(item)
        await asyncio.sleep(0)
        if during is not None:
            await during(node, item)
        return finish(arguments, item, number)

    parameters = list(node.needs) + ([] if node.over is None else ["item"])
    word, call = ("async ", "await body") if node.kind == "async" else ("", "body")
    source = (
        f"{word}def {node.name}({', '.join(parameters)}):\n"
        f"    return {call}(dict({', '.join(f'{p}={p}' for p in parameters)}))\n"
    )
    namespace: dict[str, Any] = {"body": async_body if node.kind == "async" else body}
    exec(source, namespace)
    if node.over is None:
        w.do(**options)(namespace[node.name])
    else:
        over = range(node.items) if node.over == "items" else node.over
        w.do(over, **options)(namespace[node.name])
