/** `task_started`: the start gate, and the start without one. */

import type { Answer } from "./answers.js";
import type { Body } from "./events.js";
import { GaveUp, type Reporter } from "./reporter.js";
import { pause } from "./timing.js";
import type { TaskPayload } from "./wovepb/v1/payload_pb.js";

const START_SECONDS = 60;
/** How long `task_started` may hold up a task that need not wait for it. */
const UNGATED_SECONDS = 1;
const DEFAULT_INTERVAL = 5;

/** Seconds between heartbeats; undefined where the receiver takes none. */
export function heartbeatInterval(payload: TaskPayload): number | undefined {
  if (!payload.accepts.includes("heartbeat")) {
    return undefined;
  }
  const asked = payload.delivery?.deliveryHeartbeatSeconds ?? 0;
  return asked > 0 ? asked / 3 : DEFAULT_INTERVAL;
}

/**
 * Deliver `task_started`.
 *
 * @param gated - wait for a final answer. Else the answer is waited for only shortly, and the
 *   delivery goes on beside the task
 * @param heard - called with the answer that comes later
 * @throws GaveUp if it is gated, and no final answer came in time
 */
export async function announce(
  reporter: Reporter,
  body: Body,
  gated: boolean,
  heard: (answer: Answer) => void,
): Promise<Answer> {
  const delivery = reporter.deliver(body, START_SECONDS);
  if (gated) {
    return await delivery;
  }
  const soon = delivery.catch((error: unknown) => notYet(error));
  const answer = await Promise.race([soon, pause(UNGATED_SECONDS).then(() => notYet())]);
  if (answer.verdict === "retry") {
    void soon.then(heard);
  }
  return answer;
}

function notYet(error?: unknown): Answer {
  const text = error instanceof GaveUp ? error.message : "no answer yet";
  return { verdict: "retry", text, status: 0 };
}
