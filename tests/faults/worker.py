"""A worker of one job: payload on standard input, what `run()` returned on standard output.

`WOVE_TEST_START_SECONDS` shrinks the minute for which a worker asks whether it may start.
"""

from __future__ import annotations

import json
import os
import sys

from wove.integrations.worker import run
from wove.worker import starting


def main() -> None:
    output = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)  # what a task prints is not the answer
    if "WOVE_TEST_START_SECONDS" in os.environ:
        starting.START_SECONDS = float(os.environ["WOVE_TEST_START_SECONDS"])
    summary = run(json.load(sys.stdin))
    print(json.dumps(summary), file=output, flush=True)


if __name__ == "__main__":
    main()
