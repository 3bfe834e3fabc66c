"""A task that forks: the copy must neither report as its worker nor go on as one."""

from __future__ import annotations

import os
import sys
import traceback
from collections.abc import Coroutine
from contextlib import suppress
from typing import Any

__all__ = ["end_if_forked", "ending_forks"]


def end_if_forked(pid: int, error: BaseException | None = None) -> None:
    """Do nothing in the process `pid`; end any other at once, as Python would end a program.

    Without `atexit`, which holds what belongs to the worker. The caller holds no lock and
    needs none: a lock that another thread held at the fork is never released here.

    Args:
        pid: the process that began.
        error: what the copy would end with: what the task raised there.
    """
    if os.getpid() == pid:
        return
    code = 1
    try:
        code = _exit_code(error)
    finally:  # even if an exception's own code raises
        for stream in (sys.stdout, sys.stderr):
            with suppress(BaseException):  # it is closed, or there is none
                stream.flush()
        os._exit(code)


async def ending_forks(coroutine: Coroutine[Any, Any, Any]) -> Any:
    """Await it; a copy of this process that comes out of it ends here.

    It must not come back to the event loop, which shares its selector with the original.
    """
    pid = os.getpid()
    raised: BaseException | None = None
    try:
        return await coroutine
    except BaseException as error:
        raised = error
        raise
    finally:
        end_if_forked(pid, raised)


def _exit_code(error: BaseException | None) -> int:
    if error is None:
        return 0
    if not isinstance(error, SystemExit):
        traceback.print_exception(type(error), error, error.__traceback__)
        return 1
    if error.code is None:
        return 0
    if isinstance(error.code, int):
        return error.code & 0xFF
    sys.stderr.write(f"{error.code}\n")
    return 1
