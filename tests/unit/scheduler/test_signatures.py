"""The quick way of reading a signature agrees with `inspect`."""

from __future__ import annotations

import functools
import inspect
import pickle
import sys
from collections.abc import Callable
from typing import Any

import pytest

from wove import weave
from wove.signatures import KeywordCall, is_async, read_parameters


def plain(a: Any, b: Any = 1) -> None: ...
def nothing() -> None: ...
def keywords(a: Any, *, b: Any, c: Any = 1) -> None: ...
def variadic(a: Any, *rest: Any, **named: Any) -> None: ...
def positional(a: Any, b: Any = 1, /, c: Any = 2) -> None: ...


@functools.wraps(plain)
def wrapped(*args: Any, **kwargs: Any) -> None: ...


class Callable_:
    def __call__(self, a: Any, b: Any = 1) -> None: ...

    async def method(self, a: Any) -> None: ...


class AsyncCallable:
    async def __call__(self, a: Any) -> None: ...


async def coroutine(a: Any) -> None: ...


@pytest.mark.parametrize(
    "function",
    [
        plain,
        nothing,
        keywords,
        variadic,
        positional,
        wrapped,
        Callable_(),
        Callable_().method,
        coroutine,
        lambda x, y=2: x,
        functools.partial(plain, 5),
        len,
    ],
)
def test_names_are_those_of_inspect(function: Callable[..., Any]) -> None:
    required, optional, positional_only = read_parameters(function)
    named = [
        p
        for p in inspect.signature(function).parameters.values()
        if p.kind not in (p.VAR_POSITIONAL, p.VAR_KEYWORD)
    ]
    assert required == tuple(p.name for p in named if p.default is p.empty)
    assert optional == tuple(p.name for p in named if p.default is not p.empty)
    assert positional_only == tuple(p.name for p in named if p.kind is p.POSITIONAL_ONLY)


def test_a_callable_without_a_signature_says_what_to_do() -> None:
    class Odd:
        __signature__ = "nonsense"

        def __call__(self) -> None: ...

    with pytest.raises(TypeError, match=r"cannot be read .* Wrap it in a function"):
        read_parameters(Odd())


@pytest.mark.parametrize(
    ("function", "answer"),
    [
        (plain, False),
        (coroutine, True),
        (functools.partial(coroutine, 1), True),
        (functools.partial(plain, 1), False),
        (Callable_(), False),
        (Callable_().method, True),
        (AsyncCallable(), True),
        (AsyncCallable, False),  # calling the class makes an instance
        (len, False),
    ],
)
def test_async_callables_are_seen(function: Callable[..., Any], answer: bool) -> None:
    assert is_async(function) is answer


def between(a: int = 1, b: int = 2, c: int = 3, /, d: int = 4) -> tuple[int, ...]:
    return a, b, c, d


@pytest.mark.parametrize(
    ("given", "answer"),
    [
        ({}, (1, 2, 3, 4)),
        ({"b": 9}, (1, 9, 3, 4)),
        ({"c": 9, "d": 8}, (1, 2, 9, 8)),
        ({"a": 7, "c": 9}, (7, 2, 9, 4)),
    ],
)
def test_a_positional_only_parameter_that_is_left_out_keeps_its_default(
    given: dict[str, int], answer: tuple[int, ...]
) -> None:
    call = KeywordCall(between, ("a", "b", "c"))
    assert call(**given) == answer
    assert pickle.loads(pickle.dumps(call))(**given) == answer


def test_the_methods_of_builtins_are_tasks() -> None:
    with weave() as w:
        w.do(["a", "b"])(str.title)
    assert w.result.title == ["A", "B"]
    with weave(self="a word", b=9) as w:
        w.do(str.upper)

        @w.do
        def between(a: int = 1, b: int = 2, /) -> tuple[int, int]:
            return a, b

    assert list(w.result) == ["A WORD", (1, 9)]
    assert w.result["self"] == "a word"


if sys.version_info >= (3, 12):  # it came with it

    def test_a_function_marked_as_a_coroutine_function_is_async() -> None:
        async def inner() -> int:
            return 1

        @inspect.markcoroutinefunction
        def marked() -> Any:
            return inner()

        assert is_async(marked)
