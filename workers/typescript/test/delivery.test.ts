/** Delivering events over HTTP: retries, the start gate, refusals, deadlines. */

import assert from "node:assert/strict";
import { once } from "node:events";
import net, { type AddressInfo } from "node:net";
import { afterEach, beforeEach, describe, it } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";

import { InvalidPayloadError, rawResult, UndeliveredError, Worker } from "@wove-dev/worker";

import { Receiver, RECEIVER, TOKEN, type Reply } from "./receiver.js";

let receiver: Receiver;
let called = 0;
const worker = new Worker()
  .task("double", { n: "number" }, ({ n }) => {
    called++;
    return 2 * n;
  })
  .task("large", { size: "number" }, ({ size }) => "x".repeat(size))
  .task("raise", (args) => {
    throw new RangeError(String(args["message"]), { cause: new Error("inner") });
  });

beforeEach(async () => {
  receiver = await Receiver.open();
  called = 0;
});
afterEach(() => receiver.close());

describe("a run", () => {
  it("is reported from its start to its end", async () => {
    const summary = await worker.run(receiver.payload("double", { n: 21 }));
    assert.deepEqual(receiver.names, ["task_started", "task_result"]);
    const [started, result] = receiver.deliveries.map(({ event }) => event);
    assert.equal(result?.["result_json"], "42");
    assert.match(String(started?.["worker_id"]), new RegExp(`:${process.pid}$`));
    assert.equal(started?.["heartbeat_seconds"], 5);
    for (const event of [started, result]) {
      assert.deepEqual(
        [event?.["run_id"], event?.["task_id"], event?.["attempt"]],
        ["r1", "t1", 2],
      );
      assert.equal(event?.["execution_id"], started?.["execution_id"]);
      assert.match(String(event?.["event_id"]), /^[A-Za-z0-9_-]{1,128}$/);
    }
    assert.deepEqual([started?.["sequence"], result?.["sequence"]], [1, 2]);
    assert.equal(receiver.deliveries[0]?.connection, receiver.deliveries[1]?.connection);
    assert.deepEqual(summary, {
      wove_version: summary.wove_version,
      run_id: "r1",
      outcome: "succeeded",
      delivered: true,
      error: null,
      callback_url: receiver.url.replace(TOKEN, "***"),
    });
  });

  it("may be one of many at once", async () => {
    const numbers = Array.from({ length: 20 }, (_, index) => index);
    await Promise.all(
      numbers.map((n) => worker.run(receiver.payload("double", { n }, { run_id: `r${n}` }))),
    );
    const results = receiver.frames("task_result").map(({ event }) => event);
    const found = results.map((event) => [event["run_id"], event["result_json"]]);
    assert.deepEqual(
      new Map(found as []),
      new Map(numbers.map((n) => [`r${n}`, String(2 * n)])),
    );
  });

  it("is encoded as it is asked for", async () => {
    const fields = { receiver_id: null };
    const plain: Reply = { receiver: null };
    for (const encoding of [undefined, "json", "protobuf"] as const) {
      receiver.on("task_started", plain);
      receiver.on("task_result", plain);
      const options = encoding ? { encoding } : {};
      await worker.run(receiver.payload("double", { n: 1 }, fields), options);
    }
    const types = receiver.frames("task_result").map(({ contentType }) => contentType);
    assert.deepEqual(types, ["application/json", "application/json", "application/x-protobuf"]);
    const flat = JSON.parse(receiver.frames("task_result")[0]?.body.toString() ?? "") as object;
    assert.equal("type" in flat && flat.type, "task_result");
  });

  it("of no payload is refused", async () => {
    await assert.rejects(worker.run({ version: 1 }), InvalidPayloadError);
  });

  it("of a newer payload is reported, and not started", async () => {
    const summary = await worker.run(receiver.payload("double", { n: 1 }, { version: 2 }));
    assert.deepEqual(receiver.names, ["task_error"]);
    assert.equal(errorOf("task_error")["code"], "version_mismatch");
    assert.deepEqual([summary.outcome, called], ["failed", 0]);
  });
});

