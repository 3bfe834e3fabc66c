"""Which options and which environment each task of one weave gets."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from wove.names import suggestion
from wove.options import TaskOptions, WeaveSettings, resolve_settings, resolve_task
from wove.runtime import DEFAULT, Runtime

__all__ = ["Layers"]

_NOTHING: Mapping[str, Any] = {}
_PLAIN_SETTINGS = WeaveSettings()
_PLAIN = TaskOptions(environment=DEFAULT)


class Layers:
    """The layers of options of one weave, as they were when it was made.

    Args:
        runtime: the process-wide configuration.
        weave: the options given to `weave(...)`.

    Raises:
        ValueError: options that do not go together.
    """

    def __init__(self, runtime: Runtime, weave: Mapping[str, Any]) -> None:
        self._config = runtime.global_defaults
        self._weave = weave
        self.environments = runtime.environments
        self.default = (
            weave.get("environment")
            or self._config.get("environment")
            or runtime.default_environment
        )
        """Name of the environment of tasks that name none."""
        near = self.environments.get(self.default, _NOTHING)
        self.settings = _PLAIN_SETTINGS
        self._shared: dict[bool, TaskOptions] = {}
        if weave or self._config or near.keys() - {"executor"}:
            self.settings = resolve_settings(config=self._config, environment=near, weave=weave)
        elif self.default == _PLAIN.environment:
            self._shared = {False: _PLAIN, True: _PLAIN}

    def resolve(self, given: Mapping[str, Any] | None, *, mapped: bool) -> TaskOptions:
        """The options of a task; one shared object for all that were given none.

        Raises:
            NameError: the task's environment is not configured.
        """
        if given:
            return self._resolve(given, mapped)
        shared = self._shared.get(mapped)  # without anything given, made beforehand
        if shared is None:
            shared = self._shared[mapped] = self._resolve(_NOTHING, mapped)
        return shared

    def _resolve(self, given: Mapping[str, Any], mapped: bool) -> TaskOptions:
        name = given.get("environment") or self.default
        settings = self.environments.get(name)
        if settings is None:
            raise NameError(
                f"Environment {name!r} is not configured.{suggestion(name, self.environments)} "
                f"Configured environments: {', '.join(sorted(self.environments))}"
            )
        options = resolve_task(
            config=self._config,
            environment=settings,
            weave=self._weave,
            task=given,
            mapped=mapped,
        )
        return replace(options, environment=name)

    def is_local(self, name: str | None) -> bool:
        """Whether tasks of the environment run in this process, by the weave itself."""
        return self.environments[name or self.default].get("executor") in (None, "local")
