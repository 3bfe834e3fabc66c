/** What a worker gives back to its backend. */

import { create } from "@bufbuild/protobuf";

import { summaryObject } from "./contract/messages.js";
import { redacted } from "./endpoint.js";
import { scrub } from "./text.js";
import { VERSION } from "./version.js";
import type { TaskPayload } from "./wovepb/v1/payload_pb.js";
import { RunSummarySchema } from "./wovepb/v1/summary_pb.js";

const MESSAGE_CHARACTERS = 1000;

/** What became of a run: small, plain, and without the task's value or a secret. */
export interface Summary {
  readonly wove_version: string;
  readonly run_id: string;
  readonly outcome: "succeeded" | "failed" | "cancelled" | "not_started";
  /** The receiver has answered the last event finally: nothing is left to deliver. */
  readonly delivered: boolean;
  readonly error: { readonly kind?: string; readonly message?: string } | null;
  /** Where the events went, with the token cut out. */
  readonly callback_url: string;
}

/** What there is to say of an error in a summary. */
export interface Words {
  readonly kind: string;
  readonly message: string;
}

/** The summary of a run. */
export function summarize(
  payload: TaskPayload,
  outcome: Summary["outcome"],
  delivered: boolean,
  words?: Words,
): Summary {
  const summary = create(RunSummarySchema, {
    woveVersion: VERSION,
    runId: payload.runId,
    outcome,
    delivered,
    callbackUrl: redacted(payload.callbackUrl),
  });
  if (words) {
    // Cut by code points: half of one would be no text.
    const message = [...scrub(words.message, MESSAGE_CHARACTERS * 4)];
    summary.error = {
      $typeName: "wove.v1.SummaryError",
      kind: scrub(words.kind),
      message: message.slice(0, MESSAGE_CHARACTERS).join(""),
    };
  }
  return summaryObject(summary) as unknown as Summary;
}
