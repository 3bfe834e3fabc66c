"""The text that `weave(debug=True)` prints before the run."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sized

from wove.graph import Node, Plan
from wove.result import WoveResult

__all__ = ["print_debug_report"]


def print_debug_report(plan: Plan, tasks: Mapping[str, Node], result: WoveResult) -> None:
    """Print a weave's tasks, their dependencies and the order of their starts.

    Args:
        plan: what `w.execution_plan` holds; its keywords are left out.
        tasks: the tasks by name.
        result: the weave's result; after a run the tasks' seconds are printed too.
    """
    print("--- Wove Debug Report ---")
    print(f"Detected Tasks ({len(tasks)}):")
    for name in tasks:
        print(f"  • {name}")
    print("Dependency Graph:")
    for name in tasks:
        print(f"  • {name}")
        print(f"    Dependencies: {_names(plan['dependencies'][name], tasks)}")
        print(f"    Dependents:   {_names(plan['dependents'][name], tasks)}")
    print("Execution Plan:")
    tiers = [[name for name in tier if name in tasks] for tier in plan["tiers"]]
    for number, tier in enumerate(filter(None, tiers), 1):
        print(f"  - Tier {number}: {', '.join(tier)}")
    if not tasks:
        print("  - No tasks to execute.")
    print("--- Starting Execution ---")
    times = result.timings
    for name in plan["sorted_tasks"]:
        if name not in tasks:
            continue
        node = tasks[name]
        took = f" {times[name]:.3f} s" if name in times else ""
        print(f"- {name} ({'async' if node.is_async else 'sync'}){_source(node)}{took}")
    print("--- End Report ---")


def _names(names: Collection[str], tasks: Mapping[str, Node]) -> str:
    return ", ".join(name for name in tasks if name in names) or "None"


def _source(node: Node) -> str:
    if not node.mapped:
        return ""
    if isinstance(node.source, str):
        return f" [map over: {node.source}]"
    if isinstance(node.source, Sized):
        return f" [mapped over {len(node.source)} items]"
    return f" [mapped over a {type(node.source).__name__}]"
