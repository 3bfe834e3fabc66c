"""Weaves of one remote task, for the tests of the Temporal backend."""

from __future__ import annotations

import asyncio
import threading
import uuid
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from typing import Any

from temporalio.client import Client, WorkflowHandle

import wove
from wove import WoveResult, weave
from wove.executors.backend import BackendAdapterEnvironmentExecutor
from wove.executors.liveness import Liveness

IMPATIENT = Liveness(poll_seconds=0.5, absent_apart=1.0, silence_seconds=5.0)
"""Asks Temporal sooner and more often than it does by default."""


def run_remote(
    task: Callable[..., Any],
    config: dict[str, Any],
    /,
    *,
    error_mode: str = "raise",
    options: dict[str, Any] | None = None,
    liveness: Liveness | None = None,
    **values: Any,
) -> WoveResult:
    """A weave with one task, in Temporal.

    Args:
        task: what runs there.
        config: the environment's `executor_config`.
        error_mode: of the weave.
        options: of the task.
        liveness: the delays that decide whether a run is alive.
        values: the weave's.
    """
    name = f"temporal-{uuid.uuid4().hex[:8]}"
    executor = BackendAdapterEnvironmentExecutor("temporal", liveness=liveness)
    wove.config(environments={name: {"executor": executor, "executor_config": config}})
    try:
        with weave(error_mode=error_mode, **values) as w:  # type: ignore[arg-type]
            w.do(environment=name, **(options or {}))(task)
        return w.result
    finally:
        wove.config(environments={name: None})


@contextmanager
def in_background(
    task: Callable[..., Any], config: dict[str, Any], /, *, seconds: float = 60.0, **more: Any
) -> Iterator[list[WoveResult]]:
    """`run_remote` in a thread for the length of the block; its result is then in the list.

    Args:
        task: as for `run_remote`.
        config: as for `run_remote`.
        seconds: how long the end may take after the block.
        more: as for `run_remote`.
    """
    found: list[WoveResult] = []
    thread = threading.Thread(
        target=lambda: found.append(run_remote(task, config, error_mode="return", **more))
    )
    thread.start()
    try:
        yield found
    finally:
        thread.join(seconds)
    assert found, f"the weave did not end in {seconds:g} s"


def ask(host: str, question: Callable[[Client], Awaitable[Any]]) -> Any:
    """What `question`, given a client of its own, returns."""

    async def main() -> Any:
        return await question(await Client.connect(host))

    return asyncio.run(main())


def only_job(
    host: str, queue: str, act: Callable[[WorkflowHandle[Any, Any]], Awaitable[Any]]
) -> Any:
    """What `act` returns, given the only workflow of a task queue, once it is there."""

    async def question(client: Client) -> Any:
        for _ in range(400):
            async for job in client.list_workflows(f"TaskQueue = '{queue}'"):
                return await act(client.get_workflow_handle(job.id))
            await asyncio.sleep(0.05)
        raise AssertionError(f"no workflow in {queue}")

    return ask(host, question)
