"""A failure comes back as itself, or as a typed error that says where and why."""

from __future__ import annotations

import json
import subprocess
import sys
import threading
import types
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.adapters import tasks
from tests.adapters.backend import Backend
from wove import weave
from wove.errors import (
    DeliveryError,
    EnvironmentExecutionError,
    ErrorCode,
    ResultNotPicklableError,
)

Use = Callable[..., None]


def test_an_exception_comes_back_as_itself_with_the_remote_traceback(use: Use) -> None:
    use()
    with pytest.raises(tasks.Refused) as caught, weave() as w:

        @w.do(environment="remote")
        def refuse() -> None:
            raise tasks.Refused("not on Sundays", 7)

    assert caught.value.args == ("not on Sundays", 7)
    told = _told(caught.value)
    assert "in refuse" in told
    assert 'raise tasks.Refused("not on Sundays", 7)' in told


def test_an_exception_whose_init_takes_other_arguments(use: Use) -> None:
    use()
    with pytest.raises(tasks.Overdrawn) as caught, weave() as w:

        @w.do(environment="remote")
        def overdraw() -> None:
            raise tasks.Overdrawn("savings", 12.5)

    assert str(caught.value) == "savings is overdrawn by 12.5"
    assert (caught.value.account, caught.value.missing) == ("savings", 12.5)


SCRIPT = """
import json, sys
import wove

class Mine(Exception):
    def __init__(self, code, text):
        super().__init__(f"{code}: {text}")
        self.code = code

if __name__ == "__main__":
    wove.config(environments={"remote": json.loads(sys.argv[1])})
    try:
        with wove.weave() as w:
            @w.do(environment="remote")
            def fail():
                raise Mine(7, "of this script")
    except Mine as error:
        print(json.dumps([type(error) is Mine, error.code, str(error)]))
"""


def test_an_exception_of_a_class_of_the_main_script(backend: Backend, tmp_path: Path) -> None:
    script = tmp_path / "script.py"
    script.write_text(SCRIPT)
    done = subprocess.run(
        [sys.executable, str(script), json.dumps(backend.environment())],
        capture_output=True,
        text=True,
        timeout=50,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout) == [True, 7, "7: of this script"]


def test_a_result_that_cannot_be_pickled(use: Use) -> None:
    use()
    with pytest.raises(ResultNotPicklableError) as caught, weave() as w:

        @w.do(environment="remote")
        def locked() -> object:
            return threading.Lock()

    assert caught.value.code is ErrorCode.RESULT_NOT_PICKLABLE
    assert "lock" in str(caught.value)
    assert "locked" in str(caught.value)


def test_a_result_that_cannot_be_unpickled_here(use: Use) -> None:
    use()
    with pytest.raises(DeliveryError) as caught, weave() as w:

        @w.do(environment="remote")
        def foreign() -> object:
            return tasks.LoadsOnlyThere("as a value")

    assert caught.value.code is ErrorCode.RESULT_NOT_LOADABLE
    assert "in its own process only" in str(caught.value)


@pytest.mark.parametrize("kind", [tasks.Unloadable, tasks.LoadsOnlyThere])
def test_an_exception_that_cannot_be_unpickled(use: Use, kind: type[Exception]) -> None:
    use()
    with pytest.raises(EnvironmentExecutionError) as caught, weave(kind=kind) as w:

        @w.do(environment="remote")
        def fail(kind: type[Exception]) -> None:
            raise kind("why it failed")

    assert kind.__name__ in caught.value.payload["kind"]
    assert caught.value.payload["message"] == "why it failed"
    assert "in fail" in caught.value.payload["traceback"]
    assert "why it failed" in str(caught.value)


@pytest.mark.parametrize("kind", [SystemExit, KeyboardInterrupt])
def test_a_task_that_wants_to_end_its_process(use: Use, kind: type[BaseException]) -> None:
    use()
    with pytest.raises(EnvironmentExecutionError) as caught, weave(kind=kind) as w:

        @w.do(environment="remote")
        def leave(kind: type[BaseException]) -> None:
            raise kind(3)

    assert kind.__name__ in caught.value.payload["kind"]
    _still_works()


def test_an_async_task_that_wants_to_end_its_process(use: Use) -> None:
    use()
    with pytest.raises(EnvironmentExecutionError) as caught, weave() as w:

        @w.do(environment="remote")
        async def leave() -> None:
            sys.exit("enough")

    assert "SystemExit" in caught.value.payload["kind"]
    assert "enough" in caught.value.payload["message"]
    _still_works()


def _still_works() -> None:
    with weave() as w:

        @w.do(range(4), environment="remote")
        def after(n: int) -> int:
            return n

    assert w.result.after == [0, 1, 2, 3]


@pytest.fixture
def only_here() -> Iterator[types.ModuleType]:
    """A module that workers do not have."""
    module = types.ModuleType("only_in_this_process")
    exec("def work():\n    return 1\n", module.__dict__)
    sys.modules[module.__name__] = module
    yield module
    del sys.modules[module.__name__]


def test_a_worker_without_the_module_that_the_task_needs(
    use: Use, only_here: types.ModuleType
) -> None:
    use()
    with pytest.raises(DeliveryError) as caught, weave() as w:
        w.do(environment="remote")(only_here.work)

    assert caught.value.code is ErrorCode.PAYLOAD_NOT_LOADABLE
    assert "only_in_this_process" in str(caught.value)


def test_an_error_says_where_it_happened(use: Use, backend: Backend) -> None:
    use()
    with pytest.raises(DeliveryError) as caught, weave() as w:

        @w.do(environment="remote")
        def locked() -> object:
            return threading.Lock()

    error = caught.value
    (run,) = w.runs
    assert (error.task, error.environment, error.backend) == ("locked", "remote", backend.executor)
    assert error.run_id == run.run_id
    assert error.backend_job_id == run.backend_job_id
    assert run.backend_job_id
    assert run.state == "failed"
    assert run.error is error
    assert w.result.exception is error


def test_retries_are_new_runs_with_their_attempt(use: Use, tmp_path: Path) -> None:
    use()
    tries = tmp_path / "tries"
    with weave(tries=str(tries)) as w:

        @w.do(environment="remote", retries=3)
        def flaky(tries: str) -> int:
            tasks.note(tries)
            number = len(tasks.lines(tries))
            if number < 3:
                raise tasks.Refused(number)
            return number

    assert w.result.flaky == 3
    runs = w.result.runs
    assert [run.attempt for run in runs] == [0, 1, 2]
    assert [run.state for run in runs] == ["failed", "failed", "succeeded"]
    assert len({run.run_id for run in runs}) == 3
    assert [run.error.args for run in runs[:2]] == [(1,), (2,)]  # type: ignore[union-attr]


def test_the_last_exception_of_all_tries_is_kept(use: Use, tmp_path: Path) -> None:
    use()
    tries = tmp_path / "tries"
    with pytest.raises(tasks.Refused, match="2"), weave(tries=str(tries)) as w:

        @w.do(environment="remote", retries=1)
        def flaky(tries: str) -> None:
            tasks.note(tries)
            raise tasks.Refused(len(tasks.lines(tries)))

    assert len(tasks.lines(tries)) == 2


def test_an_error_that_is_returned(use: Use) -> None:
    use()
    with weave(error_mode="return") as w:

        @w.do(environment="remote")
        def refuse() -> None:
            raise tasks.Refused("kept")

    assert isinstance(w.result.refuse, tasks.Refused)


def _told(error: BaseException) -> str:
    import traceback

    return "".join(traceback.format_exception(type(error), error, error.__traceback__))
