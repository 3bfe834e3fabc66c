/**
 * Heartbeats of one execution.
 *
 * A beat says that this process lives. It is made when it is due and sent once: one that could
 * not be sent is forgotten, because the next says more.
 */

import { isFinal, type Answer } from "./answers.js";
import type { Body } from "./events.js";
import type { Line } from "./route.js";
import { after, backoff, now } from "./timing.js";

const BEAT_SECONDS = 10;

export class Pulse {
  readonly #line: Line;
  readonly #make: () => Body;
  readonly #heard: (answer: Answer) => void;
  readonly #stopped = new AbortController();
  #interval: number;
  #failures = 0;
  #elsewhere = false;
  #beating = false;
  #timer: NodeJS.Timeout | undefined;

  /**
   * @param interval - seconds between two beats
   * @param make - makes the next beat
   * @param heard - called with each final answer
   */
  constructor(line: Line, interval: number, make: () => Body, heard: (answer: Answer) => void) {
    this.#line = line;
    this.#interval = interval;
    this.#make = make;
    this.#heard = heard;
    // Where the receiver can ask out of turn, the first beat opens the way for that.
    this.#schedule(line.pushes ? 0 : interval);
  }

  /** The receiver asks for another interval. */
  setInterval(seconds: number): void {
    this.#interval = seconds;
    if (!this.#beating) {
      this.#schedule(seconds);
    }
  }

  /** No beat is sent after this. */
  stop(): void {
    this.#stopped.abort();
    clearTimeout(this.#timer);
    this.#line.close();
  }

  #schedule(seconds: number): void {
    clearTimeout(this.#timer);
    if (!this.#stopped.signal.aborted) {
      // Beats alone do not keep a process.
      this.#timer = after(seconds, () => void this.#beat(), { idle: true });
    }
  }

  async #beat(): Promise<void> {
    const begin = now();
    this.#beating = true;
    const answer = await this.#line.post(this.#make(), {
      timeout: Math.min(this.#interval, BEAT_SECONDS),
      fresh: this.#elsewhere,
      signal: this.#stopped.signal,
    });
    this.#elsewhere = answer.verdict === "elsewhere";
    if (isFinal(answer)) {
      this.#failures = 0;
      this.#heard(answer);
      this.#beating = false;
      this.#schedule(this.#interval - (now() - begin));
    } else {
      this.#failures++;
      this.#beating = false;
      this.#schedule(Math.min(this.#interval, 0.05 + backoff(this.#failures)));
    }
  }
}
