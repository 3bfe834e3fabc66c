"""The documentation's example, word for word, through a real Redis and a real Celery worker.

`workers/python/celery/example.py` is the text of the page. It names its broker
`redis://redis:6379/0`. Where no host `redis` exists, this script lets that name mean
127.0.0.1 inside the example's process, and says so; nothing in the example is changed.
"""

from __future__ import annotations

import contextlib
import os
import runpy
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
EXAMPLE = ROOT / "workers" / "python" / "celery"
HOST, PORT = "redis", 6379
START_SECONDS = 30.0


class DemoError(Exception):
    """The demo cannot go on; the text says why."""


def main() -> int:
    """Start what is missing, run the example, say what happened where; the exit status."""
    try:
        with _redis() as address, _celery_worker(address) as worker:
            return _run_example(worker)
    except DemoError as error:
        print(f"demo: {error}", file=sys.stderr)
        return 1


@contextlib.contextmanager
def _redis() -> Iterator[str]:
    """A Redis where the example looks for it: an address of it that the worker can use."""
    if _resolves(HOST):
        if not _answers_ping(HOST):
            raise DemoError(f"the host {HOST!r} exists here, but no Redis answers on port {PORT}")
        print(f"Redis      the one at {HOST}:{PORT}")
        yield HOST
        return
    _let_name_mean(HOST, "127.0.0.1")
    note = f"(the example's host {HOST!r} means 127.0.0.1 here)"
    if _answers_ping("127.0.0.1"):
        print(f"Redis      the one that already runs at 127.0.0.1:{PORT} {note}")
        yield "127.0.0.1"
        return
    if _is_taken(PORT):
        raise DemoError(
            f"port {PORT} of this machine is taken, and not by a Redis without password"
        )
    if subprocess.run([ROOT / "scripts" / "services", "redis"], check=False).returncode:
        raise DemoError("this demo needs Redis. `make demo` alone needs nothing.")
    with tempfile.TemporaryDirectory(prefix="wove-demo-") as folder:
        program = shutil.which("redis-server", path=f"{os.environ['PATH']}:/usr/sbin")
        argv = [str(program), "--bind", "127.0.0.1", "--port", str(PORT), "--save", ""]
        with _process(argv, Path(folder) / "redis.log", ROOT, lambda _: _answers_ping("127.0.0.1")):
            print(f"Redis      started at 127.0.0.1:{PORT} {note}")
            yield "127.0.0.1"


@contextlib.contextmanager
def _celery_worker(address: str) -> Iterator[int]:
    """A Celery worker, started as docs/celery.md says; its process id."""
    command = ["worker", "celery", "--broker-url", f"redis://{address}:{PORT}/0"]
    command += ["--task-name", "myapp.wove_task"]
    print(f"Worker     wove {' '.join(command)}")
    with tempfile.TemporaryDirectory(prefix="wove-demo-") as folder:
        argv = [sys.executable, "-m", "wove.cli", *command]
        with _process(
            argv, Path(folder) / "worker.log", EXAMPLE, lambda t: "wove: ready" in t
        ) as pid:
            yield pid


def _run_example(worker: int) -> int:
    text = (EXAMPLE / "example.py").read_text()
    print(
        "Example    workers/python/celery/example.py, as it stands in docs/backend-adapters.md:\n"
    )
    print("".join(f"    {line}\n" if line else "\n" for line in text.splitlines()))
    sys.path.insert(0, str(EXAMPLE))
    start = time.monotonic()
    names = runpy.run_path(str(EXAMPLE / "example.py"), run_name="__main__")
    took = time.monotonic() - start
    result = names["w"].result
    account, report = result["account"], result["report"]
    print(
        f"account    {account['name']}, loaded in process {account['loaded_in_process']}: this one"
    )
    print(f"report     {report['title']}: balance {report['balance']},")
    print(f"           built in process {report['built_in_process']}, of Celery worker {worker}")
    for run in result.runs:
        if run.backend_job_id:
            print(f"job        {run.backend_job_id} at {run.backend}: {run.state}")
    print(f"took       {took:.2f} s")
    here = os.getpid()
    if account["loaded_in_process"] != here or report["built_in_process"] == here:
        print("demo: the tasks did not run where they should", file=sys.stderr)
        return 1
    return 0


@contextlib.contextmanager
def _process(
    argv: list[str], log: Path, folder: Path, ready: Callable[[str], bool]
) -> Iterator[int]:
    """A program that runs for the length of the block, once `ready(its output)` is true."""
    with open(log, "wb") as output:
        process = subprocess.Popen(
            argv, cwd=folder, stdin=subprocess.DEVNULL, stdout=output, stderr=subprocess.STDOUT
        )
    try:
        deadline = time.monotonic() + START_SECONDS
        while not ready(log.read_text(errors="replace")):
            if process.poll() is not None or time.monotonic() > deadline:
                tail = log.read_text(errors="replace").strip()
                raise DemoError(f"{argv[0]} did not start:\n{tail}")
            time.sleep(0.05)
        yield process.pid
    finally:
        process.send_signal(signal.SIGTERM)
        try:
            process.wait(20)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def _resolves(host: str) -> bool:
    try:
        return bool(socket.getaddrinfo(host, PORT))
    except OSError:
        return False


def _let_name_mean(name: str, address: str) -> None:
    resolve = socket.getaddrinfo

    def getaddrinfo(host: Any, *args: Any, **kwargs: Any) -> Any:
        return resolve(address if host == name else host, *args, **kwargs)

    socket.getaddrinfo = getaddrinfo


def _answers_ping(host: str) -> bool:
    try:
        with socket.create_connection((host, PORT), timeout=2) as connection:
            connection.sendall(b"PING\r\n")
            return connection.recv(16).startswith(b"+PONG")
    except OSError:
        return False


def _is_taken(port: int) -> bool:
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            return True
    return False
