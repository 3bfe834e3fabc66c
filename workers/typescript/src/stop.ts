/** Stopping a task: exactly one of "it has returned" and "it was stopped" happens. */

/** Why a task was asked to stop: the `reason` of its signal. */
export class TaskStoppedError extends Error {
  override readonly name = "AbortError";
}

/** The request to stop one task, and what has become of the task. */
export class Stop {
  /** Called once, when the task is asked to stop. */
  onAsk: () => void = () => {};
  readonly #controller = new AbortController();
  #over = false;

  /** Aborted by the first request. */
  get signal(): AbortSignal {
    return this.#controller.signal;
  }

  /** Why the task was asked to stop; undefined before. */
  get reason(): string | undefined {
    const { aborted, reason } = this.signal;
    return aborted ? (reason as TaskStoppedError).message : undefined;
  }

  /** Ask the task to stop. Ignored once it is over, and the second time. */
  ask(reason: string): void {
    if (!this.#over && !this.signal.aborted) {
      this.#controller.abort(new TaskStoppedError(reason));
      this.onAsk();
    }
  }

  /** The task has returned, or is no longer waited for: its ending is decided. */
  end(): void {
    this.#over = true;
  }

  /** Whether what the task threw is the way in which it stopped. */
  caused(thrown: unknown): boolean {
    if (!this.signal.aborted) {
      return false;
    }
    let found = thrown;
    for (let depth = 0; depth < 100 && found instanceof Error; depth++) {
      if (found === this.signal.reason || found.name === "AbortError") {
        return true;
      }
      found = found.cause;
    }
    return false;
  }
}
