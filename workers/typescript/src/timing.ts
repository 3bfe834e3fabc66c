/** Waiting, on the monotonic clock. */

import { performance } from "node:perf_hooks";

/** The longest wait that a timer of Node takes. */
const LONGEST_MS = 0x7fff_ffff;

/** Monotonic seconds. */
export function now(): number {
  return performance.now() / 1000;
}

/** Call back after some seconds. An idle timer does not keep the process. */
export function after(
  seconds: number,
  call: () => void,
  { idle = false }: { idle?: boolean } = {},
): NodeJS.Timeout {
  const timer = setTimeout(call, Math.min(Math.max(seconds, 0) * 1000, LONGEST_MS));
  return idle ? timer.unref() : timer;
}

/** Wait; shorter if the signal is aborted. */
export function pause(seconds: number, signal?: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (signal?.aborted) {
      resolve();
      return;
    }
    const done = (): void => {
      clearTimeout(timer);
      signal?.removeEventListener("abort", done);
      resolve();
    };
    const timer = after(seconds, done);
    signal?.addEventListener("abort", done);
  });
}

/** The pause before another try: exponential, with full jitter. */
export function backoff(tries: number, first = 0.1, longest = 10): number {
  return Math.random() * Math.min(longest, first * 2 ** Math.min(tries, 16));
}
