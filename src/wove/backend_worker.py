"""`python -m wove.backend_worker [PAYLOAD]`: run one payload in this process.

For workers that are programs: containers, batch jobs, scripts. The payload is the first
argument or, without one, the environment variable `WOVE_BACKEND_PAYLOAD`: base64 of its
JSON, or the JSON itself. The last line of the output is the run's summary as JSON. The
exit status is 0 when the events were delivered, whatever the task did.
"""

from __future__ import annotations

import json
import os
import signal
import sys
from typing import Any

from wove.errors import DeliveryError, ErrorCode, MissingDispatchFeatureError

__all__ = ["VARIABLE", "main"]

VARIABLE = "WOVE_BACKEND_PAYLOAD"
"""Environment variable that carries the payload."""


def main(arguments: list[str] | None = None) -> int:
    """Run the payload.

    Args:
        arguments: of the command line, without the program.

    Returns:
        The exit status: 0 delivered, 1 not delivered, 2 no payload.
    """
    arguments = sys.argv[1:] if arguments is None else arguments
    text = arguments[0] if arguments else os.environ.pop(VARIABLE, "")
    if not text.strip():
        return _fail(f"no payload: give it as an argument, or in {VARIABLE}", 2)
    try:
        from wove.dispatch.requirements import require_dispatch

        require_dispatch("running a payload")
        from wove.worker.entrypoint import run_in_own_process

        # A scheduler's polite end: the task is stopped and reported before the process goes.
        signal.signal(signal.SIGTERM, _terminated)
        summary, left_behind = run_in_own_process(text)
    except MissingDispatchFeatureError as error:
        return _fail(str(error), 2)
    except DeliveryError as error:
        return _fail(str(error), 2 if error.code is ErrorCode.INVALID_PAYLOAD else 1)
    # On a line of its own, whatever the task left unfinished there.
    sys.stdout.write(f"\n{json.dumps(summary)}\n")
    sys.stdout.flush()
    if left_behind:
        # The task ignored its cancellation and still runs: nothing else ends it.
        sys.stderr.flush()
        os._exit(0)
    return 0


def _terminated(number: int, frame: Any) -> None:
    sys.exit(128 + number)


def _fail(message: str, status: int) -> int:
    sys.stdout.flush()
    sys.stderr.write(f"wove: {message}\n")
    return status


if __name__ == "__main__":
    sys.exit(main())
