"""Worker processes: the warm one on a pipe, and `python -m wove.backend_worker`."""

from __future__ import annotations

import base64
import contextlib
import json
import os
import signal
import struct
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.unit.worker.receiver import CANCEL, Receiver, Reply, as_dict, value_of

pytestmark = pytest.mark.slow

Worker = subprocess.Popen[bytes]


def send(worker: Worker, message: object) -> None:
    body = message if isinstance(message, bytes) else json.dumps(message).encode()
    assert worker.stdin is not None
    worker.stdin.write(struct.pack(">I", len(body)) + body)
    worker.stdin.flush()


def receive(worker: Worker) -> Any:
    assert worker.stdout is not None
    (size,) = struct.unpack(">I", worker.stdout.read(4))
    return json.loads(worker.stdout.read(size))


@pytest.fixture
def warm() -> Iterator[Callable[..., Worker]]:
    started: list[Worker] = []

    def start(**hello: Any) -> Worker:
        worker = subprocess.Popen(
            [sys.executable, "-m", "wove.worker.process_worker"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
        )
        started.append(worker)
        send(worker, {"sys_path": None, "cwd": None, "faults": None, "main": None, **hello})
        assert receive(worker) == {"ready": worker.pid}
        return worker

    yield start
    for worker in started:
        worker.kill()
        for pipe in (worker.stdin, worker.stdout, worker.stderr):
            if pipe is not None:
                with contextlib.suppress(BrokenPipeError):
                    pipe.close()
        worker.wait(10)


def test_a_warm_worker_runs_payload_after_payload(
    receiver: Receiver, warm: Callable[..., Worker]
) -> None:
    worker = warm()
    for _ in range(3):
        send(worker, as_dict(receiver.payload(os.getpid)))
        assert receive(worker)["outcome"] == "succeeded"
    results = receiver.frames("task_result")
    assert [value_of(seen) for seen in results] == [worker.pid] * 3
    assert len({seen.connection for seen in results}) == 1


def test_prints_and_reads_of_a_task_do_not_touch_the_pipes(
    receiver: Receiver, warm: Callable[..., Worker]
) -> None:
    def task() -> str:
        print("printed")
        os.write(1, b"written\n")
        subprocess.run([sys.executable, "-c", "print('from a child')"], check=True)
        return sys.stdin.read()

    worker = warm()
    send(worker, as_dict(receiver.payload(task)))
    assert receive(worker)["outcome"] == "succeeded"
    assert value_of(receiver.frames("task_result")[0]) == ""
    assert worker.stdin is not None
    worker.stdin.close()
    worker.stdin = None
    assert worker.wait(10) == 0
    assert worker.stderr is not None
    errors = worker.stderr.read().decode()
    for text in ("printed", "written", "from a child"):
        assert text in errors


def test_it_takes_the_weaves_path_and_folder(
    receiver: Receiver, warm: Callable[..., Worker], tmp_path: Any
) -> None:
    (tmp_path / "only_there.py").write_text("def where():\n    import os\n    return os.getcwd()\n")
    worker = warm(sys_path=[*sys.path, str(tmp_path)], cwd=str(tmp_path))
    payload = receiver.payload(int)
    payload.callable_pickle = b"conly_there\nwhere\n."
    send(worker, as_dict(payload))
    receive(worker)
    assert value_of(receiver.frames("task_result")[0]) == str(tmp_path)


def test_what_run_raises_is_the_answer_and_the_worker_goes_on(
    receiver: Receiver, warm: Callable[..., Worker]
) -> None:
    worker = warm()
    send(worker, b"{}")
    assert "no Wove payload" in receive(worker)["raised"]
    send(worker, {"run_id": "r2", "callback_url": "x" * 100_000})
    answer = receive(worker)
    assert answer["run_id"] == "r2"
    assert len(answer["raised"]) <= 10_000
    send(worker, as_dict(receiver.payload(int)))
    assert receive(worker)["outcome"] == "succeeded"


def test_ctrl_c_is_not_for_the_worker(receiver: Receiver, warm: Callable[..., Worker]) -> None:
    worker = warm()
    worker.send_signal(signal.SIGINT)
    send(worker, as_dict(receiver.payload(int)))
    assert receive(worker)["outcome"] == "succeeded"


def test_a_worker_whose_weave_was_killed_ends_without_a_word(
    receiver: Receiver, warm: Callable[..., Worker]
) -> None:
    worker = warm()
    assert worker.stdout is not None
    assert worker.stderr is not None
    worker.stdout.close()  # the input stays open: it is the answer that nobody reads
    send(worker, as_dict(receiver.payload(int)))
    assert worker.wait(10) == 0
    assert worker.stderr.read() == b""


def test_a_parent_that_was_gone_before_the_worker_could_ask() -> None:
    """The pipe's writer is gone before `end_with` is called: no signal will tell of it."""
    life, writer = os.pipe()
    os.close(writer)
    code = f"from wove.worker.process_life import end_with; end_with({life}); print('lives')"
    worker = subprocess.run(
        [sys.executable, "-c", code], pass_fds=(life,), capture_output=True, timeout=30
    )
    os.close(life)
    assert (worker.returncode, worker.stdout) == (-signal.SIGKILL, b"")


@pytest.mark.parametrize(
    "kind", ["lose_request", "lose_answer", "duplicate", "delay", "reorder", "corrupt"]
)
def test_faults_hit_and_the_run_ends_right(
    receiver: Receiver, warm: Callable[..., Worker], kind: str
) -> None:
    worker = warm(faults={kind: 0.5, "seed": 1, "delay_seconds": 0.05})
    receiver.rule = lambda seen: Reply()
    for _ in range(5):
        send(worker, as_dict(receiver.payload(int)))
        assert receive(worker)["outcome"] == "succeeded"
    ids = [seen.event.event_id for seen in receiver.frames()]
    assert len(set(ids)) == 10
    if kind in ("lose_answer", "duplicate", "reorder"):
        assert len(ids) > 10


def test_unknown_faults_are_named() -> None:
    from wove.worker.faults import check

    with pytest.raises(ValueError, match=r"unknown fault 'loose_answer'; known are lose_request"):
        check({"loose_answer": 0.1})
    with pytest.raises(ValueError, match="probability from 0 to 1"):
        check({"lose_answer": 20})


def backend_worker(*arguments: str, payload: str | None = None) -> subprocess.Popen[str]:
    environment = {k: v for k, v in os.environ.items() if k != "WOVE_BACKEND_PAYLOAD"}
    if payload is not None:
        environment["WOVE_BACKEND_PAYLOAD"] = payload
    return subprocess.Popen(
        [sys.executable, "-m", "wove.backend_worker", *arguments],
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def word(payload: dict[str, Any]) -> str:
    return base64.b64encode(json.dumps(payload).encode()).decode()


def test_the_argument_comes_before_the_variable(receiver: Receiver) -> None:
    first, second = receiver.payload(int), receiver.payload(int)
    first.run_id, second.run_id = "argument", "variable"
    worker = backend_worker(word(as_dict(first)), payload=word(as_dict(second)))
    out, err = worker.communicate(timeout=30)
    assert worker.returncode == 0, err
    assert json.loads(out.splitlines()[-1])["run_id"] == "argument"
    worker = backend_worker(payload=word(as_dict(second)))
    out, _ = worker.communicate(timeout=30)
    assert json.loads(out.splitlines()[-1])["run_id"] == "variable"


def test_a_failed_task_is_no_failure_of_the_worker(receiver: Receiver) -> None:
    def task() -> None:
        print("unfinished line", end="")
        raise ValueError("no")

    worker = backend_worker(word(as_dict(receiver.payload(task))))
    out, err = worker.communicate(timeout=30)
    assert worker.returncode == 0, err
    summary = json.loads(out.splitlines()[-1])
    assert summary["outcome"] == "failed"
    assert summary["error"] == {"kind": "ValueError", "message": "no"}


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ([], "wove: no payload: give it as an argument, or in WOVE_BACKEND_PAYLOAD\n"),
        (["!"], "wove: this is no Wove payload: neither a JSON object nor base64 of one."),
    ],
)
def test_no_payload_is_a_plain_message(arguments: list[str], message: str) -> None:
    worker = backend_worker(*arguments)
    out, err = worker.communicate(timeout=30)
    assert (worker.returncode, out) == (2, "")
    assert err.startswith(message)
    assert "Traceback" not in err


