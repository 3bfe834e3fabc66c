"""The runner notices: a right worker passes, a wrong one fails the cases that are about it."""

from __future__ import annotations

import asyncio
import gc
import json
import subprocess
import sys
import warnings
from collections.abc import Iterator
from pathlib import Path

import pytest

from workers.conformance import cases  # noqa: F401 - they register themselves
from workers.conformance.engine import Outcome, Settings, run_all
from workers.conformance.registry import CASES, EVERY_RUN

HERE = Path(__file__).parent
ROOT = HERE.parents[1]
WORKER = HERE / "worker.py"
GRPC_WORKER = HERE / "grpc_worker.py"
JOBS = 4

RETRIES = [
    f"retries/{name}"
    for name in (
        "after-500",
        "after-502-and-504",
        "after-503-as-late-as-asked",
        "after-408",
        "after-429-as-late-as-asked",
        "after-421-on-a-new-connection",
        "retries-what-the-task-sends-at-its-end",
    )
]
REFUSALS = [f"start gate/does-not-start-after-{status}" for status in (401, 403, 404, 409, 410)]

WRONG: dict[str, list[str]] = {
    "bad-sum": ["values/adds", "values/adds-fractions", "values/progress-returns-its-steps"],
    "floats": ["values/echoes-numbers", "values/echoes-huge-integers"],
    "no-controls": ["values/echoes-texts"],
    "latin-1": ["values/echoes-raw-utf8"],
    "null-is-nothing": ["values/echoes-null"],
    "empty-is-null": ["values/echoes-empty", "values/echoes-empty-text"],
    "shallow": ["values/echoes-deep-nesting"],
    "short": ["values/echoes-a-mebibyte"],
    "infinity-is-null": ["values/never-invents-a-number"],
    "hasty": ["values/slow-returns-its-seconds"],
    "bare-errors": ["errors/describes-what-was-raised"],
    "no-causes": ["errors/carries-the-cause"],
    "long-messages": ["errors/cuts-long-messages"],
    "other-messages": ["errors/cuts-long-messages", "errors/carries-the-cause"],
    "unknown-is-the-tasks": ["errors/names-an-unknown-task"],
    "lenient": [
        "errors/refuses-a-missing-argument",
        "errors/refuses-a-surplus-argument",
        "errors/reports-missing-arguments",
        "errors/reports-broken-arguments",
        "errors/reports-arguments-that-are-no-object",
    ],
    "clean-names": ["identity/copies-odd-names", "every run/copies-the-payload"],
    "fixed-execution": ["identity/draws-names-for-each-start"],
    "no-receiver-header": ["identity/sends-the-receivers-name"],
    "nameless": ["identity/names-its-worker"],
    "eager": ["start gate/waits-for-leave", "start gate/waits-through-503"],
    "known-gates": ["start gate/takes-unknown-gates-as-ack"],
    "starts-anyway": [*REFUSALS, "cancel/detached-does-not-start-after-409"],
    "always-gated": [
        "start gate/need-not-wait-without-gate",
        "cancel/detached-runs-without-receiver",
    ],
    "one-try": [
        *RETRIES,
        "retries/after-a-redirect",
        "retries/after-a-dropped-connection",
        "retries/after-a-connection-dropped-early",
        "start gate/waits-through-503",
    ],
    "new-event": ["retries/after-500"],
    "new-body": ["retries/after-500", "every run/retries-byte-for-byte"],
    "ignores-retry-after": [
        "retries/after-503-as-late-as-asked",
        "retries/after-429-as-late-as-asked",
    ],
    "same-connection": [
        "retries/after-421-on-a-new-connection",
        "retries/after-404-of-another-receiver",
        "retries/after-410-of-another-receiver",
    ],
    "trusts-anybody": [
        "retries/after-an-answer-of-nobody",
        "retries/after-a-refusal-of-nobody",
        "retries/after-half-an-answer",
        "retries/after-404-of-another-receiver",
        "retries/after-410-of-another-receiver",
        "undelivered/goes-on-while-nobody-hears",
    ],
    "demands-header": ["retries/plain-table-without-receiver-id", "routes/flat-json-by-itself"],
    "strict-acks": ["retries/takes-unreadable-acceptance"],
    "follows-redirects": ["retries/after-a-redirect"],
    "no-reconnect": ["retries/on-a-connection-closed-meanwhile"],
    "drops-refused": [
        "refused events/replaces-after-400",
        "refused events/replaces-after-413",
        "refused events/replaces-after-413-of-a-proxy",
        "refused events/replaces-after-415",
        "refused events/hears-an-early-413",
        "refused events/replaces-a-refused-error",
    ],
    "insists": ["refused events/gives-up-when-that-is-refused"],
    "one-code": ["refused events/replaces-after-413"],
    "wordy-refusals": ["refused events/replaces-after-400"],
    "stops-when-refused": ["refused events/drops-a-refused-heartbeat"],
    "no-limit": ["refused events/keeps-to-max-event-bytes"],
    "late-is-failure": [
        "refused events/takes-409-at-the-end",
        "refused events/takes-410-at-the-end",
    ],
    "all-must-be-heard": ["undelivered/is-no-failure-when-detached"],
    "never-gives-up": [
        "undelivered/gives-up-as-told",
        "undelivered/gives-up-on-a-silent-receiver",
    ],
    "slow-beats": ["heartbeats/come-in-time"],
    "no-beats": ["heartbeats/come-in-time", "heartbeats/announce-five-seconds"],
    "three-seconds": ["heartbeats/announce-five-seconds"],
    "uninvited": [
        "heartbeats/do-not-come-unasked",
        "extensions/only-what-is-accepted",
        "extensions/nothing-without-accepts",
        "every run/sends-only-accepted-frames",
    ],
    "beats-before-leave": ["heartbeats/do-not-come-before-leave"],
    "beats-end-early": ["heartbeats/go-on-until-the-end-is-acknowledged"],
    "one-connection": ["heartbeats/have-a-connection-of-their-own"],
    "repeats-beats": ["heartbeats/are-never-sent-twice"],
    "deaf-to-intervals": [
        "heartbeats/take-a-new-interval",
        "heartbeats/take-a-new-interval-at-the-start",
    ],
    "deaf": [
        "cancel/in-the-answer-to-the-start",
        "cancel/in-the-answer-to-a-heartbeat",
        "cancel/by-410-to-a-heartbeat",
    ],
    "late-cancel": ["cancel/is-ignored-once-returned"],
    "not-detached": ["cancel/is-ignored-when-detached", "cancel/detached-starts-after-410"],
    "no-progress": ["extensions/progress-is-reported", "extensions/are-never-retried"],
    "no-log": ["extensions/log-lines-are-sent"],
    "retries-progress": ["extensions/are-never-retried"],
    "patient-progress": ["extensions/do-not-hold-the-task-up"],
    "argument-only": ["payloads/as-a-variable", "payloads/as-a-base64-variable"],
    "variable-first": ["payloads/as-an-argument"],
    "no-base64": [
        "payloads/as-a-base64-argument",
        "payloads/as-a-base64-variable",
        "payloads/as-a-base64-file",
    ],
    "no-files": ["payloads/as-a-file", "payloads/as-a-base64-file"],
    "strict-fields": ["payloads/ignores-what-it-does-not-know"],
    "plain-integers": ["payloads/takes-numbers-as-protojson"],
    "any-version": ["payloads/refuses-a-newer-version"],
    "always-0": ["payloads/exits-2*"],
    "dies-on-sigterm": ["program/reports-sigterm", "program/delivers-after-sigterm"],
    "lingers": ["program/ends-when-all-is-said"],
    "nested": ["routes/as-told", "routes/flat-json-by-itself"],
    "nothing": ["routes/binary-by-itself"],  # this worker has no binary
    "puts": ["every run/sends-what-receivers-take"],
    "odd-ids": ["every run/sends-what-receivers-take"],
    "no-ids": ["every run/names-every-event"],
    "one-id": ["every run/repeats-only-retries"],
    "from-zero": ["every run/counts-from-one"],
    "ends-twice": ["every run/ends-once"],
    "talks-on": ["every run/says-nothing-after-the-end"],
    "prints-the-token": ["every run/keeps-the-token"],
    "no-summary": ["every run/prints-a-summary"],
}
"""What each wrong worker of `worker.py` must fail."""

