"""`Weave`: a class whose methods are tasks, to be run and overridden in `weave(...)`."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, TypeVar

from wove.declaration import check_task_options, decorated
from wove.graph import UNMAPPED

if TYPE_CHECKING:
    from typing_extensions import Unpack

    from wove.options import TaskOptionValues

__all__ = ["Weave", "instance_of", "tasks_of"]

_F = TypeVar("_F", bound=Callable[..., Any])
_MARK = "__wove_task__"


class Weave:
    """Base of classes whose `@Weave.do` methods are tasks.

    The class is passed to `weave(...)`, which makes one instance without
    arguments; the methods' `self` is that instance.
    """

    def __new__(cls, *_arguments: Any, **_keywords: Any) -> Weave:
        """Refuse.

        Raises:
            TypeError: always.
        """
        raise TypeError(
            f"{cls.__name__} cannot be instantiated directly. Instead, pass the class: "
            f"weave({cls.__name__})"
        )

    def __reduce__(self) -> Any:
        # The default way goes through __new__. A worker gets the instance with a method.
        getstate = getattr(self, "__getstate__", None)  # on every object since Python 3.11
        return (_blank, (type(self),), getstate() if getstate is not None else self.__dict__)

    @staticmethod
    def do(source: Any = UNMAPPED, /, **options: Unpack[TaskOptionValues]) -> Any:
        """Make a method a task: `@Weave.do`, or `@Weave.do(source, **options)`.

        Raises:
            TypeError: an unknown option.
            ValueError: a wrong value of an option.
        """
        given = dict(options)

        def mark(function: _F, source: Any) -> _F:
            plain = getattr(function, "__func__", function)  # of a static or class method
            setattr(plain, _MARK, (source, check_task_options(given, source, "Weave.do()")))
            return function

        return decorated(mark, source, given, "Weave.do()")


def _blank(cls: type[Weave]) -> Weave:
    return object.__new__(cls)


def instance_of(cls: type[Weave]) -> Weave:
    """The one instance that a weave makes of the class."""
    instance = _blank(cls)
    instance.__init__()  # type: ignore[misc]
    return instance


def tasks_of(cls: type[Weave]) -> dict[str, tuple[Any, dict[str, Any]]]:
    """Source and options of each task by name: as written, bases first.

    `@Weave.do` in a subclass starts afresh; a method that overrides without it stays a
    task with what the overridden one had; anything but a method ends it.
    """
    tasks: dict[str, tuple[Any, dict[str, Any]]] = {}
    for base in reversed(cls.__mro__):
        for name, value in vars(base).items():
            plain = getattr(value, "__func__", value)
            mark = getattr(plain, "__dict__", {}).get(_MARK)
            if mark is not None:
                tasks[name] = mark
            elif name in tasks and not callable(plain):
                del tasks[name]
    return tasks
