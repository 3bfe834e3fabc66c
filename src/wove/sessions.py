"""The environments of one weave that are not this process: one session each."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

from wove.graph import Node
from wove.layers import Layers
from wove.outcome import Outcome

if TYPE_CHECKING:
    from wove.executors.session import EnvironmentSession

__all__ = ["Sessions"]


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
        session = await self._session(options.environment or self._layers.default)
        call = TaskCall(
            task_id=node.name,
            callable=node.function,
            args=arguments,
            options=options,
            on_run=outcome.remote_runs.append,
            item=item,
        )
        return await session.execute(call)

    @property
    def started(self) -> bool:
        """Whether there is anything to stop."""
        return bool(self._starting)

    async def stop(self, failed: BaseException | None) -> None:
        """Stop every session that was started; the first error is raised after all were."""
        first: BaseException | None = None
        for start in self._starting.values():
            await asyncio.wait([start])
            if start.cancelled() or start.exception() is not None:
                continue
            try:
                await start.result().stop(failed=failed)
            except Exception as error:  # noqa: BLE001 - the others must be stopped too
                first = first or error
        if first is not None:
            raise first

    async def _session(self, name: str) -> EnvironmentSession:
        start = self._starting.get(name)
        if start is None:
            start = asyncio.get_running_loop().create_task(self._start(name))
            self._starting[name] = start
        # A task that is cancelled meanwhile must not take the others' session with it.
        return await asyncio.shield(start)

    async def _start(self, name: str) -> EnvironmentSession:
        from wove.executors.session import EnvironmentSession

        settings = self._layers.settings
        near = self._layers.resolve({"environment": name}, mapped=False).delivery
        session = EnvironmentSession(
            name,
            self._layers.environments[name],
            {
                "error_mode": settings.error_mode,
                "max_pending": settings.max_pending,
                "delivery_heartbeat_seconds": near.delivery_heartbeat_seconds,
                "delivery_orphan_policy": near.delivery_orphan_policy,
            },
        )
        try:
            await session.start()
        except BaseException as error:
            if not isinstance(error, asyncio.CancelledError):
                self.broken = self.broken or error
            raise
        return session
