"""Public names, and what importing them loads."""

from __future__ import annotations

import importlib
import json
import pkgutil
import subprocess
import sys
import types
from typing import Any

import pytest

import wove

EXPORTS = {
    "BackendAdapter",
    "BackendAdapterEnvironmentExecutor",
    "BackendState",
    "BackendStatus",
    "DeliveryOrphanedError",
    "DeliveryTimeoutError",
    "EnvironmentExecutor",
    "MissingDispatchFeatureError",
    "Supports",
    "Weave",
    "WoveResult",
    "__version__",
    "batch",
    "config",
    "denone",
    "flatten",
    "fold",
    "merge",
    "redict",
    "sync_to_async",
    "undict",
    "weave",
}


def _fresh(script: str) -> Any:
    """What a script prints as JSON, in a fresh interpreter."""
    done = subprocess.run(
        [sys.executable, "-W", "error", "-c", script],
        capture_output=True,
        text=True,
        timeout=30,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


def _modules() -> list[str]:
    """Every public module of the package."""
    found = [info.name for info in pkgutil.walk_packages(wove.__path__, "wove.")]
    # arq is in an environment of its own: tests/backends/arq looks there.
    found.remove("wove.integrations.arq")
    return ["wove"] + [n for n in found if not any(p.startswith("_") for p in n.split("."))]


def test_the_exports_of_wove() -> None:
    assert set(wove.__all__) == EXPORTS
    assert set(dir(wove)) >= EXPORTS
    for name in EXPORTS:
        assert getattr(wove, name) is not None
    with pytest.raises(AttributeError, match="no_such_name"):
        _ = wove.no_such_name


@pytest.mark.parametrize("module", _modules())
def test_every_all_is_true(module: str) -> None:
    imported = importlib.import_module(module)
    names = getattr(imported, "__all__", [])
    assert len(names) == len(set(names))
    for name in names:
        assert hasattr(imported, name), f"{module}.{name} is in __all__ only"


@pytest.mark.parametrize(
    ("module", "names"),
    [
        ("wove.errors", ["WoveError", "DeliveryError", "TaskTimeoutError"]),
        ("wove.helpers", ["flatten", "fold", "batch", "undict", "redict", "denone"]),
        ("wove.runtime", ["config", "runtime"]),
        (
            "wove.environment",
            [
                "EnvironmentExecutor",
                "BackendAdapterEnvironmentExecutor",
                "DeliveryTimeoutError",
                "DeliveryOrphanedError",
            ],
        ),
        ("wove.backend", []),
        ("wove.integrations", ["BackendAdapter"]),
        ("wove.debug", ["print_debug_report"]),
    ],
)
def test_public_paths(module: str, names: list[str]) -> None:
    imported = importlib.import_module(module)
    for name in names:
        assert hasattr(imported, name), f"{module}.{name} is missing"
        if name in EXPORTS:
            assert getattr(imported, name) is getattr(wove, name)


def test_no_export_is_ever_a_module() -> None:
    for module in _modules():
        importlib.import_module(module)
    for name in EXPORTS:
        assert not isinstance(getattr(wove, name), types.ModuleType)
        assert f"wove.{name}" not in sys.modules


@pytest.mark.parametrize("name", sorted(EXPORTS - {"__version__"}))
def test_no_module_bears_the_name_of_an_export(name: str) -> None:
    assert f"wove.{name}" not in _modules()


def test_errors_are_of_the_documented_builtin_types() -> None:
    from wove import errors

    for name in errors.__all__:
        kind = getattr(errors, name)
        if issubclass(kind, errors.DeliveryError):
            assert issubclass(kind, RuntimeError)
    assert issubclass(errors.MissingDispatchFeatureError, RuntimeError)
    assert issubclass(errors.EnvironmentExecutionError, RuntimeError)
    assert issubclass(errors.MissingPackageError, RuntimeError)
    assert issubclass(errors.UnresolvedSignatureError, NameError)
    assert issubclass(errors.TaskTimeoutError, TimeoutError)
    assert errors.MissingDispatchFeatureError("a fork").reason == "a fork"
    assert errors.EnvironmentExecutionError("x", {"kind": "E"}).payload == {"kind": "E"}


_LOADED = """
import json, sys
before = set(sys.modules)
{statement}
print(json.dumps(sorted({{name.partition(".")[0] for name in set(sys.modules) - before}})))
"""


def _third_party(loaded: list[str]) -> set[str]:
    return {n for n in loaded if n not in sys.stdlib_module_names and n != "wove"}


def test_importing_wove_loads_no_third_party_module_and_little_else() -> None:
    loaded = _fresh(_LOADED.format(statement="import wove; wove.__version__"))
    assert _third_party(loaded) == set()
    assert "asyncio" not in loaded


def test_importing_every_public_name_and_a_local_weave_load_no_third_party_module() -> None:
    statement = """
from wove import weave, Weave, merge, config, WoveResult, DeliveryTimeoutError
from wove import flatten, fold, batch, undict, redict, denone, sync_to_async
config(retries=1)
with weave(x=1, debug=False) as w:
    @w.do
    def a(x):
        return merge(lambda n: n, [x])
    @w.do([1, 2], workers=1)
    async def b(n, a):
        return n
assert list(w.result) == [[1], [1, 2]]
w.graph("svg"), repr(w.result), w.runs
"""
    assert _third_party(_fresh(_LOADED.format(statement=statement))) == set()


def test_star_import_gives_the_exports() -> None:
    names = _fresh(
        "import json\nfrom wove import *\n"
        "print(json.dumps(sorted(n for n in dir() if n != 'json' and not n.startswith('__'))))"
    )
    assert set(names) == EXPORTS - {"__version__"}
