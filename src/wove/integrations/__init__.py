"""Backend adapters: one small module per backend, found by name."""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from wove.integrations.base import BackendAdapter as BackendAdapter

__all__ = [
    "BACKEND_ADAPTERS",
    "ENTRY_POINT_GROUP",
    "BackendAdapter",
    "get_backend_adapter_class",
]

BACKEND_ADAPTERS: dict[str, str] = {
    "celery": "wove.integrations.celery:CeleryAdapter",
    "process": "wove.integrations.process:ProcessAdapter",
}
"""The adapters that ship with Wove, as `module:class` by executor name."""

ENTRY_POINT_GROUP = "wove.adapters"
"""Entry points of this group add adapters; a built-in name is never replaced."""


def get_backend_adapter_class(name: str) -> type[BackendAdapter]:
    """The adapter class for an executor's name: a built-in, else from an entry point.

    Raises:
        ValueError: there is no such executor; the message lists those there are.
    """
    target = BACKEND_ADAPTERS.get(name)
    if target is None:
        return _from_entry_points(name)
    module, _, attribute = target.partition(":")
    adapter: type[BackendAdapter] = getattr(importlib.import_module(module), attribute)
    return adapter


def _from_entry_points(name: str) -> type[BackendAdapter]:
    from importlib.metadata import entry_points  # 20 ms: only for a name that is not built in

    found = {point.name: point for point in entry_points(group=ENTRY_POINT_GROUP)}
    if name in found:
        adapter: type[BackendAdapter] = found[name].load()
        return adapter
    known = ", ".join(sorted({"local", *BACKEND_ADAPTERS, *found}))
    raise ValueError(f"Unknown executor {name!r}. Known executors: {known}")


def __getattr__(name: str) -> object:
    if name == "BackendAdapter":
        from wove.integrations.base import BackendAdapter

        return BackendAdapter
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
