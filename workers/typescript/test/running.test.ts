/** While a task runs: heartbeats, cancelling, progress and log lines. */

import assert from "node:assert/strict";
import { afterEach, beforeEach, describe, it } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";

import { Worker } from "@wove-dev/worker";

import { Receiver, type Reply } from "./receiver.js";

let receiver: Receiver;

const worker = new Worker()
  .task("wait", { seconds: "number" }, async ({ seconds }, { signal }) => {
    await sleep(seconds * 1000, undefined, { signal });
    return seconds;
  })
  .task("stubborn", { seconds: "number" }, async ({ seconds }) => {
    await sleep(seconds * 1000);
    return "done";
  })
  .task("talk", async (_args, { progress, log }) => {
    progress({ current: 1, total: 2, unit: "rows" });
    log("half\ud800way", { level: "warning", logger: "app" });
    await sleep(20);
    progress({ message: "nearly" });
    return null;
  });

const beating = { delivery: { delivery_heartbeat_seconds: 0.3 } };

beforeEach(async () => {
  receiver = await Receiver.open();
});
afterEach(() => receiver.close());

describe("heartbeats", () => {
  it("come as announced, on a connection of their own", async () => {
    await worker.run(receiver.payload("wait", { seconds: 1 }, beating));
    const beats = receiver.frames("heartbeat");
    assert.ok(beats.length >= 3 && beats.length <= 11, String(beats.length));
    assert.ok(
      Math.abs(Number(receiver.deliveries[0]?.event["heartbeat_seconds"]) - 0.1) < 1e-9,
    );
    const own = new Set(beats.map(({ connection }) => connection));
    assert.equal(own.size, 1);
    assert.ok(!own.has(receiver.frames("task_result")[0]?.connection));
  });

  it("go on until the end is acknowledged, and are never sent twice", async () => {
    receiver.on("heartbeat", { drop: true }, { status: 500 });
    receiver.on("task_result", { status: 503, headers: { "Retry-After": "0.8" } });
    await worker.run(receiver.payload("wait", { seconds: 0 }, beating));
    const beats = receiver.frames("heartbeat");
    assert.ok(beats.length >= 3, String(beats.length));
    assert.equal(new Set(beats.map(({ event }) => event["event_id"])).size, beats.length);
    const count = beats.length;
    await sleep(300);
    // One may have been on its way.
    assert.ok(receiver.frames("heartbeat").length <= count + 1);
  });

  it("take another interval", async () => {
    receiver.on("task_started", { ack: { heartbeat_seconds: 0.1 } });
    receiver.on("heartbeat", {}, {}, { ack: { heartbeat_seconds: 60 } });
    await worker.run(receiver.payload("wait", { seconds: 1 }));
    const beats = receiver.frames("heartbeat").length;
    assert.ok(beats >= 1 && beats <= 3, String(beats));
  });

  it("are not sent where nobody takes them", async () => {
    await worker.run(receiver.payload("wait", { seconds: 0.3 }, { ...beating, accepts: [] }));
    assert.deepEqual([receiver.frames("heartbeat").length, receiver.names.length], [0, 2]);
    assert.equal(receiver.deliveries[0]?.event["heartbeat_seconds"], undefined);
  });
});

