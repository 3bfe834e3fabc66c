"""A backend whose jobs the test plays: it posts the events itself, over HTTP."""

from __future__ import annotations

import http.client
import itertools
import threading
from collections.abc import Callable, Mapping
from typing import Any
from urllib.parse import urlsplit

from wove.contract import event_to_json, payload_from_json
from wove.dispatch.pickling import dumps, loads
from wove.executors.backend_state import BackendState, BackendStatus, Supports
from wove.integrations.base import BackendAdapter
from wovepb.v1.event_pb2 import Event

_numbers = itertools.count()


class Played:
    """One submitted job, and the worker's side of it."""

    def __init__(self, payload: dict[str, Any]) -> None:
        self.payload = payload
        self.id = f"job-{next(_numbers)}"
        self.state: BackendState | Exception = BackendState(BackendStatus.RUNNING)
        self.polls = 0
        self.cancels: list[dict[str, Any]] = []

    def call(self) -> Any:
        message = payload_from_json(self.payload)
        return loads(message.callable_pickle)(**loads(message.args_pickle))

    def post(self, kind: str, **fields: Any) -> int:
        """Send one event as a worker would; the status that came back."""
        event = Event(
            run_id=self.payload["run_id"],
            task_id=self.payload["task_id"],
            event_id=f"event-{next(_numbers)}",
            execution_id=self.id,
        )
        getattr(event, kind).SetInParent()
        for name, value in fields.items():
            setattr(getattr(event, kind), name, value)
        url = urlsplit(self.payload["callback_url"])
        connection = http.client.HTTPConnection(url.hostname or "", url.port, timeout=10)
        try:
            connection.request(
                "POST", url.path, event_to_json(event), {"Content-Type": "application/json"}
            )
            return connection.getresponse().status
        finally:
            connection.close()

    def run(self) -> None:
        """Start, call and report."""
        if self.post("task_started") < 300:
            self.post("task_result", result_pickle=dumps(self.call()))


class PlayedAdapter(BackendAdapter):
    """Hands each job to `config["play"]`, in a thread."""

    knows_queued = True
    supports = Supports(cancel_queued=True, cancel_running="asks", poll=True)

    async def start(self) -> None:
        self.config["adapters"].append(self)
        self.jobs: list[Played] = []
        self.closed = False

    async def submit(self, payload: dict[str, Any], frame: dict[str, Any]) -> Played:
        job = Played(payload)
        self.jobs.append(job)
        self.config["jobs"].append(job)
        play: Callable[[Played], None] = self.config["play"]
        thread = threading.Thread(target=play, args=(job,))
        thread.start()
        return job

    async def cancel(self, run_id: str, submission: Played, frame: dict[str, Any]) -> None:
        submission.cancels.append(frame)

    async def poll(self, submissions: Mapping[str, Played]) -> Mapping[str, BackendState]:
        states = {}
        for run_id, job in submissions.items():
            job.polls += 1
            if isinstance(job.state, Exception):
                raise job.state
            states[run_id] = job.state
        return states

    async def close(self) -> None:
        self.closed = True
