"""A weave that somebody interrupts: ENVIRONMENT OPTIONS STARTED EFFECT (the first two: JSON)."""

from __future__ import annotations

import json
import sys
import time

import wove
from tests.adapters import tasks


def main(environment: str, options: str, started: str, effect: str) -> None:
    wove.config(environments={"remote": json.loads(environment)})
    with wove.weave(started=started, effect=effect) as w:

        @w.do(environment="remote", **json.loads(options))
        def slow(started: str, effect: str) -> None:
            tasks.note(started)
            deadline = time.monotonic() + 4
            while time.monotonic() < deadline:
                time.sleep(0.01)
            tasks.note(effect)


if __name__ == "__main__":
    main(*sys.argv[1:])
