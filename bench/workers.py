"""From `exec` to `task_started` received: each language's runnable worker, beside its runtime.

A worker is started as a batch job is, with its payload in the environment, and reports to
the real receiver in this process. Its limit is the start and end of the language's runtime
without a program (for what is compiled, of `true`). A language whose toolchain this machine
does not have is left out, and said so.
"""

from __future__ import annotations

import json
import shutil
import statistics
import subprocess
import sys
import threading
import time
from collections.abc import Sequence
from dataclasses import dataclass

from bench.harness import ENVIRONMENT, ROOT, Line, report
from wove.contract import event_type
from wove.receiver import CallbackSettings, Receiver, receiver_for
from wovepb.v1.event_pb2 import Event

PATIENCE_SECONDS = 60.0


@dataclass(frozen=True)
class Language:
    """A worker and its limit."""

    name: str
    tool: str
    """What builds it; empty when nothing must be built."""
    runtime: tuple[str, ...]
    """The runtime alone."""

    def command(self) -> list[str]:
        """Build the worker where needed, and say how it is started."""
        if not self.tool:
            return [sys.executable, str(ROOT / "workers/python/tasks/worker.py")]
        word = self.name.lower()
        script = str(ROOT / "scripts/workers")
        subprocess.run([script, "build", word], check=True, stdout=sys.stderr)
        found = subprocess.run(
            [script, "argv", word], check=True, stdout=subprocess.PIPE, text=True
        )
        return found.stdout.split("\n")[:-1]


LANGUAGES = (
    Language("Python", "", (sys.executable, "-c", "pass")),
    Language("Go", "go", ("true",)),
    Language("TypeScript", "npm", ("node", "-e", "0")),
    Language("Java", "mvn", ("java", "-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1", "-version")),
    Language("Rust", "cargo", ("true",)),
)


class Starts:
    """Notes when each run's `task_started` arrives; the sink of all runs."""

    def __init__(self) -> None:
        self.started: dict[str, float] = {}
        self.results: dict[str, str] = {}
        self.ended = threading.Event()

    def put(self, batch: Sequence[tuple[str, Event]]) -> None:
        """Called in the receiver's thread."""
        now = time.perf_counter()
        for run_id, event in batch:
            kind = event_type(event)
            if kind == "task_started":
                self.started[run_id] = now
            elif kind == "task_result":
                self.results[run_id] = event.task_result.result_json
                self.ended.set()
            elif kind in ("task_error", "task_cancelled"):
                self.ended.set()


def start_seconds(
    receiver: Receiver, starts: Starts, command: Sequence[str], run_id: str, *, grpc: bool
) -> float:
    """Seconds from the start of a worker until its `task_started` is accepted."""
    payload = {
        "version": 1,
        "run_id": run_id,
        "task_id": "add",
        "task_name": "add",
        "args_json": '{"a": 1, "b": 2}',
        "callback_url": receiver.url,
        "receiver_id": receiver.hub.receiver_id,
    }
    if grpc:
        payload["callback_grpc"] = receiver.grpc_url or ""
    environment = {**ENVIRONMENT, "WOVE_BACKEND_PAYLOAD": json.dumps(payload)}
    receiver.hub.open_run(run_id, task_id="add", token=receiver.token, sink=starts)
    starts.ended.clear()
    begin = time.perf_counter()
    with subprocess.Popen(
        command,
        env=environment,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    ) as process:
        output = process.communicate(timeout=PATIENCE_SECONDS)
    starts.ended.wait(PATIENCE_SECONDS)
    receiver.hub.close_item(run_id)
    if starts.results.get(run_id) is None or float(starts.results[run_id]) != 3:
        raise RuntimeError(f"{command} gave no result: {output}")
    return starts.started[run_id] - begin


def runtime_seconds(command: Sequence[str]) -> float:
    """Seconds that the runtime alone takes to start and end."""
    begin = time.perf_counter()
    subprocess.run(command, check=True, capture_output=True)
    return time.perf_counter() - begin


def measure(rounds: int = 9) -> list[Line]:
    """One line for each language, all of them measured in turn."""
    settings = CallbackSettings.from_config({"callback_token": "bench", "callback_grpc": True})
    receiver, starts = receiver_for(settings), Starts()
    here: list[tuple[Language, list[str]]] = []
    for language in LANGUAGES:
        if language.tool and shutil.which(language.tool) is None:
            print(f"{language.tool} was not found: {language.name} is left out", file=sys.stderr)
        else:
            here.append((language, language.command()))
    figures: dict[str, list[tuple[float, float, float]]] = {each.name: [] for each, _ in here}
    for number in range(rounds + 1):
        for language, command in here:
            run = f"{language.name}-{number}"
            row = (
                start_seconds(receiver, starts, command, f"{run}-http", grpc=False),
                start_seconds(receiver, starts, command, f"{run}-grpc", grpc=True),
                runtime_seconds(language.runtime),
            )
            if number:
                figures[language.name].append(row)
    lines = []
    for language, _ in here:
        http, grpc, runtime = map(statistics.median, zip(*figures[language.name], strict=True))
        lines.append(
            Line(
                name=f"{language.name} worker: from exec to task_started received",
                limit=f"{' '.join(language.runtime[:1]).rpartition('/')[2]} alone",
                target="-",
                ours=http * 1e3,
                against=runtime * 1e3,
                unit="ms",
                ratio=http / runtime,
                reached=None,
                note=f"by gRPC {grpc * 1e3:.0f} ms",
            )
        )
    return lines


if __name__ == "__main__":
    report(measure())
