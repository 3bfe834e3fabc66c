"""`wove.config` and configuration files."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

import wove
from tests.unit.weave.forms import Flaky
from wove import weave
from wove.runtime import runtime


def _tries(**options: Any) -> int:
    """How often a failing task is tried under the present configuration."""
    flaky = Flaky(100)
    with weave(error_mode="defer") as w:
        w.do(**options)(lambda: flaky())
    return flaky.calls


def test_it_returns_the_live_configuration() -> None:
    live = wove.config(default_environment="default", retries=2)
    assert live is runtime
    assert live.default_environment == "default"
    assert "default" in live.environments
    assert live.global_defaults["retries"] == 2
    assert wove.config(retries=3) is live
    assert live.global_defaults["retries"] == 3


def test_snapshot_is_a_copy() -> None:
    live = wove.config(environments={"e": {"executor": "local", "retries": 1}}, retries=2)
    snapshot = live.snapshot()
    wove.config(environments={"e": {"retries": 5}}, retries=6)
    assert "5" not in repr(snapshot)
    assert "6" not in repr(snapshot)


def test_assigning_to_the_live_configuration_works() -> None:
    live = wove.config(retries=0)
    live.global_defaults = {"retries": 2}
    assert _tries() == 3
    live.environments = {"other": {"executor": "local", "retries": 3}}
    live.default_environment = "other"
    assert _tries() == 4
    assert _tries(environment="default") == 3  # `default` always exists


def test_it_merges_into_what_is_there() -> None:
    wove.config(environments={"a": {"executor": "local", "retries": 1}}, timeout=60)
    wove.config(environments={"b": {"executor": "local", "retries": 2}}, retries=3)
    assert _tries(environment="a") == 2
    assert _tries(environment="b") == 3
    assert _tries() == 4
    assert runtime.global_defaults["timeout"] == 60


def test_environments_merge_key_by_key_and_executor_config_is_replaced_whole() -> None:
    wove.config(
        environments={"e": {"executor": "local", "retries": 1, "executor_config": {"a": 1, "b": 2}}}
    )
    wove.config(environments={"e": {"timeout": 60, "executor_config": {"c": 3}}})
    environment = runtime.environments["e"]
    assert environment["executor"] == "local"
    assert environment["retries"] == 1
    assert environment["timeout"] == 60
    assert environment["executor_config"] == {"c": 3}


class _Adapter(wove.BackendAdapter): ...


class _Executor(wove.EnvironmentExecutor): ...


@pytest.mark.parametrize(
    ("executor", "said"),
    [
        (3, "not int$"),
        (_Adapter, r"not the class _Adapter; .*Executor\('a name of yours', adapter_class=_Adap"),
        (_Executor, r"not the class _Executor; make an object of it: _Executor\(\)"),
    ],
)
def test_what_is_no_executor_is_told_what_to_be(executor: object, said: str) -> None:
    with pytest.raises(ValueError, match="executor of environment 'e' .*" + said):
        wove.config(environments={"e": {"executor": executor}})
    assert "e" not in runtime.environments


def test_config_is_the_old_name_of_executor_config() -> None:
    wove.config(environments={"e": {"executor": "local", "config": {"a": 1}}})
    assert runtime.environments["e"]["executor_config"] == {"a": 1}


def test_what_the_caller_passed_is_not_changed_nor_kept() -> None:
    given = {"e": {"executor": "local", "config": {"a": 1}}}
    wove.config(environments=given)
    assert given == {"e": {"executor": "local", "config": {"a": 1}}}
    given["e"]["executor"] = "celery"
    assert runtime.environments["e"]["executor"] == "local"


def test_an_environment_given_as_none_is_removed() -> None:
    wove.config(environments={"e": {"executor": "local"}})
    wove.config(environments={"e": None})
    with pytest.raises(NameError, match="Environment 'e' is not configured"), weave() as w:
        w.do(environment="e")(lambda: 1)


def test_environment_default_always_exists() -> None:
    wove.config(environments={"default": None})
    assert _tries() == 1


@pytest.mark.parametrize("error_mode", ["raise", "defer", "return"])
def test_an_unknown_environment_is_a_name_error_when_a_weave_uses_it(error_mode: str) -> None:
    ran = []
    with (
        pytest.raises(NameError, match="Environment 'x' is not configured"),
        weave(error_mode=error_mode) as w,
    ):
        w.do(lambda: ran.append(1))

        @w.do(environment="x")
        def task() -> None: ...

    assert ran == []


def test_an_unknown_default_environment_is_a_name_error_when_a_weave_uses_it() -> None:
    wove.config(default_environment="x")
    with pytest.raises(NameError, match="Environment 'x' is not configured"), weave() as w:
        w.do(lambda: 1)
    with (
        pytest.raises(NameError, match="Environment 'y' is not configured"),
        weave(environment="y") as w,
    ):
        w.do(lambda: 1)


def test_an_unknown_executor_is_a_value_error_that_lists_the_known() -> None:
    with pytest.raises(ValueError, match="nonsense") as caught:
        wove.config(environments={"e": {"executor": "nonsense"}})
        with weave() as w:
            w.do(environment="e")(lambda: 1)
    for known in ("local", "process", "celery"):
        assert known in str(caught.value)


@pytest.mark.parametrize("error_mode", ["raise", "defer", "return"])
def test_a_missing_package_is_named_with_its_install_command(
    monkeypatch: pytest.MonkeyPatch, error_mode: str
) -> None:
    import sys

    monkeypatch.setitem(sys.modules, "celery", None)  # as if it were not installed
    wove.config(environments={"queue": {"executor": "celery"}})  # no error yet
    with weave() as w:
        w.do(lambda: 1)  # nor when nothing runs there
    with (
        pytest.raises(
            RuntimeError,
            match=r"celery executor requested, but dependency `celery` is not installed\. "
            r"Install with: pip install celery",
        ),
        weave(error_mode=error_mode) as w,
    ):
        w.do(environment="queue")(lambda: 1)


@pytest.mark.parametrize(
    ("settings", "meant"),
    [
        ({"retrys": 1}, "retries"),
        ({"enviroments": {}}, "environments"),
        ({"default_enviroment": "bulk"}, "default_environment"),
        ({"Max_Workers": 3}, "max_workers"),
        ({"environments": {"bulk": {"excutor": "local"}}}, "executor"),
        ({"environments": {"bulk": {"executor_conf": {}}}}, "executor_config"),
        ({"environments": {"bulk": {"allow_pickel": False}}}, "allow_pickle"),
        ({"environments": {"bulk": {"time_out": 3}}}, "timeout"),
    ],
)
def test_a_misspelt_setting_is_told_the_nearest_one(settings: Any, meant: str) -> None:
    with pytest.raises(TypeError, match=f"Did you mean '{meant}'") as caught:
        wove.config(**settings)
    where = "environment 'bulk'" if "environments" in settings else "config()"
    assert str(caught.value).startswith(where)


def test_a_misspelt_option_of_a_task_is_told_the_nearest_one() -> None:
    with pytest.raises(TypeError, match="Did you mean 'retries'"), weave() as w:
        w.do(retrys=1)(lambda: 1)


def test_a_misspelt_environment_is_told_the_nearest_one() -> None:
    wove.config(environments={"bulk": {}, "queue": {}})
    with (
        pytest.raises(NameError, match=r"'queu' is not configured\. Did you mean 'queue'"),
        weave() as w,
    ):
        w.do(environment="queu")(lambda: 1)


@pytest.mark.parametrize(("wrong", "meant"), [("selery", "celery"), ("proces", "process")])
def test_a_misspelt_executor_is_told_the_nearest_one(wrong: str, meant: str) -> None:
    wove.config(environments={"e": {"executor": wrong}})
    with (
        pytest.raises(ValueError, match=f"Unknown executor '{wrong}'. Did you mean '{meant}'"),
        weave() as w,
    ):
        w.do(environment="e")(lambda: 1)


def test_a_misspelt_setting_of_an_executor_is_told_the_nearest_one() -> None:
    wove.config(environments={"e": {"executor": "process", "executor_config": {"callback_prt": 1}}})
    with (
        pytest.raises(TypeError, match=r"'callback_prt'.*Did you mean 'callback_port'"),
        weave() as w,
    ):
        w.do(environment="e")(lambda: 1)


def test_what_is_like_nothing_gets_no_suggestion() -> None:
    with pytest.raises(TypeError) as caught:
        wove.config(colour="red")
    assert "Did you mean" not in str(caught.value)


@pytest.mark.parametrize("wrong", [5, ["a"], {"e": 5}, {5: {}}])
def test_environments_of_a_wrong_shape_are_refused(wrong: Any) -> None:
    with pytest.raises((TypeError, ValueError)):
        wove.config(environments=wrong)
    assert _tries() == 1


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty folder three levels down, as the working folder; gives the top one."""
    deep = tmp_path / "one" / "two"
    deep.mkdir(parents=True)
    monkeypatch.chdir(deep)
    return tmp_path


