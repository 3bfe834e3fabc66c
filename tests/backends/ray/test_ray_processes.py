"""What a process of its own sees: its first connection, or none, or one that breaks."""

from __future__ import annotations

import contextlib
import json
import os
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.services import Started, free_port, start_ray, wait_until, wait_until_ended
from wove.integrations import _ray_connection

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


def test_a_head_that_says_nothing_is_not_waited_for(tmp_path: Path) -> None:
    """By itself Ray asks it again and again, for minutes, and then ends the process."""
    with socket.create_server(("127.0.0.1", 0)) as silent:
        address = f"127.0.0.1:{silent.getsockname()[1]}"
        begun = time.monotonic()
        text = said({"address": address}, tmp_path)
    assert text.startswith("SubmissionError backend_unavailable")
    assert f"at {address}, which is executor_config['address']" in text
    assert "it accepts connections and does not answer" in text
    assert time.monotonic() - begun < 60  # Python and Ray have to be loaded


def test_init_false_wants_ray_init_of_the_program(tmp_path: Path) -> None:
    text = said({"init": False}, tmp_path)
    assert text.startswith("SubmissionError backend_unavailable")
    assert "ray.init() was not called" in text


def test_a_cluster_of_the_programs_own(tmp_path: Path) -> None:
    init = {"num_cpus": 1, "include_dashboard": False, "log_to_driver": False}
    assert said({"address": "local", "init_options": init}, tmp_path) == "ran True\n"


LOST = """
import sys, threading, time
import wove

address, folder = sys.argv[1:]
config = {"executor": "ray", "executor_config": {"address": address}}
wove.config(environments={"away": config})

def stay(folder):
    open(f"{folder}/running", "a").close()
    time.sleep(100)

def running():
    with wove.weave(error_mode="return", folder=folder) as w:
        w.do(environment="away")(stay)
    print("running:", type(w.result.stay).__name__, w.result.stay, flush=True)

with wove.weave(error_mode="return", folder=folder) as w:
    @w.do(environment="away")
    def first():
        return 1

    @w.do
    def lost(first):
        import os
        other = threading.Thread(target=running)
        other.start()
        while not os.path.exists(f"{folder}/gone"):
            time.sleep(0.05)
        other.join()
        return time.monotonic()

    @w.do(environment="away")
    def after(lost):
        return 2

took = time.monotonic() - w.result.lost
print("after:", type(w.result.after).__name__, w.result.after.code.value, took < 13, flush=True)
"""


def test_a_cluster_that_goes_in_the_middle_of_a_weave(tmp_path: Path, short: Path) -> None:
    """A job that ran is lost, and one that comes later is not sent into nowhere."""
    script, log = tmp_path / "script.py", tmp_path / "log"
    script.write_text(LOST)
    cluster = start_ray(short)
    try:
        with log.open("w") as output:
            process = subprocess.Popen(
                [sys.executable, str(script), cluster.url, str(tmp_path)],
                stdout=subprocess.PIPE,
                stderr=output,
                text=True,
            )
        try:
            running = tmp_path / "running"
            wait_until(running.exists, seconds=90, what="the second weave's job runs")
            _kill(cluster)
            (tmp_path / "gone").touch()
            out, _ = process.communicate(timeout=90)
        finally:
            process.kill()
            process.wait()
    finally:
        _kill(cluster)
    assert process.returncode == 0, log.read_text()
    first, second = (line for line in out.splitlines() if ": " in line)
    assert first.startswith("running: WorkerLostError")
    assert second == "after: SubmissionError backend_unavailable True"


WEAVES = """
import json, os, sys, threading, time
import ray
import wove

address, inits, queued = sys.argv[1:]
nowhere = {"address": address, "remote_options": {"resources": {"nowhere": 1}}}
for name, config in {"away": {"address": address}, "nowhere": nowhere}.items():
    wove.config(environments={name: {"executor": "ray", "executor_config": config}})
if inits == "program":
    ray.init(address=address)

def where():
    return os.getpid()

def run(environment):
    with wove.weave(error_mode="return") as w:
        w.do(environment=environment)(where)
        threading.Thread(target=tell_when_queued, args=(w, environment)).start()
    found = w.result.where
    ran = isinstance(found, int) and found != os.getpid()
    print("ran" if ran else f"{type(found).__name__}: {found}", flush=True)

def tell_when_queued(w, environment):
    while not (w.runs and w.runs[0].submitted_at):
        time.sleep(0.05)
    open(f"{queued}-{environment}", "a").close()

for line in sys.stdin:
    run(line.strip())
"""


