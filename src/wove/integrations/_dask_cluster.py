"""The blocking half of the Dask adapter. Everything here is called in threads."""

from __future__ import annotations

import asyncio
import contextlib
import socket
import threading
import time
from collections.abc import Callable, Iterable, Mapping
from concurrent.futures import CancelledError
from dataclasses import dataclass, field
from typing import Any

from wove.executors.backend_state import BackendState, BackendStatus
from wove.integrations._service import SUBMIT_SECONDS

__all__ = ["Cluster", "DaskJob", "KnownKeyError", "address_in", "address_of", "is_over"]

CONNECT_SECONDS = SUBMIT_SECONDS - 1
"""How long connecting may take: what is wrong is known before a submission's time is up."""

FILE_SECONDS = 3.0
"""How long a scheduler's file may take to be there; it may be about to."""

CLOSE_SECONDS = 2.0

RETURN_SECONDS = 0.5
"""How long jobs whose results have come may take to return, before our client is closed."""


class KnownKeyError(Exception):
    """The scheduler has a task of that key already."""


@dataclass(eq=False)
class DaskJob:
    """A submitted task. What `submit` returns and `cancel` and `poll` are given."""

    id: str
    """Dask's key."""
    future: Any = field(repr=False)
    """Keeps the task: Dask forgets what nobody holds a future of."""
    kept: bool = False
    """It goes on when nobody holds its future any more."""
    cancelled: bool = False
    """We cancelled it, and what Dask says of it since proves nothing."""


class Cluster:
    """A scheduler, through a `distributed.Client` of the user's or one of our own.

    Args:
        client: the user's client, or None.
        options: arguments of our own client.
    """

    def __init__(self, client: Any, options: Mapping[str, Any]) -> None:
        self._options = options
        self._own = client is None
        self._client = client
        self._lock = threading.Lock()
        self._closed = False

    def is_connected(self) -> bool:
        """Whether the scheduler can be told something now."""
        return self._client is not None and self._client.status == "running"

    def _status(self) -> str:
        return "closed" if self._client is None else str(self._client.status)

    @property
    def client(self) -> Any:
        """The client; after `connect`."""
        if self._client is None:
            raise RuntimeError("connect() comes first")
        return self._client

    def connect(self) -> None:
        """Connect, or wait until Dask's client has done so again.

        Raises:
            OSError: the scheduler cannot be reached.
        """
        with self._lock:
            # One that is closed has given its scheduler up, which may be back by now. Until
            # there is another, it tells what it knows of its tasks.
            if self._own and self._status() == "closed" and not self._closed:
                options = dict(self._options)
                file = options.pop("scheduler_file", None)
                if not options.get("address"):  # else Dask does not look there either
                    options["address"] = address_in(file, seconds=FILE_SECONDS)
                if isinstance(options["address"], str):
                    _knock(options["address"])
                from distributed import Client

                defaults = {"set_as_default": False, "timeout": CONNECT_SECONDS}
                self._client = Client(**{**defaults, **options})
            if self._closed:  # meanwhile: the weave did not wait for it
                self._close_own()
        waited = threading.Event()
        for _ in range(int(CONNECT_SECONDS * 20)):
            if self.is_connected():
                return
            if self._status() == "closed":
                break
            waited.wait(0.05)
        raise OSError(f"the client is {self._status()}")

    def submit(
        self,
        function: Callable[[Any], Any],
        payload: dict[str, Any],
        options: Mapping[str, Any],
        *,
        refuse_duplicate: bool,
        keep: bool,
    ) -> DaskJob:
        """Hand one payload to the scheduler.

        Args:
            function: what the worker calls.
            payload: its only argument.
            options: further arguments of `Client.submit`.
            refuse_duplicate: a task of the same key may be there already.
            keep: it goes on when nobody holds its future any more.

        Raises:
            KnownKeyError: there is one.
        """
        from distributed import fire_and_forget

        client, key = self.client, options["key"]
        if refuse_duplicate and (key in client.futures or _is_known(client, key)):
            raise KnownKeyError(key)
        future = client.submit(function, payload, **options)
        if keep:
            fire_and_forget(future)
        return DaskJob(str(key), future, kept=keep)

    def cancel(self, job: DaskJob) -> bool:
        """Take one task from the scheduler; whether it is known that no worker has it.

        Raises:
            OSError: the scheduler cannot be told.
        """
        client = self.client
        if not self.is_connected():
            raise OSError(f"the client is {self._status()}")
        # Of one that was there before its scheduler came back, or that an operator took away,
        # the scheduler knows nothing: a worker may run it all the same.
        known = job.future.status in ("pending", "finished", "error")
        waiting = not any(job.id in keys for keys in client.processing().values())
        job.cancelled = True
        client.cancel([job.future], force=True, msg="cancelled by its weave")
        return waiting and known

    def ask(self, jobs: Mapping[str, DaskJob]) -> dict[str, BackendState]:
        """What the scheduler has told of the tasks, by run id."""
        client = self.client
        states = {run_id: _settled(job) for run_id, job in jobs.items()}
        open_jobs = {run_id: jobs[run_id] for run_id, state in states.items() if state is None}
        if open_jobs:
            processing = client.processing()
            threads = client.nthreads()
            for run_id, job in open_jobs.items():
                states[run_id] = _at_work(job.id, processing, threads)
        return {run_id: state for run_id, state in states.items() if state is not None}

    def close(self, jobs: Iterable[DaskJob]) -> None:
        """Close our own client.

        Args:
            jobs: those that were not over when last looked at. One whose result has come is
                about to return: Dask is to see its end, not a task that nobody wants any more.
        """
        rest = [job for job in jobs if not job.kept]
        self._closed = True
        if not self._own:
            with contextlib.suppress(Exception):  # its loop may be closed
                for job in _to_end(rest):
                    self.client.loop.add_callback(_hold, job.future)
        # Connecting may take longer than the weave waits, and then sees to it itself.
        elif self._lock.acquire(timeout=0.2):
            try:
                self._close_own(rest)
            finally:
                self._lock.release()

    def _close_own(self, rest: Iterable[DaskJob] = ()) -> None:
        if self._own and self._client is not None:
            with contextlib.suppress(Exception):  # the scheduler may be gone
                _outlive(self._client, rest)
            with contextlib.suppress(Exception):
                self._client.close(timeout=CLOSE_SECONDS)


