"""A weave whose job nobody starts: PORT TOKEN PAYLOAD_FILE EFFECT. It waits until it is killed."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import wove
from tests.adapters import tasks
from tests.faults.programs import Job, Programs
from wove import BackendAdapterEnvironmentExecutor


def main(port: str, token: str, payload_file: str, effect: str) -> None:
    def keep(job: Job) -> None:
        file = Path(payload_file)
        file.with_suffix(".part").write_text(json.dumps(job.payload))
        file.with_suffix(".part").rename(file)

    executor = BackendAdapterEnvironmentExecutor("programs", adapter_class=Programs)
    config = {"callback_port": int(port), "callback_token": token, "hold": True, "on_job": keep}
    wove.config(environments={"remote": {"executor": executor, "executor_config": config}})
    with wove.weave(effect=effect) as w:

        @w.do(environment="remote")
        def stale(effect: str) -> None:
            tasks.note(effect)


if __name__ == "__main__":
    main(*sys.argv[1:])
