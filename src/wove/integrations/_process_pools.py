"""The pools of this process: shared by its weaves, closed at its end, not inherited."""

from __future__ import annotations

import atexit
import os
import threading

from wove.integrations._process_pool import Pool, PoolSettings

__all__ = ["pool_for"]

_pools: dict[PoolSettings, Pool] = {}
_pools_lock = threading.Lock()
_inherited: list[Pool] = []


def pool_for(settings: PoolSettings) -> Pool:
    """The pool of this process for these settings, which is closed if nobody uses it for long."""
    with _pools_lock:
        pool = _pools.get(settings)
        if pool is None or pool.closed:
            pool = _pools[settings] = Pool(settings, _drop)
        return pool


def _drop(pool: Pool) -> None:
    with _pools_lock:
        for settings, known in list(_pools.items()):
            if known is pool:  # else it has a successor
                del _pools[settings]


def _close_all() -> None:
    with _pools_lock:
        pools = list(_pools.values())
        _pools.clear()
    for pool in pools:
        pool.close()


def _forget_all() -> None:
    global _pools_lock
    _pools_lock = threading.Lock()
    for pool in _pools.values():
        pool.forget()
        _inherited.append(pool)
    _pools.clear()


atexit.register(_close_all)
os.register_at_fork(after_in_child=_forget_all)
