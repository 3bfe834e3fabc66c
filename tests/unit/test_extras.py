"""What `pip install "wove[...]"` brings."""

from __future__ import annotations

import importlib.metadata
import re

APART = {"arq"}
"""Their packages contradict those of others: `all` could not be installed with them."""


def test_all_is_every_extra_that_can_stand_beside_the_others() -> None:
    found: dict[str, set[str]] = {}
    for line in importlib.metadata.requires("wove") or []:
        requirement, _, extra = line.partition("; extra == ")
        if extra:
            found.setdefault(extra.strip("\"'"), set()).add(re.split(r"[<>=\[ ]", requirement)[0])
    together = set().union(*(names for extra, names in found.items() if extra not in APART))
    assert found["all"] == together
    assert "arq" in found["arq"]
    assert "arq" not in found["all"]
