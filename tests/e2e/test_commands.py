"""The commands that a new user types."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import textwrap
from pathlib import Path

import pytest

from tests.services import ROOT, free_port


def run(
    *argv: str, env: dict[str, str] | None = None, cwd: Path = ROOT
) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        argv,
        cwd=cwd,
        env={**os.environ, **(env or {})},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=55,
        check=False,
    )


def folder_with(path: Path, *programs: str) -> str:
    """A PATH of these programs only."""
    path.mkdir()
    for program in programs:
        found = shutil.which(program)
        assert found is not None
        (path / program).symlink_to(found)
    return str(path)


BASICS = ("bash", "env", "dirname", "cat", "sha256sum", "cut", "mkdir", "rm", "id", "sed", "tail")


def test_help_is_the_default_and_lists_the_targets() -> None:
    done = run("make")
    assert done.returncode == 0
    for target in ("demo", "test", "check", "lint", "format", "generate", "bench", "clean"):
        assert f"make {target} " in done.stdout


def test_the_demo_runs_one_task_here_and_one_in_a_worker_process() -> None:
    done = run(sys.executable, "scripts/demo.py", "process")
    assert done.returncode == 0, done.stdout + done.stderr
    assert "average = 3.875, made in process" in done.stdout


def test_the_demo_through_celery(host_redis: dict[str, str]) -> None:
    done = run(sys.executable, "scripts/demo.py", "celery", env=host_redis)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "balance 495" in done.stdout
    example = (ROOT / "workers" / "python" / "celery" / "example.py").read_text()
    assert all(line.strip() in done.stdout for line in example.splitlines())


def test_the_demo_starts_a_redis_where_there_is_none() -> None:
    script = f"""
        import os, socket
        import demo_celery
        demo_celery.PORT = {free_port()}
        demo_celery._resolves = lambda host: False  # a network may have a host of that name
        with demo_celery._redis() as address:
            with socket.create_connection((address, demo_celery.PORT), timeout=5) as redis:
                redis.sendall(b"CONFIG GET dir\\r\\n")
                assert b"dir" in redis.recv(1000)
        assert not demo_celery._is_taken(demo_celery.PORT)
    """
    path = os.pathsep.join([str(ROOT / "scripts"), os.environ["PYTHONPATH"]])
    done = run(sys.executable, "-c", textwrap.dedent(script), env={"PYTHONPATH": path})
    assert done.returncode == 0, done.stdout + done.stderr
    assert "started at 127.0.0.1" in done.stdout


def test_an_unknown_demo_names_the_known() -> None:
    done = run(sys.executable, "scripts/demo.py", "pigeon")
    assert done.returncode == 1
    assert "process, celery" in done.stderr


@pytest.mark.parametrize(("level", "folder"), [("dev", ".venv"), ("arq", ".venv-arq")])
def test_a_second_setup_does_nothing(tmp_path: Path, level: str, folder: str) -> None:
    """With the stamp in place nothing is looked for: not even Python on PATH."""
    for name in ("pyproject.toml", "scripts/setup"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        shutil.copy(ROOT / name, tmp_path / name)
    python = tmp_path / folder / "bin" / "python"
    python.parent.mkdir(parents=True)
    python.symlink_to(sys.executable)
    wanted = run(
        "bash", "-c", "cat pyproject.toml scripts/setup | sha256sum | cut -d' ' -f1", cwd=tmp_path
    ).stdout
    (tmp_path / folder / f".wove-{level}").write_text(wanted)
    done = run(
        str(tmp_path / "scripts" / "setup"),
        level,
        env={"PATH": folder_with(tmp_path / "bin", *BASICS)},
        cwd=tmp_path,
    )
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")


def test_setup_without_python_says_what_to_install(tmp_path: Path) -> None:
    for name in ("pyproject.toml", "scripts/setup"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        shutil.copy(ROOT / name, tmp_path / name)
    done = run(
        str(tmp_path / "scripts" / "setup"),
        env={"PATH": folder_with(tmp_path / "bin", *BASICS)},
        cwd=tmp_path,
    )
    assert done.returncode == 1
    assert "Python 3.10 or newer is needed" in done.stderr
    assert "apt-get install python3" in done.stderr


@pytest.mark.parametrize(
    ("programs", "words"),
    [((), "there is no apt-get here"), (("apt-get",), "needs root or sudo")],
)
def test_services_that_cannot_be_installed(
    tmp_path: Path, programs: tuple[str, ...], words: str
) -> None:
    bin_folder = Path(folder_with(tmp_path / "bin", "bash", "env", "dirname"))
    for program in programs:
        (bin_folder / program).symlink_to("/bin/false")
    (bin_folder / "id").write_text("#!/bin/bash\necho 1000\n")  # somebody who is not root
    (bin_folder / "id").chmod(0o755)
    script = (ROOT / "scripts" / "services").read_text()
    # Where the services are installed on this machine does not count here.
    copy = tmp_path / "services"
    copy.write_text(script.replace(":/usr/sbin", "").replace(":/usr/lib/rabbitmq/bin", ""))
    copy.chmod(0o755)
    shutil.copy(ROOT / "scripts" / "apt", tmp_path / "apt")
    done = run(str(copy), "redis", env={"PATH": str(bin_folder)})
    assert done.returncode == 1
    assert words in done.stderr
    assert "redis-server" in done.stderr


def test_services_that_are_there_need_nothing() -> None:
    done = run(str(ROOT / "scripts" / "services"), "redis", "rabbitmq")
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")


def test_rust_is_found_where_apts_lists_are_empty(tmp_path: Path) -> None:
    """As in an image of Debian; apt and root are stand-ins, so that nothing is installed."""
    programs = folder_with(
        tmp_path / "bin", "bash", "dirname", "env", "sed", "sort", "head", "cut", "cat", "touch"
    )
    lists = tmp_path / "lists"
    scripts = {
        "apt-cache": f'[ -e {lists} ] && [ "$2" = rustc-web ] && echo "  Candidate: 1.96.0+x"',
        "apt-get": f"""case $1 in
            update) touch {lists} ;;
            install) for name in cargo rustc; do
                printf '#!/bin/sh\\necho rustc 1.96.0\\n' >{programs}/$name
                {shutil.which("chmod")} +x {programs}/$name
            done ;;
        esac""",
        "id": "echo 0",
        "tee": "cat >/dev/null",
        "chmod": "",
        "rm": "",
    }
    for name, text in scripts.items():
        path = Path(programs) / name
        path.write_text(f"#!{shutil.which('bash')}\n{text}\n")
        path.chmod(0o755)

    env = {"PATH": programs, "XDG_CACHE_HOME": str(tmp_path), "HOME": str(tmp_path)}
    done = run("scripts/toolchains", "rust", env=env)

    assert done.returncode == 0, done.stderr
    assert "installing rustc-web" in done.stderr
