"""The process-wide configuration: environments, defaults, and the file they come from."""

from __future__ import annotations

import copy
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from wove.names import nearest
from wove.options import TASK_OPTIONS, WEAVE_OPTIONS, check_options

__all__ = ["Runtime", "config", "runtime"]

DEFAULT = "default"
FILE_NAME = "wove_config.py"

_DEFAULTS = TASK_OPTIONS | WEAVE_OPTIONS
_ENVIRONMENT_OPTIONS = _DEFAULTS - {"environment"}
_SETTINGS = frozenset({"allow_pickle", "executor", "executor_config"})
_FILE_NAMES = _DEFAULTS | {"default_environment", "environments"}

Settings = dict[str, Any]


class Runtime:
    """The live configuration that `config` returns. Its attributes may be assigned to."""

    def __init__(self) -> None:
        self.default_environment: str = DEFAULT
        """Name of the environment for tasks that name none."""
        self._environments: dict[str, Settings] = {DEFAULT: {"executor": "local"}}
        self._defaults: Settings = {}

    @property
    def environments(self) -> dict[str, Settings]:
        """Settings by environment name; `default` is always among them."""
        return self._environments

    @environments.setter
    def environments(self, value: Mapping[str, Mapping[str, Any] | None]) -> None:
        self._environments = _merged_environments({}, value)

    @property
    def global_defaults(self) -> Settings:
        """Option values that apply where nothing nearer is given."""
        return self._defaults

    @global_defaults.setter
    def global_defaults(self, value: Mapping[str, Any]) -> None:
        self._defaults = check_options(value, _DEFAULTS, "global_defaults")

    def snapshot(self) -> dict[str, Any]:
        """A copy of everything that later changes do not touch; executors are shared."""
        return {
            "default_environment": self.default_environment,
            "environments": {
                name: {
                    key: value if key == "executor" else copy.deepcopy(value)
                    for key, value in settings.items()
                }
                for name, settings in self._environments.items()
            },
            "global_defaults": dict(self._defaults),
        }

    def restore(self, snapshot: Mapping[str, Any]) -> None:
        """Replace everything by what `snapshot()` gave."""
        self.environments = snapshot["environments"]
        self.global_defaults = snapshot["global_defaults"]
        self.default_environment = snapshot["default_environment"]

    def merge(self, changes: Mapping[str, Any]) -> None:
        """Merge keywords of `config` into what is there; all of them or, on an error, none."""
        changes = dict(changes)
        default = changes.pop("default_environment", None)
        environments = changes.pop("environments", None)
        if default is not None and not isinstance(default, str):
            raise ValueError("default_environment must be the name of an environment")
        defaults = {
            name: value
            for name, value in check_options(
                changes, _DEFAULTS, "config()", others=_FILE_NAMES
            ).items()
            if value is not None
        }
        if environments is not None:
            self._environments = _merged_environments(self._environments, environments)
        self._defaults = {**self._defaults, **defaults}
        if default is not None:
            self.default_environment = default


runtime = Runtime()


def config(*, config_file: str | Path | None = None, **settings: Any) -> Runtime:
    """Merge settings into the process-wide configuration.

    Args:
        config_file: a Python file to load first. A bare name is searched in the
            working folder and its parents; a path is relative to the working
            folder. Without any argument `wove_config.py` is searched, and it is
            no error if there is none.
        **settings: `default_environment`, `environments` (an environment given
            as `None` is removed) and any option of a task or weave as a default.

    Returns:
        The live configuration.

    Raises:
        FileNotFoundError: `config_file` is not there.
        TypeError: an unknown option.
        ValueError: a wrong value.
    """
    if config_file is not None:
        runtime.merge(_load(_find(config_file)))
    elif not settings:
        found = _search(FILE_NAME)
        if found is not None:
            runtime.merge(_load(found))
    runtime.merge(settings)
    return runtime


