"""The options of tasks and weaves: their names, what they may be, and which one wins.

An option may be given on a task, on `weave(...)`, on an environment and in
`config(...)`. The nearest wins; `None` means "not given", except in an
environment, where it overrides `config`.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, Literal, TypedDict

from wove.names import suggestion

__all__ = [
    "MAPPING_OPTIONS",
    "TASK_OPTIONS",
    "WEAVE_OPTIONS",
    "CancelMode",
    "DeliveryPolicy",
    "ErrorMode",
    "IdempotencyKey",
    "OrphanPolicy",
    "TaskOptionValues",
    "TaskOptions",
    "WeaveSettings",
    "check_options",
    "resolve_settings",
    "resolve_task",
]

CancelMode = Literal["best_effort", "require_ack"]
ErrorMode = Literal["raise", "defer", "return"]
OrphanPolicy = Literal["cancel", "fail", "requeue", "detach"]
IdempotencyKey = str | Callable[..., str]


class TaskOptionValues(TypedDict, total=False):
    """Every option of a task as a keyword; `None` is the same as leaving it out."""

    retries: int | None
    timeout: float | None
    workers: int | None
    limit_per_minute: float | None
    environment: str | None
    delivery_timeout: float | None
    start_timeout: float | None
    cancel_timeout: float | None
    delivery_idempotency_key: IdempotencyKey | None
    delivery_cancel_mode: CancelMode | None
    delivery_heartbeat_seconds: float | None
    delivery_max_in_flight: int | None
    delivery_orphan_policy: OrphanPolicy | None


@dataclass(frozen=True, kw_only=True, slots=True)
class DeliveryPolicy:
    """How a remote task is delivered and given up. Local tasks ignore all of it."""

    delivery_timeout: float | None = None
    """Seconds from submission to the terminal event."""
    start_timeout: float | None = None
    """Seconds from submission to the accepted `task_started`."""
    cancel_timeout: float | None = None
    """Seconds that `require_ack` waits for proof of a cancellation."""
    delivery_idempotency_key: IdempotencyKey | None = None
    """Text, a format string over the arguments, or a callable over them."""
    delivery_cancel_mode: CancelMode = "best_effort"
    """Whether cancelling waits for proof."""
    delivery_heartbeat_seconds: float | None = None
    """Seconds of silence after which a started run is asked about."""
    delivery_max_in_flight: int | None = None
    """Runs at once in one environment of one weave."""
    delivery_orphan_policy: OrphanPolicy = "cancel"
    """What becomes of a run whose worker is lost or whose weave stops."""


@dataclass(frozen=True, kw_only=True, slots=True)
class TaskOptions:
    """The options of one task after all layers are merged; defaults are filled in."""

    retries: int = 0
    """Tries after the first."""
    timeout: float | None = None
    """Seconds for each try."""
    workers: int | None = None
    """Items of a mapped task at once."""
    limit_per_minute: float | None = None
    """Starts of a mapped task's items in a minute, evenly spaced."""
    environment: str | None = None
    """Name of the environment; `None` means the default one."""
    delivery: DeliveryPolicy = field(default_factory=DeliveryPolicy)
    """Everything about remote delivery."""


@dataclass(frozen=True, kw_only=True, slots=True)
class WeaveSettings:
    """The options of a whole weave after all layers are merged."""

    max_workers: int = 256
    """Threads for sync tasks."""
    background: bool = False
    """Run in a thread after the block."""
    fork: bool = False
    """With `background`: run in a detached process instead."""
    max_pending: int | None = None
    """Most items that a mapped task may have."""
    error_mode: ErrorMode = "raise"
    """What a failure does to the block and to reading a result."""


MAPPING_OPTIONS = frozenset({"workers", "limit_per_minute"})
DELIVERY_OPTIONS = frozenset(DeliveryPolicy.__dataclass_fields__)
TASK_OPTIONS = frozenset(TaskOptionValues.__annotations__)
WEAVE_OPTIONS = frozenset(WeaveSettings.__dataclass_fields__)


def _whole(least: int) -> tuple[Callable[[Any], bool], str]:
    def check(value: Any) -> bool:
        return isinstance(value, int) and not isinstance(value, bool) and value >= least

    return check, f"an integer of at least {least}"


def _positive(unit: str) -> tuple[Callable[[Any], bool], str]:
    def check(value: Any) -> bool:
        return (
            isinstance(value, int | float)
            and not isinstance(value, bool)
            and math.isfinite(value)
            and value > 0
        )

    return check, f"a finite number of {unit} above 0"


