/**
 * What a running task says in between: progress and log lines.
 *
 * They are sent one after the other, so that a slow receiver does not slow the task down, and
 * never again.
 */

import type { Answer } from "./answers.js";
import { frameName } from "./contract/messages.js";
import type { LogOptions, ProgressReport } from "./context.js";
import type { Body, Events, Frame } from "./events.js";
import type { Route } from "./route.js";
import { pause } from "./timing.js";
import { scrub } from "./text.js";
import type { TaskPayload } from "./wovepb/v1/payload_pb.js";

const MAX_WAITING = 1000;
const SEND_SECONDS = 5;
const FLUSH_SECONDS = 2;
const LOG_BYTES = 64 * 1024;

export class Reports {
  readonly #payload: TaskPayload;
  readonly #events: Events;
  readonly #route: Route;
  readonly #heard: (answer: Answer, frame: string) => void;
  readonly #over = new AbortController();
  readonly #waiting: Body[] = [];
  #sending: Promise<void> | undefined;
  #closed = false;

  /** @param heard - called with each answer, and the name of the frame that was answered */
  constructor(
    payload: TaskPayload,
    events: Events,
    route: Route,
    heard: (answer: Answer, frame: string) => void,
  ) {
    this.#payload = payload;
    this.#events = events;
    this.#route = route;
    this.#heard = heard;
  }

  progress({ current, total, unit = "", message = "" }: ProgressReport): void {
    for (const number of [current, total]) {
      if (number !== undefined && !Number.isFinite(number)) {
        throw new RangeError(`progress takes finite numbers, not ${number}`);
      }
    }
    const numbers = {
      ...(current === undefined ? {} : { current }),
      ...(total === undefined ? {} : { total }),
    };
    const value = { ...numbers, unit: scrub(unit), message: scrub(message, LOG_BYTES) };
    this.#put("progress", { case: "progress", value });
  }

  log(message: string, { level = "info", logger = "" }: LogOptions = {}): void {
    const value = { level, message: scrub(message, LOG_BYTES), logger: scrub(logger) };
    this.#put("log", { case: "log", value });
  }

  /** The task is over: what it said so far is sent, if that is quickly done. */
  async close(): Promise<void> {
    this.#closed = true;
    if (this.#sending) {
      const flushed = new AbortController();
      void this.#sending.then(() => flushed.abort());
      await pause(FLUSH_SECONDS, flushed.signal);
    }
    this.#waiting.length = 0;
    this.#over.abort();
  }

  #put(name: string, frame: Frame): void {
    if (this.#closed || !this.#payload.accepts.includes(name)) {
      return;
    }
    this.#waiting.push(this.#events.make(frame));
    if (this.#waiting.length > MAX_WAITING) {
      this.#waiting.shift();
    }
    this.#sending ??= this.#send().finally(() => (this.#sending = undefined));
  }

  async #send(): Promise<void> {
    for (let body = this.#waiting.shift(); body; body = this.#waiting.shift()) {
      const how = { timeout: SEND_SECONDS, signal: this.#over.signal };
      this.#heard(await this.#route.post(body, how), frameName(body.event));
    }
  }
}
