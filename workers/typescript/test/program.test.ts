/** The worker as a program: payloads, exit statuses, signals, and tasks that misbehave. */

import assert from "node:assert/strict";
import { spawn, type ChildProcess } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, it } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { fileURLToPath } from "node:url";

import type { Summary } from "@wove-dev/worker";

import { Receiver, TOKEN } from "./receiver.js";

interface Ended {
  readonly status: number | null;
  readonly summary: Summary | undefined;
  readonly stdout: string;
  readonly stderr: string;
}

let receiver: Receiver;
beforeEach(async () => {
  receiver = await Receiver.open();
});
afterEach(() => receiver.close());

function start(
  program: string,
  words: string[],
  env: Record<string, string> = {},
): { child: ChildProcess; ended: Promise<Ended> } {
  const path = fileURLToPath(new URL(`../${program}.js`, import.meta.url));
  const child = spawn(process.execPath, [path, ...words], {
    env: { ...process.env, ...env },
    stdio: ["ignore", "pipe", "pipe"],
  });
  let stdout = "";
  let stderr = "";
  child.stdout.on("data", (data: Buffer) => (stdout += data.toString()));
  child.stderr.on("data", (data: Buffer) => (stderr += data.toString()));
  const ended = new Promise<Ended>((resolve) =>
    child.on("close", (status) => {
      const last = stdout.trim().split("\n").at(-1);
      const summary = last ? (JSON.parse(last) as Summary) : undefined;
      assert.ok(!stdout.includes(TOKEN) && !stderr.includes(TOKEN));
      resolve({ status, summary, stdout, stderr });
    }),
  );
  return { child, ended };
}

function run(program: string, payload: object, env?: Record<string, string>): Promise<Ended> {
  return start(program, [JSON.stringify(payload)], env).ended;
}

describe("the program", () => {
  it("takes its payload from anywhere", async () => {
    const json = JSON.stringify(receiver.payload("add", { a: 1, b: 2 }));
    const base64 = Buffer.from(json).toString("base64");
    const folder = mkdtempSync(join(tmpdir(), "wove-"));
    const path = join(folder, "payload");
    writeFileSync(path, json);
    const ways = [
      start("examples/worker", [json]),
      start("examples/worker", [base64], { WOVE_BACKEND_PAYLOAD: "something else" }),
      start("examples/worker", [`@${path}`]),
      start("examples/worker", [], { WOVE_BACKEND_PAYLOAD: base64 }),
    ];
    for (const { ended } of ways) {
      const { status, summary } = await ended;
      assert.deepEqual([status, summary?.outcome, summary?.delivered], [0, "succeeded", true]);
    }
    rmSync(folder, { recursive: true });
  });

  it("ends with 2 where there is none", async () => {
    const version = JSON.stringify({ version: 1, callback_url: receiver.url });
    for (const words of [[], ["nonsense!"], ["[]"], ["@/nowhere"], [version]]) {
      const { status, stdout, stderr } = await start("examples/worker", words).ended;
      assert.deepEqual([status, stdout], [2, ""]);
      assert.match(stderr, /^wove: /);
    }
    assert.equal(receiver.deliveries.length, 0);
  });

  it("ends with 1 where the end cannot be delivered, with 0 whatever the task did", async () => {
    const failed = await run("examples/worker", receiver.payload("fail", { message: "no" }));
    assert.deepEqual([failed.status, failed.summary?.outcome], [0, "failed"]);
    const short = { delivery_retry_seconds: 0.3 };
    receiver.on("task_result", ...Array(100).fill({ status: 503 }));
    const lost = await run("examples/worker", receiver.payload("add", { a: 1, b: 1 }, short));
    assert.deepEqual([lost.status, lost.summary?.delivered], [1, false]);
    assert.match(lost.stderr, /could not report the end/);
  });

  it("obeys WOVE_ENCODING", async () => {
    const payload = receiver.payload("add", { a: 1, b: 2 });
    await run("examples/worker", payload, { WOVE_ENCODING: "json" });
    const { stderr } = await run("examples/worker", payload, { WOVE_ENCODING: "morse" });
    assert.match(stderr, /WOVE_ENCODING/);
    const types = receiver.frames("task_result").map(({ contentType }) => contentType);
    assert.deepEqual(types, ["application/json", "application/x-protobuf"]);
  });

  it("stops its task on SIGTERM", async () => {
    const { child, ended } = start("examples/worker", [
      JSON.stringify(receiver.payload("slow", { seconds: 60 })),
    ]);
    await receiver.waitFor("task_started");
    await sleep(200);
    child.kill("SIGTERM");
    const { status, summary } = await ended;
    assert.deepEqual([status, summary?.outcome], [0, "cancelled"]);
    const { reason } = receiver.frames("task_cancelled")[0]?.event ?? {};
    assert.equal(reason, "its worker is shutting down");
  });
});

