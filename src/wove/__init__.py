"""Keep a workflow inline in Python and run any of its tasks somewhere else.

The public names are loaded at their first use, so that `import wove` costs
nothing to a program that may not use it.
"""

from __future__ import annotations

__version__ = "3.0.0.dev0"

TYPE_CHECKING = False  # type checkers know it by its name; importing `typing` would cost 5 ms
if TYPE_CHECKING:
    from wove.context import weave as weave
    from wove.errors import DeliveryOrphanedError as DeliveryOrphanedError
    from wove.errors import DeliveryTimeoutError as DeliveryTimeoutError
    from wove.errors import MissingDispatchFeatureError as MissingDispatchFeatureError
    from wove.executors.backend import (
        BackendAdapterEnvironmentExecutor as BackendAdapterEnvironmentExecutor,
    )
    from wove.executors.backend_state import BackendState as BackendState
    from wove.executors.backend_state import BackendStatus as BackendStatus
    from wove.executors.backend_state import Supports as Supports
    from wove.executors.base import EnvironmentExecutor as EnvironmentExecutor
    from wove.helpers import batch as batch
    from wove.helpers import denone as denone
    from wove.helpers import flatten as flatten
    from wove.helpers import fold as fold
    from wove.helpers import redict as redict
    from wove.helpers import sync_to_async as sync_to_async
    from wove.helpers import undict as undict
    from wove.integrations.base import BackendAdapter as BackendAdapter
    from wove.merging import merge as merge
    from wove.result import WoveResult as WoveResult
    from wove.runtime import config as config
    from wove.template import Weave as Weave

_WHERE = {
    "BackendAdapter": "wove.integrations.base",
    "BackendAdapterEnvironmentExecutor": "wove.executors.backend",
    "BackendState": "wove.executors.backend_state",
    "BackendStatus": "wove.executors.backend_state",
    "DeliveryOrphanedError": "wove.errors",
    "DeliveryTimeoutError": "wove.errors",
    "EnvironmentExecutor": "wove.executors.base",
    "MissingDispatchFeatureError": "wove.errors",
    "Supports": "wove.executors.backend_state",
    "Weave": "wove.template",
    "WoveResult": "wove.result",
    "batch": "wove.helpers",
    "config": "wove.runtime",
    "denone": "wove.helpers",
    "flatten": "wove.helpers",
    "fold": "wove.helpers",
    "merge": "wove.merging",
    "redict": "wove.helpers",
    "sync_to_async": "wove.helpers",
    "undict": "wove.helpers",
    "weave": "wove.context",
}

__all__ = ["__version__", *_WHERE]  # pyright: ignore[reportUnsupportedDunderAll]


def __getattr__(name: str) -> object:
    module = _WHERE.get(name)
    if module is None:
        raise AttributeError(f"module 'wove' has no attribute {name!r}")
    from importlib import import_module

    value: object = getattr(import_module(module), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted({*globals(), *_WHERE})