def test_without_arguments_it_searches_upwards(folder: Path) -> None:
    (folder / "wove_config.py").write_text("WOVE_CONFIG = {'retries': 2}\n")
    wove.config()
    assert _tries() == 3


def test_the_nearest_file_is_taken(folder: Path) -> None:
    (folder / "wove_config.py").write_text("WOVE_CONFIG = {'retries': 2}\n")
    (folder / "one" / "wove_config.py").write_text("WOVE_CONFIG = {'retries': 1}\n")
    wove.config()
    assert _tries() == 2


def test_the_working_folder_itself_is_searched(folder: Path) -> None:
    (folder / "one" / "two" / "wove_config.py").write_text("retries = 3\n")
    wove.config()
    assert _tries() == 4


def test_module_level_names(folder: Path) -> None:
    (folder / "wove_config.py").write_text(
        "import os\n"
        "default_environment = 'mine'\n"
        "environments = {'mine': {'executor': 'local', 'retries': 2}}\n"
        "retries = 7\n"
        "_private = 1\n"
        "def helper():\n    return 1\n"
    )
    wove.config()
    assert _tries() == 3
    assert _tries(environment="default") == 8


def test_wove_config_beats_module_names(folder: Path) -> None:
    (folder / "wove_config.py").write_text("retries = 7\nWOVE_CONFIG = {'retries': 2}\n")
    wove.config()
    assert _tries() == 3


