"""Weaves of one remote task, for the tests of single backends."""

from __future__ import annotations

import threading
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import wove
from wove import WoveResult, weave
from wove.executors.backend import BackendAdapterEnvironmentExecutor
from wove.executors.liveness import Liveness


def run_remote(
    executor: str,
    task: Callable[..., Any],
    config: dict[str, Any],
    /,
    *,
    error_mode: str = "raise",
    options: dict[str, Any] | None = None,
    liveness: Liveness | None = None,
    **values: Any,
) -> WoveResult:
    """A weave with one task, in a backend.

    Args:
        executor: the backend's name.
        task: what runs there.
        config: the environment's `executor_config`.
        error_mode: of the weave.
        options: of the task.
        liveness: the delays that decide whether a run is alive, in place of the usual ones.
        values: the weave's.
    """
    name = f"{executor}-{uuid.uuid4().hex[:8]}"
    chosen = BackendAdapterEnvironmentExecutor(executor, liveness=liveness)
    wove.config(environments={name: {"executor": chosen, "executor_config": config}})
    try:
        with weave(error_mode=error_mode, **values) as w:  # type: ignore[arg-type]
            w.do(environment=name, **(options or {}))(task)
        return w.result
    finally:
        wove.config(environments={name: None})


@contextmanager
def in_background(
    executor: str,
    task: Callable[..., Any],
    config: dict[str, Any],
    /,
    *,
    seconds: float = 60.0,
    **more: Any,
) -> Iterator[list[WoveResult]]:
    """`run_remote` in a thread for the length of the block; its result is then in the list.

    Args:
        executor: as for `run_remote`.
        task: as for `run_remote`.
        config: as for `run_remote`.
        seconds: how long the end may take after the block.
        more: as for `run_remote`.
    """
    found: list[WoveResult] = []
    thread = threading.Thread(
        target=lambda: found.append(run_remote(executor, task, config, error_mode="return", **more))
    )
    thread.start()
    try:
        yield found
    finally:
        thread.join(seconds)
    assert found, f"the weave did not end in {seconds:g} s"
