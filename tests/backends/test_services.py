"""The services that other tests rely on are real, shared, and stopped without a trace."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import textwrap
from pathlib import Path

import pytest

from tests import services


def test_redis_is_started_once_and_answers(redis_url: str) -> None:
    import redis

    def start_again(folder: Path) -> services.Started:
        raise AssertionError("started a second time")

    assert services.shared("redis", start_again) == redis_url
    client = redis.Redis.from_url(redis_url)
    try:
        assert client.ping() is True
    finally:
        client.close()


def test_a_service_that_is_not_installed_fails_and_says_what_to_do() -> None:
    with pytest.raises(services.ServiceError, match="`make test` installs it") as caught:
        services._program("no-such-server", "no-such-package")
    assert "apt-get install no-such-package" in str(caught.value)


def test_the_run_stops_what_it_started(tmp_path: Path) -> None:
    script = """
        import json
        from tests import services
        folder = services.open_folder()
        url = services.shared("redis", services.start_redis)
        pids = json.loads((folder / "redis.json").read_text())["pids"]
        # ... a Celery worker too that nobody stopped
        pids.append(services.start_celery_worker(folder, url).process.pid)
        services.close_folder(folder)
        print(json.dumps({"pids": pids, "folder": str(folder)}))
    """
    done = subprocess.run(
        [sys.executable, "-c", textwrap.dedent(script)],
        cwd=services.ROOT,
        env={**os.environ, "TMPDIR": str(tmp_path)},
        capture_output=True,
        text=True,
        timeout=120,  # a Celery worker's start alone may take 40
        check=True,
    )
    said = json.loads(done.stdout)
    assert said["pids"]
    assert not any(services._is_running(pid) for pid in said["pids"])
    assert list(tmp_path.iterdir()) == []


def test_a_group_of_tests_stays_in_one_process(tmp_path: Path) -> None:
    """Tests of one service, marked as a group, rely on it: they would load the machine twice."""
    (tmp_path / "test_group.py").write_text(
        "import os, pathlib, pytest, time\n"
        "@pytest.mark.xdist_group('together')\n"
        "@pytest.mark.parametrize('number', range(6))\n"
        "def test_one(number):\n"
        "    time.sleep(0.2)\n"
        "    with open('pids', 'a') as file:\n"
        "        file.write(f'{os.getpid()}\\n')\n"
    )
    command = [sys.executable, "-m", "pytest", "-q", "-n", "2", "--dist", "loadgroup", "."]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout
    pids = (tmp_path / "pids").read_text().split()
    assert len(pids) == 6
    assert len(set(pids)) == 1
