"""Pickles that come back as they were."""

from __future__ import annotations

import subprocess
import sys
import threading
from typing import Any

import pytest

from wove.dispatch.pickling import dumps, dumps_exception, find_unpicklable, loads


class TwoArguments(Exception):
    def __init__(self, account: str, missing: float) -> None:
        super().__init__(f"{account} lacks {missing}")
        self.account = account
        self.missing = missing


class ConfigMissing(OSError):
    def __init__(self, path: str) -> None:
        super().__init__(2, "no configuration", path)


class KnowsBetter(Exception):
    def __init__(self, first: int, second: int) -> None:
        super().__init__("text")
        self.pair = (first, second)

    def __reduce__(self) -> tuple[Any, ...]:
        return (KnowsBetter, self.pair)


class OwnNew(Exception):
    def __new__(cls, *args: object) -> OwnNew:
        made = super().__new__(cls, *args)
        made.note = "made by __new__"
        return made

    note: str

    def __init__(self, text: str, number: int) -> None:
        super().__init__(text)
        self.number = number


class Unloadable(Exception):
    def __reduce__(self) -> tuple[Any, ...]:
        return (int, ("no number",))


class OtherType(Exception):
    def __reduce__(self) -> tuple[Any, ...]:
        return (ValueError, ("another",))


@pytest.mark.parametrize(
    "exc",
    [
        ValueError("plain"),
        TwoArguments("savings", 3.5),
        ConfigMissing("/etc/app.conf"),
        KnowsBetter(1, 2),
        OwnNew("text", 4),
        FileNotFoundError(2, "No such file", "gone.txt"),
        UnicodeDecodeError("utf-8", b"\xff", 0, 1, "invalid start byte"),
        KeyError("name"),
    ],
    ids=lambda exc: type(exc).__name__,
)
def test_an_exception_comes_back_as_itself(exc: Exception) -> None:
    data = dumps_exception(exc)
    assert data is not None
    copy = loads(data)
    assert type(copy) is type(exc)
    assert (str(copy), copy.args, vars(copy)) == (str(exc), exc.args, vars(exc))
    if isinstance(exc, OSError):
        assert (copy.errno, copy.filename) == (exc.errno, exc.filename)


def test_exceptions_inside_values_do_too() -> None:
    copy = loads(dumps({"failures": [TwoArguments("savings", 3.5)]}))["failures"][0]
    assert (type(copy), copy.missing) == (TwoArguments, 3.5)


@pytest.mark.parametrize("exc", [Unloadable("x"), OtherType("x")])
def test_what_does_not_load_as_itself_is_not_pickled(exc: Exception) -> None:
    assert dumps_exception(exc) is None


def test_what_holds_a_lock_is_not_pickled() -> None:
    exc = ValueError("x")
    exc.lock = threading.Lock()  # type: ignore[attr-defined]
    assert dumps_exception(exc) is None


def test_a_class_of_main_comes_back_as_the_same_class() -> None:
    # There and back again, as through a worker: the weave's `except Mine` must match.
    program = """
import subprocess, sys
from wove.dispatch.pickling import dumps, loads

class Mine(Exception):
    def __init__(self, a, b):
        super().__init__(f"{a} and {b}")
        self.b = b

def fail():
    raise Mine(1, 2)

worker = '''
import sys
from wove.dispatch.pickling import dumps_exception, loads
try:
    loads(sys.stdin.buffer.read())()
except Exception as exc:
    sys.stdout.buffer.write(dumps_exception(exc))
'''
back = subprocess.run([sys.executable, "-c", worker], input=dumps(fail), capture_output=True)
exc = loads(back.stdout)
print(type(exc) is Mine, exc, exc.b)
"""
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, timeout=30
    )
    assert done.stdout == "True 1 and 2 2\n", done.stderr


def test_a_pickled_exception_names_nothing_but_the_standard_library() -> None:
    # The published package's receiver, which has no such Wove, loads it.
    data = dumps_exception(TwoArguments("savings", 3.5))
    assert data is not None
    assert b"wove" not in data.replace(TwoArguments.__module__.encode(), b"")


@pytest.mark.parametrize(
    ("value", "path"),
    [
        (threading.Lock(), ""),
        ({"rows": [0, threading.Lock()]}, "['rows'][1]"),
        ((1, {"a": {"b": threading.Lock()}}), "[1]['a']['b']"),
        (TwoArguments("x", threading.Lock()), ".missing"),  # type: ignore[arg-type]
    ],
    ids=["itself", "list", "tuple", "attribute"],
)
def test_what_cannot_be_pickled_is_found(value: Any, path: str) -> None:
    assert find_unpicklable(value) == (path, "_thread.lock")


def test_an_exception_is_pickled_the_same_where_tblib_has_changed_how() -> None:
    """Dask has it do so, in every process that imports it."""
    code = """
import base64, sys
from wove.dispatch import pickling
import distributed

error = UnicodeDecodeError("utf-8", b"\\xff", 0, 1, "invalid start byte")
data = pickling.dumps([error])
assert b"tblib" not in data
assert str(pickling.loads(data)[0]) == str(error), str(pickling.loads(data)[0])
"""
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, timeout=60, check=False
    )
    assert done.returncode == 0, done.stderr
