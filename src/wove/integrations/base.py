"""The interface between Wove and one backend."""

from __future__ import annotations

import asyncio
import functools
import importlib.util
import logging
from collections.abc import Callable, Iterable, Mapping
from typing import Any, ClassVar, TypeVar
from urllib.parse import urlsplit

from wove.dispatch.lane import Lane
from wove.dispatch.urls import is_local
from wove.executors.backend_state import BackendState, BackendStatus, Supports
from wove.executors.records import CancelOutcome

__all__ = ["BackendAdapter", "BackendState", "BackendStatus", "CancelOutcome", "Supports"]

T = TypeVar("T")

logger = logging.getLogger("wove.integrations")
_warned: set[str] = set()


class BackendAdapter:
    """Submits payloads to one backend; never runs a task itself.

    One adapter is built, started and closed per weave, on the weave's event loop.
    No method may block that loop: use `in_thread` for a blocking client library.

    Args:
        name: the executor's name, such as "celery".
        config: the environment's `executor_config`, callback keys included.
        callback_url: the address that workers report to.
        run_config: `error_mode`, `max_pending`, `delivery_heartbeat_seconds` and
            `delivery_orphan_policy` of the weave.
    """

    required_modules: tuple[str, ...] = ()
    """Modules that must be importable, named as `import` names them."""

    install_hint: str = ""
    """The command that installs them, such as "pip install celery"."""

    settings: ClassVar[frozenset[str] | None] = None
    """The keys of `executor_config` beside the callback's; others are refused when the
    environment starts. None: any are taken, and are the adapter's to check."""

    max_payload_bytes: int | None = None
    """The largest payload that the backend takes, by `payload_size`; None: no limit known."""

    knows_queued: bool = False
    """`poll` tells a queued job from one that does not exist, so `absent` can be believed."""

    start_gate: bool = True
    """The worker waits for an answer to `task_started` before it calls the task. False only
    where a job cannot outlive the weave that submitted it."""

    supports: Supports = Supports()
    """What `cancel` and `poll` really do."""

    _lane: Lane | None = None

    def __init__(
        self,
        *,
        name: str,
        config: Mapping[str, Any],
        callback_url: str,
        run_config: Mapping[str, Any],
    ) -> None:
        self.name = name
        self.config = dict(config)
        self.callback_url = callback_url
        self.run_config = dict(run_config)
        self.on_change: Callable[[str], None] | None = None

    @classmethod
    def missing_dependencies(cls) -> tuple[str, ...]:
        """Those of `required_modules` that are not installed."""
        return tuple(cls.missing_modules(cls.required_modules))

    @staticmethod
    def missing_modules(modules: Iterable[str]) -> list[str]:
        """Those of `modules` that are not installed."""
        return [module for module in modules if not _is_installed(module)]

    async def start(self) -> None:
        """Connect to the backend.

        Raises:
            TypeError: settings are missing; the message names them.
        """

    async def submit(self, payload: dict[str, Any], frame: dict[str, Any]) -> Any:
        """Hand one payload to the backend, unchanged.

        Args:
            payload: the documented payload, JSON-safe.
            frame: the `run_task` command that it was made from. `job_id_for(payload,
                frame)` is the identifier that the job should have.

        Returns:
            Whatever `cancel` and `poll` need to find the job again.

        Raises:
            SubmissionError: with code BACKEND_UNAVAILABLE or DUPLICATE_KEY where the
                adapter can tell; any other exception becomes a SubmissionError.
        """
        raise NotImplementedError(f"{type(self).__name__} does not define submit()")

    async def cancel(
        self, run_id: str, submission: Any, frame: dict[str, Any]
    ) -> CancelOutcome | None:
        """Stop one job as far as the backend can.

        Args:
            run_id: the run that is cancelled.
            submission: what `submit` returned.
            frame: the `cancel_task` command.

        Returns:
            What it came to; None counts as "asked".
        """
        return None

    async def poll(self, submissions: Mapping[str, Any]) -> Mapping[str, BackendState]:
        """What the backend knows of these jobs.

        Args:
            submissions: what `submit` returned, by run id.

        Returns:
            A state by run id. A run id left out counts as `cannot_say`; an exception
            counts as no answer.
        """
        cannot_say = BackendState(BackendStatus.CANNOT_SAY)
        return dict.fromkeys(submissions, cannot_say)

    async def close(self) -> None:
        """Release what `start` took; never an object that the configuration gave."""

    def job_id(self, submission: Any) -> str | None:
        """The backend's identifier of a submitted job."""
        if isinstance(submission, str):
            return submission
        identifier = getattr(submission, "id", None)
        return None if identifier is None else str(identifier)

    def job_id_for(self, payload: Mapping[str, Any], frame: Mapping[str, Any]) -> str:
        """The identifier that the job should have: the run's, or the idempotency key's.

        It is `[a-z0-9-]{1,40}`; under a `delivery_idempotency_key` two submissions
        of the same work have the same.
        """
        return str(frame.get("job_id") or payload["run_id"])

    def payload_size(self, payload: dict[str, Any]) -> int:
        """Bytes of the payload as the backend will see it; here, as JSON."""
        import json

        return len(json.dumps(payload))

    def warn_of_local_callback(self, backend_url: str) -> None:
        """Log, once, that workers elsewhere cannot reach a callback URL of this machine only.

        Args:
            backend_url: where the backend is; nothing is said if that is here, too.
        """
        if is_local(self.callback_url) and not is_local(backend_url):
            host = urlsplit(backend_url).hostname
            if host and host not in _warned:
                _warned.add(host)
                logger.warning(
                    "The %s backend is at %s, and its workers are told to call back to an "
                    "address that means their own machine. Unless they run here, set "
                    "callback_host and callback_url in executor_config.",
                    *(self.name, host),
                )

    def changed(self, run_id: str) -> None:
        """Tell the watcher, from any thread, that a poll of this run would have news."""
        if self.on_change is not None:
            self.on_change(run_id)

    async def in_thread(self, function: Callable[..., T], *args: Any, **kwargs: Any) -> T:
        """Call a blocking function in a thread and await what it returns.

        Quick calls are made one after the other; none waits for one that takes long.
        """
        if self._lane is None or self._lane.loop is not asyncio.get_running_loop():
            self._lane = Lane()
        return await self._lane.call(functools.partial(function, *args, **kwargs))


def _is_installed(module: str) -> bool:
    try:
        return importlib.util.find_spec(module) is not None
    except (ImportError, ValueError):
        return False
