"""Where a receiver binds and what its callers are told: the callback settings."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlsplit

from wove.dispatch.urls import EVENTS_PATH
from wove.receiver.address import check_template
from wove.receiver.grpc_settings import GrpcSettings
from wove.receiver.request import token_of

__all__ = ["CallbackSettings"]


@dataclass(frozen=True, kw_only=True)
class CallbackSettings:
    """The `callback_*` keys of an `executor_config`."""

    host: str = "127.0.0.1"
    """Address to bind."""
    port: int = 0
    """Port to bind; 0 takes any that is free."""
    token: str | None = field(default=None, repr=False)
    """What callers must know; None: the receiver's own, which is random."""
    url: str | None = field(default=None, repr=False)
    """What workers are told, with `{host}`, `{port}`, `{token}`, `{hostname}`
    and `{ip}` to be filled; None: made from host, port and token."""
    grpc: GrpcSettings | None = None
    """The gRPC door beside the HTTP one; None: there is none."""

    @classmethod
    def from_config(cls, config: Mapping[str, Any]) -> CallbackSettings:
        """Read the keys that begin with `callback_`.

        Raises:
            TypeError: a value has the wrong type.
            ValueError: a value cannot be right; the message says what may be.
        """
        host = _text(config, "callback_host") or "127.0.0.1"
        url = _text(config, "callback_url")
        token = _text(config, "callback_token")
        if url is not None:
            token = _check_url(url, token)
        return cls(
            host=host,
            port=_port(config.get("callback_port")),
            token=token,
            url=url,
            grpc=GrpcSettings.from_config(config, host),
        )


def _text(config: Mapping[str, Any], key: str) -> str | None:
    value = config.get(key)
    if value is None:
        return None
    if not isinstance(value, str):
        raise TypeError(f"{key} must be text, not {type(value).__name__}")
    if not value:
        raise ValueError(f"{key} is empty; leave it out or give it a value")
    return value


def _port(value: object) -> int:
    if value is None:
        return 0
    if isinstance(value, bool) or not isinstance(value, int):
        raise TypeError(f"callback_port must be a whole number, not {type(value).__name__}")
    if not 0 <= value <= 65535:
        raise ValueError(f"callback_port must be from 0 (any free port) to 65535, not {value}")
    return value


def _check_url(url: str, token: str | None) -> str | None:
    """The token that callers of `url` present: the one given, else the one in it."""
    check_template(url)
    parts = urlsplit(url)
    if parts.scheme not in ("http", "https") or not parts.netloc:
        raise ValueError("callback_url must begin with http:// or https:// and a host")
    if "{token}" in url:
        return token
    path = parts.path[parts.path.rfind(EVENTS_PATH) :]
    found = token_of(path.encode())
    if token is not None:
        if found is not None and found != token:
            raise ValueError(
                "callback_url and callback_token name different tokens: leave callback_token "
                "out, or write {token} in callback_url"
            )
        return token
    if found is None:
        raise ValueError(
            "callback_url has no token: let its path end in /wove/events/{token}, or in "
            "/wove/events/ and a secret of your own, or set callback_token"
        )
    return found