def test_undelivered_events_fail_the_process(receiver: Receiver) -> None:
    payload = receiver.payload(int)
    payload.delivery_retry_seconds = 0.2
    receiver.rule = lambda seen: Reply(204 if seen.frame == "task_started" else 500)
    worker = backend_worker(word(as_dict(payload)))
    out, err = worker.communicate(timeout=30)
    assert worker.returncode == 1
    summary = json.loads(out.splitlines()[-1])
    assert (summary["outcome"], summary["delivered"]) == ("succeeded", False)
    assert err.startswith("wove: the worker ")
    assert "500 Internal Server Error" in err
    assert "secret-token" not in err


def test_a_task_that_ignores_its_cancellation_is_ended_with_its_process(
    receiver: Receiver,
) -> None:
    payload = receiver.payload(lambda: time.sleep(60))  # blocks in C: no injection reaches it
    payload.delivery.delivery_heartbeat_seconds = 0.15
    receiver.rule = lambda seen: Reply(200, CANCEL) if seen.frame == "heartbeat" else Reply()
    worker = backend_worker(word(as_dict(payload)))
    begin = time.monotonic()
    out, err = worker.communicate(timeout=30)
    assert worker.returncode == 0, err
    assert 4.5 < time.monotonic() - begin < 25
    assert receiver.frames("task_cancelled")[0].event.task_cancelled.forced
    assert json.loads(out.splitlines()[-1])["outcome"] == "cancelled"


