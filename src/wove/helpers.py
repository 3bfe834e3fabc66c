"""Small functions for the shapes that tasks pass around."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from functools import partial, wraps
from typing import Any, ParamSpec, TypeVar, overload

__all__ = ["batch", "denone", "flatten", "fold", "redict", "sync_to_async", "undict"]

_K = TypeVar("_K")
_V = TypeVar("_V")
_T = TypeVar("_T")
_P = ParamSpec("_P")


def flatten(nested: Iterable[Iterable[_T]]) -> list[_T]:
    """The items of the items, one level deep, as one list."""
    return [item for part in nested for item in part]


def fold(items: Sequence[_T], size: int) -> list[Sequence[_T]]:
    """Slices of `size` items each; the last one may be shorter. Their type is that of `items`.

    Raises:
        ValueError: `size` is below 1.
    """
    if size < 1:
        raise ValueError(f"size must be at least 1, not {size}")
    return [items[start : start + size] for start in range(0, len(items), size)]


def batch(items: Sequence[_T], count: int) -> list[Sequence[_T]]:
    """At most `count` slices of equal size; the last one may be shorter.

    The size is the smallest that needs no more than `count` slices, so there may be
    fewer: five items in four parts are three slices.

    Raises:
        ValueError: `count` is below 1 and there are items.
    """
    if not len(items):
        return []
    if count < 1:
        raise ValueError(f"count must be at least 1, not {count}")
    return fold(items, -(-len(items) // count))


def undict(mapping: Mapping[_K, _V]) -> list[tuple[_K, _V]]:
    """The pairs of key and value as a list."""
    return list(mapping.items())


def redict(pairs: Iterable[tuple[_K, _V]]) -> dict[_K, _V]:
    """A dictionary of pairs; of equal keys the last wins."""
    return dict(pairs)


@overload
def denone(  # type: ignore[overload-overlap]  # a mapping is an iterable too: the first wins
    items: Mapping[_K, _V | None],
) -> dict[_K, _V]: ...
@overload
def denone(items: Iterable[_T | None]) -> list[_T]: ...
def denone(items: Any) -> Any:
    """The list without `None`, or the dictionary without values that are `None`.

    Other false values are kept.
    """
    if isinstance(items, Mapping):
        return {key: value for key, value in items.items() if value is not None}
    return [item for item in items if item is not None]


def sync_to_async(function: Callable[_P, _T]) -> Callable[_P, Awaitable[_T]]:
    """An async function that calls `function` in a thread, with the caller's context.

    Inside a weave the thread is one of the weave's, which waits for it at its end;
    elsewhere it is one of asyncio's.
    """

    @wraps(function)
    async def in_thread(*arguments: _P.args, **keywords: _P.kwargs) -> _T:
        import asyncio
        from contextvars import copy_context

        from wove.scheduler import CURRENT
        from wove.tries import run_job

        call = partial(function, *arguments, **keywords)
        loop = asyncio.get_running_loop()
        run = CURRENT.get(None)
        if run is None or run.ending or run.loop is not loop:
            return await loop.run_in_executor(None, copy_context().run, call)
        result: _T = await run_job(run, call, {})
        return result

    return in_thread