describe("errors", () => {
  it("of the task say what it threw", async () => {
    const payload = receiver.payload("raise", { message: "a\ud800b" }, {});
    const summary = await worker.run(payload);
    const { kind, message, traceback, source, cause, code } = errorOf("task_error");
    assert.deepEqual(
      [kind, message, source, code],
      ["RangeError", "a\\ud800b", "task", undefined],
    );
    assert.match(String(traceback), /RangeError: a[^]*at [^]*caused by: Error: inner/);
    assert.equal((cause as { message: string }).message, "inner");
    assert.deepEqual(summary.error, { kind: "RangeError", message: "a\\ud800b" });
    assert.deepEqual([summary.outcome, summary.delivered], ["failed", true]);
  });

  it("of a call have codes", async () => {
    const cases: [string, object | string, object, string][] = [
      ["nothing", {}, {}, "unknown_task"],
      ["double", "{", {}, "payload_not_loadable"],
      ["double", "[1]", {}, "payload_not_loadable"],
      ["double", {}, { args_json: null }, "payload_not_loadable"],
    ];
    for (const [name, args, fields, code] of cases) {
      receiver.deliveries.length = 0;
      await worker.run(receiver.payload(name, args, fields));
      assert.deepEqual(
        [errorOf("task_error")["code"], errorOf("task_error")["source"]],
        [code, "wove"],
      );
      assert.deepEqual(receiver.names, ["task_started", "task_error"]);
    }
    receiver.deliveries.length = 0;
    await worker.run(receiver.payload("double", { n: 1, more: 2 }));
    assert.equal(errorOf("task_error")["source"], "task");
    assert.equal(called, 0);
  });

  it("of results that are no JSON are reported", async () => {
    const odd = new Worker().task("odd", () => ({ value: NaN }));
    await odd.run(receiver.payload("odd"));
    assert.equal(errorOf("task_error")["code"], "result_not_picklable");
  });
});

describe("values", () => {
  it("keep their digits", async () => {
    const echo = new Worker()
      .task("echo", ({ value }) => value)
      .task("raw", (_args, { raw }) => rawResult(raw("value") ?? ""));
    const text = '[9007199254740993,{"a":-12345678901234567890}]';
    await echo.run(receiver.payload("echo", `{"value": ${text}}`));
    await echo.run(receiver.payload("raw", '{"value": 0.10000000000000000001 }'));
    const results = receiver.frames("task_result").map(({ event }) => event["result_json"]);
    assert.deepEqual(results, [text, "0.10000000000000000001"]);
  });
});

describe("retries", () => {
  it("repeat the event", async () => {
    receiver.on("task_started", { status: 500 }, { drop: true }, { receiver: null });
    receiver.on(
      "task_result",
      { status: 503, headers: { "Retry-After": "0.5" } },
      { status: 302 },
    );
    await worker.run(receiver.payload("double", { n: 1 }));
    for (const [frame, tries] of [
      ["task_started", 4],
      ["task_result", 3],
    ] as const) {
      const bodies = receiver.frames(frame).map(({ body }) => body.toString("hex"));
      assert.equal(bodies.length, tries);
      assert.equal(new Set(bodies).size, 1);
    }
    const [first, second] = receiver.frames("task_result");
    assert.ok((second?.at ?? 0) - (first?.at ?? 0) >= 490);
  });

  it("go over a new connection where another receiver answered", async () => {
    const replies = [421, 404, 410].map((status) => ({ status, receiver: "rx-2" }));
    receiver.on("task_started", ...replies);
    await worker.run(receiver.payload("double", { n: 1 }));
    const connections = receiver.frames("task_started").map(({ connection }) => connection);
    assert.equal(new Set(connections).size, 4);
  });

  it("end at the deadline", async () => {
    receiver.on("task_result", ...Array<Reply>(1000).fill({ status: 503 }));
    const payload = receiver.payload("double", { n: 1 }, { delivery_retry_seconds: 0.5 });
    await assert.rejects(worker.run(payload), (error) => {
      assert.ok(error instanceof UndeliveredError);
      assert.ok(!error.message.includes(TOKEN));
      assert.deepEqual([error.summary.outcome, error.summary.delivered], ["succeeded", false]);
      return true;
    });
  });

  it("end at the deadline where nobody answers", async () => {
    receiver.on("task_result", { after: new Promise(() => {}) });
    const payload = receiver.payload("double", { n: 1 }, { delivery_retry_seconds: 0.5 });
    await assert.rejects(worker.run(payload), UndeliveredError);
  });
});

