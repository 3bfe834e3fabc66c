/** Delivers events that must arrive. */

import { isFinal, type Answer } from "./answers.js";
import type { Body } from "./events.js";
import type { Route } from "./route.js";
import { after, backoff, now, pause } from "./timing.js";

/** A try without an answer is given up after this, and what its event takes to be sent. */
const ANSWER_SECONDS = 30;
/** On the slowest link that is waited for. */
const BYTES_PER_SECOND = 64 * 1024;
/** How often in a row 413 comes from a proxy before it is believed. */
const PROXY_REFUSALS = 3;

/** No final answer came in time. */
export class GaveUp extends Error {
  /** The last answer, in words. */
  readonly last: string;

  constructor(tries: number, seconds: number, last: string) {
    super(`${tries} tries in ${seconds.toFixed(1)} s, the last one: ${last}`);
    this.last = last;
  }
}

/** Sends each event until there is a final answer, with the same bytes each time. */
export class Reporter {
  readonly #route: Route;
  readonly #over = new AbortController();

  constructor(route: Route) {
    this.#route = route;
  }

  /**
   * Deliver an event.
   *
   * @param seconds - the deadline, from now
   * @param replaceable - a smaller event can take its place: after some times 413 in a row
   *   from a proxy the verdict is "invalid"
   * @throws GaveUp if no final answer came in time
   */
  async deliver(body: Body, seconds: number, replaceable = false): Promise<Answer> {
    const late = new AbortController();
    const timer = after(Math.max(seconds, 0.1), () => late.abort());
    const signal = AbortSignal.any([this.#over.signal, late.signal]);
    try {
      return await this.#tryUntil(signal, body, seconds, replaceable);
    } finally {
      clearTimeout(timer);
    }
  }

  /** Give up whatever is not delivered in so many seconds from now. */
  hurry(seconds: number): void {
    after(seconds, () => this.#over.abort(), { idle: true });
  }

  /** Give up everything at once. */
  close(): void {
    this.#over.abort();
  }

  async #tryUntil(
    signal: AbortSignal,
    body: Body,
    seconds: number,
    replaceable: boolean,
  ): Promise<Answer> {
    const begin = now();
    const patience = ANSWER_SECONDS + Math.floor(body.data.length / BYTES_PER_SECOND);
    let tooLarge = 0;
    for (let tries = 1, fresh = false; ; tries++) {
      const left = seconds - (now() - begin);
      const timeout = Math.min(patience, Math.max(left, 0.1));
      const answer = await this.#route.post(body, { timeout, fresh, signal });
      if (isFinal(answer)) {
        return answer;
      }
      tooLarge = answer.status === 413 ? tooLarge + 1 : 0;
      if (replaceable && tooLarge === PROXY_REFUSALS) {
        return { ...answer, verdict: "invalid" };
      }
      fresh = answer.verdict === "elsewhere";
      if (!signal.aborted) {
        await pause((answer.retryAfter ?? 0) + backoff(tries), signal);
      }
      if (signal.aborted) {
        throw new GaveUp(tries, now() - begin, answer.text);
      }
    }
  }
}
