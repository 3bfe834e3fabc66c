"""Who runs this worker: names for people, and for asking the backend about the job."""

from __future__ import annotations

import functools
import os
import socket
import sys
from contextvars import ContextVar
from dataclasses import dataclass

__all__ = ["HostFacts", "backend_job", "host_facts", "worker_id"]

backend_job: ContextVar[str] = ContextVar("backend_job", default="")
"""The backend's identifier of the job, where the worker's side is told it and says so here."""


@dataclass(frozen=True)
class HostFacts:
    """What a worker says about itself in `task_started`.

    Attributes:
        worker_id: host and process, such as "host-1:4711".
        backend_job_id: the backend's identifier of the job; empty if unknown.
        backend_worker: the backend's name of the worker; empty if unknown.
    """

    worker_id: str
    backend_job_id: str = ""
    backend_worker: str = ""


def worker_id() -> str:
    """Host and process, such as "host-1:4711"."""
    return f"{_hostname()}:{os.getpid()}"


def host_facts() -> HostFacts:
    """Facts of the job that runs in the calling thread.

    Users write their own Celery task around `run`, so what Celery knows is looked up
    rather than asked for; nothing is imported that the process has not imported.
    """
    celery = sys.modules.get("celery")
    request = getattr(getattr(celery, "current_task", None), "request", None)
    job, worker = getattr(request, "id", None), getattr(request, "hostname", None)
    return HostFacts(worker_id(), str(job or backend_job.get()), str(worker or ""))


@functools.lru_cache(maxsize=1)
def _hostname() -> str:
    return socket.gethostname()
