"""This process's one connection to a Ray cluster, through the cluster's node on this machine."""

from __future__ import annotations

import functools
import re
import socket
import threading
import time
from collections.abc import Callable, Mapping
from typing import Any

__all__ = [
    "CONNECT_SECONDS",
    "NOT_CONNECTED",
    "connect",
    "knock",
    "node_is_gone",
    "node_of_this_process",
    "refusal_in",
]

CONNECT_SECONDS = 8.0
"""How long a cluster at a given address may take to accept a connection."""

NOT_CONNECTED = (OSError, RuntimeError, ValueError)
"""What `ray.init` raises; a ConnectionError is an OSError."""

_REFUSED = re.compile(r"AuthenticationError: (.+)")

_GREETING = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n" + bytes([0, 0, 0, 4, 0, 0, 0, 0, 0])
"""How a client of HTTP/2, which gRPC is, begins; the head answers with settings of its own."""

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
                    knock(connected, seconds=CONNECT_SECONDS)
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
        knock(address, seconds=CONNECT_SECONDS)
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


def knock(address: object, *, seconds: float) -> None:
    """Find out quickly whether a cluster's head answers: Ray itself goes on for minutes.

    Args:
        address: "HOST:PORT"; of anything else nothing is asked.
        seconds: how long the connection may take, and then the answer.

    Raises:
        OSError: nothing listens there, or what does is silent.
    """
    if not isinstance(address, str) or "://" in address or ":" not in address:
        return  # "auto", "local": Ray looks for itself
    host, _, port = address.rpartition(":")
    if not port.isdigit():
        return
    begun = time.monotonic()
    with socket.create_connection((host.strip("[]"), int(port)), timeout=seconds) as head:
        head.settimeout(max(0.1, seconds - (time.monotonic() - begun)))
        try:
            head.sendall(_GREETING)
            head.recv(1)
        except TimeoutError:
            raise OSError(
                f"it accepts connections and does not answer, not in {seconds:g} s"
            ) from None
        except OSError:
            pass  # it hung up, as a head that speaks TLS does: somebody is there
