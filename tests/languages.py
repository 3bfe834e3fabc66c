"""The worker libraries of `workers/` in other languages, built and started by tests."""

from __future__ import annotations

import functools
import subprocess

from tests.services import ROOT

LANGUAGES = ("go", "java", "rust", "typescript")
"""Beside Python. None is left out: a missing toolchain fails the tests of its language."""


@functools.cache
def built(language: str) -> list[str]:
    """The command of a language's runnable worker of the five tasks, once it is built."""
    _workers("build", language)
    return _workers("argv", language).split()


def _workers(action: str, language: str) -> str:
    done = subprocess.run(
        [str(ROOT / "scripts" / "workers"), action, language],
        stdout=subprocess.PIPE,
        text=True,
        check=True,
        timeout=500,
    )
    return done.stdout
