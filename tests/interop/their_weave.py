"""A weave of the published package whose tasks run in another interpreter's worker.

Usage: their_weave.py WORKER_PYTHON. Prints what came back, as one line of JSON.
"""

from __future__ import annotations

import asyncio
import hashlib
import json
import sys
from pathlib import Path
from typing import Any

import wove
from tests.interop import cases
from wove import weave
from wove.environment import BackendAdapterEnvironmentExecutor
from wove.integrations.base import BackendAdapter

WORKER = str(Path(__file__).parent / "worker.py")


class Programs(BackendAdapter):
    """Starts one worker process per job."""

    async def submit(self, payload: dict[str, Any], frame: dict[str, Any]) -> Any:
        process = await asyncio.create_subprocess_exec(
            self.config["python"], WORKER, stdin=asyncio.subprocess.PIPE
        )
        assert process.stdin is not None
        process.stdin.write(json.dumps(payload).encode())
        process.stdin.close()
        return process

    async def cancel(self, run_id: str, submission: Any, frame: dict[str, Any]) -> None:
        submission.kill()


def main(python: str) -> dict[str, Any]:
    executor = BackendAdapterEnvironmentExecutor("programs", adapter_class=Programs)
    wove.config(
        environments={
            "theirs": {
                "executor": executor,
                "executor_config": {"python": python},
                "delivery_timeout": 30.0,
            }
        }
    )
    with weave(base=7, block=cases.MEBIBYTE) as w:
        for task in (cases.value, cases.awaited, cases.nothing, cases.large):
            w.do(environment="theirs")(task)

    with weave(base=7, error_mode="return") as failing:
        failing.do(environment="theirs")(cases.fail)

    error = failing.result["fail"]
    return {
        "value": w.result["value"],
        "awaited": w.result["awaited"],
        "nothing": w.result["nothing"],
        "large": hashlib.sha256(w.result["large"]).hexdigest(),
        "fail": [type(error).__name__, list(error.args)],
    }


if __name__ == "__main__":
    print(json.dumps(main(sys.argv[1])))
