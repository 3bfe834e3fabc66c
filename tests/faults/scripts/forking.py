"""A weave that forks in the middle: PORT EFFECTS. Prints the child's process id."""

from __future__ import annotations

import os
import sys
import time

import wove
from tests.adapters import tasks


def main(port: str, effects: str) -> None:
    environment = {"executor": "process", "executor_config": {"callback_port": int(port)}}
    wove.config(environments={"remote": environment})
    with wove.weave(effects=effects) as w:

        @w.do(range(6), environment="remote")
        def remote(n: int, effects: str) -> int:
            tasks.note(effects, str(n))
            time.sleep(0.2)
            return n

        @w.do
        def fork(effects: str) -> int:
            tasks.wait_for(effects)
            child = os.fork()
            if child == 0:
                time.sleep(20)
                os._exit(0)
            return child

    print(w.result.fork, w.result.remote == list(range(6)), flush=True)


if __name__ == "__main__":
    main(*sys.argv[1:])
