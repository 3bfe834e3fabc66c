"""The published `wove` package, in an environment of its own."""

from __future__ import annotations

import contextlib
import fcntl
import os
import shutil
import subprocess
import sys
import venv
from pathlib import Path

VERSION = "2.0.3"


def python() -> str:
    """Interpreter of an environment that has the published package; made once and kept.

    It is made for the interpreter that runs the tests, because a function's pickle
    is for one minor version of Python. Packages come from where pip is configured
    to find them.
    """
    cache = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "wove"
    home = cache / f"published-{VERSION}-py{sys.version_info.major}.{sys.version_info.minor}"
    home.mkdir(parents=True, exist_ok=True)
    interpreter = home / "venv" / "bin" / "python"
    with open(home / "lock", "w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if _version(interpreter) != VERSION:
            shutil.rmtree(home / "venv", ignore_errors=True)
            _make(home / "venv", interpreter)
            assert _version(interpreter) == VERSION
    return str(interpreter)


def _version(interpreter: Path) -> str:
    if not interpreter.exists():
        return ""
    question = "import cloudpickle, importlib.metadata as m; print(m.version('wove'))"
    with contextlib.suppress(OSError):
        return _run([str(interpreter), "-c", question], check=False)
    return ""


def _make(home: Path, interpreter: Path) -> None:
    requirement = f"wove[dispatch]=={VERSION}"
    uv = shutil.which("uv")
    # The interpreter that made this environment: an environment of an environment is none.
    base = getattr(sys, "_base_executable", sys.executable)
    if uv is not None:
        _run([uv, "venv", "--quiet", "--python", base, str(home)])
        with contextlib.suppress(subprocess.CalledProcessError):  # uv has settings of its own
            _run([uv, "pip", "install", "--quiet", "--python", str(interpreter), requirement])
            return
        shutil.rmtree(home)
    venv.create(home, with_pip=True)
    _run([str(interpreter), "-m", "pip", "install", "--quiet", requirement])


def _run(command: list[str], *, check: bool = True) -> str:
    environment = {k: v for k, v in os.environ.items() if k not in {"PYTHONPATH", "VIRTUAL_ENV"}}
    done = subprocess.run(
        command, check=check, capture_output=True, text=True, timeout=300, env=environment
    )
    return done.stdout.strip()
