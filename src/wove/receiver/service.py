"""One receiver at work: its thread, its loop, its socket."""

from __future__ import annotations

import asyncio
import contextlib
import os
import threading
import time
from collections.abc import Callable
from concurrent.futures import Future
from dataclasses import replace
from typing import TYPE_CHECKING, Any, TypeVar

from wove.errors import MissingPackageError
from wove.receiver.door import Door
from wove.receiver.http import EventConnection
from wove.receiver.hub import Hub
from wove.receiver.limits import Limits, within_open_files
from wove.receiver.listener import Listener, address_of, bind, close_sockets_on

if TYPE_CHECKING:
    from wove.receiver.grpc import GrpcDoor
    from wove.receiver.grpc_settings import GrpcSettings

__all__ = ["Service"]

T = TypeVar("T")

_STOP_SECONDS = 1.0
_START_SECONDS = 10.0


class Service:
    """A hub behind a listening socket, on a daemon thread of its own.

    Args:
        host: address to bind.
        port: port to bind; 0 takes any that is free.
        limits: what is taken from callers.

    Raises:
        CallbackUnreachableError: the address cannot be bound.

    Attributes:
        host: the address, as it was given.
        port: the port that is bound.
        pid: the process it serves.
        hub: its rules.
        unanswered: callback URLs, without their token, where nobody answered, and when
            (monotonic seconds).
    """

    def __init__(self, host: str, port: int, limits: Limits) -> None:
        limits = within_open_files(limits)
        self._listener: Listener = bind(host, port, limits.backlog)
        # Those beyond the limit are told so; many more at once are not even that.
        self._listener.most = limits.connections + max(8, limits.connections // 8)
        self.host = host
        self.port: int = self._listener.getsockname()[1]
        self.pid = os.getpid()
        self.limits = limits
        self.hub = Hub()
        self._loop = asyncio.new_event_loop()
        self.unanswered: dict[str, float] = {}
        self._door = Door(self.hub, limits, self._loop)
        self._grpc: dict[tuple[object, ...], GrpcDoor] = {}
        self._stopping: asyncio.Event | None = None
        self._thread = threading.Thread(
            target=self._run, name=f"wove-receiver-{self.port}", daemon=True
        )
        self._thread.start()

    def has(self, settings: GrpcSettings) -> bool:
        """Whether there is a gRPC door for these settings."""
        return settings.door in self._grpc

    def grpc_port(self, settings: GrpcSettings) -> int:
        """The port of the gRPC door for these settings, which is opened if there is none yet.

        Raises:
            CallbackUnreachableError: the address cannot be bound.
            MissingPackageError: gRPC is not installed.
        """
        door = self._grpc.get(settings.door)
        if door is None:
            try:
                from wove.receiver.grpc import GrpcDoor  # 100 ms, and a package of its own
            except ImportError as error:
                raise MissingPackageError(
                    f"callback_grpc needs gRPC, which is not installed ({error}). "
                    "Install with: pip install 'wove[grpc]'"
                ) from error

            door = GrpcDoor(self._door, settings)
            starting = asyncio.run_coroutine_threadsafe(door.start(), self._loop)
            starting.result(_START_SECONDS)
            self._grpc[settings.door] = door
            # A later weave may name the port that this one was given.
            self._grpc[replace(settings, port=door.port).door] = door
        return door.port

    def is_at(self, host: str) -> bool:
        """Whether `host`, by whatever name, is the address that is bound."""
        try:
            return bool(address_of(host, self.port)[-1] == self._listener.getsockname())
        except OSError:
            return False

    def call(self, function: Callable[[], T]) -> Future[T]:
        """Call `function` on the receiver's thread, after every request that has arrived.

        Verdicts go this way, so that an event that reached this machine first wins.

        Raises:
            RuntimeError: the receiver is stopped, or belongs to a parent process.
        """
        if self.pid != os.getpid():
            raise RuntimeError("this receiver belongs to the process that this one was forked from")
        future: Future[T] = Future()

        def later(turns: int) -> None:
            # Two turns: the first polls the sockets, the second has decided what they held.
            if turns:
                self._loop.call_soon(later, turns - 1)
                return
            if not future.set_running_or_notify_cancel():
                return
            try:
                future.set_result(function())
            except BaseException as error:  # noqa: BLE001 - it is the caller's, whatever it is
                future.set_exception(error)

        self._loop.call_soon_threadsafe(later, 2)
        return future

    def tell(self) -> None:
        """Wait until workers know what was given up; little longer than a heartbeat's interval."""
        while self.hub.must_tell() and self._thread.is_alive():
            time.sleep(0.02)

    def stop(self) -> None:
        """Close everything; takes milliseconds."""
        self.hub.closing = True
        try:
            self._loop.call_soon_threadsafe(self._set_stopping)
        except RuntimeError:
            return  # stopped already
        self._thread.join(_STOP_SECONDS)

    def close_inherited(self) -> None:
        """In a forked child: give up the sockets that belong to the parent."""
        self._listener.close_inherited()
        for door in set(self._grpc.values()):
            close_sockets_on(door.port)

    def _set_stopping(self) -> None:
        if self._stopping is not None:
            self._stopping.set()

    def _run(self) -> None:
        asyncio.set_event_loop(self._loop)
        try:
            self._loop.run_until_complete(self._serve())
        finally:
            self._loop.close()

    async def _serve(self) -> None:
        self._stopping = asyncio.Event()
        server: Any = await self._loop.create_server(
            lambda: EventConnection(self._door),
            sock=self._listener,
            backlog=self.limits.backlog,
        )
        await self._stopping.wait()
        # A connection that was just taken cannot be attached to a server that is closed: asyncio
        # would forget it, open.
        with contextlib.suppress(NotImplementedError):  # Windows: its loop has no readers
            self._loop.remove_reader(self._listener.fileno())
        accepting = asyncio.all_tasks() - {asyncio.current_task()}
        if accepting:
            await asyncio.wait(accepting, timeout=_STOP_SECONDS / 2)
        server.close()
        for door in set(self._grpc.values()):
            await door.stop()
        self._door.close()
        await asyncio.sleep(0)  # lets every connection_lost run
        self.hub.flush()