WRONG_GRPC: dict[str, list[str]] = {
    "ignores-pushes": ["cancel/pushed-down-the-stream"],
    "beats-by-calls": ["heartbeats/come-on-one-stream"],
    "no-http": ["routes/http-where-nothing-listens", "routes/http-where-nobody-speaks"],
    "keeps-lost-channels": ["routes/a-later-channel-is-http-too"],
    "no-grpc": ["routes/as-told", "routes/grpc-by-itself"],
    "trusts-anybody": ["retries/after-an-answer-of-nobody", "retries/after-a-refusal-of-nobody"],
    "wrong-token": ["every run/sends-what-receivers-take"],
}
"""The same of `grpc_worker.py`."""

PROBES = {
    "every run/retries-byte-for-byte": "retries/after-500",
    "every run/ends-once": "retries/after-500",
    "every run/copies-the-payload": "identity/copies-odd-names",
    "every run/sends-only-accepted-frames": "extensions/only-what-is-accepted",
}
"""Which case shows a fault that is seen in every run; by default the simplest."""


@pytest.fixture(autouse=True)
def _nothing_is_left_to_the_collector() -> Iterator[None]:
    """Drop connections that came in the last turn of a runner's loop, too late to be closed."""
    yield
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ResourceWarning)
        gc.collect()


