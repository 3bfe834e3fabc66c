"""Jobs as Dask and its operators see them, on a real scheduler."""

from __future__ import annotations

import asyncio
import os
import signal
import socket
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from distributed import Client, Future

import wove
from tests.adapters import tasks
from tests.backends.dask import work
from tests.backends.submitting import Submitting
from tests.backends.weaves import in_background, run_remote
from tests.services import Started, Worker, stop_service, wait_until
from wove.errors import DeliveryError, ErrorCode, SubmissionError
from wove.executors.backend_state import BackendStatus
from wove.integrations import _dask_cluster
from wove.integrations.dask import DaskAdapter

submitting = Submitting("dask", DaskAdapter)
StartWorker = Callable[..., Worker]


def views(address: str) -> dict[str, Any]:
    """What the scheduler shows of the tasks named `where` and `refuse`."""

    def look(dask_scheduler: Any) -> dict[str, Any]:
        prefixes = dask_scheduler.task_prefixes
        return {
            "states": {name: dict(prefix.state_counts) for name, prefix in prefixes.items()},
            "errors": [task.exception_text for task in dask_scheduler.erred_tasks],
        }

    with Client(address, set_as_default=False) as client:
        found: dict[str, Any] = client.run_on_scheduler(look)
        return found


def queued(operator: Client) -> list[str]:
    """Keys of the scheduler's tasks, as soon as there are any."""

    def keys(dask_scheduler: Any) -> list[str]:
        return list(dask_scheduler.tasks)

    wait_until(lambda: bool(operator.run_on_scheduler(keys)), seconds=20, what="a job is there")
    found: list[str] = operator.run_on_scheduler(keys)
    return found


@pytest.mark.parametrize("ours", [False, True])
def test_dasks_views_show_the_tasks_name_and_what_became_of_it(
    address: str, worker: StartWorker, ours: bool
) -> None:
    worker(address)
    seen: dict[str, Any] = {}

    def shown() -> bool:
        seen.update(views(address))
        return bool(seen["errors"])

    with Client(address, set_as_default=False) as client:
        config: dict[str, Any] = {"address": address} if ours else {"client": client}
        assert run_remote("dask", work.where, config).where != os.getpid()
        failed = run_remote("dask", work.refuse, config, error_mode="return")
        assert isinstance(failed.refuse, LookupError)
        wait_until(shown, seconds=10, what="Dask shows the failure")
    assert seen["states"]["where"]["memory"] == 1
    assert seen["states"]["where"].get("erred", 0) == 0
    assert seen["states"]["refuse"]["processing"] == 1  # once: Dask does not retry it
    assert seen["states"]["refuse"]["erred"] == 1
    assert "LookupError: no such account" in seen["errors"][0]


def test_dask_runs_a_task_again_whose_worker_died(
    scheduler: Callable[..., Started], worker: StartWorker, tmp_path: Path
) -> None:
    """That is Dask's own default; the result is that of the second execution, once."""
    address = scheduler(allowed_failures=3).url
    worker(address)
    worker(address)
    pids = tmp_path / "pids"
    config = {"address": address}
    options = {"delivery_heartbeat_seconds": 1}
    with in_background("dask", work.stay_once, config, options=options, pids=str(pids)) as found:
        os.kill(int(tasks.wait_for(pids)), signal.SIGKILL)
    assert found[0].stay_once == "from the second execution"
    assert len(tasks.lines(pids)) == 2
    (run,) = found[0].runs
    assert run.state == "succeeded"


def test_the_scheduler_is_restarted_with_a_queued_job(
    scheduler: Callable[..., Started],
) -> None:
    first = scheduler()
    begun = time.monotonic()
    with in_background("dask", work.where, {"address": first.url}, seconds=80) as found:
        with Client(first.url, set_as_default=False) as operator:
            queued(operator)
        for pid in first.pids:
            stop_service(pid)
        scheduler(port=int(first.url.rpartition(":")[2]))
    error = found[0].exception
    assert isinstance(error, DeliveryError)
    assert error.code is ErrorCode.BACKEND_FORGOT
    assert "scheduler-connection-lost" in str(error)
    assert time.monotonic() - begun < 70


