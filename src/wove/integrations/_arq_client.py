"""Clients of arq's Redis: one of our own for each weave, whatever the user gave.

redis-py's asyncio connections belong to the event loop that opened them, and each weave may
have another one. A client connects with its first command, and not before.
"""

from __future__ import annotations

import re
from typing import Any

import redis.exceptions
from arq.connections import ArqRedis, RedisSettings  # pyright: ignore[reportMissingImports]
from redis.asyncio import ConnectionPool
from redis.asyncio.sentinel import Sentinel

__all__ = [
    "client_like",
    "client_of_settings",
    "client_of_url",
    "disconnect",
    "is_connection_trouble",
    "without_command",
]

CONNECT_SECONDS = 4
"""Of a URL, which says nothing about it. Give up on an address that swallows packets."""

ANSWER_SECONDS = 8

_OTHERWISE_NAMED = {
    *("conn_timeout", "conn_retries", "conn_retry_delay", "database"),
    *("sentinel", "sentinel_master"),
}
"""Fields of `RedisSettings` that are no arguments of redis-py's client."""

_OF_PIPELINE = re.compile(r"Command # \d+ \(.*\) of pipeline caused error: (.*)", re.DOTALL)


def client_of_url(url: str, **more: Any) -> ArqRedis:
    """A client of the Redis at `url`.

    Read by redis-py, which knows more of URLs than arq: encoded passwords, options of TLS.

    Args:
        url: `redis://`, `rediss://` or `unix://`.
        more: further arguments of redis-py's connections.

    Raises:
        ValueError: it cannot be read as a URL of a Redis.
        TypeError: redis-py does not know one of its options.
    """
    limits = {"socket_connect_timeout": CONNECT_SECONDS, "socket_timeout": ANSWER_SECONDS}
    pools: Any = ConnectionPool
    pool = pools.from_url(url, **{**limits, **more})
    pool.connection_class(**pool.connection_kwargs)  # else the first command said what is wrong
    return ArqRedis(pool)


def client_of_settings(settings: RedisSettings) -> ArqRedis:
    """A client as arq makes it of its settings.

    `create_pool` waits for Redis to answer, and leaves the connection behind if it does not.
    """
    login = {name: getattr(settings, name) for name in ("username", "password", "ssl")}
    login |= {"db": settings.database, "encoding": "utf8"}
    if settings.sentinel:
        sentinels: Any = Sentinel
        found = sentinels(settings.host, **login)
        client: ArqRedis = found.master_for(settings.sentinel_master, redis_class=ArqRedis)
        return client
    others = {name: value for name, value in vars(settings).items() if name not in _OTHERWISE_NAMED}
    return ArqRedis(**{**others, **login, "socket_connect_timeout": settings.conn_timeout})


def client_like(pool: ArqRedis) -> ArqRedis:
    """A client like a user's, without any of its connections."""
    return ArqRedis(
        _connections_like(pool.connection_pool),
        job_serializer=pool.job_serializer,
        job_deserializer=pool.job_deserializer,
        default_queue_name=pool.default_queue_name,
        expires_extra_ms=pool.expires_extra_ms,
    )


def _connections_like(pool: Any) -> Any:
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


async def disconnect(client: ArqRedis) -> None:
    """Close the connections of a client of ours, those to Sentinel included."""
    pool: Any = client.connection_pool
    manager = getattr(pool, "sentinel_manager", None)
    for each in [] if manager is None else manager.sentinels:
        await each.connection_pool.disconnect()
    await pool.disconnect()


def is_connection_trouble(error: Exception) -> bool:
    """Whether Redis could not be reached; else it answered, and that with an error."""
    if isinstance(error, redis.exceptions.AuthenticationError):  # of the connection, to redis-py
        return False
    troubles = (redis.exceptions.ConnectionError, redis.exceptions.TimeoutError, OSError)
    return isinstance(error, troubles)


def without_command(error: Exception) -> Exception:
    """The same error, without the command that redis-py quotes: payload, token and all."""
    found = _OF_PIPELINE.fullmatch(str(error))
    if found is not None:
        error.args = (found[1].strip("(,)").strip("'\""),)
    return error
