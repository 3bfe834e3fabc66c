"""Where a weave's jobs for arq go: what the settings `pool` and `redis_settings` say."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from arq.connections import ArqRedis, RedisSettings  # pyright: ignore[reportMissingImports]
from redis.asyncio import SSLConnection

from wove.integrations._arq_client import client_like, client_of_settings, client_of_url
from wove.integrations._url import masked

__all__ = ["Source", "source_of"]

SETTINGS = "executor_config['redis_settings']"


@dataclass(frozen=True)
class Source:
    """A Redis, and how to become its client.

    Args:
        client: makes one, on the running loop.
        address: where Redis is, without a password.
        setting: where that is said, for messages.
        queue: the queue that jobs go to unless a setting names one; None: arq's own default.
        connections: how many the client may have at once; None: as many as it needs.
    """

    client: Callable[[], ArqRedis]
    address: str
    setting: str
    queue: str | None = None
    connections: int | None = None


def source_of(config: Mapping[str, Any]) -> Source:
    """What `executor_config` leads to.

    Raises:
        TypeError: neither setting is there, or one is nothing that can be used.
        ValueError: `redis_settings` is no URL of a Redis, or the name of a host is one.
    """
    pool, settings = config.get("pool"), config.get("redis_settings")
    if pool is not None:
        return _of_pool(pool)
    if not settings:
        raise TypeError(
            "the arq executor needs 'redis_settings' or 'pool' in executor_config, "
            "such as 'redis_settings': 'redis://localhost:6379/0'"
        )
    return _of_url(settings) if isinstance(settings, str) else _of_settings(settings)


def _of_pool(pool: Any) -> Source:
    if not isinstance(pool, ArqRedis):
        got = f"the str {masked(pool)!r}" if isinstance(pool, str) else type(pool).__name__
        raise TypeError(
            "executor_config['pool'] must be an arq.ArqRedis, as arq.create_pool makes it, not "
            f"{got}; without one, set 'redis_settings'"
        )
    setting, connections = "the address of executor_config['pool']", pool.connection_pool
    known = connections.connection_kwargs
    if hasattr(connections, "service_name"):
        address = f"sentinel {connections.service_name!r}"
    else:
        place = known.get("host", "localhost"), known.get("port", 6379), known.get("db") or 0
        tls = issubclass(connections.connection_class, SSLConnection)
        address = _address(setting, *place, path=known.get("path"), tls=tls)
    return Source(
        lambda: client_like(pool),
        address,
        setting,
        queue=pool.default_queue_name,
        connections=connections.max_connections,
    )


def _of_url(url: str) -> Source:
    try:
        client_of_url(url)
    except ValueError:  # whose text may quote a part of the password: not even as the cause
        raise ValueError(f"{SETTINGS} is no URL of a Redis: {masked(url)}") from None
    except TypeError as error:
        raise TypeError(f"{SETTINGS}, {masked(url)}: {error}") from error
    return Source(lambda: client_of_url(url), masked(url), SETTINGS)


def _of_settings(settings: Any) -> Source:
    if isinstance(settings, Mapping):
        try:
            settings = RedisSettings(**settings)
        except TypeError as error:
            raise TypeError(f"{SETTINGS}: {error}") from error
    if not isinstance(settings, RedisSettings):
        raise TypeError(
            f"{SETTINGS} must be a URL, an arq.connections.RedisSettings, or a mapping of its "
            f"fields, not {type(settings).__name__}"
        )
    host, path = settings.host, settings.unix_socket_path
    if isinstance(host, str) == bool(settings.sentinel):
        raise TypeError(
            f"{SETTINGS}: 'host' must be the name of a host, or, with 'sentinel', a list of the "
            f"sentinels' (host, port), not {type(host).__name__}"
        )
    if settings.sentinel:
        address = f"sentinel {settings.sentinel_master!r} at {host}"
    else:
        place = host, settings.port, settings.database
        address = _address(SETTINGS, *place, path=path, tls=settings.ssl)
    return Source(
        lambda: client_of_settings(settings),
        address,
        SETTINGS,
        connections=settings.max_connections,
    )


def _address(setting: str, host: Any, port: Any, db: Any, *, path: Any, tls: bool) -> str:
    if path:
        return f"unix://{path}"
    if any(sign in str(host) for sign in "/@"):
        raise ValueError(
            f"{setting} has a URL as the name of its host, {masked(str(host))}; "
            "set 'redis_settings' to that URL instead"
        )
    return f"{'rediss' if tls else 'redis'}://{host}:{port}/{db}"
