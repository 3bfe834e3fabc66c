"""Keep the contract of a release: its image and its golden vectors, for ever.

    python scripts/freeze_contract.py v1.0

Writes tests/contract/released/v1.0. tests/contract/test_released.py holds every later contract
against all that are there. What is there is never written again: a release is a fact.
"""

from __future__ import annotations

import shutil
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
IMAGE = ROOT / "proto" / "contract.binpb"
VECTORS = ROOT / "tests" / "contract" / "vectors"
RELEASED = ROOT / "tests" / "contract" / "released"


def main(arguments: list[str]) -> int:
    """Copy the files; 1 if that release is there already."""
    if len(arguments) != 1:
        print(__doc__, file=sys.stderr)
        return 2
    folder = RELEASED / arguments[0]
    if folder.exists():
        print(f"{folder} is there: what was released does not change", file=sys.stderr)
        return 1
    (folder / "vectors").mkdir(parents=True)
    shutil.copy(IMAGE, folder)
    for path in sorted(VECTORS.glob("*.json")):
        shutil.copy(path, folder / "vectors")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
