"""The interface between a weave and the place where its tasks run."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping
from typing import Any

from wove.executors.records import CancelOutcome

__all__ = ["EnvironmentExecutor", "Frame"]

Frame = dict[str, Any]
"""One command to an executor, or one event from it; `frame["type"]` names it."""


class EnvironmentExecutor(ABC):
    """Takes command frames and gives back event frames.

    A weave calls `start` and `stop` once each, on its own event loop; `start` before
    its first task there. Commands: `run_task` {run_id, task_id, callable, args,
    delivery, attempt, supersedes}, `cancel_task` {run_id, task_id,
    delivery_cancel_mode, delivery_orphan_policy}, `shutdown` {}, which precedes
    `stop`. Events: `task_started`, `task_result` {result}, `task_error` {exception
    and/or error}, `task_cancelled`, `heartbeat`, `progress`, `log`, each with its
    `run_id`. A frame whose `run_id` the weave does not know is ignored.

    The methods that are not abstract have defaults that suit an executor which
    knows nothing of callbacks and backends.
    """

    judges_silence: bool = False
    """True where the executor itself finds out that a started run has fallen silent."""

    backend_name: str = ""
    """The name that a run's record gives as its `backend`; empty: the class's name."""

    @abstractmethod
    async def start(
        self,
        *,
        environment_name: str,
        environment_config: Mapping[str, Any],
        run_config: Mapping[str, Any],
    ) -> None:
        """Get ready for frames.

        Args:
            environment_name: the environment's name in `wove.config`.
            environment_config: the environment's `executor_config`.
            run_config: `error_mode`, `max_pending`, `delivery_heartbeat_seconds`
                and `delivery_orphan_policy` of the weave.
        """

    @abstractmethod
    async def send(self, frame: Frame) -> None:
        """Take one command. What it raises fails the run that the frame names."""

    @abstractmethod
    async def recv(self) -> Frame:
        """Wait for the next event. What it raises fails every run that is open."""

    @abstractmethod
    async def stop(self) -> None:
        """Release everything that `start` took."""

    def listen(self, listener: Callable[[Frame], None]) -> bool:
        """Give events to `listener`, on the weave's loop, in place of `recv`.

        Called before `start`. A turn of the loop per event is saved so.

        Returns:
            Whether it will be done; False: `recv` is to be read.
        """
        return False

    def begin_run(self, frame: Frame) -> bool:
        """Take a `run_task` command without waiting for anything.

        Returns:
            Whether it was taken; False: it is to be sent with `send`.
        """
        return False

    def for_weave(self) -> EnvironmentExecutor:
        """The object that serves one weave; an executor that can serve several is its own."""
        return self

    async def end_run(self, run_id: str, cause: str, *, item_goes_on: bool = False) -> bool:
        """End a run without an event: a timeout, a verdict, a cancellation.

        Args:
            run_id: the run to end.
            cause: one word for the records, such as "timed_out".
            item_goes_on: the item will have another run, so that a result of this
                one is still welcome.

        Returns:
            False if a terminal event was first; that event then follows.
        """
        return True

    async def cancel_run(self, frame: Frame) -> CancelOutcome:
        """Take a `cancel_task` command and say what it came to.

        Returns:
            `stopped` where there is proof that the job does not run and will not
            start; `asked` where it was told; `unconfirmed` where it could not be.
        """
        await self.send(frame)
        return "asked"

    def close_item(self, run_id: str) -> None:  # noqa: B027 - optional: nothing to forget
        """The weave has stopped waiting for the item that this run belongs to."""

    async def pending_reason(self, run_id: str) -> str:
        """Why the run has not started, in the backend's words; empty if nobody knows."""
        return ""
