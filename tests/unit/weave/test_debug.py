"""`weave(debug=True)` and `w.execution_plan`."""

from __future__ import annotations

from typing import Any

import pytest

from wove import Weave, weave
from wove.debug import print_debug_report


def _report(define: Any, capsys: pytest.CaptureFixture[str], *args: Any, **options: Any) -> str:
    with weave(*args, debug=True, **options) as w:
        define(w)
    return capsys.readouterr().out.strip()


def _chain(w: Any) -> None:
    @w.do
    def a(x: int) -> int:
        return x

    @w.do
    async def b(a: int) -> int:
        return a


def test_the_report_word_for_word(capsys: pytest.CaptureFixture[str]) -> None:
    lines = _report(_chain, capsys, x=1).splitlines()
    assert lines[0] == "--- Wove Debug Report ---"
    assert "Detected Tasks (2):" in lines
    assert lines.count("  • a") >= 1
    assert lines.count("  • b") >= 1
    assert "Dependency Graph:" in lines
    assert "Execution Plan:" in lines
    assert "  - Tier 1: a" in lines
    assert "  - Tier 2: b" in lines
    assert "--- Starting Execution ---" in lines
    assert lines[-1] == "--- End Report ---"
    order = [
        lines.index(line)
        for line in (
            "--- Wove Debug Report ---",
            "Detected Tasks (2):",
            "Dependency Graph:",
            "Execution Plan:",
            "--- Starting Execution ---",
        )
    ]
    assert order == sorted(order)


def test_dependencies_and_dependents_without_keywords(capsys: pytest.CaptureFixture[str]) -> None:
    lines = _report(_chain, capsys, x=1).splitlines()
    graph = lines[lines.index("Dependency Graph:") : lines.index("Execution Plan:")]
    facts = [line for line in graph if line.startswith("    ")]
    assert facts == [
        "    Dependencies: None",
        "    Dependents:   b",
        "    Dependencies: a",
        "    Dependents:   None",
    ]


def test_kinds_and_mappings(capsys: pytest.CaptureFixture[str]) -> None:
    def define(w: Any) -> None:
        _chain(w)

        @w.do([1, 2, 3])
        def items(n: int) -> int:
            return n

        @w.do("items")
        async def others(n: int) -> int:
            return n

    text = _report(define, capsys, x=1)
    assert "- a (sync)" in text
    assert "- b (async)" in text
    assert "- items (sync) [mapped over 3 items]" in text
    assert "- others (async) [map over: items]" in text
    assert "  - Tier 1: a, items" in text.splitlines()


def test_it_is_printed_before_the_run(capsys: pytest.CaptureFixture[str]) -> None:
    def define(w: Any) -> None:
        @w.do
        def speaks() -> None:
            print("the task speaks")

    text = _report(define, capsys)
    assert text.index("--- End Report ---") < text.index("the task speaks")


def test_without_tasks(capsys: pytest.CaptureFixture[str]) -> None:
    lines = _report(lambda w: None, capsys, x=1).splitlines()
    assert "Detected Tasks (0):" in lines
    assert "  - No tasks to execute." in lines


def test_nothing_is_printed_without_debug(capsys: pytest.CaptureFixture[str]) -> None:
    with weave(x=1) as w:
        _chain(w)
    assert capsys.readouterr() == ("", "")


def test_a_generator_is_not_used_up_by_the_report(capsys: pytest.CaptureFixture[str]) -> None:
    with weave(debug=True) as w:

        @w.do(n for n in range(3))
        def items(n: int) -> int:
            return n

    assert w.result["items"] == [0, 1, 2]
    assert "items (sync)" in capsys.readouterr().out


def test_a_weave_class_is_reported(capsys: pytest.CaptureFixture[str]) -> None:
    class Two(Weave):
        @Weave.do
        def first(self) -> int:
            return 1

        @Weave.do
        def second(self, first: int) -> int:
            return 2

    assert "  - Tier 2: second" in _report(lambda w: None, capsys, Two)


def test_the_plan_as_data(run: Any) -> None:
    def define(w: Any) -> None:
        assert w.execution_plan is None
        _chain(w)

        @w.do
        def c(a: int, data: dict[str, Any]) -> int:
            return a

    plan = run(define, x=1).execution_plan
    assert plan["dependencies"] == {
        "x": set(),
        "data": set(),
        "a": {"x"},
        "b": {"a"},
        "c": {"a", "data"},
    }
    assert plan["dependents"] == {
        "x": {"a"},
        "data": {"c"},
        "a": {"b", "c"},
        "b": set(),
        "c": set(),
    }
    assert [sorted(tier) for tier in plan["tiers"]] == [["data", "x"], ["a"], ["b", "c"]]
    order = plan["sorted_tasks"]
    assert isinstance(order, list)
    assert sorted(order) == ["a", "b", "c", "data", "x"]
    for name, needs in plan["dependencies"].items():
        assert all(order.index(need) < order.index(name) for need in needs)


def test_the_source_of_a_map_is_a_dependency_in_the_plan() -> None:
    with weave(numbers=[1]) as w:

        @w.do("numbers")
        def mapped(n: int) -> int:
            return n

    assert w.execution_plan["dependencies"]["mapped"] == {"numbers"}


def test_print_debug_report_is_public() -> None:
    assert callable(print_debug_report)
