"""`class Report(Weave)`."""

from __future__ import annotations

from typing import Any

import pytest

from tests.unit.weave.forms import Flaky
from wove import Weave, weave


class Report(Weave):
    @Weave.do
    def user(self, user_id: int) -> str:
        return f"user {user_id}"

    @Weave.do()
    async def orders(self, user_id: int) -> list[int]:
        return [user_id, user_id + 1]

    @Weave.do("orders", workers=2)
    def order_line(self, order: int, user: str) -> str:
        return f"{user}: {order}"

    @Weave.do
    def page(self, user: str, order_line: list[str]) -> str:
        return user + " | " + ", ".join(order_line)

    def helper(self) -> str:
        return "not a task"


def test_a_class_runs(run: Any) -> None:
    w = run(lambda w: None, Report, user_id=1)
    assert w.result.page == "user 1 | user 1: 1, user 1: 2"
    assert w.result.final == w.result.page
    assert len(w.result) == 4
    assert list(w.result) == ["user 1", [1, 2], ["user 1: 1", "user 1: 2"], w.result.page]


def test_parent_weave_is_the_parameters_name() -> None:
    with weave(parent_weave=Report, user_id=3) as w:
        pass
    assert w.result.user == "user 3"


def test_a_method_that_is_no_task_stays_one() -> None:
    with weave(Report, user_id=3) as w:
        pass
    assert not hasattr(w.result, "helper")


def test_instantiating_it_yourself_is_a_type_error() -> None:
    with pytest.raises(
        TypeError, match=r"cannot be instantiated directly\. Instead, pass the class"
    ) as caught:
        Report()
    assert "Report" in str(caught.value)
    with pytest.raises(TypeError, match="cannot be instantiated directly"):
        Weave()


@pytest.mark.parametrize("wrong", [5, "Report", dict, object()])
def test_anything_else_as_a_parent_is_a_type_error(wrong: Any) -> None:
    with pytest.raises(TypeError):
        weave(wrong)


def test_tasks_of_the_block_override_and_extend(run: Any) -> None:
    def define(w: Any) -> None:
        @w.do
        def user(user_id: int) -> str:
            return f"other {user_id}"

        @w.do
        def footer(page: str) -> str:
            return page + "."

    w = run(define, Report, user_id=1)
    assert w.result.page == "other 1 | other 1: 1, other 1: 2"
    assert w.result.footer == w.result.page + "."
    assert next(iter(w.result)) == "other 1"
    assert w.result.final == w.result.footer
    assert len(w.result) == 5


def test_dependencies_follow_the_final_signatures(run: Any) -> None:
    """The override needs a task that the overridden one did not, and drops one that it did."""

    def define(w: Any) -> None:
        @w.do
        def page(extra: str) -> str:
            return extra

        @w.do
        def extra() -> str:
            return "from the block"

        @w.do
        def user() -> str:  # no user_id any more
            return "u"

    w = run(define, Report, user_id=1)
    assert w.result.page == "from the block"
    assert w.result.order_line == ["u: 1", "u: 2"]
    assert w.execution_plan["dependencies"]["page"] == {"extra"}
    assert w.execution_plan["dependencies"]["user"] == set()


class Retried(Weave):
    flaky: Flaky

    @Weave.do(retries=2)
    def task(self) -> Any:
        return self.flaky()


def test_a_task_of_the_block_inherits_the_overridden_tasks_options(run: Any) -> None:
    flaky = Flaky(2)

    def define(w: Any) -> None:
        @w.do
        def task() -> Any:
            return flaky()

    assert run(define, Retried).result.task == "ok"


def test_options_given_in_the_block_win() -> None:
    flaky = Flaky(2)
    with pytest.raises(ValueError, match="failure 1"), weave(Retried) as w:

        @w.do(retries=0)
        def task() -> Any:
            return flaky()


def test_options_of_the_weave_do_not_beat_those_of_its_class() -> None:
    class Own(Retried):
        flaky = Flaky(2)

    with weave(Own, retries=0) as w:
        pass
    assert w.result.task == "ok"


def test_an_inline_override_takes_the_options_not_the_mapping(run: Any) -> None:
    def define(w: Any) -> None:
        @w.do
        def order_line(orders: list[int]) -> list[str]:
            return [f"once for {orders}"]

    w = run(define, Report, user_id=1)
    assert w.result.order_line == ["once for [1, 2]"]


def test_an_inline_override_may_map_again() -> None:
    with weave(Report, user_id=1) as w:

        @w.do("orders")
        def order_line(order: int) -> str:
            return f"#{order}"

    assert w.result.page == "user 1 | #1, #2"


def test_one_instance_per_weave_made_without_arguments() -> None:
    made = []

    class Stateful(Weave):
        def __init__(self) -> None:
            made.append(self)
            self.state: list[int] = []

        @Weave.do
        def first(self) -> Any:
            self.state.append(1)
            return self

        @Weave.do
        def second(self, first: Any) -> Any:
            self.state.append(2)
            return self

    for _ in range(2):
        with weave(Stateful) as w:
            pass
        assert w.result.first is w.result.second
        assert w.result.first.state == [1, 2]
        assert isinstance(w.result.first, Stateful)
    assert len(made) == 2
    assert made[0] is not made[1]


