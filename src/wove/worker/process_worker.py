"""A warm worker process: takes payloads from its parent's pipe, one after the other.

Messages on the pipes are JSON, each after its length (4 bytes, big-endian):

- in: first a hello {"sys_path", "cwd", "faults", "main", "control", "life"}; then payloads;
- out: {"ready": pid} to the hello; then for each payload its summary, or
  {"raised": text, "run_id"} if the events could not be delivered.

The end of the input ends the process. Tasks find `/dev/null` as their standard input, and
what they print goes to the parent's standard error: neither can touch the pipes.
"""

from __future__ import annotations

import json
import os
import signal
import struct
import sys
from contextlib import suppress
from typing import Any, BinaryIO

from wove.worker.entrypoint import run_here
from wove.worker.process_control import Control

__all__ = ["main"]

RAISED_CHARACTERS = 10_000
"""The parent takes no answer for one that is over a megabyte."""

_LENGTH = struct.Struct(">I")


def main() -> None:
    """Serve until the parent closes the pipe."""
    source, sink = _take_pipes()
    # Ctrl-C reaches the whole terminal; what it means for a task, the weave decides.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    hello = _read(source)
    if hello is None:
        return
    control = _prepare(json.loads(hello))
    with suppress(BrokenPipeError):  # then the input has ended too
        _write(sink, {"ready": os.getpid()})
    while (payload := _read(source)) is not None:
        try:
            answer = run_here(payload, control)
        except Exception as error:  # noqa: BLE001 - the parent's to judge; the worker goes on
            words = f"{type(error).__name__}: {error}"[:RAISED_CHARACTERS]
            answer = {"raised": words, "run_id": _run_id(payload)}
        try:
            _write(sink, answer)
        except BrokenPipeError:  # nobody reads any more: the weave's process has been killed
            return


def _take_pipes() -> tuple[BinaryIO, int]:
    source = os.fdopen(os.dup(0), "rb")
    sink = os.dup(1)
    null = os.open(os.devnull, os.O_RDONLY)
    os.dup2(null, 0)
    os.close(null)
    os.dup2(2, 1)
    return source, sink


def _prepare(hello: dict[str, Any]) -> Control | None:
    if hello.get("life") is not None:
        from wove.worker.process_life import end_with

        end_with(hello["life"])
    if hello.get("sys_path"):
        sys.path[:] = hello["sys_path"]
    if hello.get("cwd"):
        os.chdir(hello["cwd"])
    if hello.get("faults"):
        from wove.worker.faults import inject

        inject(hello["faults"])
    if hello.get("control") is None:
        return None
    control = Control(hello["control"])
    control.start()
    return control


def _read(source: BinaryIO) -> bytes | None:
    head = source.read(_LENGTH.size)
    if len(head) < _LENGTH.size:
        return None
    (size,) = _LENGTH.unpack(head)
    body = source.read(size)
    return body if len(body) == size else None


def _write(sink: int, message: dict[str, Any]) -> None:
    body = json.dumps(message).encode()
    data = memoryview(_LENGTH.pack(len(body)) + body)
    while data:  # no buffer, so that nothing is left to be written when the process ends
        data = data[os.write(sink, data) :]


def _run_id(payload: bytes) -> str:
    try:
        return str(json.loads(payload)["run_id"])
    except (ValueError, TypeError, KeyError, RecursionError):
        return ""


if __name__ == "__main__":
    main()