def _one_of(*words: str) -> tuple[Callable[[Any], bool], str]:
    def check(value: Any) -> bool:
        return isinstance(value, str) and value in words

    return check, "one of " + ", ".join(repr(word) for word in words)


_FLAG = (lambda value: isinstance(value, bool), "True or False")
_NAME = (lambda value: isinstance(value, str) and bool(value), "the name of an environment")
_KEY = (
    lambda value: callable(value) or (isinstance(value, str) and bool(value)),
    "text, a format string over the arguments, or a callable",
)

_RULES: dict[str, tuple[Callable[[Any], bool], str]] = {
    "retries": _whole(0),
    "timeout": _positive("seconds"),
    "workers": _whole(1),
    "limit_per_minute": _positive("starts"),
    "environment": _NAME,
    "delivery_timeout": _positive("seconds"),
    "start_timeout": _positive("seconds"),
    "cancel_timeout": _positive("seconds"),
    "delivery_idempotency_key": _KEY,
    "delivery_cancel_mode": _one_of("best_effort", "require_ack"),
    "delivery_heartbeat_seconds": _positive("seconds"),
    "delivery_max_in_flight": _whole(1),
    "delivery_orphan_policy": _one_of("cancel", "fail", "requeue", "detach"),
    "max_workers": _whole(1),
    "background": _FLAG,
    "fork": _FLAG,
    "max_pending": _whole(1),
    "error_mode": _one_of("raise", "defer", "return"),
}


def check_options(
    given: Mapping[str, Any], known: Iterable[str], where: str, *, others: Iterable[str] = ()
) -> dict[str, Any]:
    """Check options where they are written and return a copy of them.

    Args:
        given: option names and values; `None` is always allowed.
        known: the names allowed there.
        where: how the place is called in the message, such as "do()".
        others: what may be given there beside options; for the message only.

    Raises:
        TypeError: an option is not among `known`.
        ValueError: an option's value is not what it may be.
    """
    allowed = frozenset(known)
    for name, value in given.items():
        if name not in allowed:
            names = sorted({*allowed, *others})
            raise TypeError(
                f"{where} got an unknown option {name!r}.{suggestion(name, names)} "
                f"Known options: {', '.join(names)}"
            )
        if value is not None:
            check, may_be = _RULES[name]
            if not check(value):
                raise ValueError(f"{name} must be {may_be}, not {_shown(value)}")
    return dict(given)


def _shown(value: Any) -> str:
    text = repr(value) if isinstance(value, str | int | float | bool) else type(value).__name__
    return text if len(text) <= 80 else text[:77] + "..."


def _merge(
    names: frozenset[str],
    config: Mapping[str, Any],
    environment: Mapping[str, Any],
    nearer: Iterable[Mapping[str, Any]],
) -> dict[str, Any]:
    merged = {n: v for n, v in config.items() if n in names and v is not None}
    merged.update((n, v) for n, v in environment.items() if n in names)
    for layer in nearer:
        merged.update((n, v) for n, v in layer.items() if n in names and v is not None)
    return {n: v for n, v in merged.items() if v is not None}


def resolve_task(
    *,
    config: Mapping[str, Any],
    environment: Mapping[str, Any],
    weave: Mapping[str, Any],
    task: Mapping[str, Any],
    mapped: bool,
) -> TaskOptions:
    """Merge the four layers of a task's options; the nearest wins.

    Args:
        config: the defaults of `config(...)`.
        environment: the options of the environment that the task runs in.
        weave: what `weave(...)` was given.
        task: what the task itself was given.
        mapped: whether the task is mapped; `workers` and `limit_per_minute`
            given as defaults skip tasks that are not.
    """
    values = _merge(TASK_OPTIONS, config, environment, (weave, task))
    if not mapped:
        for name in MAPPING_OPTIONS:
            values.pop(name, None)
    delivery = {n: values.pop(n) for n in DELIVERY_OPTIONS if n in values}
    return TaskOptions(**values, delivery=DeliveryPolicy(**delivery))


def resolve_settings(
    *, config: Mapping[str, Any], environment: Mapping[str, Any], weave: Mapping[str, Any]
) -> WeaveSettings:
    """Merge the three layers of a weave's own options; the nearest wins.

    Raises:
        ValueError: `fork` without `background`.
    """
    settings = WeaveSettings(**_merge(WEAVE_OPTIONS, config, environment, (weave,)))
    if settings.fork and not settings.background:
        raise ValueError("fork=True needs background=True")
    return settings
