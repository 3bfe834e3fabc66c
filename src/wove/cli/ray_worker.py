"""`wove worker ray`: one node of a Ray cluster."""

from __future__ import annotations

import argparse
import json
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from wove.cli._starting import CannotStartError, amounts
from wove.integrations._ray_connection import knock, refusal_in

CONNECT_SECONDS = 10
"""How long the cluster may take to accept a connection before the command gives up."""

END_SECONDS = 5
"""How long Ray may take to end its node after a second signal."""

STARTED = "Ray runtime started"
"""What `ray start` prints when the node is there."""


def add_to(backends: Any) -> None:
    """Add the `ray` command to argparse's subparsers `backends`."""
    parser: argparse.ArgumentParser = backends.add_parser(
        "ray",
        help="a node of a Ray cluster",
        description=(
            "Run `ray start --block`: one more node of a cluster. "
            "SIGTERM stops it after the tasks in hand, a second one at once."
        ),
    )
    parser.add_argument("--address", required=True, metavar="HOST:PORT", help="the cluster's")
    parser.add_argument("--num-cpus", type=int, metavar="N", help="tasks of one CPU at once")
    parser.add_argument("--num-gpus", type=int, metavar="N", help="GPUs of this node")
    parser.add_argument(
        "--resource",
        action="append",
        default=[],
        metavar="NAME=AMOUNT",
        help="what `resources` in remote_options asks for; may be repeated",
    )
    parser.set_defaults(run=run)


def run(arguments: argparse.Namespace) -> int:
    """Start the node and stay until it has stopped; the exit status."""
    try:
        return _Node(arguments).run()
    except CannotStartError as error:
        print(f"wove: {error}", file=sys.stderr)
        return 1


class _Node:
    """The `ray start --block` of this command."""

    def __init__(self, arguments: argparse.Namespace) -> None:
        self._address: str = arguments.address
        self._argv = _ray("start", "--block", "--disable-usage-stats", "--address", self._address)
        for option in ("num_cpus", "num_gpus"):
            if getattr(arguments, option) is not None:
                self._argv += [f"--{option.replace('_', '-')}", str(getattr(arguments, option))]
        resources = amounts(arguments.resource)
        if resources:
            self._argv += ["--resources", json.dumps(resources)]
        self._asked = threading.Event()
        self._hurry = threading.Event()

    def run(self) -> int:
        """Start the node, and drain it when asked to stop."""
        _knock(self._address)
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, self._on_signal)
        # A group of its own: Ctrl-C in the terminal is for this process, which stops it in order.
        process = subprocess.Popen(  # noqa: S603 - Ray's own program, of this interpreter
            self._argv,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            start_new_session=True,
        )
        said = _Output(process)
        try:
            if not said.until(STARTED, unless=self._hurry):
                if self._hurry.is_set():
                    raise CannotStartError("stopped before the node was there")
                raise _not_started(self._address, said)
            raylet = _raylet_of(process.pid)
            name = f"{raylet.node_id} " if raylet else ""
            print(f"wove: Ray node {name}of {self._address}", file=sys.stderr)
            print(
                "wove: ready; SIGTERM or Ctrl-C stops it after the tasks in hand",
                file=sys.stderr,
                flush=True,
            )
            while process.poll() is None and not self._asked.wait(0.2):
                pass
            if process.poll() is not None:
                print(f"wove: the node has ended\n{said.last(10)}", file=sys.stderr)
                return 1
            if raylet is not None:
                self._drain(raylet)
        finally:
            self._end(process)
        print("wove: stopped", file=sys.stderr)
        return 0

    def _end(self, process: subprocess.Popen[str]) -> None:
        """Have `ray start` end with its node; after a second signal not for longer than it may."""
        if process.poll() is None:
            process.terminate()
        begun = time.monotonic()
        while process.poll() is None:
            # One that still looks for its head hears no signal. Its node ends with it.
            if self._hurry.wait(0.1) and time.monotonic() - begun > END_SECONDS:
                process.kill()
            time.sleep(0.1)

    def _on_signal(self, *_: object) -> None:
        """The first asks for a stop after the tasks in hand, the second for one at once."""
        (self._hurry if self._asked.is_set() else self._asked).set()

    def _drain(self, raylet: _Raylet) -> None:
        """Have the cluster give the node no more tasks; Ray ends a drained node that is idle."""
        asking = subprocess.Popen(  # noqa: S603 - as above
            _ray(
                *("drain-node", "--address", self._address, "--node-id", raylet.node_id),
                *("--reason", "DRAIN_NODE_REASON_PREEMPTION"),
                *("--reason-message", "the worker was asked to stop"),
            ),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            start_new_session=True,  # as above
        )
        said = _Output(asking)
        said.until_end(unless=self._hurry)
        if self._hurry.is_set():
            asking.kill()  # without the cluster's head it tries for most of a minute
            asking.wait()
            return
        if asking.wait():
            print(f"wove: Ray did not drain the node: {said.last(1)}", file=sys.stderr)
            return
        while raylet.is_alive() and not self._hurry.wait(0.2):
            pass


