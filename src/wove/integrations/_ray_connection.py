"""This process's one connection to a Ray cluster, through the cluster's node on this machine."""

from __future__ import annotations

import functools
import re
import socket
import threading
from collections.abc import Callable, Mapping
from typing import Any

__all__ = [
    "CONNECT_SECONDS",
    "NOT_CONNECTED",
    "connect",
    "node_is_gone",
    "node_of_this_process",
    "refusal_in",
]

CONNECT_SECONDS = 8.0
"""How long a cluster at a given address may take to accept a connection."""

NOT_CONNECTED = (OSError, RuntimeError, ValueError)
"""What `ray.init` raises; a ConnectionError is an OSError."""

_REFUSED = re.compile(r"AuthenticationError: (.+)")

_lock = threading.Lock()
_ours: tuple[str | None, threading.Event] | None = None
"""The node of the connection that we made last, and what ends the thread that made it."""


def connect(options: Mapping[str, Any], *, wanted: bool) -> None:
    """Connect this process to Ray unless it is connected; again if what it had is dead.

    Ray itself does not notice: tasks for a node that is gone stay pending for ever, most
    calls to a cluster whose head is gone end the process, and after a minute without its
    head so does Ray by itself.

    Args:
        options: arguments of `ray.init`.
        wanted: connect; otherwise the program must have done so.

    Raises:
        OSError: nothing answers at the address.
        RuntimeError: this process is connected to another cluster, or should have been
            connected, or the program's own connection is dead.
        ValueError: Ray cannot use the address.
    """
    import ray

    address = options.get("address")
    with _lock:
        if ray.is_initialized():
            connected = str(ray.get_runtime_context().gcs_address)
            _check_same_cluster(connected, address)
            node = node_of_this_process()
            if not node_is_gone(node):
                if node is not None:  # else the head may be out of reach from here
                    _knock(connected)
                return
            if _ours is None or _ours[0] != node:
                raise RuntimeError(
                    f"this process is connected to the Ray cluster at {connected} through a node "
                    "that is gone, and the program made that connection: it has to call "
                    "ray.shutdown() and ray.init() again"
                )
            ray.shutdown()
        if not wanted:
            raise RuntimeError("executor_config['init'] is False, and ray.init() was not called")
        _knock(address)
        _in_lasting_thread(functools.partial(ray.init, **{"ignore_reinit_error": True, **options}))


def refusal_in(text: str) -> str | None:
    """Ray's words for a cluster that does not take this process's token; None: it says no such.

    Ray's own error is "Failed to connect"; the reason is in the text of that one's cause.

    Args:
        text: of an error and its causes, or what `ray start` printed.
    """
    found = _REFUSED.search(text)
    return found[1].strip() if found else None


def node_of_this_process() -> str | None:
    """The socket of the Ray node that this process's tasks go through.

    None: there is none on this machine, as with Ray's client ("ray://").
    """
    import ray._private.worker as worker

    # Ray's own API has no way to ask that does not talk to the cluster.
    found: str | None = getattr(worker._global_node, "raylet_socket_name", None)
    return found


def node_is_gone(node: str | None) -> bool:
    """Whether a node has ended. Does not block.

    Args:
        node: of `node_of_this_process`.
    """
    if node is None:
        return False
    with socket.socket(socket.AF_UNIX) as knock:
        knock.setblocking(False)
        try:
            knock.connect(node)
        except (ConnectionRefusedError, FileNotFoundError):
            return True
        except OSError:
            pass  # busy
    return False


def _in_lasting_thread(function: Callable[[], object]) -> None:
    """Call `function` in a thread that stays.

    The processes of a cluster that Ray starts here ask the kernel to end them together with
    their parent, and to the kernel that is the thread that started them.
    """
    global _ours
    done, over, errors = threading.Event(), threading.Event(), []

    def call() -> None:
        try:
            function()
        except BaseException as error:  # noqa: BLE001 - raised where it was called
            errors.append(error)
        done.set()
        if not errors:
            over.wait()

    threading.Thread(target=call, name="wove-ray", daemon=True).start()
    done.wait()
    if errors:
        raise errors[0]
    if _ours is not None:  # of a connection that is no more
        _ours[1].set()
    _ours = (node_of_this_process(), over)


def _check_same_cluster(connected: str, address: object) -> None:
    if not isinstance(address, str) or ":" not in address or "://" in address:
        return
    host, _, port = address.rpartition(":")
    if port != connected.rpartition(":")[2] or not _is_same_host(host, connected):
        raise RuntimeError(
            f"this process is connected to the Ray cluster at {connected} already, and a "
            "process can have one such connection"
        )


def _is_same_host(host: str, connected: str) -> bool:
    try:
        there = {found[4][0] for found in socket.getaddrinfo(host, None)}
        here = {found[4][0] for found in socket.getaddrinfo(connected.rpartition(":")[0], None)}
    except OSError:
        return False
    # Ray names the loopback interface by this machine's address.
    return bool(there & here) or any(address.startswith("127.") for address in map(str, there))


def _knock(address: object) -> None:
    """Find out quickly whether anybody listens: Ray itself goes on for half a minute."""
    if not isinstance(address, str) or "://" in address or ":" not in address:
        return  # "auto", "local": Ray looks for itself
    host, _, port = address.rpartition(":")
    if port.isdigit():
        socket.create_connection((host.strip("[]"), int(port)), timeout=CONNECT_SECONDS).close()
