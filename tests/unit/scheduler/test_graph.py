"""Names to dependencies: pure, nothing runs."""

from __future__ import annotations

import itertools
import pickle
from collections.abc import Callable
from typing import Any

import pytest

from wove.errors import UnresolvedSignatureError
from wove.graph import UNMAPPED, Node, connect, plan


def nodes_of(*functions: Callable[..., Any], **sources: Any) -> dict[str, Node]:
    return {
        f.__name__: Node(f.__name__, f, sources.get(f.__name__, UNMAPPED), None) for f in functions
    }


def a() -> None: ...
def b(a: Any) -> None: ...
def c(a: Any, b: Any, x: Any = 1) -> None: ...


def test_counts_what_each_task_waits_for() -> None:
    nodes = nodes_of(c, b, a)
    connect(nodes, {"data": {}}, ())
    assert {name: node.missing for name, node in nodes.items()} == {"a": 0, "b": 1, "c": 2}
    assert [node.name for node in nodes["a"].dependents] == ["c", "b"]
    assert nodes["c"].dependencies == ("a", "b")  # x names nothing and keeps its default


def test_a_keyword_is_passed_and_not_waited_for() -> None:
    nodes = nodes_of(b)
    connect(nodes, {"a": 1, "data": {}}, ())
    assert nodes["b"].missing == 0
    assert nodes["b"].dependencies == ("a",)


def test_an_optional_parameter_that_names_something_is_a_dependency() -> None:
    nodes = nodes_of(c, b, a)
    connect(nodes, {"x": 5, "data": {}}, ())
    assert nodes["c"].dependencies == ("a", "b", "x")


def test_unresolved_names_are_listed_with_what_there_is() -> None:
    def task(y: Any, z: Any, a: Any) -> None: ...

    with pytest.raises(UnresolvedSignatureError) as caught:
        connect(nodes_of(task, a), {"k": 1, "data": {}}, ())
    assert str(caught.value) == (
        "Task 'task' has unresolved dependencies: y, z. Available dependencies: a, data, k"
    )


def test_an_option_that_is_asked_for_by_name_is_explained() -> None:
    def task(timeout: float) -> None: ...

    with pytest.raises(UnresolvedSignatureError, match=r"'timeout' was given to weave.*an option"):
        connect(nodes_of(task), {"data": {}}, ["timeout"])
    with pytest.raises(UnresolvedSignatureError) as caught:
        connect(nodes_of(task), {"data": {}}, ())
    assert "option" not in str(caught.value)


def test_a_cycle_is_shown_without_the_tasks_around_it() -> None:
    def one(three: Any) -> None: ...
    def two(one: Any) -> None: ...
    def three(two: Any) -> None: ...
    def after(three: Any) -> None: ...

    with pytest.raises(RuntimeError) as caught:
        connect(nodes_of(after, one, two, three, a), {"data": {}}, ())
    text = str(caught.value)
    assert text.startswith("Circular dependency detected: ")
    steps = text.removeprefix("Circular dependency detected: ").split(" -> ")
    assert steps[0] == steps[-1]
    assert set(steps) == {"one", "two", "three"}
    following = {"one": "two", "two": "three", "three": "one"}
    assert all(following[x] == y for x, y in itertools.pairwise(steps))


def test_a_task_that_waits_for_itself_is_a_cycle() -> None:
    def alone(alone: Any) -> None: ...

    with pytest.raises(RuntimeError, match="Circular dependency detected: alone -> alone"):
        connect(nodes_of(alone), {"data": {}}, ())


def test_a_named_source_is_waited_for_once() -> None:
    def each(item: Any, a: Any) -> None: ...

    nodes = nodes_of(a, each, each="a")
    connect(nodes, {"data": {}}, ())
    assert nodes["each"].missing == 1
    assert nodes["each"].item == "item"


@pytest.mark.parametrize("known", [set(), {"x", "y"}])
def test_a_mapped_task_has_one_parameter_for_the_item(known: set[str]) -> None:
    def each(x: Any, y: Any) -> None: ...

    with pytest.raises(TypeError, match="exactly one parameter that is not a dependency"):
        connect(nodes_of(each, each=[1]), {"data": {}, **dict.fromkeys(known)}, ())


def test_an_unknown_source_is_named() -> None:
    with pytest.raises(NameError, match="Mapped task 'b' depends on 'nowhere'"):
        connect(nodes_of(b, b="nowhere"), {"data": {}}, ())


def test_positional_only_parameters_are_given_by_name_too() -> None:
    def task(x: int, y: int = 5, /, z: int = 0) -> tuple[int, int, int]:
        return x, y, z

    nodes = nodes_of(task)
    connect(nodes, {"x": 1, "z": 3, "data": {}}, ())
    node = nodes["task"]
    assert node.function(**{name: {"x": 1, "z": 3}[name] for name in node.dependencies}) == (
        1,
        5,
        3,
    )


def test_the_plan_of_a_diamond() -> None:
    def d(b: Any, side: Any) -> None: ...
    def side(a: Any) -> None: ...

    nodes = nodes_of(d, side, b, a)
    data = {"k": 1, "data": {"k": 1}}
    connect(nodes, data, ())
    made = plan(nodes, data)
    assert made["tiers"] == [["k", "data"], ["a"], ["side", "b"], ["d"]]
    assert made["sorted_tasks"] == ["k", "data", "a", "side", "b", "d"]
    assert made["dependencies"]["d"] == {"b", "side"}
    assert made["dependents"]["a"] == {"b", "side"}
    assert made["dependents"]["k"] == set()


def test_unmapped_stays_itself_through_a_pickle() -> None:
    assert pickle.loads(pickle.dumps(UNMAPPED)) is UNMAPPED