def _merged_environments(
    present: Mapping[str, Settings], changes: Mapping[str, Mapping[str, Any] | None]
) -> dict[str, Settings]:
    if not isinstance(changes, Mapping):
        raise ValueError("environments must be a dictionary of name to settings")
    merged = dict(present)
    for name, settings in changes.items():
        if not isinstance(name, str) or not name:
            raise ValueError(f"the name of an environment must be text, not {name!r}")
        if settings is None:
            merged.pop(name, None)
        else:
            merged[name] = {**merged.get(name, {}), **_checked(name, settings)}
    merged.setdefault(DEFAULT, {"executor": "local"})
    return merged


def _checked(name: str, settings: Mapping[str, Any]) -> Settings:
    where = f"environment {name!r}"
    if not isinstance(settings, Mapping):
        raise ValueError(f"{where} must be a dictionary of settings or None")
    checked = dict(settings)
    if "config" in checked:  # the name `executor_config` had in the published package
        old = checked.pop("config")
        checked.setdefault("executor_config", old)
    options = {key: value for key, value in checked.items() if key not in _SETTINGS}
    check_options(options, _ENVIRONMENT_OPTIONS, where, others=_SETTINGS)
    if not isinstance(checked.get("allow_pickle", True), bool):
        raise ValueError(f"allow_pickle of {where} must be True or False")
    executor = checked.get("executor")
    if executor is not None and not isinstance(executor, str):
        _check_executor_object(executor, where)
    if not isinstance(checked.get("executor_config"), Mapping | None):
        raise ValueError(f"executor_config of {where} must be a dictionary")
    return checked


def _check_executor_object(executor: object, where: str) -> None:
    is_class = isinstance(executor, type)
    if hasattr(executor, "send") and not is_class:
        return
    kind = executor if isinstance(executor, type) else type(executor)
    advice = ""
    if hasattr(executor, "submit"):
        advice = (
            "; an adapter goes into one: BackendAdapterEnvironmentExecutor("
            f"'a name of yours', adapter_class={kind.__name__})"
        )
    elif hasattr(executor, "send"):
        advice = f"; make an object of it: {kind.__name__}()"
    raise ValueError(
        f"executor of {where} must be the name of an executor or an EnvironmentExecutor, not "
        f"{'the class ' if is_class else ''}{kind.__name__}{advice}"
    )


def _find(config_file: str | Path) -> Path:
    path = Path(config_file)
    bare = path.parent == Path() and not str(config_file).startswith(".")
    found = _search(path.name) if bare else Path.cwd() / path.expanduser()
    if found is None or not found.is_file():
        raise FileNotFoundError(f"Wove's configuration file {str(config_file)!r} was not found")
    return found


def _search(name: str) -> Path | None:
    folder = Path.cwd()
    for place in (folder, *folder.parents):
        if (place / name).is_file():
            return place / name
    return None


def _load(path: Path) -> Settings:
    """What a configuration file sets: known module-level names, then `WOVE_CONFIG`."""
    import runpy

    names = runpy.run_path(str(path), run_name="wove_config")
    settings = {name: value for name, value in names.items() if name in _FILE_NAMES}
    _warn_of_misspelt(path, names)
    whole = names.get("WOVE_CONFIG", {})
    if not isinstance(whole, Mapping):
        raise ValueError(f"WOVE_CONFIG in {path} must be a dictionary")
    return {**settings, **whole}


def _warn_of_misspelt(path: Path, names: Mapping[str, Any]) -> None:
    """Tell of names that look like a setting and are none; a file may have names of its own."""
    known = _FILE_NAMES | {"WOVE_CONFIG"}
    for name, value in names.items():
        if name in known or name.startswith("_") or callable(value):
            continue
        meant = nearest(name, known, likeness=0.85)
        if meant is not None and meant not in names:
            import logging

            logging.getLogger("wove.config").warning(
                "%s sets %r, which is no setting of Wove and has no effect. Did you mean %r?",
                path,
                name,
                meant,
            )
