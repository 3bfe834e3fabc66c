"""What a process of its own sees: its first connection, or none."""

from __future__ import annotations

import json
import subprocess
import sys
import time
from pathlib import Path

import pytest

from tests.services import free_port

pytestmark = [pytest.mark.xdist_group("adapters-ray"), pytest.mark.timeout(240)]

SCRIPT = """
import json, os, sys
import wove

wove.config(environments={"away": {"executor": "ray", "executor_config": json.loads(sys.argv[1])}})
with wove.weave(error_mode="return") as w:
    @w.do(environment="away")
    def where():
        return os.getpid()

if isinstance(w.result.where, int):
    print("ran", w.result.where != os.getpid())
else:
    print(type(w.result.where).__name__, w.result.where.code.value, w.result.where)
"""


def said(config: dict[str, object], tmp_path: Path) -> str:
    script = tmp_path / "script.py"
    script.write_text(SCRIPT)
    done = subprocess.run(
        [sys.executable, str(script), json.dumps(config)],
        capture_output=True,
        text=True,
        timeout=200,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_a_cluster_that_is_down(tmp_path: Path) -> None:
    address = f"127.0.0.1:{free_port()}"
    begun = time.monotonic()
    text = said({"address": address}, tmp_path)
    assert text.startswith("SubmissionError backend_unavailable")
    assert f"at {address}, which is executor_config['address']" in text
    assert time.monotonic() - begun < 60  # Python and Ray have to be loaded


def test_init_false_wants_ray_init_of_the_program(tmp_path: Path) -> None:
    text = said({"init": False}, tmp_path)
    assert text.startswith("SubmissionError backend_unavailable")
    assert "ray.init() was not called" in text


def test_a_cluster_of_the_programs_own(tmp_path: Path) -> None:
    init = {"num_cpus": 1, "include_dashboard": False, "log_to_driver": False}
    assert said({"address": "local", "init_options": init}, tmp_path) == "ran True\n"
