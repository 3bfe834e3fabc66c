"""From names to a graph: what each task waits for, and whether it can ever run.

Pure: nothing here runs a task or knows where tasks run.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any

from wove.errors import UnresolvedSignatureError
from wove.options import TASK_OPTIONS, WEAVE_OPTIONS, TaskOptions
from wove.signatures import KeywordCall, is_async, read_parameters

__all__ = ["UNMAPPED", "Node", "Plan", "connect", "plan"]


class _Unmapped:
    def __reduce__(self) -> str:
        return "UNMAPPED"  # the same object in a forked process


UNMAPPED: Any = _Unmapped()
"""The `source` of a task that is not mapped."""

Plan = dict[str, Any]


class Node:
    """One task of one weave: what was declared, and its place in the graph.

    `name`, `function`, `source` and `given` are what the user wrote; `connect`
    fills in the rest; `options`, `handle`, `missing` and the times belong to the run.
    """

    __slots__ = (
        "dependencies",
        "dependents",
        "ended",
        "function",
        "given",
        "handle",
        "is_async",
        "item",
        "missing",
        "name",
        "options",
        "shared",
        "source",
        "started",
    )

    def __init__(
        self, name: str, function: Callable[..., Any], source: Any, given: dict[str, Any] | None
    ) -> None:
        self.name = name
        self.function = function
        self.source = source
        """`UNMAPPED`, an iterable, or the name of a task or keyword."""
        self.given = given
        """The task's own options, or `None` without any."""
        self.dependencies: tuple[str, ...] = ()
        """Names of tasks and keywords passed to the callable."""
        self.dependents: list[Node] | tuple[()] = ()
        """Tasks that wait for this one."""
        self.item: str | None = None
        """The parameter that takes the item of a mapped task."""
        self.is_async = is_async(function)
        self.missing = 0
        """Tasks that this one still waits for."""
        self.options: TaskOptions | None = None
        self.shared: dict[str, Any] | None = None
        """What the items of a mapped task share on their way elsewhere."""
        self.handle: Any = None
        """The asyncio task or the pool's job, while it runs."""
        self.started = 0.0
        """`time.perf_counter()` at the start; 0 before."""
        self.ended = 0.0

    @property
    def mapped(self) -> bool:
        """Whether the task runs once per item of its source."""
        return self.source is not UNMAPPED

    @property
    def awaited(self) -> tuple[str, ...]:
        """Names that must be there before the task starts: parameters and source."""
        if isinstance(self.source, str) and self.source not in self.dependencies:
            return (self.source, *self.dependencies)
        return self.dependencies


def connect(nodes: Mapping[str, Node], data: Mapping[str, Any], given: Iterable[str]) -> None:
    """Resolve every parameter of every task, or say what is wrong before anything runs.

    Args:
        nodes: the tasks by name, in order of definition.
        data: the weave's keywords, `data` itself among them.
        given: names of options that were given to `weave(...)`.

    Raises:
        UnresolvedSignatureError: a parameter names nothing.
        NameError: a mapped task's source names nothing.
        TypeError: a mapped task has not exactly one parameter for the item.
        RuntimeError: a cycle.
    """
    linked = False
    for node in nodes.values():
        required, optional, positional = read_parameters(node.function)
        if positional:
            node.function = KeywordCall(node.function, positional)
        if required or optional or node.source is not UNMAPPED:
            linked = _resolve(node, required, optional, nodes, data, given) or linked
    if linked:
        _refuse_cycles(nodes)


