"""A process with a receiver on PORT and TOKEN, until standard input ends."""

from __future__ import annotations

import sys

import wove


def main(port: str, token: str) -> None:
    config = {"callback_port": int(port), "callback_token": token, "workers": 1}
    wove.config(environments={"remote": {"executor": "process", "executor_config": config}})
    with wove.weave() as w:

        @w.do(environment="remote")
        def once() -> int:
            return 1

    assert w.result.once == 1
    print("listening", flush=True)
    sys.stdin.read()


if __name__ == "__main__":
    main(*sys.argv[1:])