describe("cancelling", () => {
  const cancel: Reply = { ack: { cancel: { run_id: "r1" } } };

  it("is heard in the answer to any event", async () => {
    for (const [frame, reply] of [
      ["task_started", cancel],
      ["heartbeat", cancel],
      ["heartbeat", { status: 410 }],
      ["heartbeat", { status: 404 }],
    ] as const) {
      receiver.deliveries.length = 0;
      receiver.on(frame, reply);
      const summary = await worker.run(receiver.payload("wait", { seconds: 30 }, beating));
      assert.equal(summary.outcome, "cancelled");
      assert.deepEqual(receiver.names, ["task_started", "task_cancelled"]);
      const { reason, forced } = receiver.frames("task_cancelled")[0]?.event ?? {};
      assert.ok(reason);
      assert.ok(!forced);
    }
  });

  it("is heard in the answer to progress", async () => {
    receiver.on("progress", cancel);
    const talker = new Worker().task("talk", async (_args, { progress, signal }) => {
      progress({ current: 1 });
      await sleep(30_000, undefined, { signal });
    });
    const summary = await talker.run(receiver.payload("talk"));
    assert.equal(summary.outcome, "cancelled");
  });

  it("is not heard from others, nor once the task has returned", async () => {
    const others = [421, 410, 503].map((status) => ({ status, receiver: "rx-2" }));
    receiver.on("heartbeat", ...others, { drop: true });
    await worker.run(receiver.payload("wait", { seconds: 0.6 }, beating));
    receiver.on("heartbeat", cancel, { status: 410 });
    receiver.on("task_result", { status: 503, headers: { "Retry-After": "0.5" } });
    await worker.run(receiver.payload("wait", { seconds: 0 }, beating));
    assert.equal(receiver.frames("task_cancelled").length, 0);
    assert.ok(receiver.frames("heartbeat").length > 4);
  });

  it("gives way to a result and to an error of the task's own", async () => {
    const tasks = new Worker()
      .task("finish", async (_args, { signal }) => {
        await new Promise((resolve) => signal.addEventListener("abort", resolve));
        return "all the same";
      })
      .task("break", async (_args, { signal }) => {
        await new Promise((resolve) => signal.addEventListener("abort", resolve));
        throw new TypeError("in cleaning up");
      });
    receiver.on("heartbeat", cancel);
    const finished = await tasks.run(receiver.payload("finish", {}, beating));
    receiver.on("heartbeat", cancel);
    const broken = await tasks.run(receiver.payload("break", {}, beating));
    assert.deepEqual([finished.outcome, broken.outcome], ["succeeded", "failed"]);
  });

  it("means nothing to a detached run", async () => {
    receiver.on("task_started", { status: 410 });
    receiver.on("heartbeat", cancel, { status: 410 });
    const delivery = { ...beating.delivery, delivery_orphan_policy: "detach" };
    const fields = { start_gate: "none", delivery };
    const summary = await worker.run(receiver.payload("wait", { seconds: 0.5 }, fields));
    assert.equal(summary.outcome, "succeeded");
  });

  it("that a detached run's receiver is away is no failure", async () => {
    const payload = receiver.payload(
      "wait",
      { seconds: 0 },
      { delivery: { delivery_orphan_policy: "detach" }, delivery_retry_seconds: 0.3 },
    );
    receiver.close();
    const summary = await worker.run(payload);
    assert.deepEqual([summary.outcome, summary.delivered], ["succeeded", false]);
  });
});

describe("a worker that shuts down", () => {
  it("stops its tasks", async () => {
    const host = new AbortController();
    const run = worker.run(receiver.payload("wait", { seconds: 30 }), { signal: host.signal });
    await receiver.waitFor("task_started");
    await sleep(50);
    host.abort();
    assert.equal((await run).outcome, "cancelled");
    const { reason } = receiver.frames("task_cancelled")[0]?.event ?? {};
    assert.equal(reason, "its worker is shutting down");
  });

  it("leaves a task behind that does not stop", async () => {
    const signal = AbortSignal.abort();
    const summary = await worker.run(receiver.payload("wait", { seconds: 30 }), { signal });
    assert.equal(summary.outcome, "cancelled");
    const host = new AbortController();
    const run = worker.run(receiver.payload("stubborn", { seconds: 6 }), {
      signal: host.signal,
    });
    await receiver.waitFor("task_started", 2);
    await sleep(50);
    host.abort();
    assert.equal((await run).outcome, "cancelled");
    assert.equal(receiver.frames("task_cancelled")[1]?.event["forced"], true);
  });
});

describe("progress and log lines", () => {
  it("are sent in order", async () => {
    await worker.run(receiver.payload("talk"));
    const frames = ["task_started", "progress", "log", "progress", "task_result"];
    assert.deepEqual(receiver.names, frames);
    const [, first, line, second] = receiver.deliveries.map(({ event }) => event);
    assert.deepEqual([first?.["current"], first?.["total"], first?.["unit"]], [1, 2, "rows"]);
    assert.deepEqual(
      [line?.["level"], line?.["message"], line?.["logger"]],
      ["warning", "half\\ud800way", "app"],
    );
    assert.deepEqual([second?.["current"], second?.["message"]], [undefined, "nearly"]);
  });

  it("are never sent again, and do not hold the task up", async () => {
    receiver.on("progress", { status: 500 }, { after: new Promise(() => {}) });
    await worker.run(receiver.payload("talk"));
    assert.equal(receiver.frames("progress").length, 2);
    assert.equal(receiver.frames("task_result").length, 1);
  });

  it("are sent only where they are taken", async () => {
    await worker.run(receiver.payload("talk", {}, { accepts: ["log"] }));
    assert.deepEqual(receiver.names, ["task_started", "log", "task_result"]);
  });

  it("are nothing after the end", async () => {
    let late = (): void => {};
    const talker = new Worker().task("late", (_args, { progress }) => {
      late = () => progress({ current: 1 });
    });
    await talker.run(receiver.payload("late"));
    late();
    await sleep(50);
    assert.deepEqual(receiver.names, ["task_started", "task_result"]);
    assert.equal(receiver.deliveries[1]?.event["result_json"], "null");
  });

  it("hold finite numbers", async () => {
    const odd = new Worker().task("odd", (_args, { progress }) => progress({ current: NaN }));
    const summary = await odd.run(receiver.payload("odd"));
    assert.equal(summary.error?.kind, "RangeError");
  });
});
