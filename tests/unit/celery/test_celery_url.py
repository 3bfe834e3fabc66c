"""Brokers' URLs in messages, and brokers that Celery cannot use."""

from __future__ import annotations

import asyncio
import os
import subprocess
import sys
import textwrap
from typing import Any

import celery
import pytest

from wove.integrations._url import masked
from wove.integrations.celery import CeleryAdapter


@pytest.mark.parametrize(
    ("url", "shown"),
    [
        ("redis://host:6379/0", "redis://host:6379/0"),
        ("redis://:hunter2@host:6379/0", "redis://:**@host:6379/0"),
        ("amqp://me:hunter2@host//", "amqp://me:**@host//"),
        ("amqp://me@host//", "amqp://me@host//"),
        ("redis://:hun/ter?2@x@host/0", "redis://:**@host/0"),
        ("amqp://me:hun;ter@host//", "amqp://me:**@host//"),
        ("amqp://m/e:hunter2@host//", "amqp://m/e:**@host//"),
        ("me:hunter2@host", "me:**@host"),
        ("redis://me@host", "redis://me@host"),
        ("sentinel://host/?password=hunter2", "sentinel://host/"),
        ("redis://:a@one;redis://two", "redis://:**@one;redis://two"),
        (["redis://:a@one", "redis://two"], "redis://:**@one;redis://two"),
    ],
)
def test_only_what_is_there_is_masked(url: Any, shown: str) -> None:
    assert masked(url) == shown


def start(config: dict[str, Any]) -> None:
    async def main() -> None:
        adapter = CeleryAdapter(name="celery", config=config, callback_url="", run_config={})
        await adapter.start()
        await adapter.close()

    asyncio.run(main())


SCRIPT = """
    import asyncio, sys, traceback
    sys.modules["redis"] = None  # as if it were not installed
    from celery import Celery
    from wove.errors import MissingPackageError
    from wove.integrations.celery import CeleryAdapter

    url = "redis://:hunter2@127.0.0.1:1/0"
    for config in ({"broker_url": url}, {"app": Celery("mine", broker=url)}):
        adapter = CeleryAdapter(name="celery", config=config, callback_url="", run_config={})
        try:
            asyncio.run(adapter.start())
        except MissingPackageError as error:
            print(error)
"""


def test_a_client_that_is_missing_is_named_with_its_install_command() -> None:
    done = subprocess.run(
        [sys.executable, "-c", textwrap.dedent(SCRIPT)],
        env=dict(os.environ),
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    for line, setting in zip(
        done.stdout.splitlines(),
        ["executor_config['broker_url']", "the application in executor_config['app']"],
        strict=True,
    ):
        assert "the package `redis` for its broker redis://:**@127.0.0.1:1/0" in line
        assert setting in line
        assert line.endswith("Install with: pip install 'wove[celery]'")


def test_a_transport_whose_package_is_missing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "botocore", None)
    monkeypatch.delitem(sys.modules, "kombu.transport.SQS", raising=False)
    with pytest.raises(RuntimeError, match=r"`botocore` for .*pip install 'celery\[sqs\]'"):
        start({"broker_url": "sqs://key:secret@"})


@pytest.mark.parametrize(
    "url",
    [
        "nosuch://me:hunter2@host",
        "redis://:hunter2/x@host/0",
        "redis://host/0;redis://:hunter2/x@host/0",
        "redis://host/0?nosuch=hunter2",
    ],
)
def test_a_url_that_names_no_broker(url: str) -> None:
    with pytest.raises(ValueError, match="broker_url") as caught:
        start({"broker_url": url})
    assert f"scheme '{url.partition(':')[0]}'" in str(caught.value)
    assert "hunter2" not in str(caught.value) + repr(caught.value.__cause__)


@pytest.mark.parametrize("setting", ["result_backend", "backend_url"])
@pytest.mark.parametrize("url", ["nosuch://me:hunter2@host", "redis://:hunter2/x@host/0"])
def test_a_result_backend_that_cannot_be(setting: str, url: str) -> None:
    with pytest.raises(ValueError, match=rf"\*\*@host.*, which is .*{setting}") as caught:
        start({"broker_url": "memory://", setting: url})
    assert "hunter2" not in str(caught.value) + repr(caught.value.__cause__)


@pytest.mark.parametrize(
    ("app", "words"),
    [
        ("proj.tasks:app", "the str 'proj.tasks:app'"),
        ("redis://:hunter2@host", r"the str 'redis://:\*\*@host'"),
        (os, "a module"),
        (object(), "a object"),
    ],
)
def test_an_app_that_is_none(app: Any, words: str) -> None:
    with pytest.raises(TypeError, match=rf"executor_config\['app'\].* not {words}"):
        start({"app": app})


def test_an_application_of_the_users_is_taken() -> None:
    app = celery.Celery("mine", broker="memory://", set_as_current=False)
    start({"app": app})
