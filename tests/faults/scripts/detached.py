"""A weave that fails while its detached job waits or runs: ENVIRONMENT STARTED EFFECT WAIT."""

from __future__ import annotations

import json
import sys
import time

import wove
from tests.adapters import tasks


def main(environment: str, started: str, effect: str, wait: str) -> None:
    wove.config(environments={"remote": json.loads(environment)})
    with wove.weave(started=started, effect=effect) as w:

        @w.do(environment="remote", delivery_orphan_policy="detach", delivery_heartbeat_seconds=1)
        def detached(started: str, effect: str) -> None:
            tasks.note(started)
            time.sleep(3)
            tasks.note(effect)

        @w.do
        def fail(started: str) -> None:
            if wait == "running":
                tasks.wait_for(started)
            while [run.state for run in w.runs if run.task == "detached"] not in (
                ["queued"],
                ["started"],
            ):
                time.sleep(0.02)
            raise tasks.Refused("the weave stops")


if __name__ == "__main__":
    try:
        main(*sys.argv[1:])
    except tasks.Refused:
        print("refused", flush=True)
