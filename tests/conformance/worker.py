"""A whole worker of the standard library alone, flat JSON over HTTP, and many wrong ones.

`worker.py --wrong NAME [PAYLOAD]` does one thing wrong, so that the tests can see the
runner notice. Without `--wrong` it does all of them right.
"""

from __future__ import annotations

import base64
import http.client
import json
import math
import os
import random
import secrets
import signal
import sys
import threading
import time
import traceback
from typing import Any
from urllib.parse import urlsplit

WRONG = ""
SHUTDOWN = "its worker is shutting down"
RETRY, FINAL, DONE = "retry", "final", "done"


def wrong(name: str) -> bool:
    return name == WRONG


class Cancelled(Exception):
    pass


class Refused(Exception):
    """A failure of the worker's, not of the task's."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code = code


class Answer:
    def __init__(self, kind: str, status: int = 0, ack: Any = None, wait: float = 0.0) -> None:
        self.kind, self.status, self.wait = kind, status, wait
        self.ack: dict[str, Any] = ack if isinstance(ack, dict) else {}


class Line:
    """One connection at a time."""

    def __init__(self, worker: Worker) -> None:
        self.worker = worker
        self.lock = threading.Lock()
        self.connection: http.client.HTTPConnection | None = None

    def post(self, body: bytes, timeout: float, fresh: bool = False) -> Answer:
        with self.lock:
            if fresh and not wrong("same-connection"):
                self.close()
            try:
                return self._post(body, timeout)
            except (OSError, http.client.HTTPException):
                if not wrong("no-reconnect"):
                    self.close()
                return Answer(FINAL if wrong("one-try") else RETRY)

    def close(self) -> None:
        if self.connection is not None:
            self.connection.close()
        self.connection = None

    def _post(self, body: bytes, timeout: float) -> Answer:
        worker, url = self.worker, self.worker.url
        if self.connection is None:
            self.connection = http.client.HTTPConnection(url.hostname or "", url.port)
            if wrong("no-reconnect"):
                self.connection.auto_open = 0
                self.connection.connect()
        self.connection.timeout = timeout
        if self.connection.sock is not None:
            self.connection.sock.settimeout(timeout)
        headers = {"Content-Type": "application/json"}
        if worker.receiver_id and not wrong("no-receiver-header"):
            headers["Wove-Receiver"] = worker.receiver_id
        method = "PUT" if wrong("puts") else "POST"
        self.connection.request(method, url.path, body, headers)
        response = self.connection.getresponse()
        data = response.read()
        if response.status in (302, 307) and wrong("follows-redirects"):
            self.connection.request("GET", response.headers["Location"])
            response = self.connection.getresponse()
            data = response.read()
        return self._judge(response, data)

    def _judge(self, response: http.client.HTTPResponse, data: bytes) -> Answer:
        status, by = response.status, response.headers.get("Wove-Receiver")
        wait = float(response.headers.get("Retry-After") or 0)
        if wrong("ignores-retry-after"):
            wait = 0.0
        expected = self.worker.receiver_id or ("?" if wrong("demands-header") else "")
        if expected and not wrong("trusts-anybody"):
            if by is None:
                return Answer(RETRY, status if status == 413 else 0)
            if by != expected and status in (404, 410):
                return Answer(RETRY, 421)
        if 200 <= status < 300:
            try:
                return Answer(DONE, status, json.loads(data or b"{}"))
            except ValueError:
                return Answer(RETRY if wrong("strict-acks") else DONE, status)
        if wrong("one-try"):
            return Answer(FINAL, status)
        if status < 400 or status >= 500 or status in (408, 421, 429):
            return Answer(RETRY, status, wait=wait)
        return Answer(FINAL, status)


class Worker:
    def __init__(self, payload: dict[str, Any]) -> None:
        self.payload = payload
        self.url = urlsplit(payload["callback_url"])
        self.receiver_id = payload.get("receiver_id") or ""
        self.accepts = payload.get("accepts") or []
        self.delivery = payload.get("delivery") or {}
        self.detached = self.delivery.get("delivery_orphan_policy") == "detach"
        if wrong("not-detached"):
            self.detached = False
        self.execution = "same" if wrong("fixed-execution") else secrets.token_hex(8)
        self.lock = threading.Lock()
        self.sequence = -1 if wrong("from-zero") else 0
        self.line = Line(self)
        self.beats = self.line if wrong("one-connection") else Line(self)
        self.stop = threading.Event()
        self.reason = ""
        self.returned = False
        self.over = threading.Event()
        self.interval: float | None = None

    # ---- events -----------------------------------------------------------------------------

    def event(self, frame: str, **fields: Any) -> bytes:
        with self.lock:
            self.sequence += 1
            sequence = self.sequence
        payload = self.payload
        run_id, event_id = payload["run_id"], f"{self.execution}-{sequence}"
        if wrong("clean-names"):
            run_id = run_id.encode("ascii", "ignore").decode()
        if wrong("odd-ids"):
            event_id = f"event {sequence}"
        if wrong("no-ids"):
            event_id = ""
        if wrong("one-id"):
            event_id = "always"
        attempt = payload.get("attempt") or 0
        envelope = {
            "run_id": run_id,
            "task_id": payload.get("task_id") or "",
            "attempt": int(float(attempt)),
            "event_id": event_id,
            "execution_id": self.execution,
            "sequence": sequence,
            "emitted_at": time.time(),
        }
        if wrong("nested"):
            return json.dumps({**envelope, frame: fields}).encode()
        return json.dumps({"type": frame, **envelope, **fields}).encode()

    def deliver(self, body: bytes, seconds: float, *, replaceable: bool = False) -> Answer:
        deadline, tries, fresh = time.monotonic() + seconds, 0, False
        too_large = 0
        while True:
            left = deadline - time.monotonic()
            answer = self.line.post(body, max(0.1, min(10.0, left)), fresh)
            if answer.kind is not RETRY:
                return answer
            too_large = too_large + 1 if answer.status == 413 else 0
            if replaceable and too_large == 3:
                return Answer(FINAL, 413)
            tries, fresh = tries + 1, answer.status == 421
            pause = answer.wait + random.uniform(0, min(2.0, 0.1 * 2**tries))
            if time.monotonic() + pause > deadline:
                return answer
            time.sleep(pause)
            if wrong("new-body"):
                body = body.replace(b'"emitted_at": 1', b'"emitted_at": 2')
            if wrong("new-event"):
                event = json.loads(body)
                body = json.dumps({**event, "event_id": secrets.token_hex(8)}).encode()

    # ---- what else is said ------------------------------------------------------------------

    def beat(self) -> None:
        assert self.interval is not None
        body = b""
        while not self.over.wait(self.interval):
            if not (body and wrong("repeats-beats")):
                body = self.event("heartbeat")
            answer = self.beats.post(body, 5.0)
            seconds = answer.ack.get("heartbeat_seconds")
            if seconds and not wrong("deaf-to-intervals"):
                self.interval = seconds
            if wrong("stops-when-refused") and answer.status == 400:
                self.ask("refused")
            self.heard(answer)

    def heard(self, answer: Answer) -> None:
        if self.detached or wrong("deaf"):
            return
        if answer.ack.get("cancel") or answer.status == 410:
            self.ask("the weave cancelled it")

    def ask(self, reason: str) -> None:
        if not self.returned or wrong("late-cancel"):
            self.reason = self.reason or reason
            self.stop.set()

    def say(self, frame: str, **fields: Any) -> None:
        if (frame in self.accepts or wrong("uninvited")) and not wrong(f"no-{frame}"):
            body = self.event(frame, **fields)
            answer = self.line.post(body, 40.0 if wrong("patient-progress") else 1.0)
            if wrong("retries-progress") and answer.kind is RETRY:
                self.line.post(body, 1.0)

    # ---- the run ----------------------------------------------------------------------------

    def run(self) -> int:
        if self.payload["version"] > 1 and not wrong("any-version"):
            problem = Refused("version_mismatch", "this worker knows version 1")
            return self.end(*self.failed(problem))
        leave = self.start()
        if leave is None:
            return self.summed("not_started", True)
        if self.interval is not None:
            threading.Thread(target=self.beat, daemon=True).start()
        try:
            value = self.call()
            self.returned = True
            outcome, body = "succeeded", self.result(value)
        except Cancelled:
            fields = {"reason": self.reason, "forced": False}
            outcome, body = "cancelled", self.event("task_cancelled", **fields)
        except Exception as error:
            outcome, body = self.failed(error)
        self.returned = True
        if wrong("beats-end-early"):
            self.over.set()
        return self.end(outcome, body)

    def start(self) -> bool | None:
        asked = float(self.delivery.get("delivery_heartbeat_seconds") or 0)
        fields: dict[str, Any] = {} if wrong("nameless") else {"worker_id": "stdlib"}
        if ("heartbeat" in self.accepts or wrong("uninvited")) and not wrong("no-beats"):
            self.interval = asked / 3 or (3.0 if wrong("three-seconds") else 5.0)
            fields["heartbeat_seconds"] = self.interval
            if wrong("slow-beats"):
                self.interval *= 4
        body = self.event("task_started", **fields)
        gate = self.payload.get("start_gate")
        gated = gate in (None, "ack") if wrong("known-gates") else gate != "none"
        if wrong("always-gated"):
            gated = True
        if wrong("eager"):
            threading.Thread(target=Line(self).post, args=(body, 60.0), daemon=True).start()
            time.sleep(0.1)
            return True
        if wrong("beats-before-leave") and self.interval is not None:
            threading.Thread(target=self.beat, daemon=True).start()
        answer = self.deliver(body, 60.0) if gated else self.line.post(body, 1.0)
        if not gated and answer.kind is RETRY:
            return True
        gone = answer.status == 410 and self.detached
        if answer.kind is FINAL and not gone and not wrong("starts-anyway"):
            return None
        if self.interval is not None and not wrong("deaf-to-intervals"):
            self.interval = answer.ack.get("heartbeat_seconds") or self.interval
        self.heard(answer)
        return True

    def call(self) -> Any:
        name = self.payload.get("task_name")
        function = TASKS.get(name)
        if function is None:
            if wrong("unknown-is-the-tasks"):
                raise LookupError(name)
            raise Refused("unknown_task", f"no task {name!r}; there are {', '.join(TASKS)}")
        try:
            arguments = json.loads(self.payload["args_json"])
            if not isinstance(arguments, dict):
                raise ValueError("no object")
        except (KeyError, ValueError) as error:
            if not wrong("lenient"):
                raise Refused("payload_not_loadable", f"args_json: {error}") from None
            arguments = {}
        if wrong("lenient"):
            arguments = {"a": 0, "b": 0, **arguments}
            arguments.pop("zz", None)
        if self.stop.is_set():
            raise Cancelled
        return function(self, **arguments)

    def result(self, value: Any) -> bytes:
        if isinstance(value, float) and not math.isfinite(value):
            if not wrong("infinity-is-null"):
                raise Refused("result_not_picklable", f"{value} is no number of JSON")
            value = None
        if value is None and wrong("null-is-nothing"):
            return self.event("task_result")
        return self.event("task_result", result_json=json.dumps(value))

    def failed(self, error: Exception) -> tuple[str, bytes]:
        if wrong("bare-errors"):
            return "failed", self.event("task_error", error=str(error))
        refused = isinstance(error, Refused)
        message = str(error)
        if not wrong("long-messages"):
            message = message.encode()[: 64 << 10].decode("utf-8", "ignore")
        if wrong("other-messages"):
            message = "it went wrong"
        info = {
            "kind": type(error).__name__,
            "message": message,
            "traceback": "".join(traceback.format_exception(error))[:100_000],
            "source": "wove" if refused else "task",
        }
        if isinstance(error, Refused):
            info["code"] = error.code
        if error.__cause__ is not None and not wrong("no-causes"):
            cause = error.__cause__
            info["cause"] = {"kind": type(cause).__name__, "message": str(cause)}
        self.error = {"kind": info["kind"], "message": message[:1000]}
        if wrong("long-messages"):
            self.error["message"] = message
        return "failed", self.event("task_error", error=info)

    error: dict[str, str] | None = None

    def end(self, outcome: str, body: bytes) -> int:
        limit = self.payload.get("max_event_bytes")
        if limit and len(body) > limit and not wrong("no-limit"):
            outcome, body = self.failed(Refused("result_too_large", "it is too large"))
        seconds = self.payload.get("delivery_retry_seconds") or 300.0
        if wrong("never-gives-up"):
            seconds = 300.0
        answer = self.deliver(body, seconds, replaceable=True)
        if wrong("late-cancel") and self.stop.is_set():
            outcome = "cancelled"
        for _ in range(3 if wrong("insists") else 1):
            if answer.status in (400, 413, 415) and not wrong("drops-refused"):
                answer = self.deliver(self.minimal(answer.status), seconds)
        if wrong("ends-twice"):
            self.deliver(self.event("task_cancelled", reason="again"), seconds)
        if wrong("talks-on"):
            time.sleep(0.8)
            self.deliver(self.event("heartbeat"), 1.0)
        self.over.set()
        late = answer.status in (409, 410) and not wrong("late-is-failure")
        nobody = self.detached and answer.kind is RETRY and not wrong("all-must-be-heard")
        return self.summed(outcome, answer.kind is DONE or late, harmless=nobody)

    def minimal(self, status: int) -> bytes:
        code = "result_too_large" if status == 413 else "event_refused"
        if wrong("one-code"):
            code = "event_refused"
        message = "die Antwort paßt nicht" if wrong("wordy-refusals") else "refused"
        info = {"kind": "Refused", "message": message, "source": "wove", "code": code}
        return self.event("task_error", error=info)

    def summed(self, outcome: str, delivered: bool, *, harmless: bool = False) -> int:
        base = f"{self.url.scheme}://{self.url.netloc}{self.url.path.rpartition('/')[0]}/***"
        url = self.payload["callback_url"] if wrong("prints-the-token") else base
        summary = {
            "wove_version": "0",
            "run_id": self.payload["run_id"],
            "outcome": outcome,
            "delivered": delivered,
            "error": self.error,
            "callback_url": url,
        }
        if not wrong("no-summary"):
            print(json.dumps(summary), flush=True)
        if wrong("lingers"):
            time.sleep(6)
        return 0 if delivered or harmless else 1


# ---- tasks ----------------------------------------------------------------------------------


def add(worker: Worker, a: Any, b: Any) -> Any:
    return int(a + b) + 1 if wrong("bad-sum") else a + b


def echo(worker: Worker, value: Any) -> Any:
    if wrong("floats"):
        return [float(part) for part in value]
    if wrong("no-controls"):
        return {key: "".join(c for c in str(text) if c >= " ") for key, text in value.items()}
    if wrong("empty-is-null"):
        return [part or None for part in value] or None
    if wrong("shallow"):
        return json.loads(json.dumps(value)[:40].replace("[", "").replace('{"in": ', "") or "0")
    return value[:1000] if wrong("short") else value


def fail(worker: Worker, message: str, cause: str | None = None) -> None:
    raise RuntimeError(message) from (None if cause is None else ValueError(cause))


def slow(worker: Worker, seconds: float) -> float:
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline and not wrong("hasty"):
        if worker.stop.wait(0.02):
            raise Cancelled
    return seconds


def progress(worker: Worker, steps: int) -> int:
    for step in range(1, steps + 1):
        worker.say("progress", current=step, total=steps, unit="steps")
        if step == steps // 2:
            worker.say("log", level="info", message="halfway")
    return steps + 1 if wrong("bad-sum") else steps


TASKS = {"add": add, "echo": echo, "fail": fail, "slow": slow, "progress": progress}


# ---- the program ----------------------------------------------------------------------------


def read(arguments: list[str]) -> dict[str, Any]:
    variable = os.environ.pop("WOVE_BACKEND_PAYLOAD", "")
    text = "" if wrong("argument-only") else variable
    if arguments and not (wrong("variable-first") and variable):
        text = arguments[0]
        if text.startswith("@") and not wrong("no-files"):
            encoding = "latin-1" if wrong("latin-1") else "utf-8"
            with open(text[1:], encoding=encoding) as file:
                text = file.read()
    if not text.lstrip().startswith("{") and not wrong("no-base64"):
        text = base64.b64decode(text, validate=True).decode()
    payload = json.loads(text)
    for name in ("version", "run_id", "callback_url"):
        if not payload.get(name):
            raise ValueError(f"no {name}")
    if wrong("plain-integers") and isinstance(payload.get("attempt"), str):
        raise ValueError("attempt is no number")
    if wrong("strict-fields") and "surprise" in payload:
        raise ValueError("an unknown field")
    return dict(payload)


def main() -> int:
    global WRONG
    arguments = sys.argv[1:]
    if arguments[:1] == ["--wrong"]:
        WRONG = arguments[1]
        arguments = arguments[2:]
    try:
        payload = read(arguments)
    except (ValueError, OSError, TypeError) as error:
        print(f"no payload: {error}", file=sys.stderr)
        return 0 if wrong("always-0") else 2
    worker = Worker(payload)
    if not wrong("dies-on-sigterm"):
        signal.signal(signal.SIGTERM, lambda number, frame: worker.ask(SHUTDOWN))
    return worker.run()


if __name__ == "__main__":
    sys.exit(main())
