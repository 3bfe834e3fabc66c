/** The events of one execution, and their bytes. */

import { randomBytes } from "node:crypto";
import { hostname } from "node:os";

import { create, toBinary, type MessageInitShape } from "@bufbuild/protobuf";

import { flatJson } from "./contract/messages.js";
import { ascii, scrub } from "./text.js";
import {
  ErrorInfoSchema,
  EventSchema,
  type ErrorInfo,
  type Event,
} from "./wovepb/v1/event_pb.js";
import type { TaskPayload } from "./wovepb/v1/payload_pb.js";

/** An event, and the body that is sent unchanged on every retry. */
export interface Body {
  readonly event: Event;
  readonly data: Uint8Array;
  readonly contentType: string;
}

/** The frame of an event. */
export type Frame = NonNullable<MessageInitShape<typeof EventSchema>["frame"]>;

/** How events are encoded: flat JSON, or binary protobuf. */
export type BodyEncoding = "json" | "protobuf";

/** Makes and encodes the events of one execution. */
export class Events {
  readonly executionId = randomBytes(16).toString("hex");
  readonly #payload: TaskPayload;
  readonly #encoding: BodyEncoding;
  #sequence = 0;

  constructor(payload: TaskPayload, encoding: BodyEncoding) {
    this.#payload = payload;
    this.#encoding = encoding;
  }

  /** The next event. */
  make(frame: Frame): Body {
    const sequence = ++this.#sequence;
    const event = create(EventSchema, {
      runId: this.#payload.runId,
      taskId: this.#payload.taskId,
      eventId: `${this.executionId}-${sequence}`,
      emittedAt: Date.now() / 1000,
      attempt: this.#payload.attempt,
      executionId: this.executionId,
      sequence,
      frame,
    });
    return this.#encoding === "json"
      ? { event, data: Buffer.from(flatJson(event)), contentType: "application/json" }
      : { event, data: toBinary(EventSchema, event), contentType: "application/x-protobuf" };
  }

  started(heartbeatSeconds: number | undefined): Body {
    const value = {
      workerId: `${hostname()}:${process.pid}`,
      ...(heartbeatSeconds === undefined ? {} : { heartbeatSeconds }),
    };
    return this.make({ case: "taskStarted", value });
  }

  heartbeat(): Body {
    return this.make({ case: "heartbeat", value: {} });
  }

  result(json: string): Body {
    return this.make({
      case: "taskResult",
      value: { value: { case: "resultJson", value: json } },
    });
  }

  error(error: ErrorInfo): Body {
    return this.make({ case: "taskError", value: { error } });
  }

  /** A `task_error` that no receiver has a reason to refuse: short ASCII, no cause. */
  minimalError(kind: string, message: string, source: string, code: string): Body {
    const info = { kind: ascii(kind, 100), message: ascii(message), source, code };
    return this.error(create(ErrorInfoSchema, info));
  }

  cancelled(reason: string, forced: boolean): Body {
    return this.make({ case: "taskCancelled", value: { reason: scrub(reason), forced } });
  }
}
