"""Receivers of this process: one per bind address, shared by all weaves.

A receiver is started by the first weave that needs it and kept for the life of
the process. A forked child starts with none.
"""

from __future__ import annotations

import asyncio
import atexit
import contextlib
import logging
import os
import secrets
import threading
import time
from collections.abc import Callable
from concurrent.futures import Future
from typing import TypeVar
from urllib.parse import urlsplit

from wove.dispatch.urls import is_local, redacted
from wove.errors import CallbackUnreachableError
from wove.receiver import listener
from wove.receiver.address import callback_url
from wove.receiver.hub import Hub
from wove.receiver.limits import Limits
from wove.receiver.probe import require_own
from wove.receiver.service import Service
from wove.receiver.settings import CallbackSettings

__all__ = ["Receiver", "open_receiver", "receiver_for"]

T = TypeVar("T")

logger = logging.getLogger(__name__)

_ASK_AGAIN_SECONDS = 600.0
"""A callback URL where nobody answered is asked again after this."""


class Receiver:
    """One environment's view of a receiver: its address as workers are told it.

    Attributes:
        hub: the rules and records; shared with every other weave on this address.
        host: the bound address.
        port: the bound port.
        token: what callers must know.
        url: the callback URL with everything filled in.
        grpc_url: the same for gRPC; None where there is no such door.
    """

    def __init__(self, service: Service, settings: CallbackSettings, own_token: str) -> None:
        self._service = service
        self._explicit_url = settings.url is not None
        self.hub: Hub = service.hub
        self.host = service.host
        self.port = service.port
        self.token = settings.token or own_token
        self.url = callback_url(
            settings.url, host=service.host, port=service.port, token=self.token
        )
        self.grpc_url: str | None = None
        if settings.grpc is not None:
            self.grpc_url = settings.grpc.url(service.grpc_port(settings.grpc), self.token)
        self.hub.add_token(self.token)

    @property
    def max_event_bytes(self) -> int:
        """Largest body of an event that is taken."""
        return self._service.limits.body_bytes

    def call(self, function: Callable[[], T]) -> Future[T]:
        """Call `function` on the receiver's thread, after every request that has arrived.

        Raises:
            RuntimeError: the receiver is stopped, or belongs to a parent process.
        """
        return self._service.call(function)

    async def decide(self, function: Callable[[], T]) -> T:
        """The same, awaited: how a verdict reaches the hub."""
        return await asyncio.wrap_future(self.call(function))

    async def check_address(self) -> None:
        """Ask the callback URL who is there, over fresh connections.

        Nobody answering is only logged, and not asked again for ten minutes: a
        network may not let a machine reach itself under the name that others use.
        A URL that Wove made itself is not asked.

        Raises:
            CallbackUnreachableError: another receiver answered; code
                CALLBACK_MISDIRECTED.
        """
        if not self._explicit_url:
            return
        url, unanswered = redacted(self.url, "-"), self._service.unanswered
        asked_at = unanswered.get(url)
        if asked_at is not None and time.monotonic() - asked_at < _ASK_AGAIN_SECONDS:
            return  # to wait for it in vain takes seconds: not at the start of every weave
        if await require_own(url, self.hub.receiver_id):
            unanswered.pop(url, None)
        else:
            unanswered[url] = time.monotonic()

    def __repr__(self) -> str:
        return f"<Receiver on {self.host} port {self.port}>"


class _Registry:
    """The services of this process."""

    def __init__(self) -> None:
        self.lock = threading.RLock()
        """Held across a fork too, so that no child inherits a socket that is not noted yet."""
        self._services: dict[tuple[int, str, int], Service] = {}
        self._own_tokens: dict[Service, str] = {}
        self._warned: set[str] = set()

    def receiver(self, settings: CallbackSettings, limits: Limits) -> Receiver:
        with self.lock:
            key = (os.getpid(), settings.host, settings.port)
            service = self._services.get(key)
            if service is None:
                service = self._services[key] = self._open(settings, limits)
            receiver = Receiver(service, settings, self._own_tokens[service])
            for url in (receiver.url, receiver.grpc_url):
                if url is not None:
                    self._warn_of_plain_text(url)
            return receiver

    def _open(self, settings: CallbackSettings, limits: Limits) -> Service:
        try:
            service = Service(settings.host, settings.port, limits)
        except CallbackUnreachableError as error:
            ours = {each for each in self._services.values() if each.port == settings.port}
            for other in ours:
                if other.is_at(settings.host):
                    return other  # under another name, such as localhost
            if not ours:
                raise
            host = min(each.host for each in ours)
            raise CallbackUnreachableError(
                f"Wove cannot receive callbacks on {settings.host} port {settings.port}: this "
                f"process does so already with callback_host={host!r}. Let all environments of "
                "that port have the same callback_host, or set callback_port=0.",
                reason=error.reason,
            ) from error
        # A later weave may name the port that this one was given.
        self._services[(service.pid, service.host, service.port)] = service
        self._own_tokens[service] = secrets.token_urlsafe(24)
        return service

    def present(self, settings: CallbackSettings) -> Receiver | None:
        if not self.lock.acquire(blocking=False):
            return None  # one is being opened, which may take as long as a name's look-up
        try:
            service = self._services.get((os.getpid(), settings.host, settings.port))
            if service is None or (settings.grpc is not None and not service.has(settings.grpc)):
                return None
            return self.receiver(settings, service.limits)
        finally:
            self.lock.release()

    def _warn_of_plain_text(self, url: str) -> None:
        parts = urlsplit(url)
        place = parts.netloc.rpartition("@")[2]
        if parts.scheme in ("https", "grpcs") or is_local(url) or place in self._warned:
            return
        self._warned.add(place)
        logger.warning(
            "Workers call back to %s without TLS, and nothing is signed: whoever can read that "
            "traffic can forge results. Use an https callback_url outside trusted networks.",
            place,
        )

    def stop(self) -> None:
        services = set(self._services.values())
        with contextlib.suppress(KeyboardInterrupt):  # again: then at once
            for service in services:
                service.tell()
        for service in services:
            service.stop()

    def forget_inherited(self) -> _Registry:
        """In a forked child: close the parent's sockets and start afresh."""
        for service in set(self._services.values()):
            service.close_inherited()
        return _Registry()


_registry = _Registry()


def receiver_for(settings: CallbackSettings, *, limits: Limits | None = None) -> Receiver:
    """The receiver on the bind address of `settings`: the one that is there, or a new one.

    Thread-safe; takes a few milliseconds the first time.

    Args:
        settings: where to bind and what callers are told.
        limits: what a new receiver takes from its callers.

    Raises:
        CallbackUnreachableError: the address cannot be bound.
    """
    return _registry.receiver(settings, limits or Limits())


def open_receiver(settings: CallbackSettings) -> Receiver | None:
    """The receiver of `settings` if it is open already and nobody is opening one; never blocks."""
    return _registry.present(settings)


def _before_fork() -> None:
    _registry.lock.acquire()
    listener.noting.acquire()


def _after_fork_in_parent() -> None:
    listener.noting.release()
    _registry.lock.release()


def _after_fork_in_child() -> None:
    global _registry
    listener.noting.release()
    _registry = _registry.forget_inherited()


def _stop_all() -> None:
    _registry.stop()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(
        before=_before_fork,
        after_in_parent=_after_fork_in_parent,
        after_in_child=_after_fork_in_child,
    )
atexit.register(_stop_all)
