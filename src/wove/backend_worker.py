"""`python -m wove.backend_worker [PAYLOAD]`: run one payload in this process.

For workers that are programs: containers, batch jobs, scripts. The payload is the first
argument or, without one, the environment variable `WOVE_BACKEND_PAYLOAD`: its JSON, base64
of that, or, as an argument, `@` and the path of a file that holds either. The last line of
the output is the run's summary as JSON. The exit status is 0 when the events were
delivered, whatever the task did.

A program with tasks of its own registers them and calls `main`:

    from wove import backend_worker
    from wove.integrations.worker import task

    @task
    def add(a, b):
        return a + b

    sys.exit(backend_worker.main())
"""

from __future__ import annotations

import json
import os
import signal
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

from wove.errors import DeliveryError, ErrorCode, MissingDispatchFeatureError

if TYPE_CHECKING:
    from wove.worker.execution import Encoding

__all__ = ["ENCODING", "VARIABLE", "main"]

VARIABLE = "WOVE_BACKEND_PAYLOAD"
"""Environment variable that carries the payload."""
ENCODING = "WOVE_ENCODING"
"""Environment variable that says how events travel: "json", "protobuf" or "grpc"."""


def main(arguments: list[str] | None = None) -> int:
    """Run the payload.

    Args:
        arguments: of the command line, without the program.

    Returns:
        The exit status: 0 delivered, 1 not delivered, 2 no payload.
    """
    arguments = sys.argv[1:] if arguments is None else arguments
    # Taken out in any case: what the task starts must not inherit the callback's secret.
    variable = os.environ.pop(VARIABLE, "")
    try:
        text = _read(arguments[0]) if arguments else variable
        encoding = _encoding()
    except (OSError, ValueError) as error:
        return _fail(str(error), 2)
    if not text.strip():
        return _fail(f"no payload: give it as an argument, or in {VARIABLE}", 2)
    try:
        from wove.dispatch.requirements import require_dispatch

        require_dispatch("running a payload")
        from wove.worker.entrypoint import Shutdown, run_in_own_process

        # A scheduler's polite end: the task is stopped and reported before the process goes.
        signal.signal(signal.SIGTERM, _terminated)
        summary, failure, left_behind = run_in_own_process(text, encoding)
    except MissingDispatchFeatureError as error:
        return _fail(str(error), 2)
    except DeliveryError as error:
        return _fail(str(error), 2 if error.code is ErrorCode.INVALID_PAYLOAD else 1)
    except Shutdown:
        return _fail("it was asked to end before it had begun", 1)
    status = 0 if failure is None else _fail(str(failure), 1)
    if summary:
        # On a line of its own, whatever the task left unfinished there.
        sys.stdout.write(f"\n{json.dumps(summary)}\n")
        sys.stdout.flush()
    if left_behind:
        # The task ignored its cancellation and still runs: nothing else ends it.
        sys.stderr.flush()
        os._exit(status)
    return status


def _read(argument: str) -> str:
    """The argument, or the text of the file that it names."""
    if not argument.startswith("@"):
        return argument
    return Path(argument[1:]).read_text(encoding="utf-8")


def _encoding() -> Encoding | None:
    name = os.environ.get(ENCODING, "")
    known: dict[str, Encoding | None] = {"json": "json", "protobuf": "protobuf", "grpc": "grpc"}
    if name and name not in known:
        raise ValueError(f"{ENCODING} is {name!r}; it may be {', '.join(known)}")
    return known.get(name)


def _terminated(number: int, frame: Any) -> None:
    from wove.worker.entrypoint import Shutdown

    signal.signal(number, signal.SIG_IGN)  # once is enough, and what follows takes its time
    raise Shutdown


def _fail(message: str, status: int) -> int:
    sys.stdout.flush()
    sys.stderr.write(f"wove: {message}\n")
    return status


if __name__ == "__main__":
    sys.exit(main())
