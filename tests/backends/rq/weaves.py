"""Weaves of one remote task, for the tests of the RQ backend."""

from __future__ import annotations

import threading
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import wove
from wove import WoveResult, weave


def run_remote(
    task: Callable[..., Any],
    config: dict[str, Any],
    /,
    *,
    error_mode: str = "raise",
    options: dict[str, Any] | None = None,
    **values: Any,
) -> WoveResult:
    """A weave with one task, in RQ.

    Args:
        task: what runs there.
        config: the environment's `executor_config`.
        error_mode: of the weave.
        options: of the task.
        values: the weave's.
    """
    name = f"rq-{uuid.uuid4().hex[:8]}"
    wove.config(environments={name: {"executor": "rq", "executor_config": config}})
    try:
        with weave(error_mode=error_mode, **values) as w:
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
