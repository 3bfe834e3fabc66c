"""Which backends' tests run in which environment."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests import chosen
from tests.services import ROOT


def test_all_but_those_with_an_environment_of_their_own(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv(chosen.VARIABLE, raising=False)
    assert (chosen.is_chosen("rq"), chosen.is_chosen("arq")) == (True, False)
    monkeypatch.setenv(chosen.VARIABLE, "arq")
    assert (chosen.is_chosen("rq"), chosen.is_chosen("arq")) == (False, True)
    monkeypatch.setenv(chosen.VARIABLE, "arq,rq")
    assert chosen.is_chosen("rq")


@pytest.mark.parametrize(
    ("path", "backend"),
    [
        ("tests/backends/arq", "arq"),
        ("tests/backends/arq/test_arq_jobs.py", None),  # its folder has been asked about
        ("tests/e2e/test_arq_example.py", "arq"),
        ("tests/backends/weaves.py", None),
        ("tests/unit/arq", None),
        ("tests/e2e/test_commands.py", None),
    ],
)
def test_what_belongs_to_one_backend(path: str, backend: str | None) -> None:
    assert (ROOT / path).exists()
    assert chosen.backend_of(Path(ROOT / path)) == backend