def test_an_init_that_wants_arguments_is_a_type_error() -> None:
    class Wants(Weave):
        def __init__(self, x: int) -> None: ...

        @Weave.do
        def task(self) -> int:
            return 1

    with pytest.raises(TypeError), weave(Wants):
        pass


def test_order_as_written_bases_first() -> None:
    class Base(Weave):
        @Weave.do
        def zebra(self) -> str:
            return "zebra"

        @Weave.do
        def ant(self) -> str:
            return "ant"

    class Derived(Base):
        @Weave.do
        def mouse(self) -> str:
            return "mouse"

        @Weave.do
        def ant(self) -> str:
            return "new ant"

    with weave(Derived) as w:
        pass
    assert list(w.result) == ["zebra", "new ant", "mouse"]
    assert w.result.final == "mouse"


def test_in_a_subclass_do_starts_afresh() -> None:
    flaky = Flaky(2)

    class Fresh(Retried):
        @Weave.do
        def task(self) -> Any:
            return flaky()

    with pytest.raises(ValueError, match="failure 1"), weave(Fresh):
        pass
    assert flaky.calls == 1


def test_in_a_subclass_do_drops_the_mapping() -> None:
    class Unmapped(Report):
        @Weave.do
        def order_line(self, orders: list[int]) -> list[str]:
            return [str(orders)]

    with weave(Unmapped, user_id=1) as w:
        pass
    assert w.result.order_line == ["[1, 2]"]


def test_an_undecorated_override_stays_a_task_with_its_options() -> None:
    flaky = Flaky(2)

    class Plain(Retried):
        def task(self) -> Any:
            return flaky()

    with weave(Plain) as w:
        pass
    assert w.result.task == "ok"
    assert flaky.calls == 3


def test_an_undecorated_override_stays_mapped_and_may_call_super() -> None:
    class Loud(Report):
        def order_line(self, order: int, user: str) -> str:
            return super().order_line(order, user).upper()

    with weave(Loud, user_id=1) as w:
        pass
    assert w.result.order_line == ["USER 1: 1", "USER 1: 2"]


def test_do_leaves_the_method_a_method() -> None:
    assert Report.user(None, 4) == "user 4"  # type: ignore[arg-type]


def test_the_class_is_not_changed_by_a_weave() -> None:
    with weave(Report, user_id=1) as w:

        @w.do
        def user() -> str:
            return "changed"

    with weave(Report, user_id=1) as w:
        pass
    assert w.result.user == "user 1"


def test_unknown_names_and_cycles_are_found_in_classes_too() -> None:
    with pytest.raises(NameError, match="unresolved dependencies: user_id"), weave(Report):
        pass
    with (
        pytest.raises(RuntimeError, match="Circular dependency detected"),
        weave(Report, user_id=1) as w,
    ):

        @w.do
        def user(page: str) -> str:
            return page


def test_a_class_attribute_that_hides_an_attribute_of_the_result_is_refused() -> None:
    with pytest.raises(NameError, match="conflicts with a built-in attribute"):

        class Bad(Weave):
            @Weave.do
            def timings(self) -> int:
                return 1

        with weave(Bad):
            pass


def test_static_methods_are_tasks_too() -> None:
    class Static(Weave):
        @staticmethod
        @Weave.do
        def inner(x: int) -> int:
            return x + 1

        @Weave.do
        @staticmethod
        def outer(x: int) -> int:
            return x + 2

    with weave(Static, x=1) as w:
        pass
    assert (w.result.inner, w.result.outer) == (2, 3)


def test_a_class_method_is_a_task_in_either_order() -> None:
    class Both(Weave):
        @Weave.do
        @classmethod
        def above(cls) -> str:
            return cls.__name__

        @Weave.do([1, 2], workers=1)
        @classmethod
        def mapped(cls, item: int) -> str:
            return f"{cls.__name__} {item}"

        @classmethod
        @Weave.do
        def below(cls) -> str:
            return cls.__name__

    with weave(Both) as w:
        pass
    assert list(w.result) == ["Both", ["Both 1", "Both 2"], "Both"]


def test_a_class_method_is_no_task_of_a_block() -> None:
    with pytest.raises(TypeError, match="callable"), weave() as w:
        w.do(classmethod(lambda cls: 1))


def test_an_attribute_that_is_no_method_ends_an_inherited_task() -> None:
    class Base(Weave):
        @Weave.do
        def one(self) -> int:
            return 1

        @Weave.do
        def two(self) -> int:
            return 2

    class Less(Base):
        one = None  # type: ignore[assignment]

    with weave(Less) as w:
        pass
    assert list(w.result) == [2]