def _resolve(
    node: Node,
    required: tuple[str, ...],
    optional: tuple[str, ...],
    nodes: Mapping[str, Node],
    data: Mapping[str, Any],
    given: Iterable[str],
) -> bool:
    """Fill in one node; whether it waits for another task."""
    known = [n for n in required if n in nodes or n in data]
    unknown = [n for n in required if n not in nodes and n not in data]
    if node.source is not UNMAPPED:
        if isinstance(node.source, str) and node.source not in nodes and node.source not in data:
            raise NameError(
                f"Mapped task {node.name!r} depends on {node.source!r}, which is neither a task "
                f"nor a keyword of the weave. Available: {_available(node, nodes, data)}"
                f"{_hint([node.source], given)}"
            )
        if len(unknown) != 1:
            found = ", ".join(unknown) or "none"
            raise TypeError(
                f"Mapped task {node.name!r} must have exactly one parameter that is not a "
                f"dependency, to take the item; it has {found}{_hint(unknown, given)}"
            )
        node.item = unknown[0]
    elif unknown:
        raise _unresolved(node, unknown, nodes, data, given)
    known.extend(n for n in optional if n in nodes or n in data)
    node.dependencies = tuple(known)
    for name in node.awaited:
        other = nodes.get(name)
        if other is not None:
            node.missing += 1
            if other.dependents:
                other.dependents.append(node)
            else:
                other.dependents = [node]
    return node.missing > 0


def _available(node: Node, nodes: Mapping[str, Node], data: Mapping[str, Any]) -> str:
    return ", ".join(sorted({*nodes, *data} - {node.name})) or "none"


def _unresolved(
    node: Node,
    unknown: list[str],
    nodes: Mapping[str, Node],
    data: Mapping[str, Any],
    given: Iterable[str],
) -> UnresolvedSignatureError:
    return UnresolvedSignatureError(
        f"Task {node.name!r} has unresolved dependencies: {', '.join(unknown)}. "
        f"Available dependencies: {_available(node, nodes, data)}{_hint(unknown, given)}"
    )


def _hint(unknown: list[str], given: Iterable[str]) -> str:
    """Text for names that were data of `weave(...)` in the published package."""
    options = [n for n in unknown if n in (TASK_OPTIONS | WEAVE_OPTIONS) and n in set(given)]
    if not options:
        return ""
    names = ", ".join(repr(n) for n in options)
    return (
        f". {names} was given to weave(...), where it is an option and not data: "
        f"pass the value under another name"
    )


def _refuse_cycles(nodes: Mapping[str, Node]) -> None:
    missing = {name: node.missing for name, node in nodes.items()}
    ready = [node for node in nodes.values() if not node.missing]
    done = 0
    while ready:
        node = ready.pop()
        done += 1
        for dependent in node.dependents:
            missing[dependent.name] -= 1
            if not missing[dependent.name]:
                ready.append(dependent)
    if done == len(nodes):
        return
    # Each task left waits for another one left: following them must come round.
    path = [next(name for name, count in missing.items() if count)]
    while path[-1] not in path[:-1]:
        awaited = nodes[path[-1]].awaited
        path.append(next(n for n in awaited if n in nodes and missing[n]))
    cycle = path[path.index(path[-1]) :]
    # A task waits for the one after it; shown the way the values would flow.
    raise RuntimeError(f"Circular dependency detected: {' -> '.join(reversed(cycle))}")


def plan(nodes: Mapping[str, Node], data: Mapping[str, Any]) -> Plan:
    """The connected graph as data, keywords and `data` included.

    Returns:
        `dependencies` and `dependents` (name to set of names), `tiers` (lists of
        names: the keywords, then the tasks, each one tier after the last of its
        dependencies), `sorted_tasks` (the tiers' names in one list).
    """
    names = [*(name for name in data if name not in nodes), *nodes]
    dependencies = {n: set(nodes[n].awaited) if n in nodes else set() for n in names}
    dependents: dict[str, set[str]] = {name: set() for name in names}
    for name, awaited in dependencies.items():
        for other in awaited:
            dependents[other].add(name)
    keywords = [name for name in names if name not in nodes]
    missing = {name: len(dependencies[name].difference(keywords)) for name in nodes}
    place = {name: number for number, name in enumerate(names)}
    tiers: list[list[str]] = [keywords] if keywords else []
    tier = [name for name in nodes if not missing[name]]
    while tier:
        tiers.append(tier)
        following = []
        for name in tier:
            for other in dependents[name]:
                missing[other] -= 1
                if not missing[other]:
                    following.append(other)
        tier = sorted(following, key=place.__getitem__)
    return {
        "dependencies": dependencies,
        "dependents": dependents,
        "tiers": tiers,
        "sorted_tasks": [name for tier in tiers for name in tier],
    }
