"""What a case has at hand: a receiver, payloads that lead to it, and workers that take them."""

from __future__ import annotations

import base64
import json
import secrets
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Literal

from workers.conformance.checks import equal, exact, expect
from workers.conformance.grpc_door import GrpcDoor
from workers.conformance.http_door import HttpDoor
from workers.conformance.program import VARIABLE, Ended, Program
from workers.conformance.receiver import Delivery, Receiver

__all__ = ["Form", "Run"]

Form = Literal["argument", "base64 argument", "file", "base64 file", "variable", "base64 variable"]
MAX_ARGUMENT = 100_000
"""Linux takes 128 KiB in one argument."""


class Run:
    """One case in one encoding.

    Args:
        argv: the worker's command.
        encoding: "json", "protobuf" or "grpc".
        patience: factor for every wait.
    """

    def __init__(self, argv: Sequence[str], encoding: str, patience: float) -> None:
        self.encoding = encoding
        self.receiver = Receiver(patience)
        self.programs: list[Program] = []
        self.receiver.abandoned = lambda: not any(program.running for program in self.programs)
        self.payloads: list[dict[str, Any]] = []
        self.http = HttpDoor(self.receiver)
        self.grpc: GrpcDoor | None = None
        self._argv = argv
        self._patience = patience
        self._folder: tempfile.TemporaryDirectory[str] | None = None

    async def open(self) -> None:
        """Listen."""
        await self.http.open()
        if self.encoding == "grpc":
            await self.offer_grpc()

    async def offer_grpc(self) -> str:
        """Listen for gRPC too; the address."""
        if self.grpc is None:
            self.grpc = GrpcDoor(self.receiver)
            await self.grpc.open()
        return self.grpc.url

    async def close(self) -> None:
        """End the workers, then the receiver."""
        for program in self.programs:
            await program.kill()
        await self.http.close()
        if self.grpc is not None:
            await self.grpc.close()
        if self._folder is not None:
            self._folder.cleanup()

    def payload(
        self, task: str | None, arguments: Mapping[str, Any] | str | None = None, **fields: Any
    ) -> dict[str, Any]:
        """A payload that leads here. `fields` replace its own; None takes one away."""
        text = arguments if isinstance(arguments, str) else json.dumps(arguments or {})
        payload = {
            "version": 1,
            "adapter": "conformance",
            "callback_url": self.http.url,
            "run_id": f"c-{secrets.token_hex(6)}",
            "task_id": "task-1",
            "task_name": task,
            "callable_pickle": "",
            "args_pickle": "",
            "delivery": {},
            "args_json": text,
            "receiver_id": self.receiver.receiver_id,
            "accepts": [],
            "max_event_bytes": 64 << 20,
        }
        if self.encoding == "grpc" and self.grpc is not None:
            payload["callback_grpc"] = self.grpc.url
        payload.update(fields)
        return {name: value for name, value in payload.items() if value is not None}

    async def start(
        self, task: str | None, arguments: Mapping[str, Any] | str | None = None, **fields: Any
    ) -> Program:
        """Start a worker with a payload of these parts."""
        return await self.hand(self.payload(task, arguments, **fields))

    async def hand(
        self,
        payload: Mapping[str, Any] | str | None,
        form: Form = "argument",
        *,
        encoding: str | None = "",
        ascii_only: bool = True,
        environment: Mapping[str, str] | None = None,
    ) -> Program:
        """Start a worker with a payload, or a text in its place.

        Args:
            payload: None: none at all.
            form: how it is handed over; arguments that are too long go by file.
            encoding: of WOVE_ENCODING; None: unset; by default the run's own.
            ascii_only: escape the rest in the payload's JSON.
            environment: further variables.
        """
        words = list(self._argv)
        variables = dict(environment or {})
        if encoding is not None:
            variables["WOVE_ENCODING"] = encoding or self.encoding
        if payload is not None:
            if not isinstance(payload, str):
                self.payloads.append(dict(payload))
                payload = json.dumps(payload, ensure_ascii=ascii_only)
            if form.startswith("base64"):
                payload = base64.b64encode(payload.encode()).decode()
            if form.endswith("variable"):
                variables[VARIABLE] = payload
            elif form.endswith("file") or len(payload.encode()) > MAX_ARGUMENT:
                words.append(f"@{self._file(payload)}")
            else:
                words.append(payload)
        program = Program(words, variables, self._patience, self.receiver.look)
        await program.start()
        self.programs.append(program)
        return program

    async def outcome(
        self, program: Program, frame: str, *, seconds: float = 20.0, status: int = 0
    ) -> tuple[Delivery, Ended]:
        """Wait for the worker's end: with this status, after one terminal event, of `frame`."""
        await self.receiver.wait_for("terminal", seconds=seconds)
        ended = await program.end()
        endings = self.receiver.endings
        names = [found.frame for found in endings]
        expect("the terminal events", names == [frame], [frame], names)
        equal("exit status", status, ended.status)
        return endings[0], ended

    async def value(
        self, task: str, arguments: Mapping[str, Any] | str, **fields: Any
    ) -> tuple[Any, Ended]:
        """The value that a task returns."""
        ending, ended = await self.outcome(
            await self.start(task, arguments, **fields), "task_result"
        )
        return self.value_of(ending), ended

    def value_of(self, ending: Delivery) -> Any:
        """The value of a `task_result`."""
        kind = ending.event.task_result.WhichOneof("value")
        equal("the result's form", "result_json", kind)
        text = ending.event.task_result.result_json
        try:
            return exact(text)
        except ValueError:
            expect("the result", False, "JSON", text)

    def _file(self, text: str) -> Path:
        if self._folder is None:
            self._folder = tempfile.TemporaryDirectory(prefix="conformance-")
        path = Path(self._folder.name) / f"payload-{len(self.programs)}"
        path.write_text(text, encoding="utf-8")
        return path
