"""What can be said before a backend is touched: of its packages, its settings, a stub."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING

from wove.dispatch.requirements import has_dispatch
from wove.errors import DeliveryError, ErrorCode, MissingPackageError
from wove.names import suggestion

if TYPE_CHECKING:
    from wove.dispatch.typed import Convert
    from wove.executors.base import Frame
    from wove.integrations.base import BackendAdapter

__all__ = ["CALLBACK_SETTINGS", "check_packages", "check_settings", "result_converter"]

CALLBACK_SETTINGS = frozenset(
    {
        "callback_host",
        "callback_port",
        "callback_token",
        "callback_url",
        "callback_grpc",
        "callback_grpc_host",
        "callback_grpc_port",
        "callback_grpc_certificate",
        "callback_grpc_private_key",
        "callback_grpc_client_ca",
    }
)
"""The keys of `executor_config` that every backend has."""


def check_packages(
    adapter: type[BackendAdapter], name: str, required: Sequence[str] | None
) -> None:
    """Refuse an environment whose backend is not installed.

    Args:
        adapter: the adapter's class.
        name: the executor's name.
        required: what must be importable, in place of the adapter's own list.

    Raises:
        MissingPackageError: names what is missing and the command that installs it.
    """
    missing = adapter.missing_modules(adapter.required_modules if required is None else required)
    if not missing:
        return
    hint = adapter.install_hint or f"pip install {' '.join(missing)}"
    if " " not in hint:
        hint = f"pip install {hint}"  # adapters of the published package name the package only
    if not has_dispatch():
        hint += " 'wove[dispatch]'"
    names = ", ".join(f"`{module}`" for module in missing)
    what, verb = ("dependency", "is") if len(missing) == 1 else ("dependencies", "are")
    raise MissingPackageError(
        f"{name} executor requested, but {what} {names} {verb} not installed. Install with: {hint}"
    )


def check_settings(adapter: type[BackendAdapter], name: str, given: Iterable[str]) -> None:
    """Refuse settings that the adapter does not know, where it says which it knows.

    Args:
        adapter: the adapter's class.
        name: the executor's name.
        given: the keys of `executor_config`.

    Raises:
        TypeError: names the unknown keys and lists the known ones.
    """
    if adapter.settings is None:
        return
    unknown = sorted(set(given) - adapter.settings - CALLBACK_SETTINGS)
    if unknown:
        names = ", ".join(repr(key) for key in unknown)
        known = adapter.settings | CALLBACK_SETTINGS
        meant = "".join(suggestion(key, known) for key in unknown)
        raise TypeError(
            f"the {name} executor does not know {names} in executor_config.{meant} It knows "
            f"{', '.join(sorted(adapter.settings))}; and for the callback "
            f"{', '.join(sorted(CALLBACK_SETTINGS))}"
        )


def result_converter(frame: Frame, environment: str) -> Convert:
    """What checks and makes the result of a task whose function is only a typed stub.

    Args:
        frame: the `run_task` command.
        environment: the environment's name.

    Raises:
        DeliveryError: the function's return annotation cannot be checked.
    """
    from wove.dispatch.typed import WrongType, returns

    try:
        return returns(frame["callable"])
    except WrongType as error:
        raise DeliveryError(
            f"Task '{frame['task_id']}' cannot be sent to environment '{environment}', "
            f"which has allow_pickle=False: {error}",
            code=ErrorCode.PAYLOAD_NOT_PLAIN,
            reason=str(error),
            task=frame["task_id"],
            environment=environment,
        ) from error
