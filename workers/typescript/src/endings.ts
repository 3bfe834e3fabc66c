/** How a run ended, as its terminal event. */

import { create } from "@bufbuild/protobuf";

import { RawResult } from "./context.js";
import type { Body, Events } from "./events.js";
import { describe } from "./failures.js";
import { formatJson } from "./json.js";
import type { Summary, Words } from "./summary.js";
import { scrub } from "./text.js";
import { ErrorInfoSchema, type ErrorInfo } from "./wovepb/v1/event_pb.js";

/** A terminal event, and what the summary says of it. */
export interface Ending {
  readonly outcome: Summary["outcome"];
  readonly body: Body;
  readonly words?: Words;
}

/** Codes of failures that are the worker's own. */
export type Code =
  | "event_refused"
  | "payload_not_loadable"
  | "result_not_picklable"
  | "result_too_large"
  | "unknown_task"
  | "version_mismatch";

const DEFAULT_MAX_BYTES = 64 * 1024 * 1024;

/** Makes terminal events that fit the receiver. */
export class Endings {
  readonly #events: Events;
  readonly #task: string;
  readonly #maxBytes: number;

  /**
   * @param task - the task's name, for errors
   * @param maxBytes - the largest event that the receiver takes
   */
  constructor(events: Events, task: string, maxBytes: number | undefined) {
    this.#events = events;
    this.#task = JSON.stringify(task);
    this.#maxBytes = maxBytes || DEFAULT_MAX_BYTES;
  }

  /** The task returned a value. */
  returned(value: unknown): Ending {
    let json: string;
    try {
      json = value instanceof RawResult ? value.text : formatJson(value);
    } catch (error) {
      // A cycle, a value that JSON has not, or the value's own toJSON.
      const why = error instanceof Error ? error.message : String(error);
      const message = `the result of task ${this.#task} cannot be written as JSON: ${why}`;
      return this.failed("ResultNotJsonError", message, "result_not_picklable");
    }
    const body = this.#events.result(json);
    if (body.data.length > this.#maxBytes) {
      const sizes = `${body.data.length} bytes, and the receiver takes ${this.#maxBytes}`;
      const message = `the result of task ${this.#task} makes an event of ${sizes}`;
      return this.failed("ResultTooLargeError", message, "result_too_large");
    }
    return { outcome: "succeeded", body };
  }

  /** The task threw. */
  raised(thrown: unknown): Ending {
    const info = describe(thrown);
    const { kind, message, source } = info;
    return this.#fitting(
      info,
      create(ErrorInfoSchema, { kind, message: scrub(message), source }),
    );
  }

  /** Running the task failed for a reason of the worker's own. */
  failed(kind: string, message: string, code: Code): Ending {
    const text = scrub(message, 4096);
    return this.#fitting(
      create(ErrorInfoSchema, { kind, message: text, source: "wove", code }),
    );
  }

  /** The task was stopped. */
  stopped(reason: string, forced = false): Ending {
    const body = this.#events.cancelled(reason, forced);
    return { outcome: "cancelled", body, words: { kind: "", message: reason } };
  }

  /** In place of an event that the receiver did not take. */
  minimal(kind: string, message: string, code: Code): Ending {
    const body = this.#events.minimalError(kind, message, "wove", code);
    return { outcome: "failed", body, words: { kind, message } };
  }

  /** The event of the first of these that is small enough, or a minimal one. */
  #fitting(...infos: ErrorInfo[]): Ending {
    const { kind, message, source, code } = infos[0] as ErrorInfo;
    const words = { kind, message };
    for (const info of infos) {
      const body = this.#events.error(info);
      if (body.data.length <= this.#maxBytes) {
        return { outcome: "failed", body, words };
      }
    }
    const body = this.#events.minimalError(kind, message.slice(0, 200), source, code);
    return { outcome: "failed", body, words };
  }
}
