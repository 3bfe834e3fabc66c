"""The plan of any graph, and cycles wherever they are."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.property.graphs import Graph, Trace, declare, graphs
from wove import weave

pytestmark = pytest.mark.timeout(50)


@settings(max_examples=60, deadline=None)
@given(graphs())
def test_the_plan_is_a_topological_order(graph: Graph) -> None:
    with weave() as w:
        declare(w, graph, Trace())
    plan = w.execution_plan
    names = {node.name for node in graph.nodes}
    for name in names:
        assert plan["dependencies"][name] == graph.parents(name)
        assert plan["dependents"][name] == {n for n in names if name in graph.parents(n)}
    order = [name for name in plan["sorted_tasks"] if name in names]
    assert sorted(order) == sorted(names)
    tier_of = {name: number for number, tier in enumerate(plan["tiers"]) for name in tier}
    for name in names:
        for need in graph.parents(name):
            assert order.index(need) < order.index(name)
            assert tier_of[need] < tier_of[name]


@settings(max_examples=60, deadline=None)
@given(graphs(maps=False), st.data())
def test_a_closed_cycle_is_found_and_shown_wherever_it_is(graph: Graph, data: Any) -> None:
    """An edge back from a task to one of its ancestors (or itself) closes a cycle."""
    start = data.draw(st.sampled_from(graph.nodes)).name
    back = data.draw(st.sampled_from(sorted({start} | graph.ancestors(start))))
    ran: list[str] = []
    needs = {n.name: set(n.needs) for n in graph.nodes}
    needs[back].add(start)
    with (
        pytest.raises(RuntimeError, match="Circular dependency detected") as caught,
        weave() as w,
    ):
        for node in graph.declared:
            namespace: dict[str, Any] = {"ran": ran}
            parameters = ", ".join(sorted(needs[node.name]))
            exec(f"def {node.name}({parameters}):\n    ran.append(1)\n", namespace)
            w.do(namespace[node.name])
    assert ran == []
    # Every name in the message is on a cycle: it reaches itself.
    text = str(caught.value)
    shown = [n for n in needs if f"{n} " in text + " " or f"{n}'" in text or f"{n}," in text]
    assert shown
    for name in shown:
        assert name in _reach(needs, name)


def _reach(needs: dict[str, set[str]], start: str) -> set[str]:
    found: set[str] = set()
    open_ = set(needs[start])
    while open_:
        name = open_.pop()
        if name not in found:
            found.add(name)
            open_ |= needs[name]
    return found
