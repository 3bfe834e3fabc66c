"""Make the stubs in `generated/` from `proto/`, with the pinned tools of the `contract` group.

    python scripts/generate.py             write the stubs and the image proto/contract.binpb
    python scripts/generate.py --check     compare with a fresh run; exit 1 on a difference
    python scripts/generate.py --new       the same as without, where there is no image yet
    python -m pytest tests/contract        the contract's tests: buf lint, format and breaking,
                                           golden vectors, recorded callbacks

The image is what `buf breaking` compares with. It takes in additions, so that they are
guarded from then on; a change that breaks it stops this script before anything is written,
and so does a missing image: without it, anything would pass.
"""

from __future__ import annotations

import argparse
import filecmp
import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
STUBS = Path("generated/python/wovepb/v1")
MADE = {
    "python": ("generated/python/wovepb/v1", "*_pb2*.py*"),
    "go": ("generated/go", "**/*.pb.go"),
    "java": ("generated/java", "**/*.java"),
    "typescript": ("generated/typescript", "**/*_pb.ts"),
}
"""Where the stubs of each language are, and which files there are made by this script."""
IMAGE = Path("proto/contract.binpb")
RUST_STUBS = Path("generated/rust/src")
RUST = ROOT / "scripts" / "stubs_rust"
"""Makes the Rust stubs without buf, by the same crates that compile them."""


def buf(*arguments: str, path: str = "") -> None:
    """Run the pinned `buf`, with this interpreter as the `python` of buf.gen.yaml.

    Args:
        arguments: of buf.
        path: a folder of plugins.
    """
    tools = Path(sys.executable).parent
    folders = [str(tools), path, os.environ.get("PATH", "")]
    environment = {**os.environ, "PATH": os.pathsep.join(each for each in folders if each)}
    subprocess.run([str(tools / "buf"), *arguments], cwd=ROOT, env=environment, check=True)


def languages() -> list[str]:
    """Those that this repository has stubs for by buf, beside Python."""
    return [name for name in MADE if (ROOT / f"buf.gen.{name}.yaml").exists()]


def make_other(language: str, target: Path) -> None:
    """The stubs of another language; its script brings the pinned plugins."""
    script = str(ROOT / "scripts" / f"stubs_{language}")
    template = f"buf.gen.{language}.yaml"
    told = subprocess.run([script], cwd=ROOT, check=True, stdout=subprocess.PIPE, text=True)
    folder = told.stdout.strip().splitlines()[-1]
    arguments = ["generate", "--template", template, "--output", str(target)]
    buf(*arguments, path=folder if Path(folder).is_dir() else "")


def make(target: Path) -> None:
    """Write stubs and image below `target`, laid out as in the repository."""
    (target / IMAGE).parent.mkdir(parents=True, exist_ok=True)
    buf("generate", "--output", str(target))
    for language in languages():
        make_other(language, target)
    buf("build", "--exclude-source-info", "--output", str(target / IMAGE))


def made_files(root: Path) -> set[Path]:
    """The files under `root` that this script makes, relative to it."""
    stubs = (
        path.relative_to(root)
        for folder, pattern in MADE.values()
        for path in (root / folder).glob(pattern)
    )
    return {*stubs, IMAGE}


def differences(fresh: Path) -> list[Path]:
    """Files that differ between the repository and a fresh run, or are in one only."""
    return sorted(
        path
        for path in made_files(ROOT) | made_files(fresh)
        if not (ROOT / path).is_file()
        or not (fresh / path).is_file()
        or not filecmp.cmp(ROOT / path, fresh / path, shallow=False)
    )


def main() -> int:
    """Generate, or compare."""
    parser = argparse.ArgumentParser(description="Make the stubs in generated/ from proto/.")
    parser.add_argument("--check", action="store_true", help="compare only, write nothing")
    parser.add_argument("--new", action="store_true", help="make the image, which is not there")
    arguments = parser.parse_args()
    check = arguments.check
    if (ROOT / IMAGE).exists():
        buf("breaking", "--against", str(IMAGE))
    elif check or not arguments.new:
        print(f"{IMAGE} is missing: restore it from git (or start anew: --new)", file=sys.stderr)
        return 1
    rust_fails = (ROOT / RUST_STUBS).exists() and subprocess.run(
        [RUST, "check" if check else "generate"]
    ).returncode
    if rust_fails and not check:
        return 1
    with tempfile.TemporaryDirectory() as name:
        fresh = Path(name)
        make(fresh)
        changed = differences(fresh)
        if check:
            for path in changed:
                print(f"{path} is not what proto/ makes: run `make generate`", file=sys.stderr)
            return 1 if changed or rust_fails else 0
        for path in changed:
            (ROOT / path).parent.mkdir(parents=True, exist_ok=True)
            if (fresh / path).is_file():
                shutil.copyfile(fresh / path, ROOT / path)
            else:
                (ROOT / path).unlink()
            print(path)
    return 0


if __name__ == "__main__":
    sys.exit(main())
