"""A weave whose backend takes for ever to cancel a job: STARTED."""

from __future__ import annotations

import asyncio
import sys
import time
from typing import Any

import wove
from tests.adapters import tasks
from tests.faults.programs import Programs
from wove import BackendAdapterEnvironmentExecutor


class Stubborn(Programs):
    async def cancel(self, run_id: str, submission: Any, frame: dict[str, Any]) -> None:
        print("cancelling", flush=True)
        await asyncio.sleep(60)


def main(started: str) -> None:
    executor = BackendAdapterEnvironmentExecutor("stubborn", adapter_class=Stubborn)
    wove.config(environments={"remote": {"executor": executor, "executor_config": {}}})
    with wove.weave(started=started) as w:

        @w.do(environment="remote", delivery_cancel_mode="require_ack", cancel_timeout=50)
        def asleep(started: str) -> None:
            tasks.note(started)
            time.sleep(30)


if __name__ == "__main__":
    main(*sys.argv[1:])
