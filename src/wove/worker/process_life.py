"""A worker ends with its parent, whatever its own threads are doing.

The thread that reads the control pipe needs the interpreter's lock, which a long call in C
may hold for minutes. So on Linux the kernel is asked: when the last writer of a pipe that is
never written to is gone, it kills the worker's group.

Not PR_SET_PDEATHSIG: that ends the worker alone, never the programs that its task started,
and it does so already when the parent's thread ends that started the worker.
"""

from __future__ import annotations

import fcntl
import os
import select
import signal

__all__ = ["end_with"]


def end_with(descriptor: int) -> None:
    """Have this process, and its group if it leads one, killed when the pipe's writer is gone.

    Args:
        descriptor: the reading end of a pipe whose writing end the parent alone has.
    """
    os.set_inheritable(descriptor, False)
    # Elsewhere than on Linux no signal can be chosen: the control pipe is what there is.
    set_signal = getattr(fcntl, "F_SETSIG", None)
    if set_signal is None:
        return
    me = os.getpid()
    try:
        fcntl.fcntl(descriptor, fcntl.F_SETOWN, -me if os.getpgrp() == me else me)
        fcntl.fcntl(descriptor, set_signal, signal.SIGKILL)
        flags = fcntl.fcntl(descriptor, fcntl.F_GETFL)
        fcntl.fcntl(descriptor, fcntl.F_SETFL, flags | os.O_ASYNC)
    except OSError:  # a sandbox that does not know it
        return
    poll = select.poll()
    poll.register(descriptor)
    if any(event & select.POLLHUP for _, event in poll.poll(0)):  # it went before we asked
        os.kill(me, signal.SIGKILL)