describe("a task that", () => {
  const crashes: Record<string, [kind: string, message: RegExp]> = {
    exit: ["TaskExitError", /process\.exit\(3\)/],
    reject: ["RangeError", /nobody waits/],
    throw_later: ["TypeError", /in a callback/],
    never: ["TaskExitError", /can no longer happen/],
  };
  for (const [name, [kind, message]] of Object.entries(crashes)) {
    it(`ends by "${name}" is a task_error`, async () => {
      const beating = { delivery: { delivery_heartbeat_seconds: 0.9 } };
      const { status, summary } = await run(
        "test/misbehaving",
        receiver.payload(name, {}, beating),
      );
      assert.deepEqual([status, summary?.outcome], [0, "failed"]);
      assert.deepEqual(receiver.names, ["task_started", "task_error"]);
      assert.equal(summary?.error?.kind, kind);
      assert.match(summary?.error?.message ?? "", message);
    });
  }

  it("does not stop is reported, and its process ended", async () => {
    const beating = { delivery: { delivery_heartbeat_seconds: 1 } };
    const payload = receiver.payload("ignore", {}, beating);
    receiver.on("heartbeat", { ack: { cancel: {} } });
    const { status, summary, stderr } = await run("test/misbehaving", payload);
    assert.deepEqual([status, summary?.outcome], [0, "cancelled"]);
    assert.equal(receiver.frames("task_cancelled")[0]?.event["forced"], true);
    assert.match(stderr, /did not stop/);
  });

  it("looks for its payload does not find it", async () => {
    for (const words of [0, 1]) {
      receiver.deliveries.length = 0;
      const json = JSON.stringify(receiver.payload("look"));
      const env: Record<string, string> = words ? {} : { WOVE_BACKEND_PAYLOAD: json };
      await start("test/misbehaving", words ? [json] : [], env).ended;
      const text = String(receiver.frames("task_result")[0]?.event["result_json"]);
      const { argv, env: found, title } = JSON.parse(text) as Record<string, unknown>;
      assert.deepEqual([argv, found], [[], null]);
      assert.ok(!String(title).includes(TOKEN));
    }
  });
});

describe("the README", () => {
  it("shows a program that runs", async () => {
    const root = new URL("../../", import.meta.url);
    const readme = readFileSync(new URL("README.md", root), "utf8");
    const example = readFileSync(new URL("examples/readme.ts", root), "utf8");
    assert.ok(
      readme.includes(`\`\`\`ts\n${example}\`\`\``),
      "README.md shows examples/readme.ts",
    );
    const payload = receiver.payload("word_count", { text: "a b a c a b", top: 2 });
    const { status } = await run("examples/readme", payload);
    assert.equal(status, 0);
    const { result_json } = receiver.frames("task_result")[0]?.event ?? {};
    assert.deepEqual(JSON.parse(String(result_json)), [
      ["a", 3],
      ["b", 2],
    ]);
  });
});
