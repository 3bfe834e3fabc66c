"""The `wove` command, run as a user runs it."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
from pathlib import Path

import pytest

import wove
from tests.services import ROOT, free_port

pytestmark = pytest.mark.slow


def wove_command(
    *arguments: str, env: dict[str, str] | None = None, cwd: Path = ROOT
) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "wove.cli", *arguments],
        capture_output=True,
        text=True,
        timeout=40,
        check=False,
        env={**os.environ, **(env or {})},
        cwd=cwd,
    )


def test_version() -> None:
    done = wove_command("--version")
    assert (done.returncode, done.stdout.strip()) == (0, f"wove {wove.__version__}")


def test_the_console_script_is_installed() -> None:
    script = Path(sys.executable).with_name("wove")
    done = subprocess.run(
        [script, "worker", "celery", "--help"],
        capture_output=True,
        text=True,
        timeout=40,
        check=True,
    )
    assert "--broker-url" in done.stdout


NEEDED = {
    "arq": ("--redis-url", "redis://127.0.0.1:1/0"),
    "celery": (),
    "dask": ("--address", "tcp://127.0.0.1:1"),
    "rq": ("--redis-url", "redis://127.0.0.1:1/0"),
    "taskiq": ("--redis-url", "redis://127.0.0.1:1/0"),
}
"""What the commands of backends ask for, beside their options."""

OPTIONS = {
    backend: [("--concurrency", "0"), *([] if backend == "dask" else [("--loglevel", "LOUD")])]
    for backend in NEEDED
}
NEEDED["temporal"] = ()
OPTIONS["temporal"] = [
    ("--max-concurrent-activities", "0"),
    ("--max-concurrent-workflow-tasks", "0"),
]


@pytest.mark.parametrize(
    "arguments",
    [
        (),
        ("worker",),
        ("worker", "carrier-pigeon"),
        *(
            ("worker", backend, *needed, option, value)
            for backend, needed in NEEDED.items()
            for option, value in OPTIONS[backend]
        ),
    ],
)
def test_arguments_that_make_no_sense(arguments: tuple[str, ...]) -> None:
    done = wove_command(*arguments)
    assert done.returncode == 2
    assert "usage: wove" in done.stderr
    if len(arguments) > 2:
        assert f"argument {arguments[-2]}" in done.stderr.replace("argument -c/", "argument ")


def test_neither_broker_nor_app() -> None:
    done = wove_command("worker", "celery")
    assert done.returncode == 1
    assert done.stderr == "wove: give --broker-url URL, or --app MODULE:NAME\n"


@pytest.mark.parametrize("scheme", ["redis", "amqp"])
def test_a_broker_that_is_down_ends_the_command_and_hides_the_password(scheme: str) -> None:
    port = free_port()
    url = f"{scheme}://someone:hunter2@127.0.0.1:{port}//"
    done = wove_command("worker", "celery", "--broker-url", url)
    assert done.returncode == 1
    assert done.stderr.startswith("wove: cannot reach the broker at ")
    assert f"127.0.0.1:{port}" in done.stderr
    assert "hunter2" not in done.stderr + done.stdout
    assert "Traceback" not in done.stderr


def test_celery_that_is_not_installed_is_named(tmp_path: Path) -> None:
    (tmp_path / "celery.py").write_text("raise ImportError('no celery here')\n")
    done = wove_command(
        *("worker", "celery", "--broker-url", "redis://127.0.0.1:1/0"),
        env={"PYTHONPATH": str(tmp_path)},
        cwd=tmp_path,
    )
    assert done.returncode == 1
    assert "pip install 'wove[celery]'" in done.stderr
    assert "Traceback" not in done.stderr


@pytest.mark.parametrize(
    ("reference", "words"),
    [
        ("no_such_module:app", "cannot import no_such_module"),
        (":app", "names no module"),
        ("redis://:hunter2@localhost/0", "--app redis://:**@localhost/0: give MODULE:NAME"),
        ("json:app", "json has no 'app'"),
        ("os:path", "'path' is a module, not a Celery application"),
    ],
)
def test_an_app_that_is_not_there(reference: str, words: str) -> None:
    done = wove_command("worker", "celery", "--app", reference)
    assert done.returncode == 1
    assert words in done.stderr
    assert "hunter2" not in done.stderr
    assert len(done.stderr.splitlines()) == 1


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("--broker-url", "nosuch://me:hunter2@host"), "scheme 'nosuch'"),
        (("--broker-url", "redis://:hunter2@127.0.0.1:1/0"), "`redis` for its broker redis://:**@"),
        (
            ("--broker-url", "memory://", "--result-backend", "redis://:hunter2@127.0.0.1:1/0"),
            "cannot use the result backend redis://:**@127.0.0.1:1/0",
        ),
        (
            ("--broker-url", "memory://", "--result-backend", "mongodb://:hunter2/x@host/0"),
            "cannot use the result backend mongodb://:**@host/0, which is --result-backend",
        ),
    ],
)
def test_a_broker_that_celery_cannot_use(
    tmp_path: Path, arguments: tuple[str, ...], words: str
) -> None:
    # As if the client for Redis were not installed.
    (tmp_path / "redis.py").write_text("raise ImportError('no redis here', name='redis')\n")
    path = os.pathsep.join([str(tmp_path), os.environ["PYTHONPATH"]])
    done = wove_command("worker", "celery", *arguments, env={"PYTHONPATH": path})
    assert done.returncode == 1
    assert words in done.stderr
    assert "hunter2" not in done.stderr
    assert len(done.stderr.splitlines()) == 1, done.stderr


def test_ctrl_c_while_the_broker_does_not_answer() -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        silent.settimeout(40)
        url = f"redis://127.0.0.1:{silent.getsockname()[1]}/0"
        command = subprocess.Popen(
            [sys.executable, "-m", "wove.cli", "worker", "celery", "--broker-url", url],
            stderr=subprocess.PIPE,
            text=True,
            cwd=ROOT,
        )
        with silent.accept()[0]:
            command.send_signal(signal.SIGINT)
            _, said = command.communicate(timeout=40)
    assert (command.returncode, said) == (130, "wove: interrupted before it was ready\n")


def test_a_sentence_ends_with_one_full_stop() -> None:
    url = f"redis://127.0.0.1:{free_port()}/0"
    done = wove_command("worker", "celery", "--broker-url", url)
    assert f"at {url}: " in done.stderr  # no password is shown where there is none
    assert ".." not in done.stderr
