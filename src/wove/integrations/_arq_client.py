"""Clients of arq's Redis: one of our own for each weave, whatever the user gave.

redis-py's asyncio connections belong to the event loop that opened them, and each weave may
have another one. So a user's pool says where and how to connect; its connections stay his.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from typing import Any

from arq.connections import (  # pyright: ignore[reportMissingImports]
    ArqRedis,
    RedisSettings,
    create_pool,
)
from redis.asyncio import ConnectionPool, SSLConnection

from wove.integrations._url import masked

__all__ = ["Source", "client_of_url", "disconnect", "source_of_pool", "source_of_settings"]

CONNECT_SECONDS = 4
"""Of a URL, which says nothing about it. Give up on an address that swallows packets."""

ANSWER_SECONDS = 8


@dataclass(frozen=True)
class Source:
    """Where a weave's client comes from.

    Args:
        connect: makes the client, on the running loop. One that is given `RedisSettings`
            asks Redis for an answer; others connect with the first command.
        address: where Redis is, without a password.
        queue: the queue that jobs go to unless a setting names one; None: arq's own default.
        connections: how many the client may have at once; None: as many as it needs.
    """

    connect: Callable[[], Awaitable[ArqRedis]]
    address: str
    queue: str | None = None
    connections: int | None = None


def source_of_pool(pool: Any) -> Source:
    """A user's pool: its address, its way to connect, its serializers.

    Raises:
        TypeError: it is no `ArqRedis`.
    """
    if not isinstance(pool, ArqRedis):
        got = f"the str {masked(pool)!r}" if isinstance(pool, str) else type(pool).__name__
        raise TypeError(
            "executor_config['pool'] must be an arq.ArqRedis, as arq.create_pool makes it, not "
            f"{got}; without one, set 'redis_settings'"
        )

    async def connect() -> ArqRedis:
        return ArqRedis(
            _another(pool.connection_pool),
            job_serializer=pool.job_serializer,
            job_deserializer=pool.job_deserializer,
            default_queue_name=pool.default_queue_name,
            expires_extra_ms=pool.expires_extra_ms,
        )

    connections = pool.connection_pool
    address = _address(connections)
    return Source(connect, address, pool.default_queue_name, connections.max_connections)


def source_of_settings(settings: Any) -> Source:
    """The setting `redis_settings`: a URL, arq's `RedisSettings`, or their fields by name.

    Raises:
        TypeError: it is none of these.
        ValueError: it is no URL of a Redis.
    """
    if isinstance(settings, str):
        client_of_url(settings)  # says now what is wrong with it

        async def connect_to_url() -> ArqRedis:
            return client_of_url(settings)

        return Source(connect_to_url, masked(settings))
    if isinstance(settings, Mapping):
        try:
            settings = RedisSettings(**settings)
        except TypeError as error:
            raise TypeError(f"executor_config['redis_settings']: {error}") from error
    if not isinstance(settings, RedisSettings):
        raise TypeError(
            "executor_config['redis_settings'] must be a URL, an arq.connections.RedisSettings, "
            f"or a mapping of its fields, not {type(settings).__name__}"
        )

    async def connect() -> ArqRedis:
        # arq would try again for seconds, each weave's submission waiting for it.
        return await create_pool(settings, retry=settings.conn_retries)

    if settings.sentinel:
        address = f"sentinel {settings.sentinel_master!r} at {settings.host}"
    elif settings.unix_socket_path:
        address = f"unix://{settings.unix_socket_path}"
    else:
        scheme = "rediss" if settings.ssl else "redis"
        address = f"{scheme}://{settings.host}:{settings.port}/{settings.database}"
    return Source(connect, address, None, settings.max_connections)


def client_of_url(url: str, **more: Any) -> ArqRedis:
    """A client of the Redis at `url`, which is not asked anything yet.

    Read by redis-py, which knows more of URLs than arq: encoded passwords, options of TLS.

    Args:
        url: `redis://`, `rediss://` or `unix://`.
        more: further arguments of redis-py's connections.

    Raises:
        ValueError: it cannot be read as a URL of a Redis.
    """
    limits = {"socket_connect_timeout": CONNECT_SECONDS, "socket_timeout": ANSWER_SECONDS}
    pool: Any = ConnectionPool
    return ArqRedis(pool.from_url(url, **{**limits, **more}))


async def disconnect(client: ArqRedis) -> None:
    """Close the connections of a client of ours, those to Sentinel included."""
    pool: Any = client.connection_pool
    manager = getattr(pool, "sentinel_manager", None)
    for each in [] if manager is None else manager.sentinels:
        await each.connection_pool.disconnect()
    await pool.disconnect()


def _another(pool: Any) -> Any:
    """A connection pool like this one, without any of its connections."""
    options = {**pool.connection_kwargs, "max_connections": pool.max_connections}
    manager = getattr(pool, "sentinel_manager", None)
    if manager is None:
        return type(pool)(connection_class=pool.connection_class, **options)
    # Sentinel's own clients hold connections, too.
    places = [each.connection_pool.connection_kwargs for each in manager.sentinels]
    another = type(manager)(
        [(place["host"], place["port"]) for place in places],
        min_other_sentinels=manager.min_other_sentinels,
        sentinel_kwargs=manager.sentinel_kwargs,
        **manager.connection_kwargs,
    )
    options.pop("connection_pool")  # the old one, which redis-py put there itself
    return type(pool)(
        pool.service_name,
        another,
        connection_class=pool.connection_class,
        is_master=pool.is_master,
        check_connection=pool.check_connection,
        **options,
    )


def _address(pool: Any) -> str:
    known = pool.connection_kwargs
    if hasattr(pool, "service_name"):
        return f"sentinel {pool.service_name!r}"
    if known.get("path"):
        return f"unix://{known['path']}"
    scheme = "rediss" if issubclass(pool.connection_class, SSLConnection) else "redis"
    host, port = known.get("host", "localhost"), known.get("port", 6379)
    return f"{scheme}://{host}:{port}/{known.get('db') or 0}"
