"""A callback over TLS: verified by the system's authorities."""

from __future__ import annotations

import json
import os
import ssl
import subprocess
import sys
from pathlib import Path

import pytest

from tests.unit.worker.receiver import Receiver, as_dict


@pytest.fixture
def certificate(tmp_path: Path) -> Path:
    file = tmp_path / "both.pem"
    words = "openssl req -x509 -newkey rsa:2048 -nodes -days 2 -subj /CN=127.0.0.1"
    command = [*words.split(), "-addext", "subjectAltName=IP:127.0.0.1"]
    command += ["-keyout", str(file), "-out", str(tmp_path / "cert.pem")]
    subprocess.run(command, check=True, capture_output=True)
    file.write_text(file.read_text() + (tmp_path / "cert.pem").read_text())
    return file


@pytest.mark.parametrize("trusted", [True, False])
def test_tls_is_spoken_and_checked(certificate: Path, trusted: bool) -> None:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate)
    receiver = Receiver(tls=context)
    payload = receiver.payload(int)
    payload.callback_url = payload.callback_url.replace("http://", "https://")
    payload.delivery_retry_seconds = 0.1
    program = """
import json, sys
from wove.worker import starting
starting.START_SECONDS = 3.0
from wove.integrations.worker import run
print(json.dumps(run(json.loads(sys.stdin.read()))))
"""
    environment = dict(os.environ)
    if trusted:
        environment["SSL_CERT_FILE"] = str(certificate)
    done = subprocess.run(
        [sys.executable, "-c", program],
        input=json.dumps(as_dict(payload)),
        env=environment,
        capture_output=True,
        text=True,
        timeout=30,
    )
    receiver.close()
    if trusted:
        assert json.loads(done.stdout)["delivered"], done.stderr
        assert [seen.connection for seen in receiver.frames()] == [0, 0]
    else:
        assert "CERTIFICATE_VERIFY_FAILED" in done.stderr
        assert receiver.frames() == []
