"""The contract's tests once more, on protobuf's implementation in Python.

It is what runs where protobuf has no wheel, and it raises other errors than the others.
"""

from __future__ import annotations

import os
import subprocess
import sys

import pytest

from scripts.generate import ROOT

pytestmark = pytest.mark.slow

VARIABLE = "PROTOCOL_BUFFERS_PYTHON_IMPLEMENTATION"
CHECK = "from google.protobuf.internal import api_implementation as a; print(a.Type())"


def test_the_contract_on_protobuf_in_python() -> None:
    environment = {**os.environ, VARIABLE: "python", "PYTHONDONTWRITEBYTECODE": "1"}
    environment["PYTHONPATH"] = os.pathsep.join(filter(None, sys.path))
    plain = [sys.executable, "-c", CHECK]
    used = subprocess.run(plain, env=environment, capture_output=True, text=True, check=True)
    assert used.stdout.strip() == "python"

    names = ["codec", "oracle", "recorded", "vectors"]
    files = [f"tests/contract/test_{name}.py" for name in names]
    pytest_ = [sys.executable, "-m", "pytest", "-q", "-x", "-p", "no:cacheprovider", *files]
    done = subprocess.run(
        pytest_, cwd=ROOT, env=environment, capture_output=True, text=True, timeout=100, check=False
    )
    assert done.returncode == 0, done.stdout[-4000:] + done.stderr[-4000:]