describe("the start gate", () => {
  it("holds the task", async () => {
    let open = (): void => {};
    receiver.on("task_started", { after: new Promise<void>((resolve) => (open = resolve)) });
    const run = worker.run(receiver.payload("double", { n: 1 }));
    await receiver.waitFor("task_started");
    assert.equal(called, 0);
    open();
    await run;
    assert.equal(called, 1);
  });

  it("stays shut after a final answer", async () => {
    for (const status of [401, 403, 404, 409, 410]) {
      receiver.deliveries.length = 0;
      receiver.on("task_started", { status });
      const summary = await worker.run(receiver.payload("double", { n: 1 }));
      assert.deepEqual([summary.outcome, summary.delivered], ["not_started", true]);
      assert.deepEqual(receiver.names, ["task_started"]);
    }
    assert.equal(called, 0);
  });

  it("is not there where the payload says so", async () => {
    receiver.on("task_started", { after: new Promise(() => {}) });
    const summary = await worker.run(
      receiver.payload("double", { n: 1 }, { start_gate: "none" }),
    );
    assert.equal(summary.outcome, "succeeded");
  });
});

describe("answers to a running task", () => {
  const waiter = new Worker().task("wait", { seconds: "number" }, async (args, { signal }) => {
    await sleep(args.seconds * 1000, undefined, { signal });
  });
  const late = (status: number): Reply => ({ status, after: sleep(1200) });

  it("that refuse its start come late, and stop it", async () => {
    receiver.on("task_started", late(409));
    const payload = receiver.payload("wait", { seconds: 30 }, { start_gate: "none" });
    assert.equal((await waiter.run(payload)).outcome, "cancelled");
    assert.deepEqual(receiver.names, ["task_started", "task_cancelled"]);
  });

  it("do not stop a detached one, but keep it from starting", async () => {
    const delivery = { delivery_orphan_policy: "detach" };
    const fields = { start_gate: "none", delivery };
    receiver.on("task_started", late(409), { status: 409 });
    const running = await waiter.run(receiver.payload("wait", { seconds: 1.6 }, fields));
    assert.equal(running.outcome, "succeeded");
    const second = await waiter.run(receiver.payload("wait", { seconds: 0 }, fields));
    assert.deepEqual([second.outcome, second.delivered], ["not_started", true]);
  });

  it("of another receiver make the next heartbeat use another connection", async () => {
    receiver.on("heartbeat", {}, {}, { status: 421, receiver: "rx-2" });
    const fields = { delivery: { delivery_heartbeat_seconds: 0.3 } };
    await waiter.run(receiver.payload("wait", { seconds: 0.8 }, fields));
    const used = receiver.frames("heartbeat").map(({ connection }) => connection);
    assert.ok(used.length > 3, String(used.length));
    assert.ok(used[0] === used[1] && used[1] === used[2] && used[2] !== used[3]);
  });

  it("may cancel with any 2xx", async () => {
    receiver.on("heartbeat", { status: 202, ack: { cancel: {} } });
    const fields = { delivery: { delivery_heartbeat_seconds: 0.3 } };
    const summary = await waiter.run(receiver.payload("wait", { seconds: 30 }, fields));
    assert.equal(summary.outcome, "cancelled");
  });
});

