"""A whole worker without Wove: `python worker.py`, with a payload in WOVE_BACKEND_PAYLOAD."""

import base64
import http.client
import itertools
import json
import os
import random
import secrets
import signal
import sys
import threading
import time
from urllib.parse import urlsplit


class StoppedError(Exception):
    """A task raises it when it has seen that it should stop."""


def report(stop):
    return {"balance": 495, "worker": os.getpid()}


def wait(stop):  # a long task looks at `stop` now and then
    if stop.wait(60):
        raise StoppedError
    return "waited"


TASKS = {"report": report, "wait": wait}  # by task_name; arguments follow `stop`, by name


def ascii_(text):
    return text.encode("ascii", "backslashreplace")[:60_000].decode()


class Line:
    """A connection, kept open: its end would tell the receiver that this process died."""

    def __init__(self, payload):
        url, self.receiver = urlsplit(payload["callback_url"]), payload.get("receiver_id")
        https = url.scheme == "https"
        kind = http.client.HTTPSConnection if https else http.client.HTTPConnection
        self.connection = kind(url.hostname, url.port, timeout=20)
        self.target = url.path + (f"?{url.query}" if url.query else "")
        self.headers = {"Content-Type": "application/json"}
        if self.receiver:
            self.headers["Wove-Receiver"] = self.receiver

    def post(self, body):
        """One try: the status (503 without an answer), Retry-After, the acknowledgement."""
        try:
            self.connection.request("POST", self.target, body, self.headers)
            response = self.connection.getresponse()
            text = response.read()
        except (OSError, http.client.HTTPException):
            self.connection.close()  # the next try opens it again
            return 503, 0, {}
        status, who = response.status, response.headers.get("Wove-Receiver")
        if self.receiver and who is None:
            status = 502  # somebody in between
        elif status == 421 or (self.receiver not in (None, "", who) and status in (404, 410)):
            status = 421  # not the process that knows our run
            self.connection.close()
        pause = response.headers.get("Retry-After") or ""
        try:
            ack = dict(json.loads(text)) if status == 200 else {}
        except (ValueError, TypeError):
            ack = {}  # accepted all the same
        return status, int(pause) if pause.isdecimal() else 0, ack


