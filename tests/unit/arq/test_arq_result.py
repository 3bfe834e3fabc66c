"""Ends of jobs are read without making any object of what a worker pickled."""

from __future__ import annotations

import asyncio
import collections
import io
import json
import os
import pickle
from pathlib import Path
from typing import Any

import pytest
from tblib.pickling_support import pickle_exception

from wove.errors import CallbackUnreachableError, EnvironmentExecutionError
from wove.integrations._arq_result import ArqResult, read_result
from wove.integrations._reporting import TaskFailedError


class Plain(pickle.Pickler):
    """Pickles exceptions as Python does, whatever has been imported in this process."""

    def reducer_override(self, found: object) -> Any:
        return found.__reduce__() if isinstance(found, BaseException) else NotImplemented


class WithTblib(pickle.Pickler):
    """Pickles exceptions as where tblib is loaded, which `import distributed` does."""

    def reducer_override(self, found: object) -> Any:
        return pickle_exception(found) if isinstance(found, BaseException) else NotImplemented


def kept(
    result: Any, *, success: bool = False, pickler: type[pickle.Pickler] = pickle.Pickler
) -> bytes:
    """What arq keeps of an end, of which these are the fields that matter."""
    buffer = io.BytesIO()
    pickler(buffer).dump({"t": 1, "f": "f", "a": ({},), "s": success, "r": result})
    return buffer.getvalue()


class Keyed(Exception):
    def __init__(self, *args: object) -> None:
        super().__init__(*args)
        self.counts = collections.Counter("abc")
        self.name = self.text = self


@pytest.mark.parametrize(
    ("error", "kind", "message"),
    [
        (TaskFailedError("LookupError: no such account"), "TaskFailedError", "LookupError: no"),
        (CallbackUnreachableError("nobody at http://h/"), "CallbackUnreachableError", "nobody at"),
        (EnvironmentExecutionError("far away", {"kind": "K"}), "EnvironmentExecutionError", "far"),
        (KeyError("x"), "KeyError", "x"),
        (asyncio.CancelledError(), "CancelledError", ""),
        (Keyed(collections.OrderedDict(a=[1]), "why"), "Keyed", "why"),
        ("unable to serialize result", "", "unable to serialize result"),
    ],
)
@pytest.mark.parametrize("pickler", [Plain, WithTblib])
def test_a_failure_is_told_by_its_class_and_its_text(
    error: Any, kind: str, message: str, pickler: type[pickle.Pickler]
) -> None:
    found = read_result(kept(error, pickler=pickler), None)
    assert (found.success, found.kind) == (False, kind)
    assert found.message.startswith(message)


def test_a_success() -> None:
    assert read_result(kept({"outcome": "succeeded"}, success=True), None) == ArqResult(True)


class Deadly:
    def __init__(self, path: str) -> None:
        self.path = path

    def __reduce__(self) -> tuple[Any, ...]:
        return (os.mkdir, (self.path,))


def test_nothing_that_was_pickled_is_run(tmp_path: Path) -> None:
    found = read_result(kept(Deadly(str(tmp_path / "made"))), None)
    assert not (tmp_path / "made").exists()
    assert found.kind == "mkdir"


def test_the_users_own_way_to_read_jobs_is_respected() -> None:
    data = json.dumps({"s": False, "r": "unable to serialize result"}).encode()
    assert read_result(data, json.loads).words == "unable to serialize result"
    assert read_result(kept(ValueError("why")), pickle.loads).words == "ValueError: why"


@pytest.mark.parametrize("data", [b"", b"\x80nonsense", pickle.dumps({"s": True}), pickle.dumps(7)])
def test_what_cannot_be_read_is_a_failure_that_says_so(data: bytes) -> None:
    found = read_result(data, None)
    assert not found.success
    assert "cannot be read" in found.words


class Within:
    """Pickled as made with a dictionary that holds itself as its arguments."""

    def __init__(self, args: object = None) -> None:
        self.args = args

    def __reduce__(self) -> Any:
        if self.args is not None:
            return Within, ({"args": self.args},)
        within: dict[str, Any] = {}
        within["args"] = (within,)
        return Within, (within,)


@pytest.mark.parametrize("strange", [Within(), Within(5), Within("text")])
def test_what_was_made_to_confuse_its_reader_ends(strange: Within) -> None:
    assert read_result(kept(strange), None) == ArqResult(False, "Within", "")


class Unprintable(Exception):
    def __str__(self) -> str:
        raise ValueError("no")


def test_an_error_that_cannot_be_printed_is_no_trouble_for_other_jobs() -> None:
    """A deserializer of the user's makes real exceptions."""
    found = read_result(b"", lambda _: {"s": False, "r": Unprintable()})
    assert found == ArqResult(False, "", "the kept result cannot be read (ValueError)")
