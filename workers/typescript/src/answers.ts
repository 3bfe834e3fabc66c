/** What an answer means to a worker: the response table of ack.proto. */

import type { EventAck } from "./wovepb/v1/ack_pb.js";

/**
 * What to do next:
 *
 * - `accepted`: done
 * - `retry`: try again later
 * - `elsewhere`: try again on a new connection, another receiver answered
 * - `invalid`: the receiver will not take this event
 * - `conflict`: another terminal event, or another execution, was first
 * - `gone`: nobody waits for the run
 * - `refused`: another final refusal
 */
export type Verdict =
  | "accepted"
  | "retry"
  | "elsewhere"
  | "invalid"
  | "conflict"
  | "gone"
  | "refused";

/** An answer, judged. Having none is an answer too: `retry`. */
export interface Answer {
  readonly verdict: Verdict;
  /** In words, for errors. */
  readonly text: string;
  /** HTTP's status code, or the one that stands for gRPC's; 0 without an answer. */
  readonly status: number;
  readonly ack?: EventAck | undefined;
  /** Seconds that the receiver asks to wait. */
  readonly retryAfter?: number | undefined;
}

/** The parts of an answer. */
export interface Response {
  readonly status: number;
  readonly text: string;
  /** The id of the receiver that answered; undefined if the answer has none. */
  readonly answeredBy: string | undefined;
  readonly retryAfter?: number | undefined;
  readonly ack?: EventAck | undefined;
}

const TERMINAL: ReadonlySet<string> = new Set(["task_result", "task_error", "task_cancelled"]);
/** After one of these nothing that this execution sends will be taken any more. */
const UNWANTED: ReadonlySet<number> = new Set([401, 404, 409, 410]);
const FINAL = new Map<number, Verdict>([
  [400, "invalid"],
  [413, "invalid"],
  [415, "invalid"],
  [409, "conflict"],
  [410, "gone"],
  [421, "elsewhere"],
]);

/**
 * Judge an answer.
 *
 * @param receiverId - the payload's; undefined if it has none: then the plain table holds
 */
export function judge(response: Response, receiverId: string | undefined): Answer {
  const { status, text, answeredBy, ack } = response;
  const retryAfter = waitable(response.retryAfter);
  if (receiverId) {
    if (answeredBy === undefined) {
      // A balancer's or a proxy's own answer, whatever its status.
      return { verdict: "retry", text: `${text}, not from a receiver`, status, retryAfter };
    }
    if (answeredBy !== receiverId && (status === 404 || status === 410)) {
      return { verdict: "elsewhere", text: `${text} from another receiver`, status };
    }
  }
  if (status >= 200 && status < 300) {
    return { verdict: "accepted", text, status, ack };
  }
  if (status < 400 || status >= 500 || status === 408 || status === 429) {
    return { verdict: "retry", text, status, retryAfter };
  }
  return { verdict: FINAL.get(status) ?? "refused", text, status, retryAfter };
}

/** No answer came. */
export function noAnswer(error: unknown): Answer {
  const text = error instanceof Error ? error.message : String(error);
  return { verdict: "retry", text, status: 0 };
}

/** Whether there is any sense in another try. */
export function isFinal(answer: Answer): boolean {
  return answer.verdict !== "retry" && answer.verdict !== "elsewhere";
}

/** Whether this answer to a terminal event ends the run without a failure of the worker's. */
export function isDelivered({ verdict }: Answer): boolean {
  return verdict === "accepted" || verdict === "conflict" || verdict === "gone";
}

/** Whether a minimal `task_error` is to be sent, once, in place of the event. */
export function asksForLess(answer: Answer, frame: string): boolean {
  return answer.verdict === "invalid" && TERMINAL.has(frame);
}

/**
 * Why this answer stops the task, or keeps it from being called; undefined where it does not.
 *
 * @param frame - the name of the frame that was answered
 * @param detached - nobody need be left who waits for the run
 */
export function stopReason(
  answer: Answer,
  frame: string,
  detached: boolean,
): string | undefined {
  if (TERMINAL.has(frame) || !isFinal(answer)) {
    return undefined;
  }
  if (answer.verdict === "accepted") {
    return answer.ack?.cancel && !detached ? "the weave cancelled it" : undefined;
  }
  if (frame === "task_started") {
    // Another execution may have the run: that stops a detached one, too.
    const missed = detached && answer.verdict === "gone";
    return missed ? undefined : `the receiver answered ${answer.text} to task_started`;
  }
  const lost = UNWANTED.has(answer.status) && !detached;
  return lost ? "the weave no longer waits for it" : undefined;
}

/** `Retry-After` in seconds. Its other form, a date, is left to the worker's own backoff. */
export function retryAfterSeconds(value: string | null | undefined): number | undefined {
  return waitable(value ? Number(value) : undefined);
}

function waitable(seconds: number | undefined): number | undefined {
  return seconds !== undefined && seconds >= 0 && seconds < 1e9 ? seconds : undefined;
}
