"""The environments of one weave that are not this process: one session each."""

from __future__ import annotations

import asyncio
import logging
from typing import TYPE_CHECKING, Any

from wove.graph import Node
from wove.layers import Layers
from wove.outcome import Outcome

if TYPE_CHECKING:
    from wove.executors.session import EnvironmentSession

__all__ = ["Sessions"]

logger = logging.getLogger("wove.executors")


class Sessions:
    """Starts an environment's session before its first task and stops all at the end.

    What delivery needs (cloudpickle, protobuf, a backend's library) is imported when
    the first remote task starts, and not before.
    """

    def __init__(self, layers: Layers) -> None:
        self._layers = layers
        self._sessions: dict[str, EnvironmentSession] = {}
        self._starting: dict[str, asyncio.Task[EnvironmentSession]] = {}
        self.broken: BaseException | None = None
        """Why an environment could not start: that is the weave's failure in every
        `error_mode`, not only a task's."""

    def is_local(self, name: str | None) -> bool:
        """Whether tasks of the environment run in this process, by the weave itself."""
        return self._layers.is_local(name)

    async def execute(
        self, node: Node, arguments: dict[str, Any], item: int | None, outcome: Outcome
    ) -> Any:
        """Carry one item through its runs and return its result.

        Raises:
            BaseException: what the task raised, or why it could not be delivered.
        """
        from wove.executors.session import TaskCall

        options = node.options
        assert options is not None  # noqa: S101 - for the type checker
        if item is not None and node.shared is None:
            node.shared = {}
        session = await self._session(options.environment or self._layers.default)
        call = TaskCall(
            task_id=node.name,
            callable=node.function,
            args=arguments,
            options=options,
            on_run=outcome.remote_runs.append,
            item=item,
            shared=node.shared,
        )
        return await session.execute(call)

    @property
    def started(self) -> bool:
        """Whether there is anything to stop."""
        return bool(self._starting)

    async def stop(self, failed: BaseException | None) -> None:
        """Stop every session that was started, side by side: a slow one holds up no other.

        One that is still starting is not waited for: nobody needs it any more.

        Raises:
            Exception: the first session's that could not be stopped; others are logged.
        """
        ends = await asyncio.gather(
            *(self._end(name, start, failed) for name, start in self._starting.items()),
            return_exceptions=True,
        )
        first: BaseException | None = None
        for name, error in zip(self._starting, ends, strict=True):
            if error is not None and first is None:
                first = error
            elif error is not None:
                logger.error("environment %r could not be stopped", name, exc_info=error)
        if first is not None:
            raise first

    async def _end(
        self, name: str, start: asyncio.Task[EnvironmentSession], failed: BaseException | None
    ) -> None:
        session = self._sessions[name]
        if not start.done():
            start.cancel()
            await asyncio.wait([start], timeout=session.liveness.stop_seconds)
            if not start.done() or start.cancelled() or start.exception() is not None:
                await session.abort()
                return
        if not start.cancelled() and start.exception() is None:
            await session.stop(failed=failed)

    async def _session(self, name: str) -> EnvironmentSession:
        start = self._starting.get(name)
        if start is None:
            session = self._sessions[name] = self._made(name)
            start = asyncio.get_running_loop().create_task(self._start(session))
            self._starting[name] = start
        # A task that is cancelled meanwhile must not take the others' session with it.
        return await asyncio.shield(start)

    def _made(self, name: str) -> EnvironmentSession:
        from wove.executors.session import EnvironmentSession

        settings = self._layers.settings
        near = self._layers.resolve({"environment": name}, mapped=False).delivery
        environment = self._layers.environments[name]
        run_config = {
            "error_mode": settings.error_mode,
            "max_pending": settings.max_pending,
            "delivery_heartbeat_seconds": near.delivery_heartbeat_seconds,
            "delivery_orphan_policy": near.delivery_orphan_policy,
        }
        if not environment.get("allow_pickle", True):
            run_config["allow_pickle"] = False
        return EnvironmentSession(name, environment, run_config)

    async def _start(self, session: EnvironmentSession) -> EnvironmentSession:
        try:
            await session.start()
        except BaseException as error:
            if not isinstance(error, asyncio.CancelledError):
                self.broken = self.broken or error
                _note(error, f"(when the environment {session.name!r} of the weave was started)")
            raise
        return session


def _note(error: BaseException, text: str) -> None:
    """Add a line to what a traceback shows of `error`; Python 3.10 shows none."""
    # By hand: `add_note` came with Python 3.11.
    error.__dict__["__notes__"] = [*getattr(error, "__notes__", []), text]
