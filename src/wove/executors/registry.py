"""From the name in an environment's settings to its executor.

The one place where executors know of backend adapters, by name and at run time.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from wove.executors.base import EnvironmentExecutor

if TYPE_CHECKING:
    from wove.integrations.base import BackendAdapter

__all__ = ["adapter_class_for", "executor_for"]


def adapter_class_for(name: str) -> type[BackendAdapter]:
    """The adapter class behind an executor's name.

    Raises:
        ValueError: no executor of that name; the message lists those there are.
    """
    from wove.integrations import get_backend_adapter_class

    return get_backend_adapter_class(name)


def executor_for(executor: Any) -> EnvironmentExecutor:
    """The executor that an environment's `executor` setting stands for.

    Args:
        executor: a name, or an `EnvironmentExecutor`.

    Raises:
        ValueError: no executor of that name; the message lists those there are.
        TypeError: neither a name nor an executor.
    """
    if isinstance(executor, EnvironmentExecutor):
        return executor
    if not isinstance(executor, str):
        raise TypeError(
            f"executor must be a name or an EnvironmentExecutor, not {type(executor).__name__!r}"
        )
    if executor == "local":
        from wove.executors.local import LocalEnvironmentExecutor

        return LocalEnvironmentExecutor()
    from wove.executors.backend import BackendAdapterEnvironmentExecutor

    return BackendAdapterEnvironmentExecutor(executor)
