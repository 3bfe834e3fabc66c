/** Ways to a receiver: one event goes there, and its answer comes back, judged. */

import type { Answer } from "./answers.js";
import type { Body } from "./events.js";

/** How one try is made. */
export interface Try {
  /** Seconds without progress after which it is given up. */
  readonly timeout: number;
  /** Use a new connection. */
  readonly fresh?: boolean;
  /** Gives the try up when it is aborted. */
  readonly signal?: AbortSignal | undefined;
}

/** A connection of its own, for heartbeats. */
export interface Line {
  /** The receiver can ask out of turn to stop the run, once there has been a beat. */
  readonly pushes: boolean;
  /** One try. Never rejects. */
  post(body: Body, how: Try): Promise<Answer>;
  close(): void;
}

/** The way from one execution to its receiver. */
export interface Route {
  /** One try. Never rejects. */
  post(body: Body, how: Try): Promise<Answer>;
  /**
   * A connection of its own.
   *
   * @param cancel - called when the receiver asks, out of turn, to stop a run
   */
  openLine(cancel: (runId: string) => void): Line;
  /** The execution is over. */
  close(): void;
}