def run(argv: list[str], only: list[str], *encodings: str, patience: float = 1.0) -> list[Outcome]:
    settings = Settings(argv, encodings, only, JOBS, patience)
    return asyncio.run(run_all(settings, lambda outcome: None))


def told(outcomes: list[Outcome]) -> dict[str, bool]:
    return {f"{found.group}/{found.name}": found.passed for found in outcomes}


def check(argv: list[str], expected: list[str], *encodings: str) -> None:
    probes = [
        PROBES.get(name, "values/adds") if "every run/" in name else name for name in expected
    ]
    # Much that is wrong shows as silence, which is waited for.
    outcomes = run(argv, probes, *encodings, patience=0.5)
    results = told(outcomes)
    for name in expected:
        found = {key: passed for key, passed in results.items() if matches(name, key)}
        assert found, f"{name} was not run"
        assert not any(found.values()), f"{found} passed"
    for outcome in outcomes:
        assert outcome.what != "the runner", outcome


def matches(name: str, full: str) -> bool:
    return full.startswith(name[:-1]) if name.endswith("*") else full == name


def test_a_right_worker_passes() -> None:
    outcomes = run([sys.executable, str(WORKER)], [], "json")
    assert [found for found in outcomes if not found.passed] == []
    assert len(outcomes) > 100


@pytest.mark.parametrize("name", WRONG)
def test_a_wrong_worker_fails(name: str) -> None:
    encodings = ("json", "protobuf") if name == "nothing" else ("json",)
    check([sys.executable, str(WORKER), "--wrong", name], WRONG[name], *encodings)


@pytest.mark.parametrize("name", WRONG_GRPC)
def test_a_wrong_worker_fails_over_grpc(name: str) -> None:
    argv = [sys.executable, str(GRPC_WORKER), "--wrong", name]
    check(argv, WRONG_GRPC[name], "grpc")


def test_every_case_is_failed_by_some_worker() -> None:
    failed = [name for names in (*WRONG.values(), *WRONG_GRPC.values()) for name in names]
    full = [f"{found.group}/{found.name}" for found in CASES]
    full += [f"every run/{rule.name}" for rule in EVERY_RUN]
    assert len(full) == len(set(full))
    assert [name for name in full if not any(matches(one, name) for one in failed)] == []
    assert [one for one in failed if not any(matches(one, name) for name in full)] == []


def command(*arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "workers.conformance", *arguments],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=60,
    )


def test_the_command_says_what_failed(tmp_path: Path) -> None:
    report = tmp_path / "report.json"
    options = ["--encodings", "json", "--only", "values/adds", "--name", "Wrong"]
    options += ["--report", str(report)]
    done = command(*options, "--", sys.executable, str(WORKER), "--wrong", "bad-sum")
    assert done.returncode == 1, done.stderr
    assert "FAIL values/adds [json]" in done.stdout
    assert "expected  42" in done.stdout
    assert "seen      43" in done.stdout
    last = done.stdout.splitlines()[-1]
    assert last.startswith(f"{len(EVERY_RUN)} passed, 2 failed")
    data = json.loads(report.read_text())
    assert (data["name"], data["encodings"], data["complete"]) == ("Wrong", ["json"], False)
    done = command(*options[:6], "--", sys.executable, str(WORKER))
    assert (done.returncode, done.stdout[:2]) == (0, f"{len(EVERY_RUN) + 2}")


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ([], "give the worker's command"),
        (["--", "./nothing-here"], "'./nothing-here' is not there"),
        (["--", "./README.md"], "'./README.md' may not be executed"),
        (["--encodings", "xml", "--", "sh"], "encodings are json, protobuf, grpc"),
        (["--only", "nonsense", "--", "sh"], "no case matches"),
    ],
)
def test_the_command_refuses_what_it_cannot_run(arguments: list[str], message: str) -> None:
    done = command(*arguments)
    assert (done.returncode, done.stdout) == (2, "")
    assert message in done.stderr


def test_the_list_names_every_case() -> None:
    done = command("--list")
    assert done.returncode == 0
    for found in CASES:
        assert f"{found.group}/{found.name} [" in done.stdout


def test_what_was_never_answered_is_told_so() -> None:
    argv = [sys.executable, str(WORKER), "--wrong", "always-gated"]
    (outcome, *_) = run(argv, ["start gate/need-not-wait-without-gate"], "json", patience=0.2)
    assert not outcome.passed
    assert outcome.background[0] == "events: task_started@0.00 -> no answer"


def test_a_message_that_is_another_one_is_shown() -> None:
    argv = [sys.executable, str(WORKER), "--wrong", "other-messages"]
    (outcome, *_) = run(argv, ["errors/cuts-long-messages"], "json")
    assert (outcome.passed, outcome.seen) == (False, "it went wrong")


def test_a_command_that_is_not_there_fails_the_case() -> None:
    (outcome, *_) = run(["/nonexistent/worker"], ["values/adds-fractions"], "json")
    assert not outcome.passed
    assert "FileNotFoundError" in outcome.seen