async def _hold(future: Any) -> None:
    """Keep Dask from forgetting a task that its weave asks about no more. On the client's loop."""
    # `add_done_callback` would hold it, too, and leave a thread in the program for ever.
    with contextlib.suppress(Exception, CancelledError):
        await future.exception()


def _outlive(client: Any, jobs: Iterable[DaskJob]) -> None:
    """Have jobs go on without their client."""
    from distributed import fire_and_forget

    # Dask never forgets a task that this is asked for when it has just ended, and runs it again
    # when its worker goes: those that are about to return are waited for.
    deadline = time.monotonic() + RETURN_SECONDS
    while (rest := _to_end(jobs)) and client.status == "running" and time.monotonic() < deadline:
        time.sleep(0.002)
    fire_and_forget([job.future for job in rest])


def _to_end(jobs: Iterable[DaskJob]) -> list[DaskJob]:
    return [job for job in jobs if not is_over(job)]


def is_over(job: DaskJob) -> bool:
    """Whether the scheduler has told of the task's end, or was told of it by us."""
    return job.cancelled or job.future.status != "pending"


def address_of(client: Any, options: Mapping[str, Any]) -> str:
    """The scheduler's address, as far as it is known without asking anybody.

    Raises:
        TypeError: `client` is no Dask client.
    """
    from distributed import Client  # takes a while: before anything waits for a submission

    if client is None:
        address = options.get("address") or options.get("scheduler_file")
        return str(getattr(address, "scheduler_address", address))  # a cluster object may be given
    if not isinstance(client, Client):
        raise TypeError(
            "executor_config['client'] must be a distributed.Client, "
            f"not a {type(client).__name__}; without one, set 'address'"
        )
    scheduler = client.scheduler
    return str(scheduler.address) if scheduler is not None else "(a closed client)"


def address_in(file: Any, *, seconds: float) -> str:
    """What a scheduler has written down: Dask itself would wait for the file for ever.

    Args:
        file: its path.
        seconds: how long it may take to be there; the scheduler may be about to write it.

    Raises:
        OSError: it is not there, cannot be read, or holds no address.
    """
    from distributed.utils import json_load_robust

    try:
        return str(json_load_robust(file, timeout=seconds)["address"])
    except asyncio.TimeoutError as error:
        raise OSError(f"no scheduler has written it, not in {seconds:g} s") from error
    except (KeyError, TypeError) as error:
        raise OSError("it holds no 'address'") from error


def _knock(address: str) -> None:
    """Find out quickly whether anybody listens: Dask itself retries until its timeout."""
    from distributed.comm.addressing import parse_address, parse_host_port

    scheme, location = parse_address(address)
    if scheme in ("tcp", "tls", "ws", "wss"):
        host, port = parse_host_port(location, 8786)
        socket.create_connection((host, port), timeout=CONNECT_SECONDS).close()


def _is_known(client: Any, key: Any) -> bool:
    found: dict[Any, str | None] = client.sync(client.scheduler.get_task_status, keys=[key])
    return found.get(key) not in (None, "forgotten")


def _settled(job: DaskJob) -> BackendState | None:
    """What the scheduler said last of a task that is over; None of one that is not."""
    if job.cancelled:
        return BackendState(BackendStatus.CANNOT_SAY, "cancelled by its weave")
    status = job.future.status
    if status == "finished":
        return BackendState(BackendStatus.SUCCEEDED, "Dask says finished")
    if status == "error":
        error = job.future.exception(timeout=1)
        lost = type(error).__name__ == "KilledWorker"
        kind = BackendStatus.LOST if lost else BackendStatus.FAILED
        return BackendState(kind, f"Dask says error: {type(error).__name__}: {error}")
    if status == "cancelled":
        return _cancelled(job)
    if status == "lost":  # its summary went with its worker; asking for that would wait
        return BackendState(BackendStatus.ABSENT, "Dask says lost")
    return None


def _cancelled(job: DaskJob) -> BackendState:
    reason = words = job.future.status
    try:
        job.future.result(timeout=1)
    except CancelledError as error:
        reason, words = str(getattr(error, "reason", reason)), str(error)
    except Exception as error:  # noqa: BLE001 - whatever Dask makes of it is only told
        words = f"{type(error).__name__}: {error}"
    # A client that lost its scheduler counts all its tasks as cancelled. Those that run may
    # go on: their own beats decide.
    gone = reason in ("scheduler-connection-lost", "scheduler-restart")
    return BackendState(
        BackendStatus.ABSENT if gone else BackendStatus.CANCELLED, f"Dask says {words}"
    )


def _at_work(key: str, processing: Mapping[str, Any], threads: Mapping[str, int]) -> BackendState:
    for worker, keys in processing.items():
        if key in keys:
            # A worker is given more than it can start; which of them run, only it knows.
            if len(keys) <= threads.get(worker, 0):
                return BackendState(BackendStatus.RUNNING, f"{worker} has it")
            return BackendState(BackendStatus.QUEUED, f"{worker} has it, among {len(keys)} tasks")
    return BackendState(BackendStatus.QUEUED, "no worker has it")
