"""What all adapters that ship with Wove promise before anything is connected."""

from __future__ import annotations

import json
import subprocess
import sys
import textwrap

import pytest

from wove.integrations import get_backend_adapter_class

SETTINGS = {
    "arq": "pool redis_settings function_name queue_name enqueue_options",
    "celery": "app broker_url result_backend backend_url app_name task_name queue "
    "send_task_options terminate_on_cancel",
    "dask": "client address client_options submit_options",
    "ray": "init address init_options remote_options force_cancel",
    "rq": "queue redis_url queue_name enqueue_options",
    "taskiq": "task broker task_name",
    "temporal": "client target_host connect_options workflow task_queue workflow_id_prefix "
    "start_options",
}
"""Those that people have in their configuration: they keep their names."""

REQUIRED = {"dask": "distributed", "temporal": "temporalio"}
"""Packages that have another name than their executor."""


@pytest.mark.parametrize("executor", SETTINGS)
def test_the_settings_keep_their_names(executor: str) -> None:
    assert get_backend_adapter_class(executor).settings == set(SETTINGS[executor].split())


@pytest.mark.slow
def test_a_backend_that_is_not_installed_is_named_when_its_environment_starts() -> None:
    """In a process where none of them can be imported, the adapters' modules included."""
    script = """
        import json, sys
        packages = json.loads(sys.argv[1])
        sys.modules.update(dict.fromkeys(packages.values()))
        sys.modules["redis"] = None
        import wove
        said = {}
        for executor in packages:
            wove.config(environments={executor: {"executor": executor}})
            try:
                with wove.weave() as w:
                    w.do(environment=executor)(lambda: 1)
            except RuntimeError as error:
                said[executor] = str(error)
        print(json.dumps(said))
    """
    packages = {executor: REQUIRED.get(executor, executor) for executor in SETTINGS}
    done = subprocess.run(
        [sys.executable, "-c", textwrap.dedent(script), json.dumps(packages)],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    said = json.loads(done.stdout)
    for executor, package in packages.items():
        assert f"{executor} executor requested, but dependenc" in said[executor]
        assert f"`{package}`" in said[executor]
        assert "Install with: pip install " in said[executor]
