"""Adapters driven as their executor does it, for the tests of single adapters."""

from __future__ import annotations

import asyncio
import traceback
import uuid
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any, Generic, NoReturn, TypeVar

from wove.integrations.base import BackendAdapter

__all__ = ["Submitting", "not_started", "shown"]

A = TypeVar("A", bound=BackendAdapter)


@dataclass(frozen=True)
class Submitting(Generic[A]):
    """Adapters of one class."""

    name: str
    kind: type[A]

    def payload_and_frame(
        self, start_timeout: float | None = None, **delivery: Any
    ) -> tuple[dict[str, Any], dict[str, Any]]:
        """What `submit` is given; `delivery` holds the options that the payload carries."""
        payload = {
            "version": 1,
            "adapter": self.name,
            "callback_url": "http://127.0.0.1:1/wove/events/very-secret-token",
            "run_id": uuid.uuid4().hex,
            "task_id": "report",
            "task_name": "report",
            "callable_pickle": "gASV",
            "args_pickle": "gASV",
            "delivery": delivery,
        }
        frame = {"type": "run_task", "run_id": payload["run_id"], "task_id": "report"}
        if start_timeout is not None:
            frame["start_timeout"] = start_timeout
        return payload, frame

    def with_adapter(self, config: dict[str, Any], use: Callable[[A], Awaitable[Any]]) -> Any:
        """What `use` returns of an adapter that is started and closed around it, on a new loop."""

        async def main() -> Any:
            adapter = self.kind(name=self.name, config=config, callback_url="", run_config={})
            await adapter.start()
            try:
                return await use(adapter)
            finally:
                await adapter.close()

        return asyncio.run(main())

    def submit(self, config: dict[str, Any], **options: Any) -> tuple[Any, dict[str, Any]]:
        """Submit one payload; the submission, and the payload.

        Args:
            config: the `executor_config`.
            options: as for `payload_and_frame`; `job_id` is the frame's.
        """
        job_id = options.pop("job_id", None)
        payload, frame = self.payload_and_frame(**options)
        if job_id is not None:
            frame["job_id"] = job_id

        async def use(adapter: A) -> Any:
            return await adapter.submit(payload, frame)

        return self.with_adapter(config, use), payload


def not_started(adapter: BackendAdapter) -> NoReturn:
    """For `with_adapter`, where `start` must fail."""
    raise AssertionError("started")


def shown(error: BaseException) -> str:
    """What a traceback says beside the lines of code: the texts of an error and its causes."""
    lines = "".join(traceback.format_exception(error)).splitlines()
    return "\n".join(line for line in lines if not line.startswith("  "))
