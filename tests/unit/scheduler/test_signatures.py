"""The quick way of reading a signature agrees with `inspect`."""

from __future__ import annotations

import functools
import inspect
from collections.abc import Callable
from typing import Any

import pytest

from wove.signatures import is_async, read_parameters


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
