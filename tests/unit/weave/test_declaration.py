"""How tasks are declared: the forms of `w.do`, names, parameters, and what is refused."""

from __future__ import annotations

import functools
from typing import Any

import pytest

from wove import weave
from wove.errors import UnresolvedSignatureError


def test_sync_and_async_tasks_mix_in_every_form(run: Any) -> None:
    def define(w: Any) -> None:
        @w.do
        def one() -> int:
            return 1

        @w.do
        async def two(one: int) -> int:
            return one + 1

        @w.do
        def three(two: int, one: int) -> int:
            return two + one

    assert list(run(define).result) == [1, 2, 3]


def test_tasks_run_when_the_block_ends_not_before() -> None:
    ran = []
    with weave() as w:

        @w.do
        def task() -> None:
            ran.append("task")

        assert ran == []
    assert ran == ["task"]


def test_every_form_of_do() -> None:
    with weave(base=10) as w:

        @w.do
        def bare(base: int) -> int:
            return base + 1

        @w.do()
        def called(base: int) -> int:
            return base + 2

        @w.do([1, 2])
        def with_source(n: int) -> int:
            return n

        @w.do([1, 2], retries=1)
        def with_source_and_options(n: int) -> int:
            return -n

        @w.do(retries=1)
        def with_options() -> str:
            return "options"

        def given() -> str:
            return "given"

        def given_source(n: int) -> int:
            return n * 10

        w.do(given)
        w.do([1, 2], workers=1)(given_source)

    assert list(w.result) == [11, 12, [1, 2], [-1, -2], "options", "given", [10, 20]]


def test_do_returns_the_function_unchanged() -> None:
    def a() -> int:
        return 1

    def b(n: int) -> int:
        return n

    def c() -> int:
        return 3

    with weave() as w:
        assert w.do(a) is a
        assert w.do([1], workers=1)(b) is b
        assert w.do()(c) is c
    assert a() == 1


def test_a_lambda_is_named_lambda() -> None:
    with weave(x=2) as w:
        w.do(lambda x: x * 2)
    assert w.result["<lambda>"] == 4


class _NoName:
    def __call__(self) -> int:
        return 1


@pytest.mark.parametrize("callable_", [_NoName(), functools.partial(print)])
def test_a_callable_without_a_name_is_a_type_error(callable_: Any) -> None:
    with weave() as w, pytest.raises(TypeError, match="name"):
        w.do(callable_)


def test_bound_methods_and_wrapped_functions_are_tasks() -> None:
    class Shop:
        def price(self, base: int) -> int:
            return base * 2

    def deco(f: Any) -> Any:
        @functools.wraps(f)
        def wrapper(*args: Any, **kwargs: Any) -> Any:
            return f(*args, **kwargs) + 1

        return wrapper

    with weave(base=5) as w:
        w.do(Shop().price)

        @w.do
        @deco
        def wrapped(price: int) -> int:
            return price

    assert (w.result.price, w.result.wrapped) == (10, 11)


def test_keyword_only_and_positional_only_parameters_are_dependencies() -> None:
    with weave(x=1, y=2) as w:

        @w.do
        def task(x: int, /, *, y: int) -> tuple[int, int]:
            return x, y

    assert w.result.task == (1, 2)


def test_star_parameters_are_no_dependencies() -> None:
    with weave(x=1) as w:

        @w.do
        def task(x: int, *args: int, **kwargs: int) -> tuple[Any, ...]:
            return x, args, kwargs

    assert w.result.task == (1, (), {})


def test_a_name_defined_again_replaces_the_task_and_keeps_its_place_and_options(run: Any) -> None:
    calls = []

    def define(w: Any) -> None:
        @w.do(retries=2)
        def first() -> str:
            calls.append("old")
            return "old"

        @w.do
        def second() -> str:
            return "second"

        @w.do
        def first() -> str:
            calls.append("new")
            if len(calls) < 3:
                raise ValueError("again")
            return "new"

    w = run(define)
    assert list(w.result) == ["new", "second"]
    assert calls == ["new", "new", "new"]


def test_a_redefinition_overrides_the_options_that_it_gives() -> None:
    calls = []
    with pytest.raises(ValueError, match="never"), weave() as w:

        @w.do(retries=5)
        def task() -> None:
            raise AssertionError("replaced")

        @w.do(retries=1)
        def task() -> None:
            calls.append(1)
            raise ValueError("never")

    assert len(calls) == 2


def test_a_task_replaces_a_keyword_of_its_name() -> None:
    with weave(x=1) as w:

        @w.do
        def x() -> int:
            return 2

        @w.do
        def user(x: int) -> int:
            return x * 10

    assert (w.result.x, w.result.user) == (2, 20)
    assert len(w.result) == 2


def test_order_of_definition_does_not_matter(run: Any) -> None:
    def define(w: Any) -> None:
        @w.do
        def total(part: int) -> int:
            return part + 1

        @w.do
        def part() -> int:
            return 41

    w = run(define)
    assert w.result.total == 42
    assert list(w.result) == [42, 41]


def test_a_coroutine_returned_by_a_sync_task_is_awaited(run: Any) -> None:
    async def later(value: int) -> int:
        return value

    def define(w: Any) -> None:
        @w.do
        def direct() -> Any:
            return later(7)

        w.do(lambda direct: later(direct + 1))

    w = run(define)
    assert w.result.direct == 7
    assert w.result["<lambda>"] == 8


def test_if_the_block_raises_nothing_runs(run: Any) -> None:
    ran = []

    def define(w: Any) -> None:
        @w.do
        def task() -> None:
            ran.append(1)

        raise KeyError("the block's own")

    with pytest.raises(KeyError, match="the block's own"):
        run(define)
    assert ran == []


