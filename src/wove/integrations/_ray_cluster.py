"""The blocking half of the Ray adapter: this process's one connection to a cluster."""

from __future__ import annotations

import functools
import socket
import threading
from collections.abc import Callable, Mapping
from concurrent.futures import Future
from dataclasses import dataclass
from typing import Any

from wove.executors.backend_state import BackendState, BackendStatus

__all__ = ["CONNECT_SECONDS", "NOT_CONNECTED", "RayJob", "cancel", "connect", "settled", "submit"]

CONNECT_SECONDS = 8.0
"""How long a cluster at a given address may take to accept a connection."""

CANCEL_SECONDS = 2.0
"""How long Ray may take to confirm a cancellation."""

NOT_CONNECTED = (OSError, RuntimeError, ValueError)
"""What `ray.init` raises; a ConnectionError is an OSError."""

_LOST = frozenset(
    {
        "LocalRayletDiedError",
        "NodeDiedError",
        "OutOfMemoryError",
        "OwnerDiedError",
        "WorkerCrashedError",
    }
)
_lock = threading.Lock()


@dataclass(eq=False)
class RayJob:
    """A submitted task. What `submit` returns and `cancel` and `poll` are given."""

    id: str
    """Ray's task id."""
    reference: Any
    """Ray's reference to the result: the task is this process's for as long as it is held."""
    future: Future[Any]
    """Done when the task is over; Ray tells its owner at once."""
    cancelled: bool = False
    """We cancelled it, and what Ray says of it since is no news."""


def connect(options: Mapping[str, Any], *, wanted: bool) -> None:
    """Connect this process to Ray unless it is connected.

    Args:
        options: arguments of `ray.init`.
        wanted: connect; otherwise the program must have done so.

    Raises:
        OSError: nothing answers at the address.
        RuntimeError: this process is connected to another cluster, or should have been
            connected.
        ValueError: Ray cannot use the address.
    """
    import ray

    address = options.get("address")
    with _lock:
        if ray.is_initialized():
            _check_same_cluster(ray, address)
            return
        if not wanted:
            raise RuntimeError("executor_config['init'] is False, and ray.init() was not called")
        _knock(address)
        _in_lasting_thread(functools.partial(ray.init, **{"ignore_reinit_error": True, **options}))


def submit(
    payload: dict[str, Any], options: Mapping[str, Any], on_change: Callable[[], None]
) -> RayJob:
    """Hand one payload to Ray.

    Args:
        payload: the only argument of the Ray task.
        options: of the Ray task.
        on_change: called, in a thread of Ray's, when the task is over.
    """
    reference = _function().options(**options).remote(payload)
    future = reference.future()
    future.add_done_callback(lambda _: on_change())
    return RayJob(reference.task_id().hex(), reference, future)


def cancel(job: RayJob, *, force: bool) -> bool:
    """Cancel one task; whether Ray confirms that it does not run.

    Args:
        job: the task.
        force: end the process of a running one.
    """
    import ray

    job.cancelled = True
    ray.cancel(job.reference, force=force)
    over, _ = ray.wait([job.reference], timeout=CANCEL_SECONDS, fetch_local=False)
    return bool(over)


def settled(job: RayJob) -> BackendState:
    """What Ray has said of a task."""
    if not job.future.done():
        return BackendState(BackendStatus.QUEUED, "Ray has it, queued or running")
    if job.cancelled:
        return BackendState(BackendStatus.CANCELLED, "cancelled by its weave")
    error = job.future.exception()
    if error is None:
        return BackendState(BackendStatus.SUCCEEDED, "Ray says finished")
    cause = getattr(error, "cause", None)
    name = type(error).__name__
    words = str(cause if cause is not None else error).strip()
    if name in _LOST:
        return BackendState(BackendStatus.LOST, f"Ray says {name}: {words}")
    if name == "TaskCancelledError":
        return BackendState(BackendStatus.CANCELLED, f"Ray says {name}: {words}")
    kind = type(cause).__name__ if cause is not None else name
    return BackendState(BackendStatus.FAILED, f"Ray says failed: {kind}: {words}")


def _in_lasting_thread(function: Callable[[], object]) -> None:
    """Call `function` in a thread that stays.

    The processes of a cluster that Ray starts here ask the kernel to end them together with
    their parent, and to the kernel that is the thread that started them.
    """
    done, errors = threading.Event(), []

    def call() -> None:
        try:
            function()
        except BaseException as error:  # noqa: BLE001 - raised where it was called
            errors.append(error)
        done.set()
        if not errors:
            threading.Event().wait()

    threading.Thread(target=call, name="wove-ray", daemon=True).start()
    done.wait()
    if errors:
        raise errors[0]


@functools.lru_cache(maxsize=1)
def _function() -> Any:
    import ray

    from wove.integrations._reporting import run_and_show_failure

    return ray.remote(run_and_show_failure)


def _check_same_cluster(ray: Any, address: object) -> None:
    connected = str(ray.get_runtime_context().gcs_address)
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