@contextlib.contextmanager
def weaves(folder: Path, address: str, inits: str) -> Iterator[Callable[[str], None]]:
    """A process of one connection; `say(environment)` has it run a weave there."""
    (folder / "weaves.py").write_text(WEAVES)
    script, queued = str(folder / "weaves.py"), str(folder / "queued")
    with (folder / "said").open("w") as said, (folder / "log").open("w") as log:
        process = subprocess.Popen(
            [sys.executable, script, address, inits, queued],
            stdin=subprocess.PIPE,
            stdout=said,
            stderr=log,
            text=True,
        )
    assert process.stdin is not None
    stdin = process.stdin

    def say(environment: str) -> None:
        stdin.write(f"{environment}\n")
        stdin.flush()

    try:
        yield say
    finally:
        stdin.close()
        try:
            process.wait(30)
        finally:
            process.kill()
            process.wait()
    assert process.returncode == 0, (folder / "log").read_text()


@pytest.fixture
def short() -> Iterator[Path]:
    """A folder for a cluster: the path of a socket may not be long."""
    with tempfile.TemporaryDirectory() as folder:
        yield Path(folder)


def test_a_cluster_that_goes_and_comes_back(tmp_path: Path, short: Path) -> None:
    folders = {inits: tmp_path / inits for inits in ("wove", "program")}
    for folder in folders.values():
        folder.mkdir()

    def said(inits: str, count: int) -> str:
        file = folders[inits] / "said"
        wait_until(
            lambda: file.read_text().count("\n") >= count,
            seconds=60,
            what=f"the process of {inits} has run {count} weaves",
        )
        return file.read_text().splitlines()[count - 1]

    cluster = start_ray(short)
    address = cluster.url
    try:
        with (
            weaves(folders["wove"], address, "wove") as ours,
            weaves(folders["program"], address, "program") as programs,
        ):
            ours("away")
            programs("away")
            assert said("wove", 1) == said("program", 1) == "ran"
            ours("nowhere")
            queued = folders["wove"] / "queued-nowhere"
            wait_until(queued.exists, seconds=20, what="the job is queued")
            _kill(cluster)

            programs("away")
            text = said("program", 2)
            assert text.startswith("SubmissionError: ray cannot reach its cluster at")
            assert "call ray.shutdown() and ray.init() again" in text
            text = said("wove", 2)
            assert text.startswith("WorkerLostError")
            assert "the Ray node that this process was connected through is gone" in text
            ours("away")
            text = said("wove", 3)
            assert text.startswith("SubmissionError: ray cannot reach its cluster at")
            assert "refused" in text

            again = short / "2"
            again.mkdir()
            cluster = start_ray(again, int(address.rpartition(":")[2]))
            ours("away")
            assert said("wove", 4) == "ran"
    finally:
        _kill(cluster)


def _kill(cluster: Started) -> None:
    """Once: soon the kernel may have given an id to another process."""
    for pid in cluster.pids:
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)
    while cluster.pids:
        wait_until_ended(cluster.pids.pop())


class _Connected:
    """A process that is connected; Ray's client ("ray://") does not start on every machine."""

    def __init__(self) -> None:
        self.gcs_address = f"127.0.0.1:{free_port()}"


@pytest.fixture
def connected(monkeypatch: pytest.MonkeyPatch) -> None:
    import ray

    monkeypatch.setattr(ray, "is_initialized", lambda: True)
    monkeypatch.setattr(ray, "get_runtime_context", _Connected)


def test_a_head_that_is_out_of_reach_of_rays_client_is_not_asked(
    connected: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(_ray_connection, "node_of_this_process", lambda: None)
    _ray_connection.connect({"address": "ray://head:10001"}, wanted=True)


def test_a_connection_that_the_program_made_after_ours_is_the_programs(
    connected: None, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(_ray_connection, "node_of_this_process", lambda: str(tmp_path / "gone"))
    monkeypatch.setattr(_ray_connection, "_ours", (str(tmp_path / "ours"), threading.Event()))
    with pytest.raises(RuntimeError, match=r"the program made that connection"):
        _ray_connection.connect({}, wanted=True)
