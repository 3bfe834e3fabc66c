"""The worker's entry points: `run(payload)` and `await arun(payload)`."""

from __future__ import annotations

from wove.dispatch.requirements import require_dispatch

require_dispatch("a worker that runs Wove's payloads")

from wove.worker.entrypoint import arun, run  # noqa: E402 - after the check above

__all__ = ["arun", "run"]
