"""Which backends' tests run: those of the environment variable WOVE_TEST_BACKENDS, such as "arq".

Without it all run but those whose packages contradict the others'. These have an environment
of their own, where `make test` runs them: `make test-arq`. Nothing is left out because a
package is missing: what is chosen fails without it.
"""

from __future__ import annotations

import os
from pathlib import Path

VARIABLE = "WOVE_TEST_BACKENDS"

APART = frozenset({"arq"})
"""arq needs redis-py below 6, the newest celery[redis] and taskiq-redis a newer one."""


def is_chosen(backend: str) -> bool:
    """Whether the tests of this backend run, named as its executor is."""
    named = os.environ.get(VARIABLE)
    return backend in named.split(",") if named else backend not in APART


def backend_of(path: Path) -> str | None:
    """The backend that a folder or a file of tests is about and nothing else; None: no such."""
    if path.parent.name == "backends" and path.is_dir():
        return path.name
    if path.name.startswith("test_") and path.name.endswith("_example.py"):
        return path.name[len("test_") : -len("_example.py")]
    return None