describe("refused events", () => {
  it("are replaced once", async () => {
    for (const [status, code] of [
      [400, "event_refused"],
      [413, "result_too_large"],
    ] as const) {
      receiver.deliveries.length = 0;
      receiver.on("task_result", { status });
      receiver.on("task_error", { status });
      const { summary } = await undelivered(receiver.payload("double", { n: 1 }));
      assert.deepEqual(receiver.names, ["task_started", "task_result", "task_error"]);
      const error = errorOf("task_error");
      assert.deepEqual(
        [error["code"], error["source"], error["cause"]],
        [code, "wove", undefined],
      );
      const ids = receiver.deliveries.map(({ event }) => event["event_id"]);
      assert.equal(new Set(ids).size, 3);
      assert.deepEqual([summary.outcome, summary.delivered], ["failed", false]);
    }
  });

  it("are lost where nothing is taken any more", async () => {
    for (const status of [401, 403, 404]) {
      receiver.deliveries.length = 0;
      receiver.on("task_result", { status });
      const { summary, message } = await undelivered(receiver.payload("double", { n: 1 }));
      assert.deepEqual(receiver.names, ["task_started", "task_result"]);
      assert.deepEqual([summary.outcome, summary.delivered], ["succeeded", false]);
      assert.match(message, new RegExp(String(status)));
      assert.ok(!message.includes(TOKEN));
    }
  });

  it("are not sent where they are too large", async () => {
    const payload = receiver.payload("large", { size: 5000 }, { max_event_bytes: 4000 });
    await worker.run(payload);
    assert.deepEqual(receiver.names, ["task_started", "task_error"]);
    assert.equal(errorOf("task_error")["code"], "result_too_large");
  });

  it("are heard of before they are sent whole", async () => {
    let connections = 0;
    const answer = `HTTP/1.1 413 Too Large\r\nWove-Receiver: ${RECEIVER}\r\nContent-Length: 0\r\nConnection: close\r\n\r\n`;
    const early = net.createServer((socket) => {
      connections++;
      socket.on("error", () => {});
      socket.once("data", () =>
        socket.end(answer, () => setTimeout(() => socket.destroy(), 100)),
      );
      socket.pause();
      setTimeout(() => socket.resume(), 10);
    });
    early.listen(0, "127.0.0.1");
    await once(early, "listening");
    try {
      const { port } = early.address() as AddressInfo;
      const { HttpRoute } = await import("../src/http-route.js");
      const route = new HttpRoute(new URL(`http://127.0.0.1:${port}/x`), RECEIVER);
      const data = new Uint8Array(32 << 20);
      const body = { data, contentType: "application/x-protobuf", event: undefined as never };
      const reply = await route.post(body, { timeout: 10 });
      assert.deepEqual([reply.status, connections], [413, 1]);
    } finally {
      early.close();
    }
  });

  it("that come too late are no failure", async () => {
    for (const status of [409, 410]) {
      receiver.deliveries.length = 0;
      receiver.on("task_result", { status });
      const summary = await worker.run(receiver.payload("double", { n: 1 }));
      assert.deepEqual([summary.outcome, summary.delivered], ["succeeded", true]);
      assert.deepEqual(receiver.names, ["task_started", "task_result"]);
    }
  });
});

async function undelivered(payload: object): Promise<UndeliveredError> {
  try {
    await worker.run(payload);
  } catch (error) {
    assert.ok(error instanceof UndeliveredError);
    return error;
  }
  return assert.fail("it was delivered");
}

function errorOf(frame: string): Record<string, unknown> {
  const [delivery] = receiver.frames(frame);
  assert.ok(delivery, `no ${frame} in ${receiver.names.join(", ")}`);
  return delivery.event["error"] as Record<string, unknown>;
}
