/** A worker that serves the five tasks of the conformance suite. */

import { setTimeout as sleep } from "node:timers/promises";

import { rawResult, Worker } from "@wove-dev/worker";

const worker = new Worker();

worker.task("add", { a: "numeric", b: "numeric" }, ({ a, b }) =>
  // Whole numbers are added exactly, however large they are.
  isWhole(a) && isWhole(b) ? BigInt(a) + BigInt(b) : Number(a) + Number(b),
);

worker.task("echo", { value: "any" }, (_args, { raw }) => rawResult(raw("value") ?? "null"));

worker.task("fail", { message: "string", cause: "string?" }, ({ message, cause }) => {
  throw cause === undefined
    ? new Error(message)
    : new Error(message, { cause: new Error(cause) });
});

worker.task("slow", { seconds: "number" }, async ({ seconds }, { signal }) => {
  const end = performance.now() + seconds * 1000;
  for (;;) {
    const left = end - performance.now();
    if (left <= 0) {
      return seconds;
    }
    await sleep(Math.min(left, 50), undefined, { signal });
  }
});

worker.task("progress", { steps: "number" }, ({ steps }, { progress, log }) => {
  for (let step = 1; step <= steps; step++) {
    progress({ current: step, total: steps, unit: "steps" });
    if (step === Math.floor(steps / 2)) {
      log("halfway");
    }
  }
  return steps;
});

await worker.main();

function isWhole(number: number | bigint): boolean {
  return typeof number === "bigint" || Number.isSafeInteger(number);
}