def test_a_schedulers_sigterm_is_reported_as_a_lost_worker(receiver: Receiver) -> None:
    def task() -> None:
        while True:
            time.sleep(0.005)

    worker = backend_worker(word(as_dict(receiver.payload(task))))
    receiver.wait_for("task_started", seconds=30)
    time.sleep(0.2)
    worker.terminate()
    out, err = worker.communicate(timeout=30)
    assert worker.returncode == 0, err
    cancelled = receiver.frames("task_cancelled")[0].event.task_cancelled
    assert cancelled.reason == "its worker is shutting down"
    assert json.loads(out.splitlines()[-1])["outcome"] == "cancelled"


def test_the_task_does_not_find_the_payload_in_its_environment(receiver: Receiver) -> None:
    def task() -> str | None:
        import os

        return os.environ.get("WOVE_BACKEND_PAYLOAD")

    payload = word(as_dict(receiver.payload(task)))
    for arguments, variable in (((), payload), ((payload,), "left over")):
        worker = backend_worker(*arguments, payload=variable)
        _, err = worker.communicate(timeout=30)
        assert worker.returncode == 0, err
    assert [value_of(found) for found in receiver.frames("task_result")] == [None, None]


def test_a_payload_in_a_file(receiver: Receiver, tmp_path: Path) -> None:
    path = tmp_path / "payload"
    for text in (json.dumps(as_dict(receiver.payload(int))), word(as_dict(receiver.payload(int)))):
        path.write_text(text + "\n")
        worker = backend_worker(f"@{path}")
        _, err = worker.communicate(timeout=30)
        assert worker.returncode == 0, err
    worker = backend_worker(f"@{path}.not")
    _, err = worker.communicate(timeout=30)
    assert worker.returncode == 2
    assert "No such file" in err
    assert "Traceback" not in err


@pytest.mark.parametrize(
    ("encoding", "content_type"),
    [("json", "application/json"), ("protobuf", "application/x-protobuf")],
)
def test_the_encoding_as_told(
    receiver: Receiver, encoding: str, content_type: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("WOVE_ENCODING", encoding)
    worker = backend_worker(word(as_dict(receiver.payload(int))))
    _, err = worker.communicate(timeout=30)
    assert worker.returncode == 0, err
    assert {found.headers["content-type"] for found in receiver.frames()} == {content_type}


def test_an_unknown_encoding(receiver: Receiver, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("WOVE_ENCODING", "xml")
    worker = backend_worker(word(as_dict(receiver.payload(int))))
    _, err = worker.communicate(timeout=30)
    assert worker.returncode == 2
    assert err == "wove: WOVE_ENCODING is 'xml'; it may be json, protobuf, grpc\n"
