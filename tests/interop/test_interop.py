"""Our weave with the published package's worker, and its weave with our worker."""

from __future__ import annotations

import hashlib
import json
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

import wove
from tests.faults.programs import Programs
from tests.interop import cases
from wove import BackendAdapterEnvironmentExecutor, weave

pytestmark = pytest.mark.xdist_group("interop")

HERE = Path(__file__).parent


@pytest.fixture
def theirs(published_python: str) -> Iterator[None]:
    """The environment "theirs": workers of the published package."""
    executor = BackendAdapterEnvironmentExecutor("programs", adapter_class=Programs)
    wove.config(
        environments={
            "theirs": {
                "executor": executor,
                "executor_config": {"argv": [published_python, str(HERE / "worker.py")]},
                "delivery_timeout": 40.0,
            }
        }
    )
    yield
    wove.config(environments={"theirs": None})


@pytest.mark.usefixtures("theirs")
@pytest.mark.parametrize(
    ("task", "arguments"),
    [
        (cases.value, {"base": 7}),
        (cases.nothing, {"base": 7}),
        (cases.large, {"block": cases.MEBIBYTE}),
    ],
)
def test_a_worker_of_the_published_package_reports_to_our_receiver(
    task: Callable[..., Any], arguments: dict[str, Any]
) -> None:
    with weave(**arguments) as w:
        w.do(environment="theirs")(task)

    assert w.result[task.__name__] == task(**arguments)
    (run,) = w.result.runs
    assert run.state == "succeeded"


@pytest.mark.usefixtures("theirs")
def test_an_async_task_in_a_worker_of_the_published_package() -> None:
    with weave(base=1) as w:
        w.do(environment="theirs")(cases.awaited)

    assert w.result.awaited == 2


@pytest.mark.usefixtures("theirs")
def test_an_exception_in_a_worker_of_the_published_package() -> None:
    with pytest.raises(LookupError) as caught, weave(base=7) as w:
        w.do(environment="theirs")(cases.fail)

    assert type(caught.value) is LookupError
    assert caught.value.args == ("no such account", 7)
    (run,) = w.runs
    assert run.state == "failed"


@pytest.mark.usefixtures("theirs")
def test_several_items_in_workers_of_the_published_package() -> None:
    with weave() as w:

        @w.do(range(4), environment="theirs")
        def squared(n: int) -> int:
            return n * n

    assert w.result.squared == [0, 1, 4, 9]


def test_our_worker_reports_to_the_receiver_of_the_published_package(
    published_python: str,
) -> None:
    done = subprocess.run(
        [published_python, str(HERE / "their_weave.py"), sys.executable],
        capture_output=True,
        text=True,
        timeout=55,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    found = json.loads(done.stdout.splitlines()[-1])
    assert found["value"] == cases.value(7)
    assert found["awaited"] == 8
    assert found["nothing"] is None
    assert found["large"] == hashlib.sha256(cases.large(cases.MEBIBYTE)).hexdigest()
    assert found["fail"] == ["LookupError", ["no such account", 7]]
