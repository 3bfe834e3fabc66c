"""What a worker's code needs: `run` and `arun`, tasks by name, and words from inside a task."""

from __future__ import annotations

from wove.dispatch.requirements import require_dispatch

require_dispatch("a worker that runs Wove's payloads")

from wove.worker.entrypoint import arun, run  # noqa: E402 - after the check above
from wove.worker.extensions import LogHandler, log, progress  # noqa: E402
from wove.worker.tasks import task  # noqa: E402

__all__ = ["LogHandler", "arun", "log", "progress", "run", "task"]