@pytest.mark.parametrize("error_mode", ["raise", "defer", "return"])
def test_an_unknown_parameter_is_named_with_what_is_available(run: Any, error_mode: str) -> None:
    ran = []

    def define(w: Any) -> None:
        @w.do
        def fine() -> None:
            ran.append(1)

        @w.do
        def x(y: int, known: int) -> int:
            return y

    with pytest.raises(
        UnresolvedSignatureError,
        match=r"Task 'x' has unresolved dependencies: y\. Available dependencies: ",
    ) as caught:
        run(define, known=1, error_mode=error_mode)
    available = str(caught.value).partition("Available dependencies:")[2]
    assert "fine" in available
    assert "known" in available
    assert isinstance(caught.value, NameError)
    assert ran == []


@pytest.mark.parametrize("error_mode", ["raise", "defer", "return"])
def test_a_cycle_is_shown_and_nothing_runs(run: Any, error_mode: str) -> None:
    ran = []

    def define(w: Any) -> None:
        @w.do
        def outside() -> None:
            ran.append(1)

        @w.do
        def alpha(gamma: int) -> None: ...

        @w.do
        def beta(alpha: int) -> None: ...

        @w.do
        def gamma(beta: int, outside: None) -> None: ...

    with pytest.raises(RuntimeError, match="Circular dependency detected") as caught:
        run(define, error_mode=error_mode)
    for name in ("alpha", "beta", "gamma"):
        assert name in str(caught.value)
    assert "outside" not in str(caught.value)
    assert ran == []


def test_a_task_that_asks_for_itself_is_a_cycle() -> None:
    with pytest.raises(RuntimeError, match=r"Circular dependency detected.*own"), weave() as w:

        @w.do
        def own(own: int) -> int:
            return own


def test_a_parameter_with_a_default_keeps_it_unless_it_names_a_task_or_keyword() -> None:
    with weave(key="keyword") as w:

        @w.do
        def made() -> str:
            return "task"

        @w.do
        def user(made: str = "d1", key: str = "d2", nothing: str = "d3") -> tuple[str, ...]:
            return made, key, nothing

    assert w.result.user == ("task", "keyword", "d3")


def test_data_is_the_dictionary_of_all_keywords(run: Any) -> None:
    def define(w: Any) -> None:
        @w.do
        def seen(data: dict[str, Any]) -> dict[str, Any]:
            return dict(data)

        @w.do
        def alone(x: int) -> int:
            return x

    assert run(define, x=1, y="two").result.seen == {"x": 1, "y": "two"}


def test_data_is_empty_without_keywords() -> None:
    with weave() as w:

        @w.do
        def seen(data: dict[str, Any]) -> dict[str, Any]:
            return data

    assert w.result.seen == {}


def test_data_is_reserved_as_a_task_name() -> None:
    with pytest.raises(NameError, match="'data' is a reserved name"), weave() as w:

        @w.do
        def data() -> int:
            return 1


def test_data_is_reserved_as_a_keyword() -> None:
    with pytest.raises(NameError, match="'data' is a reserved name"), weave(data={}):
        pass


@pytest.mark.parametrize("name", ["final", "timings", "cancelled", "exception"])
def test_a_task_may_not_hide_an_attribute_of_the_result(name: str) -> None:
    def task() -> int:
        return 1

    task.__name__ = name
    with (
        pytest.raises(NameError, match=rf"(?s){name}.*conflicts with a built-in attribute"),
        weave() as w,
    ):
        w.do(task)


@pytest.mark.parametrize("name", ["final", "timings", "cancelled", "exception"])
def test_a_keyword_may_not_hide_an_attribute_of_the_result(name: str) -> None:
    with (
        pytest.raises(NameError, match=rf"(?s){name}.*conflicts with a built-in attribute"),
        weave(**{name: 1}),
    ):
        pass


def test_errors_and_runs_name_the_task_when_there_is_one() -> None:
    with weave() as w:

        @w.do
        def errors() -> str:
            return "my errors"

        @w.do
        def runs() -> str:
            return "my runs"

    assert w.result.errors == "my errors"
    assert w.result.runs == "my runs"
    assert w.errors == {}
    assert [record.task for record in w.runs] == ["errors", "runs"]


def test_errors_and_runs_may_be_keywords() -> None:
    with weave(errors=1, runs=2) as w:

        @w.do
        def total(errors: int, runs: int) -> int:
            return errors + runs

    assert (w.result.errors, w.result.runs, w.result.total) == (1, 2, 3)


@pytest.mark.parametrize("name", ["items", "keys", "values", "get", "count", "index", "copy"])
def test_tasks_may_be_called_like_methods_of_containers(name: str) -> None:
    def task() -> str:
        return f"value of {name}"

    task.__name__ = name
    with weave() as w:
        w.do(task)
    assert getattr(w.result, name) == w.result[name] == f"value of {name}"


@pytest.mark.parametrize("name", ["retries", "timeout", "workers", "limit_per_minute"])
def test_a_task_that_asks_for_an_option_by_name_is_told_so(name: str) -> None:
    namespace: dict[str, Any] = {}
    exec(f"def task({name}): return {name}", namespace)
    with pytest.raises(NameError, match=rf"(?s){name}.*option"), weave(**{name: 3}) as w:
        w.do(namespace["task"])


def test_an_empty_weave(run: Any) -> None:
    w = run(lambda w: None, x=1)
    assert len(w.result) == 0
    assert list(w.result) == []
    assert w.result.final is None


def test_the_same_function_object_in_two_weaves() -> None:
    def task(n: int) -> int:
        return n

    for n in (1, 2):
        with weave(n=n) as w:
            w.do(task)
        assert w.result.task == n
