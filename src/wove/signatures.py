"""What a callable asks for: its parameters' names, and whether it is async.

Plain functions are read from their code object, which is ten times as fast as
`inspect`; everything else (decorated functions, methods, callable objects,
builtins) goes through `inspect`.
"""

from __future__ import annotations

from collections.abc import Callable
from types import FunctionType
from typing import Any, NamedTuple

__all__ = ["KeywordCall", "Parameters", "is_async", "read_parameters"]

_COROUTINE = 0x80  # inspect.CO_COROUTINE, without the import
_VARIADIC = 0x04 | 0x08  # inspect.CO_VARARGS | inspect.CO_VARKEYWORDS


class Parameters(NamedTuple):
    """The named parameters of a callable, in order; `*args` and `**kwargs` are left out."""

    required: tuple[str, ...]
    optional: tuple[str, ...]
    positional: tuple[str, ...] = ()
    """Those of both that can be passed by position only."""


_NONE = Parameters((), ())


def is_async(function: Callable[..., Any]) -> bool:
    """Whether calling `function` gives a coroutine, as far as can be seen beforehand."""
    if type(function) is FunctionType:
        if function.__code__.co_flags & _COROUTINE:
            return True
        if not function.__dict__:  # else it may bear the mark of inspect.markcoroutinefunction
            return False
    import inspect

    if inspect.iscoroutinefunction(function):
        return True
    if inspect.isclass(function) or inspect.isroutine(function):
        return False
    return inspect.iscoroutinefunction(type(function).__call__)


def read_parameters(function: Callable[..., Any]) -> Parameters:
    """The parameters that a call of `function` may pass by name.

    Raises:
        TypeError: the callable has no signature that Python can read.
    """
    if type(function) is FunctionType and not function.__dict__:
        code = function.__code__
        if not code.co_flags & _VARIADIC and not code.co_posonlyargcount:
            count = code.co_argcount
            if not count and not code.co_kwonlyargcount:
                return _NONE
            if not code.co_kwonlyargcount:
                names = code.co_varnames[:count]
                if not function.__defaults__:
                    return Parameters(names, ())
                first = count - len(function.__defaults__)
                return Parameters(names[:first], names[first:])
    return _inspected(function)


def _inspected(function: Callable[..., Any]) -> Parameters:
    import inspect

    try:
        signature = inspect.signature(function)
    except (TypeError, ValueError) as error:
        raise TypeError(
            f"the parameters of {function!r} cannot be read ({error}). Wrap it in a function"
        ) from error
    required: list[str] = []
    optional: list[str] = []
    positional: list[str] = []
    for parameter in signature.parameters.values():
        if parameter.kind in (parameter.VAR_POSITIONAL, parameter.VAR_KEYWORD):
            continue
        (required if parameter.default is parameter.empty else optional).append(parameter.name)
        if parameter.kind is parameter.POSITIONAL_ONLY:
            positional.append(parameter.name)
    return Parameters(tuple(required), tuple(optional), tuple(positional))


class KeywordCall:
    """A callable with positional-only parameters, made to take them by name.

    Tasks are always called by keyword, here and in a worker; this is what makes
    `def task(x, /)` and builtins usable. Picklable if the callable is.
    """

    def __init__(self, function: Callable[..., Any], positional: tuple[str, ...]) -> None:
        self._function = function
        self._positional = positional
        self.__wrapped__ = function

    def __call__(self, /, **arguments: Any) -> Any:  # a parameter may be called `self` too
        """Call the callable with the first parameters by position and the rest by name."""
        given: list[Any] = []
        left_out: list[str] = []
        for name in self._positional:
            if name not in arguments:
                left_out.append(name)
                continue
            if left_out:  # a place in a row cannot be skipped: it gets its default
                given.extend(self._defaults(left_out))
                left_out.clear()
            given.append(arguments.pop(name))
        return self._function(*given, **arguments)

    def _defaults(self, names: list[str]) -> list[Any]:
        import inspect

        parameters = inspect.signature(self._function).parameters
        return [parameters[name].default for name in names]
