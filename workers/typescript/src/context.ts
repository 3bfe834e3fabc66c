/** What a running task knows about its run, and can say meanwhile. */
export interface TaskContext {
  /**
   * Aborted when the task shall stop. A task that then rejects with the signal's reason, or
   * with any `AbortError`, counts as cancelled; one that returns has its result delivered.
   */
  readonly signal: AbortSignal;
  readonly runId: string;
  readonly taskId: string;
  readonly taskName: string;
  /** Submissions of this task before this one. */
  readonly attempt: number;
  /** W3C trace context of the weave, where it has one. */
  readonly traceparent: string | undefined;

  /**
   * Tell the weave how far the task is. Returns at once; does nothing where the receiver takes
   * no progress.
   *
   * @throws RangeError if a number is not finite
   */
  progress(progress: ProgressReport): void;

  /** Send the weave a line of the task's log; like `progress` in all else. */
  log(message: string, options?: LogOptions): void;

  /**
   * The JSON text of the argument of that name, exactly as it came; undefined if there is none.
   * Without a name: of the object of all arguments.
   */
  raw(name?: string): string | undefined;
}

/** See `TaskContext.progress`. */
export interface ProgressReport {
  readonly current?: number;
  readonly total?: number;
  /** What is counted, such as "rows". */
  readonly unit?: string;
  readonly message?: string;
}

/** See `TaskContext.log`. */
export interface LogOptions {
  /** By default "info". */
  readonly level?: "debug" | "info" | "warning" | "error" | "critical";
  /** The logger's name. */
  readonly logger?: string;
}

/** A result that is JSON text already. */
export class RawResult {
  readonly text: string;

  constructor(text: string) {
    this.text = text;
  }
}

/**
 * A task's result as JSON text, which is delivered exactly as it is.
 *
 * @throws SyntaxError if the text is not one JSON value
 */
export function rawResult(text: string): RawResult {
  if (!text.isWellFormed()) {
    throw new SyntaxError("the text has an unpaired surrogate");
  }
  JSON.parse(text);
  return new RawResult(text);
}
