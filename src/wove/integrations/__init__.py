"""Backend adapters: one small module per backend, found by name."""

from __future__ import annotations

import importlib
from collections.abc import Iterator, MutableMapping
from typing import TYPE_CHECKING

from wove.names import suggestion

if TYPE_CHECKING:
    from wove.integrations.base import BackendAdapter as BackendAdapter

__all__ = [
    "BACKEND_ADAPTERS",
    "ENTRY_POINT_GROUP",
    "BackendAdapter",
    "get_backend_adapter_class",
]

ENTRY_POINT_GROUP = "wove.adapters"
"""Entry points of this group add adapters; a built-in name is never replaced."""

_BUILT_IN = {
    "arq": "wove.integrations.arq:ARQAdapter",
    "celery": "wove.integrations.celery:CeleryAdapter",
    "dask": "wove.integrations.dask:DaskAdapter",
    "process": "wove.integrations.process:ProcessAdapter",
    "rq": "wove.integrations.rq:RQAdapter",
    "taskiq": "wove.integrations.taskiq:TaskiqAdapter",
    "temporal": "wove.integrations.temporal:TemporalAdapter",
    "ray": "wove.integrations.ray:RayAdapter",
}


class _Adapters(MutableMapping[str, "type[BackendAdapter]"]):
    """Adapter classes by executor name; a built-in's module is imported when it is asked for."""

    def __init__(self, built_in: dict[str, str]) -> None:
        self._known: dict[str, str | type[BackendAdapter]] = dict(built_in)

    def __getitem__(self, name: str) -> type[BackendAdapter]:
        found = self._known[name]
        if isinstance(found, str):
            module, _, attribute = found.partition(":")
            adapter: type[BackendAdapter] = getattr(importlib.import_module(module), attribute)
            return adapter
        return found

    def __setitem__(self, name: str, adapter: type[BackendAdapter]) -> None:
        self._known[name] = adapter

    def __delitem__(self, name: str) -> None:
        del self._known[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self._known)

    def __len__(self) -> int:
        return len(self._known)


BACKEND_ADAPTERS: MutableMapping[str, type[BackendAdapter]] = _Adapters(_BUILT_IN)
"""The adapters that ship with Wove, by executor name; others may be put in."""


def get_backend_adapter_class(name: str) -> type[BackendAdapter]:
    """The adapter class for an executor's name: from `BACKEND_ADAPTERS`, else an entry point.

    Raises:
        ValueError: there is no such executor; the message lists those there are.
    """
    if name in BACKEND_ADAPTERS:
        return BACKEND_ADAPTERS[name]
    from importlib.metadata import entry_points  # 20 ms: only for a name that is not built in

    found = {point.name: point for point in entry_points(group=ENTRY_POINT_GROUP)}
    if name in found:
        adapter: type[BackendAdapter] = found[name].load()
        return adapter
    known = sorted({"local", *BACKEND_ADAPTERS, *found})
    raise ValueError(
        f"Unknown executor {name!r}.{suggestion(name, known)} Known executors: {', '.join(known)}"
    )


def __getattr__(name: str) -> object:
    if name == "BackendAdapter":
        from wove.integrations.base import BackendAdapter

        return BackendAdapter
    for target in _BUILT_IN.values():
        module, _, attribute = target.partition(":")
        if attribute == name:
            adapter: object = getattr(importlib.import_module(module), name)
            return adapter
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
