/** A worker that is a program: one payload, one process, by the conventions of the project. */

import { readFileSync } from "node:fs";

import { InvalidPayloadError, UndeliveredError } from "./errors.js";
import type { Execution } from "./execution.js";
import type { Summary } from "./summary.js";

const VARIABLE = "WOVE_BACKEND_PAYLOAD";
const DELIVERED = 0;
const UNDELIVERED = 1;
const NO_PAYLOAD = 2;

/** The task called `process.exit`, or everything that it waited for is gone. */
class TaskExitError extends Error {
  override readonly name = "TaskExitError";
}

/** Run the payload that this process was started with, and end the process. */
export async function runProgram(
  prepare: (payload: string | Uint8Array) => Promise<Execution>,
): Promise<never> {
  const exit = process.exit.bind(process);
  try {
    return exit(await runToEnd(prepare));
  } catch (error) {
    // Only the name: nobody knows what the message holds.
    const kind = error instanceof Error ? error.name : typeof error;
    complain(error instanceof InvalidPayloadError ? error.message : `unexpected ${kind}`);
    return exit(error instanceof InvalidPayloadError ? NO_PAYLOAD : UNDELIVERED);
  }
}

async function runToEnd(
  prepare: (payload: string | Uint8Array) => Promise<Execution>,
): Promise<number> {
  const execution = await prepare(takePayload());
  guard(execution);
  let summary: Summary;
  let status = DELIVERED;
  try {
    summary = await execution.run();
  } catch (error) {
    if (!(error instanceof UndeliveredError)) {
      throw error;
    }
    complain(error.message);
    summary = error.summary;
    status = UNDELIVERED;
  }
  if (execution.leftBehind) {
    complain("the task did not stop when it was asked to: its process is ended");
  }
  // On a line of its own, whatever the task left unfinished there.
  await write(`\n${JSON.stringify(summary)}\n`);
  return status;
}

/** The payload, which nobody finds afterwards: it holds a secret. */
function takePayload(): string | Uint8Array {
  const [argument] = process.argv.splice(2);
  const variable = process.env[VARIABLE];
  delete process.env[VARIABLE];
  if (argument !== undefined) {
    // The operating system shows a process's arguments to everybody.
    process.title = "wove-worker";
  }
  const text = argument ?? variable ?? "";
  if (!text.trim()) {
    throw new InvalidPayloadError(`no payload: give it as an argument, or in ${VARIABLE}`);
  }
  if (!text.startsWith("@")) {
    return text;
  }
  try {
    return readFileSync(text.slice(1));
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    throw new InvalidPayloadError(`the payload's file cannot be read: ${code ?? "unknown"}`);
  }
}

/** Nothing that a task does may leave the other side waiting. */
function guard(execution: Execution): void {
  const shutDown = (): void => execution.shutDown();
  process.on("SIGTERM", shutDown).on("SIGINT", shutDown);
  process.on("uncaughtException", (error) => execution.crash(error));
  process.on("unhandledRejection", (reason) => execution.crash(reason));
  process.on("beforeExit", () => {
    const message = "the task waits for something that can no longer happen";
    execution.crash(new TaskExitError(message));
  });
  process.exit = (code) => {
    const error = new TaskExitError(`the task called process.exit(${code ?? ""})`);
    execution.crash(error);
    throw error;
  };
}

function complain(message: string): void {
  process.stderr.write(`wove: ${message}\n`);
}

function write(text: string): Promise<void> {
  return new Promise((resolve) => {
    process.stdout.on("error", () => resolve());
    process.stdout.write(text, () => resolve());
  });
}