class _Output:
    """What a process prints, read in a thread so that it never has to wait for a reader."""

    def __init__(self, process: subprocess.Popen[str]) -> None:
        self._process = process
        self._lines: list[str] = []
        self._changed = threading.Condition()
        self._ended = False
        threading.Thread(target=self._read, name="wove-ray-output", daemon=True).start()

    def until(self, text: str, *, unless: threading.Event) -> bool:
        """Wait for a line with `text`; False if there is none at the end, or `unless` is set."""
        return self._wait(lambda: any(text in line for line in self._lines), unless)

    def until_end(self, *, unless: threading.Event) -> None:
        """Wait until nothing more can come, or `unless` is set."""
        self._wait(lambda: False, unless)

    def _wait(self, found: Callable[[], bool], unless: threading.Event) -> bool:
        with self._changed:
            while not (found() or self._ended or unless.is_set()):
                self._changed.wait(0.2)  # a signal's handler sets `unless`, and may not notify
            return found()

    def last(self, count: int) -> str:
        """The last lines."""
        with self._changed:
            return "".join(self._lines[-count:]).rstrip()

    def _read(self) -> None:
        for line in self._process.stdout or ():
            with self._changed:
                self._lines = [*self._lines[-99:], line]
                self._changed.notify_all()
        with self._changed:
            self._ended = True
            self._changed.notify_all()


def _not_started(address: str, said: _Output) -> CannotStartError:
    refusal = refusal_in(said.last(100))
    if refusal:
        return CannotStartError(f"the Ray cluster at {address} refuses this node: {refusal}")
    return CannotStartError(f"Ray did not start:\n{said.last(10)}")


def _ray(*arguments: str) -> list[str]:
    return [sys.executable, "-m", "ray.scripts.scripts", *arguments]


@dataclass
class _Raylet:
    """Ray's own process of a node. `ray start --block` neither says which, nor ends with it."""

    pid: int
    node_id: str

    def is_alive(self) -> bool:
        try:
            status = Path(f"/proc/{self.pid}/stat").read_text()
        except OSError:
            return False
        return status.rpartition(")")[2].split()[0] != "Z"


def _raylet_of(parent: int) -> _Raylet | None:
    """The raylet that a process has started; None where there is no /proc to look at."""
    for listed in Path(f"/proc/{parent}/task").glob("*/children"):
        for pid in map(int, listed.read_text().split()):
            argv = Path(f"/proc/{pid}/cmdline").read_bytes().decode(errors="replace").split("\0")
            for argument in argv:
                name, _, value = argument.partition("=")
                if name == "--node_id" and Path(argv[0]).name == "raylet":
                    return _Raylet(pid, value)
    return None


def _knock(address: str) -> None:
    try:
        import ray  # noqa: F401
    except ImportError as error:
        raise CannotStartError(
            f"Ray is not installed ({error}). Install with: pip install 'wove[ray]'"
        ) from error
    host, _, port = address.rpartition(":")
    if not (host and port.isdigit()):
        raise CannotStartError(f"--address {address}: give HOST:PORT, such as ray-head:6379")
    try:
        knock(address, seconds=CONNECT_SECONDS)
    except (OSError, OverflowError) as error:
        raise CannotStartError(
            f"cannot reach the Ray cluster at {address}: {str(error).rstrip('.')}. "
            "Check that it runs and that the address is right."
        ) from error
