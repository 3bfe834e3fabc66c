"""A worker of whichever `wove` the interpreter has: one payload, from standard input."""

from __future__ import annotations

import json
import sys

from wove.integrations.worker import run

if __name__ == "__main__":
    run(json.load(sys.stdin))
