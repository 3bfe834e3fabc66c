/** Tasks that go wrong in the ways that a process can: for the tests of the program. */

import { setTimeout as sleep } from "node:timers/promises";

import { Worker } from "@wove-dev/worker";

await new Worker()
  .task("exit", () => process.exit(3))
  .task("reject", async () => {
    void Promise.reject(new RangeError("nobody waits for it"));
    await sleep(30_000);
  })
  .task("throw_later", async () => {
    setTimeout(() => {
      throw new TypeError("in a callback");
    }, 10);
    await sleep(30_000);
  })
  .task("never", () => new Promise(() => {}))
  .task("ignore", async () => {
    process.stdout.write("not the last line");
    await sleep(30_000);
  })
  .task("look", () => ({
    argv: process.argv.slice(2),
    env: process.env["WOVE_BACKEND_PAYLOAD"] ?? null,
    title: process.title,
  }))
  .main();
