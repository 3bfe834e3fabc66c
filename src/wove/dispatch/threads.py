"""Blocking calls without a blocked event loop."""

from __future__ import annotations

import asyncio
import contextlib
import contextvars
import threading
from collections.abc import Callable
from typing import Any, TypeVar

__all__ = ["in_thread"]

T = TypeVar("T")


async def in_thread(function: Callable[..., T], /, *args: Any, **kwargs: Any) -> T:
    """Call `function` in a daemon thread of its own and await what it returns.

    Not `concurrent.futures`: that refuses work once the interpreter is exiting, when
    a background weave may still have jobs to cancel. The thread is a daemon because a
    client library that hangs must not keep the interpreter alive. A caller that is
    cancelled leaves the call to finish on its own.
    """
    loop = asyncio.get_running_loop()
    future: asyncio.Future[T] = loop.create_future()
    context = contextvars.copy_context()

    def settle(result: T | None, error: BaseException | None) -> None:
        if future.done():
            return
        if error is not None:
            future.set_exception(error)
        else:
            future.set_result(result)  # type: ignore[arg-type]

    def call() -> None:
        result: T | None = None
        error: BaseException | None = None
        try:
            result = context.run(function, *args, **kwargs)
        except StopIteration as exc:  # a future refuses to carry it
            error = RuntimeError("the function raised StopIteration")
            error.__cause__ = exc
        except BaseException as exc:  # noqa: BLE001 - it belongs to the awaiting caller
            error = exc
        with contextlib.suppress(RuntimeError):  # the loop is closed: nobody waits any more
            loop.call_soon_threadsafe(settle, result, error)

    threading.Thread(target=call, name="wove-call", daemon=True).start()
    return await future
