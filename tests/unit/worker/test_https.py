"""A callback over TLS: verified by the system's authorities."""

from __future__ import annotations

import json
import os
import pty
import ssl
import subprocess
import sys
from pathlib import Path

import pytest

from tests.certificates import Authority
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


READ_FILES = """
import fcntl, os, sys, termios
os.setsid()
fcntl.ioctl(0, termios.TIOCSCTTY, 0)
from wove.worker.connection import _tls
try:
    print(_tls())
except OSError as error:
    print(f"OSError: {error}")
"""


def read_files(**files: Path) -> str:
    """What a process says that reads the files, at a terminal where nobody types."""
    outer, terminal = pty.openpty()
    try:
        done = subprocess.run(
            [sys.executable, "-c", READ_FILES],
            env={**os.environ, **{f"WOVE_HTTPS_{name}": str(file) for name, file in files.items()}},
            stdin=terminal,
            capture_output=True,
            text=True,
            timeout=30,
        )
    finally:
        os.close(outer)
        os.close(terminal)
    return done.stdout


def test_a_file_that_is_no_use_is_named_with_its_variable(tmp_path: Path) -> None:
    authority = Authority(tmp_path / "ours")
    one, other = authority.sign("one"), authority.sign("other")
    missing = tmp_path / "nowhere.pem"
    assert "SSLContext" in read_files(CERTIFICATE=one.certificate, PRIVATE_KEY=one.key)
    assert f"OSError: WOVE_HTTPS_CA {missing}: No such file" in read_files(CA=missing)
    for certificate, key in [(missing, one.key), (one.certificate, other.key)]:
        said = read_files(CERTIFICATE=certificate, PRIVATE_KEY=key)
        assert "OSError: WOVE_HTTPS_CERTIFICATE" in said
        assert f"{certificate} and WOVE_HTTPS_PRIVATE_KEY {key}" in said
    assert "WOVE_HTTPS_CERTIFICATE" in read_files(PRIVATE_KEY=one.key)


def test_nobody_is_asked_for_the_password_of_a_key(tmp_path: Path) -> None:
    own = Authority(tmp_path / "ours").sign("worker")
    encrypted = tmp_path / "encrypted.key"
    words = f"openssl pkcs8 -topk8 -in {own.key} -out {encrypted} -passout pass:secret"
    subprocess.run(words.split(), check=True, capture_output=True)
    said = read_files(CERTIFICATE=own.certificate, PRIVATE_KEY=encrypted)
    assert f"WOVE_HTTPS_PRIVATE_KEY {encrypted}" in said
    assert "without a password" in said
