"""buf lint, format and breaking over the proto files, and the generated code; all offline."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from scripts.generate import IMAGE, ROOT, STUBS, made_files

BUF = Path(sys.executable).parent / "buf"


def buf(*arguments: str, cwd: Path = ROOT) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [str(BUF), *arguments], cwd=cwd, capture_output=True, text=True, timeout=60, check=False
    )


def output(done: subprocess.CompletedProcess[str]) -> str:
    return done.stdout + done.stderr


def test_lint() -> None:
    done = buf("lint")
    assert done.returncode == 0, output(done)


def test_format() -> None:
    done = buf("format", "--diff", "--exit-code")
    assert done.returncode == 0, output(done)


def test_nothing_breaks_the_committed_image() -> None:
    done = buf("breaking", "--against", str(IMAGE))
    assert done.returncode == 0, output(done)


@pytest.fixture
def copy(tmp_path: Path) -> Path:
    """A copy of the module that a test may change."""
    shutil.copy(ROOT / "buf.yaml", tmp_path)
    shutil.copytree(ROOT / "proto", tmp_path / "proto")
    return tmp_path


def edit(copy: Path, file: str, old: str, new: str) -> None:
    path = copy / "proto" / "wovepb" / "v1" / file
    text = path.read_text("utf-8")
    assert text.count(old) == 1
    path.write_text(text.replace(old, new), "utf-8")


BREAKS = {
    "a renamed json_name": (
        "event.proto",
        'string worker_id = 1 [json_name = "worker_id"]',
        'string worker_id = 1 [json_name = "workerId"]',
    ),
    "a changed type": (
        "event.proto",
        "uint32 sequence = 8",
        "string sequence = 8",
    ),
    "a removed field": (
        "event.proto",
        '  bool forced = 2 [json_name = "forced"];\n',
        "",
    ),
    "a changed number": ("event.proto", "uint32 sequence = 8", "uint32 sequence = 9"),
    "a field that leaves its oneof": (
        "event.proto",
        'string result_json = 2 [json_name = "result_json"];\n  }',
        '}\n  string result_json = 2 [json_name = "result_json"];',
    ),
    "a removed reservation": ("event.proto", '  reserved "result";\n', ""),
    "a field that loses its presence": (
        "payload.proto",
        "optional uint32 max_event_bytes",
        "uint32 max_event_bytes",
    ),
    "a removed message": ("command.proto", "message Shutdown {}", "message Stop {}"),
    "another package": ("summary.proto", "package wove.v1;", "package wove.v2;"),
}

ADDITION = (
    "event.proto",
    "}\n\n// TaskResult carries",
    '  string user = 5 [json_name = "user"];\n}\n\n// TaskResult carries',
)


@pytest.mark.parametrize("change", BREAKS.values(), ids=BREAKS)
def test_a_breaking_change_is_caught(copy: Path, change: tuple[str, str, str]) -> None:
    edit(copy, *change)
    if change[0] == "command.proto":  # what refers to it follows, so that it compiles
        edit(copy, "command.proto", "Shutdown shutdown", "Stop shutdown")

    built = buf("build", cwd=copy)
    done = buf("breaking", "--against", str(ROOT / IMAGE), cwd=copy)

    assert built.returncode == 0, output(built)
    assert done.returncode == 100, output(done)
    assert change[0] in output(done)


def test_an_added_field_is_no_breaking_change(copy: Path) -> None:
    edit(copy, *ADDITION)

    done = buf("breaking", "--against", str(ROOT / IMAGE), cwd=copy)

    assert done.returncode == 0, output(done)


def run_generate(
    root: Path, *arguments: str, timeout: float = 60
) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, str(root / "scripts" / "generate.py"), *arguments],
        capture_output=True,
        text=True,
        timeout=timeout,
        check=False,
        env={**os.environ, "PYTHONDONTWRITEBYTECODE": "1"},
    )


@pytest.fixture
def repository(copy: Path) -> Path:
    """What scripts/generate.py reads and writes, to be changed."""
    shutil.copy(ROOT / "buf.gen.yaml", copy)
    shutil.copytree(ROOT / STUBS, copy / STUBS, ignore=shutil.ignore_patterns("__pycache__"))
    (copy / "scripts").mkdir()
    for name in ("generate.py", "protoc_gen_grpc_python.py"):
        shutil.copy(ROOT / "scripts" / name, copy / "scripts")
    return copy


def test_the_committed_stubs_and_image_are_what_the_protos_make() -> None:
    done = run_generate(ROOT, "--check")
    assert done.returncode == 0, output(done)


def test_check_names_stubs_and_image_that_are_not_up_to_date(repository: Path) -> None:
    edit(repository, *ADDITION)
    stale = repository / STUBS / "old_pb2.py"
    stale.write_text("")

    done = run_generate(repository, "--check")

    assert done.returncode == 1
    named = [line.split(" is not")[0] for line in done.stderr.splitlines()]
    assert named == [
        f"{STUBS}/event_pb2.py",
        f"{STUBS}/event_pb2.pyi",
        f"{STUBS}/old_pb2.py",
        str(IMAGE),
    ]
    assert stale.exists()


@pytest.mark.slow
@pytest.mark.timeout(600)
def test_check_names_stubs_of_every_language(tmp_path: Path) -> None:
    """One that was changed by hand and one too many, of each."""
    made = shutil.ignore_patterns("target", "node_modules", "dist", "__pycache__")
    for name in ("generated", "proto", "scripts", "workers"):
        shutil.copytree(ROOT / name, tmp_path / name, symlinks=True, ignore=made)
    for path in ROOT.glob("buf*.yaml"):
        shutil.copy(path, tmp_path)
    wrong = []
    for stub in (
        "generated/go/wovepb/v1/ack.pb.go",
        "generated/java/dev/wove/v1/EventAck.java",
        "generated/python/wovepb/v1/ack_pb2.py",
        "generated/rust/src/wove.v1.rs",
        "generated/typescript/wovepb/v1/ack_pb.ts",
    ):
        path = tmp_path / stub
        extra = path.with_name(f"old_{path.name}")
        extra.write_text("")
        path.write_text(path.read_text("utf-8") + "\n", "utf-8")
        wrong += [stub, str(extra.relative_to(tmp_path))]

    done = run_generate(tmp_path, "--check", timeout=500)

    assert done.returncode == 1
    named = [line.split(" is not")[0] for line in done.stderr.splitlines() if " is not" in line]
    assert sorted(named) == sorted(wrong)


def test_generate_takes_in_an_addition(repository: Path) -> None:
    edit(repository, *ADDITION)
    (repository / STUBS / "old_pb2.py").write_text("")

    assert run_generate(repository).returncode == 0
    done = run_generate(repository, "--check")

    assert done.returncode == 0, output(done)
    assert b"user" in (repository / IMAGE).read_bytes()


def test_generate_writes_nothing_for_a_breaking_change(repository: Path) -> None:
    edit(repository, *BREAKS["a removed field"])
    before = written(repository)

    done = run_generate(repository)

    assert done.returncode != 0
    assert "forced" in output(done)
    assert written(repository) == before


def written(repository: Path) -> dict[Path, bytes]:
    return {path: (repository / path).read_bytes() for path in made_files(repository)}


@pytest.mark.parametrize("arguments", [(), ("--check",)])
def test_nothing_is_made_without_the_image(repository: Path, arguments: tuple[str, ...]) -> None:
    (repository / IMAGE).unlink()

    done = run_generate(repository, *arguments)

    assert done.returncode == 1
    assert f"{IMAGE} is missing" in done.stderr
    assert not (repository / IMAGE).exists()


def test_a_new_image_is_made_when_asked_for(repository: Path) -> None:
    (repository / IMAGE).unlink()

    assert run_generate(repository, "--new").returncode == 0
    assert (repository / IMAGE).read_bytes() == (ROOT / IMAGE).read_bytes()