def test_a_scheduler_that_was_away_for_long_is_found_again(
    scheduler: Callable[..., Started], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Dask's client gives up after a while, for good; the weave makes itself another one."""
    monkeypatch.setattr(_dask_cluster, "CONNECT_SECONDS", 2.0)
    first = scheduler()

    async def submit(adapter: DaskAdapter) -> Any:
        payload, frame = submitting.payload_and_frame()
        return await adapter.submit(payload, {**frame, "delivery": {}})

    async def use(adapter: DaskAdapter) -> Any:
        before = await submit(adapter)
        for pid in first.pids:
            await asyncio.to_thread(stop_service, pid)
        while adapter._cluster.client.status != "closed":
            await asyncio.sleep(0.1)
        with pytest.raises(OSError, match="the client is"):
            await adapter.cancel("run", before, {})
        with pytest.raises(SubmissionError, match="Connection refused"):
            await submit(adapter)
        # A submission that could not connect takes nothing from what is known.
        gone = (await adapter.poll({"before": before}))["before"].status
        again = {"port": int(first.url.rpartition(":")[2])}
        await asyncio.to_thread(scheduler, **again)
        after = await submit(adapter)
        states = await adapter.poll({"before": before, "after": after})
        outcomes = [await adapter.cancel("run", job, {}) for job in (before, after)]
        return gone, states["after"].status, outcomes

    gone, status, outcomes = submitting.with_adapter({"address": first.url}, use)
    assert (gone, status) == (BackendStatus.ABSENT, BackendStatus.QUEUED)
    assert outcomes == ["asked", "stopped"]  # whether a worker has the older one, nobody knows


def test_the_scheduler_dies_under_a_running_job(
    scheduler: Callable[..., Started], worker: StartWorker, tmp_path: Path
) -> None:
    """The worker brings what it has in hand to its end, and the result needs no scheduler."""
    first = scheduler()
    worker(first.url)
    begun, gate = tmp_path / "begun", tmp_path / "gate"
    values = {"begun": str(begun), "gate": str(gate)}
    options = {"delivery_heartbeat_seconds": 1}
    with in_background(
        "dask", work.wait_at, {"address": first.url}, options=options, **values
    ) as found:
        tasks.wait_for(begun)
        for pid in first.pids:
            stop_service(pid)
        time.sleep(2)
        tasks.note(gate)
    assert found[0].wait_at == "let through"


def test_submit_options_beat_ours(address: str, worker: StartWorker) -> None:
    worker(address, "--resource", "GPU=1", "--name", "with-gpu")
    options = {"resources": {"GPU": 1}, "key": "mine-1"}
    config = {"address": address, "submit_options": options}
    result = run_remote("dask", work.where, config)
    (run,) = result.runs
    assert run.backend_job_id == "mine-1"


def test_the_same_idempotency_key_is_refused_while_its_job_is_there(address: str) -> None:
    options = {"delivery_idempotency_key": "invoice-7"}
    config = {"address": address}
    patient = {**options, "delivery_timeout": 20}
    with in_background("dask", work.where, config, options=patient) as first:
        with Client(address, set_as_default=False) as operator:
            queued(operator)
        second = run_remote("dask", work.where, config, options=options, error_mode="return")
    error = second.exception
    assert isinstance(error, SubmissionError)
    assert error.code is ErrorCode.DUPLICATE_KEY
    assert error.backend_job_id == first[0].runs[0].backend_job_id


@pytest.mark.parametrize("asynchronous", [False, True])
def test_a_client_of_the_users_serves_threads_and_stays_open(
    address: str, worker: StartWorker, asynchronous: bool
) -> None:
    worker(address, "--concurrency", "3")

    def weaves(client: Client) -> None:
        found: list[int] = []
        config = {"client": client}
        threads = [
            threading.Thread(
                target=lambda: found.append(run_remote("dask", work.where, config).where)
            )
            for _ in range(3)
        ]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(30)
        assert len(found) == 3

    async def main() -> None:
        async with Client(address, asynchronous=True, set_as_default=False) as client:
            await asyncio.to_thread(weaves, client)
            assert await client.submit(len, "mine", pure=False) == 4

    if asynchronous:
        asyncio.run(main())
    else:
        with Client(address, set_as_default=False) as client:
            weaves(client)
            assert client.submit(len, "mine", pure=False).result(timeout=20) == 4


@pytest.mark.parametrize(
    ("config", "words"),
    [
        ({}, "'address' or 'client'"),
        ({"client": "tcp://127.0.0.1:8786"}, "must be a distributed.Client, not a str"),
        ({"address": "tcp://127.0.0.1:8786", "submit_options": 3}, "'submit_options'"),
    ],
)
def test_settings_that_cannot_work(config: dict[str, Any], words: str) -> None:
    with pytest.raises(TypeError, match=words):
        run_remote("dask", work.where, config)


def test_a_job_that_nobody_waits_for_leaves_the_scheduler(
    address: str,
) -> None:
    options = {"delivery_timeout": 0.5}
    late = run_remote(
        "dask", work.where, {"address": address}, options=options, error_mode="return"
    )
    assert isinstance(late.where, wove.DeliveryTimeoutError)
    with Client(address, set_as_default=False) as operator:
        wait_until(
            lambda: not operator.run_on_scheduler(lambda dask_scheduler: len(dask_scheduler.tasks)),
            seconds=10,
            what="Dask has forgotten the job",
        )


@pytest.mark.parametrize("ours", [False, True])
def test_jobs_that_are_done_leave_the_scheduler(
    address: str, worker: StartWorker, ours: bool
) -> None:
    """It would keep them for ever, and run them again when their worker goes."""
    worker(address)
    with Client(address, set_as_default=False) as client:
        config: dict[str, Any] = {"address": address} if ours else {"client": client}
        for _ in range(20):
            run_remote("dask", work.where, config)
        wait_until(
            lambda: not client.run_on_scheduler(lambda dask_scheduler: len(dask_scheduler.tasks)),
            seconds=10,
            what="Dask has forgotten the jobs",
        )


def test_a_scheduler_that_says_nothing_is_not_waited_for() -> None:
    begun = time.monotonic()
    with socket.create_server(("127.0.0.1", 0)) as silent:
        address = f"tcp://127.0.0.1:{silent.getsockname()[1]}"
        with pytest.raises(SubmissionError) as caught:
            run_remote("dask", work.where, {"address": address})
    assert caught.value.code is ErrorCode.BACKEND_UNAVAILABLE
    assert f"at {address}, which is executor_config['address']" in str(caught.value)
    assert time.monotonic() - begun < 13  # 9, and the end of the environment


@pytest.mark.parametrize(
    ("content", "words"),
    [(None, "no scheduler has written it"), ('{"id": 1}', "it holds no 'address'")],
)
def test_a_schedulers_file_that_is_no_use_is_named_and_not_waited_for(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, content: str | None, words: str
) -> None:
    monkeypatch.setattr(_dask_cluster, "FILE_SECONDS", 0.3)
    file = tmp_path / "scheduler.json"
    if content is not None:
        file.write_text(content)
    before = set(threading.enumerate())
    payload, frame = submitting.payload_and_frame()
    frame["delivery"] = {}
    config = {"client_options": {"scheduler_file": str(file)}}
    with pytest.raises(SubmissionError, match=words) as caught:
        submitting.with_adapter(config, lambda adapter: adapter.submit(payload, frame))
    assert "executor_config['client_options']['scheduler_file']" in str(caught.value)
    assert str(file) in str(caught.value)
    left = set(threading.enumerate()) - before
    wait_until(
        lambda: not any(each.is_alive() for each in left), seconds=10, what="no thread is left"
    )


def test_the_payload_arrives_unchanged_as_the_only_argument(address: str) -> None:
    payload, frame = submitting.payload_and_frame()
    frame["delivery"] = {}

    async def use(adapter: DaskAdapter) -> tuple[Any, ...]:
        job = await adapter.submit(payload, frame)
        return job.id, await asyncio.to_thread(call_of, address)

    key, call = submitting.with_adapter({"address": address}, use)
    assert key == f"report-{payload['run_id']}"
    assert call == ("run_and_show_failure", (payload,), {})


def call_of(address: str) -> tuple[Any, ...]:
    """What the scheduler's only task will call."""

    def look(dask_scheduler: Any) -> tuple[Any, ...]:
        (task,) = dask_scheduler.tasks.values()
        return task.run_spec.func.__qualname__, task.run_spec.args, task.run_spec.kwargs

    with Client(address, set_as_default=False) as operator:
        queued(operator)
        found: tuple[Any, ...] = operator.run_on_scheduler(look)
        return found


def cancel(operator: Client, key: str) -> None:
    operator.cancel([Future(key, operator)], force=True, reason="by-operator")


def restart(operator: Client, key: str) -> None:
    operator.restart(timeout=30, wait_for_workers=False)


@pytest.mark.parametrize(
    ("act", "runs", "code", "words"),
    [
        (cancel, False, ErrorCode.BACKEND_CANCELLED, "by-operator"),
        (cancel, True, ErrorCode.BACKEND_CANCELLED, "by-operator"),
        (restart, False, ErrorCode.BACKEND_FORGOT, "scheduler-restart"),
    ],
)
def test_an_operator_takes_a_job_away(
    address: str,
    worker: StartWorker,
    tmp_path: Path,
    act: Callable[[Client, str], None],
    runs: bool,
    code: ErrorCode,
    words: str,
) -> None:
    """A single task, or all that the scheduler has (`Client.restart`)."""
    if runs:
        worker(address)
    begun, gate = tmp_path / "begun", tmp_path / "gate"
    values = {"begun": str(begun), "gate": str(gate)}
    config = {"address": address}
    with (
        in_background("dask", work.wait_at, config, **values) as found,
        Client(address, set_as_default=False) as operator,
    ):
        (key,) = queued(operator)
        if runs:
            tasks.wait_for(begun)
        act(operator, key)
        taken = time.monotonic()
        wait_until(lambda: bool(found), seconds=40, what="the weave has ended")
    assert time.monotonic() - taken < 35  # where it is asked twice, 15 s apart
    error = found[0].exception
    assert isinstance(error, DeliveryError), repr(error)
    assert error.code is code
    assert words in str(error)
    assert error.backend_job_id == key


def test_a_running_job_outlives_a_restart_of_all_workers(
    address: str, worker: StartWorker, tmp_path: Path
) -> None:
    """`Client.restart` ends the processes that nannies watch; one without does its job first."""
    started = worker(address)
    begun, gate = tmp_path / "begun", tmp_path / "gate"
    values = {"begun": str(begun), "gate": str(gate)}
    with in_background("dask", work.wait_at, {"address": address}, **values) as found:
        tasks.wait_for(begun)
        with Client(address, set_as_default=False) as operator:
            restart(operator, "")
        tasks.note(gate)
    assert found[0].wait_at == "let through"
    wait_until(lambda: started.process.poll() is not None, seconds=30, what="the worker has ended")


@pytest.mark.parametrize(
    ("address", "warned"), [("tcp://192.0.2.7:8786", True), ("inproc://192.0.2.8/1/1", False)]
)
def test_a_cluster_in_this_process_needs_no_other_callback(
    caplog: pytest.LogCaptureFixture, address: str, warned: bool
) -> None:
    async def begin() -> None:
        adapter = DaskAdapter(
            name="dask",
            config={"address": address},
            callback_url="http://127.0.0.1:1/wove/events/token",
            run_config={},
        )
        await adapter.start()
        await adapter.close()

    asyncio.run(begin())
    assert ("callback_url" in caplog.text) is warned


def test_an_asynchronous_client_serves_a_weave_of_its_own_loop(
    address: str, worker: StartWorker
) -> None:
    worker(address)

    async def main() -> list[int]:
        found = []
        async with Client(address, asynchronous=True, set_as_default=False) as client:
            config = {"executor": "dask", "executor_config": {"client": client}}
            wove.config(environments={"loop": config})
            try:
                for _ in range(2):
                    async with wove.weave() as w:
                        w.do(environment="loop")(work.where)
                    found.append(w.result.where)
            finally:
                wove.config(environments={"loop": None})
            assert await client.submit(len, "mine", pure=False) == 4
        return found

    assert os.getpid() not in asyncio.run(main())