def test_a_misspelt_name_of_the_module_is_logged(
    folder: Path, caplog: pytest.LogCaptureFixture
) -> None:
    (folder / "wove_config.py").write_text(
        "import os\ndefault_enviroment = 'bulk'\nmy_own = 1\ntimeout = 5\ntimeouts = 6\n"
    )
    wove.config()
    (record,) = caplog.records
    assert record.name == "wove.config"
    assert "'default_enviroment'" in record.getMessage()
    assert "'default_environment'" in record.getMessage()


def test_no_file_is_no_error(folder: Path) -> None:
    wove.config()
    assert _tries() == 1


def test_only_a_call_without_arguments_searches(folder: Path) -> None:
    (folder / "wove_config.py").write_text("WOVE_CONFIG = {'retries': 2}\n")
    wove.config(timeout=60)
    assert _tries() == 1


def test_a_weave_alone_reads_no_file(folder: Path) -> None:
    (folder / "wove_config.py").write_text("raise SystemExit('read')\n")
    assert _tries() == 1


def test_config_file_as_a_bare_name_is_searched_upwards(folder: Path) -> None:
    (folder / "other.py").write_text("WOVE_CONFIG = {'retries': 2}\n")
    wove.config(config_file="other.py")
    assert _tries() == 3


def test_config_file_as_a_path_is_relative_to_the_working_folder(folder: Path) -> None:
    (folder / "one" / "two" / "conf").mkdir()
    (folder / "one" / "two" / "conf" / "other.py").write_text("retries = 2\n")
    wove.config(config_file="conf/other.py")
    assert _tries() == 3
    (folder / "conf").mkdir()
    (folder / "conf" / "upward.py").write_text("retries = 2\n")
    with pytest.raises(FileNotFoundError, match="upward"):
        wove.config(config_file="conf/upward.py")  # a path is not searched upwards


def test_config_file_may_be_a_path_object(folder: Path) -> None:
    (folder / "absolute.py").write_text("retries = 2\n")
    wove.config(config_file=folder / "absolute.py")
    assert _tries() == 3


@pytest.mark.parametrize("name", ["missing.py", "some/missing.py"])
def test_a_missing_config_file_is_an_error(folder: Path, name: str) -> None:
    with pytest.raises(FileNotFoundError, match=r"missing\.py"):
        wove.config(config_file=name)


def test_arguments_beat_the_file(folder: Path) -> None:
    (folder / "other.py").write_text(
        "WOVE_CONFIG = {'retries': 2, 'timeout': 60,"
        " 'environments': {'e': {'executor': 'local', 'retries': 5}}}\n"
    )
    wove.config(config_file="other.py", retries=1, environments={"e": {"retries": 3}})
    assert _tries() == 2
    assert _tries(environment="e") == 4
    assert runtime.global_defaults["timeout"] == 60


def test_a_wrong_value_in_a_file_is_refused(folder: Path) -> None:
    (folder / "wove_config.py").write_text("WOVE_CONFIG = {'retries': -1}\n")
    with pytest.raises(ValueError, match="retries"):
        wove.config()
    assert _tries() == 1


def test_the_file_does_not_stay_as_a_module(folder: Path) -> None:
    """Another folder's `wove_config.py` must not be taken for the first one's."""
    import sys

    (folder / "wove_config.py").write_text("retries = 1\n")
    wove.config()
    assert "wove_config" not in sys.modules


def test_a_change_during_a_weave_does_not_touch_it() -> None:
    wove.config(retries=1)
    flaky = Flaky(100)
    with weave(error_mode="defer") as w:

        @w.do
        def changes() -> None:
            wove.config(retries=5)

        @w.do
        def task(changes: None) -> Any:
            return flaky()

    assert flaky.calls == 2


def test_a_snapshot_keeps_the_settings_of_an_executor_as_they_were() -> None:
    live = wove.config(environments={"e": {"executor": "local", "executor_config": {"a": [1]}}})
    snapshot = live.snapshot()
    live.environments["e"]["executor_config"]["a"].append(2)
    assert snapshot["environments"]["e"]["executor_config"] == {"a": [1]}