class Run:
    def __init__(self, payload):
        self.payload, delivery = payload, payload.get("delivery") or {}
        self.detached = delivery.get("delivery_orphan_policy") == "detach"
        asked = float(delivery.get("delivery_heartbeat_seconds") or 0)
        self.interval = asked / 3 if asked > 0 else 5.0
        self.beats = "heartbeat" in (payload.get("accepts") or [])
        self.execution_id, self.numbers = secrets.token_hex(16), itertools.count(1)
        self.stop, self.over, self.reason = threading.Event(), threading.Event(), ""
        self.began, self.unheard = time.monotonic(), False

    def event(self, kind, **fields):
        fields |= {"type": kind, "execution_id": self.execution_id, "emitted_at": time.time()}
        fields |= {name: self.payload.get(name) for name in ("run_id", "task_id", "attempt")}
        fields["sequence"] = next(self.numbers)
        fields["event_id"] = f"{self.execution_id}-{fields['sequence']}"
        return json.dumps(fields).encode()

    def error(self, kind, message, code=""):
        error = {"kind": kind, "message": ascii_(message), "code": code}
        return self.event("task_error", error={**error, "source": "wove" if code else "task"})

    def deliver(self, line, body, seconds):
        """The final answer, or the last one in time. The same bytes on every try."""
        end = time.monotonic() + seconds
        for tries in itertools.count():
            status, pause, ack = line.post(body)
            pause += random.uniform(0, min(10, 0.2 * 2 ** min(tries, 10)))
            retry = 300 <= status < 400 or status >= 500 or status in (408, 421, 429)
            if not retry or time.monotonic() + pause > end:
                break
            time.sleep(pause)
        return status, ack

    def heard(self, status, ack, stopping):
        """An answer to `task_started` or a heartbeat: does it stop the task?"""
        cancelled = status == 200 and ack.get("cancel") is not None
        if not self.detached and (cancelled or status in stopping):
            self.ask("the weave cancelled it" if cancelled else "the weave does not want it")

    def ask(self, reason):
        self.reason = self.reason or reason
        self.stop.set()

    def beat(self):
        line = Line(self.payload)
        while not self.over.wait(self.interval):
            status, _, ack = line.post(self.event("heartbeat"))
            self.heard(status, ack, stopping=(401, 404, 409, 410))
            self.interval = float(ack.get("heartbeat_seconds") or self.interval)

    def work(self):
        """Call the task. Whatever it does, there is an outcome and one terminal event."""
        name, text = self.payload.get("task_name"), self.payload.get("args_json")
        if name not in TASKS:
            message = f"no task {name!r} here; there are: {', '.join(TASKS)}"
            return "failed", self.error("UnknownTask", message, "unknown_task")
        if text is None and TASKS[name].__code__.co_argcount > 1:
            message = f"task {name!r} takes arguments, and the payload has no args_json"
            return "failed", self.error("NoArguments", message, "payload_not_loadable")
        try:
            if self.stop.is_set():
                raise StoppedError
            value = json.dumps(TASKS[name](self.stop, **json.loads(text or "{}")), allow_nan=False)
            return "succeeded", self.event("task_result", result_json=value)
        except StoppedError:
            return "cancelled", self.event("task_cancelled", reason=self.reason)
        except BaseException as exc:  # noqa: BLE001 - an exit, too, is told to the weave
            return "failed", self.error(type(exc).__name__, str(exc))

    def end(self, line, outcome, body):
        """Deliver the terminal event, or what takes its place."""
        limit = self.payload.get("max_event_bytes") or 64 * 1024 * 1024
        if len(body) > limit:
            message = f"the event has {len(body)} bytes, {limit} are taken"
            outcome, body = "failed", self.error("TooLarge", message, "result_too_large")
        seconds = float(self.payload.get("delivery_retry_seconds") or 0)
        if seconds <= 0:
            seconds = min(max(time.monotonic() - self.began, 300), 3600)
        status, _ = self.deliver(line, body, seconds)
        if status in (400, 413, 415):
            code = "result_too_large" if status == 413 else "event_refused"
            message = f"the receiver answered {status}"
            outcome, body = "failed", self.error("EventRefused", message, code)
            status, _ = self.deliver(line, body, seconds)
        self.unheard = status >= 500 or status in (408, 421, 429) or 300 <= status < 400
        return outcome, 200 <= status < 300 or status in (409, 410)  # 401, 404: not delivered

    def run(self):
        line, host = Line(self.payload), os.uname().nodename
        if self.payload["version"] > 1:
            message = "this worker knows payloads of version 1"
            error = self.error("VersionMismatch", message, "version_mismatch")
            return self.end(line, "failed", error)
        more = {"heartbeat_seconds": self.interval} if self.beats else {}
        started = self.event("task_started", worker_id=f"{host}:{os.getpid()}", **more)
        # A worker need not wait where start_gate is "none"; this one does, if not for long.
        gated = self.payload.get("start_gate") != "none"
        status, ack = self.deliver(line, started, 60 if gated else 1)
        final = 400 <= status < 500 and status not in (408, 421, 429)
        lost = final or (gated and not 200 <= status < 300)
        # Under "detach" nobody need be there (410), but another execution may have the run (409).
        if lost and not (self.detached and (status == 410 or not final)):
            return "not_started", final
        self.heard(status, ack, stopping=())
        if self.beats:
            threading.Thread(target=self.beat, daemon=True).start()
        try:
            return self.end(line, *self.work())
        finally:
            self.over.set()  # beats go on until the terminal event is acknowledged


def read_payload():
    text = sys.argv[1] if sys.argv[1:] else os.environ.pop("WOVE_BACKEND_PAYLOAD", "")
    if text.startswith("@"):
        with open(text[1:], encoding="utf-8") as file:
            text = file.read()
    if not text.lstrip().startswith("{"):
        text = base64.b64decode("".join(text.split()), validate=True).decode()
    payload = json.loads(text)
    payload["version"] = int(float(payload["version"]))
    if not (payload["version"] and payload["callback_url"] and payload["run_id"]):
        raise ValueError
    # Of a newer version nothing else may be read.
    first = ("version", "callback_url", "run_id", "task_id")
    return payload if payload["version"] == 1 else {name: payload.get(name) for name in first}


def main():
    try:
        run = Run(read_payload())
    except (ValueError, KeyError, TypeError, OSError) as error:  # never print what it holds
        print(f"no payload that can be read: {type(error).__name__}", file=sys.stderr)
        return 2
    signal.signal(signal.SIGTERM, lambda *_: run.ask("its worker is shutting down"))
    outcome, delivered = run.run()
    url = run.payload["callback_url"].rpartition("/")[0] + "/***"
    summary = {"wove_version": "plain", "run_id": run.payload["run_id"], "outcome": outcome}
    print(json.dumps(summary | {"delivered": delivered, "error": None, "callback_url": url}))
    # Nobody need be there to hear the end of a detached run.
    return 0 if delivered or (run.detached and run.unheard) else 1


if __name__ == "__main__":
    sys.exit(main())
