"""Tasks by name, for payloads that carry no callable."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar, overload

from wove.dispatch.plain import NotPlain, load_plain
from wove.errors import DeliveryError, ErrorCode
from wovepb.v1.payload_pb2 import TaskPayload

__all__ = ["arguments_of", "carries_pickles", "find", "task"]

F = TypeVar("F", bound=Callable[..., Any])

_tasks: dict[str, Callable[..., Any]] = {}


@overload
def task(function: F, /) -> F: ...


@overload
def task(name: str, /) -> Callable[[F], F]: ...


def task(target: Any, /) -> Any:
    """Register a function, sync or async, to be run by name: `@task`, or `@task("name")`.

    It is what a payload without a callable runs whose `task_name` is that name. Its
    arguments arrive by name as the values that JSON has, and its result must be made of
    None, bool, int, float, str, list, and dict with str keys.

    Raises:
        ValueError: another function has the name.
    """
    if isinstance(target, str):
        return lambda function: _register(target, function)
    return _register(target.__name__, target)


def _register(name: str, function: F) -> F:
    if _tasks.setdefault(name, function) is not function:
        raise ValueError(f"there is a task {name!r} already: {_tasks[name]!r}")
    return function


def carries_pickles(payload: TaskPayload) -> bool:
    """The payload is for a Python worker that unpickles what to call."""
    return bool(payload.callable_pickle or payload.args_pickle)


def find(payload: TaskPayload) -> Callable[..., Any]:
    """The function that the payload names.

    Raises:
        DeliveryError: `UNKNOWN_TASK`: there is none.
    """
    function = _tasks.get(payload.task_name)
    if function is not None:
        return function
    known = ", ".join(sorted(_tasks)) or "none"
    raise DeliveryError(
        f"this worker has no task {payload.task_name!r}; the tasks that it has: {known}. "
        "A function is registered by @wove.integrations.worker.task before the worker runs.",
        code=ErrorCode.UNKNOWN_TASK,
    )


def arguments_of(payload: TaskPayload) -> dict[str, Any]:
    """The arguments by name, from `args_json`.

    Raises:
        DeliveryError: `PAYLOAD_NOT_LOADABLE`: there are none, or they cannot be read.
    """
    problem = "there is none"
    if payload.HasField("args_json"):
        try:
            arguments = load_plain(payload.args_json)
            if isinstance(arguments, dict):
                return arguments
            problem = "it is no object"
        except NotPlain as trouble:
            problem = str(trouble)
    raise DeliveryError(
        f"the worker could not read args_json of task {payload.task_name!r}: {problem}",
        code=ErrorCode.PAYLOAD_NOT_LOADABLE,
    )
