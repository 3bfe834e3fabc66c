/** One execution of one payload, from `task_started` to the acknowledged terminal event. */

import { asksForLess, isDelivered, stopReason, type Answer } from "./answers.js";
import { frameName, PAYLOAD_VERSION } from "./contract/messages.js";
import { parseObject } from "./contract/read.js";
import type { TaskContext } from "./context.js";
import { redacted } from "./endpoint.js";
import { Endings, type Ending } from "./endings.js";
import { UndeliveredError } from "./errors.js";
import { Events, type BodyEncoding } from "./events.js";
import { Pulse } from "./heartbeat.js";
import { memberTexts } from "./json.js";
import { GaveUp, Reporter } from "./reporter.js";
import { Reports } from "./reports.js";
import type { Route } from "./route.js";
import { announce, heartbeatInterval } from "./starting.js";
import { Stop } from "./stop.js";
import { summarize, type Summary } from "./summary.js";
import { call, type TaskTable } from "./tasks.js";
import { after, now } from "./timing.js";
import type { TaskPayload } from "./wovepb/v1/payload_pb.js";

/** How long a task that was asked to stop is waited for, where it can be left behind. */
const PATIENCE_SECONDS = 5;
/** How long a worker that must end goes on trying to deliver, after that. */
const HURRY_SECONDS = 10;
const TERMINAL_SECONDS = [300, 3600] as const;

/** How an execution is run. */
export interface ExecutionOptions {
  readonly route: Route;
  readonly encoding: BodyEncoding;
  /** Leave behind a task that does not stop: the process ends after the run. */
  readonly ownProcess: boolean;
}

export class Execution {
  /** The task did not stop and still runs. */
  leftBehind = false;
  readonly #payload: TaskPayload;
  readonly #tasks: TaskTable;
  readonly #name: string;
  readonly #options: ExecutionOptions;
  readonly #events: Events;
  readonly #endings: Endings;
  readonly #reporter: Reporter;
  readonly #reports: Reports;
  readonly #stop = new Stop();
  readonly #detached: boolean;
  readonly #began = now();
  /** Ends the call from outside: the task crashed, or is left behind. */
  #interrupt: (ending: () => Ending) => void = () => {};
  #pulse: Pulse | undefined;
  #abandonTimer: NodeJS.Timeout | undefined;

  constructor(payload: TaskPayload, tasks: TaskTable, options: ExecutionOptions) {
    this.#payload = payload;
    this.#tasks = tasks;
    this.#name = payload.taskName ?? "";
    this.#options = options;
    this.#events = new Events(payload, options.encoding);
    this.#endings = new Endings(this.#events, this.#name, payload.maxEventBytes);
    this.#reporter = new Reporter(options.route);
    const heard = (answer: Answer, frame: string): void => this.#heard(answer, frame);
    this.#reports = new Reports(payload, this.#events, options.route, heard);
    this.#detached = payload.delivery?.deliveryOrphanPolicy === "detach";
    this.#stop.onAsk = () => {
      if (options.ownProcess) {
        this.#abandonLater();
      }
    };
  }

  /**
   * Run it and report.
   *
   * @throws UndeliveredError if the last event could not be delivered
   */
  async run(): Promise<Summary> {
    try {
      if (this.#payload.version > PAYLOAD_VERSION) {
        const message = `the payload has version ${this.#payload.version}, and this worker runs 1`;
        const failed = this.#endings.failed("VersionMismatch", message, "version_mismatch");
        return await this.#end(failed);
      }
      const refused = await this.#start();
      return refused ?? (await this.#end(await this.#call()));
    } finally {
      clearTimeout(this.#abandonTimer);
      this.#pulse?.stop();
      this.#reporter.close();
      this.#options.route.close();
    }
  }

  /** The worker must end: stop the task, and report that soon. */
  shutDown(): void {
    this.#stop.ask("its worker is shutting down");
    this.#abandonLater();
    this.#reporter.hurry(PATIENCE_SECONDS + HURRY_SECONDS);
  }

  /** Something that the task began, and nobody waits for, threw: that ends the task. */
  crash(thrown: unknown): void {
    this.#interrupt(() => this.#ended(thrown));
  }

  /** Announce the execution and wait for leave. A summary: there was none. */
  async #start(): Promise<Summary | undefined> {
    const interval = heartbeatInterval(this.#payload);
    const gated = this.#payload.startGate !== "none" && !this.#detached;
    let answer: Answer;
    try {
      const body = this.#events.started(interval);
      const heard = (late: Answer): void => this.#heard(late, "task_started");
      answer = await announce(this.#reporter, body, gated, heard);
    } catch (error) {
      throw this.#undelivered("not_started", "the start", error);
    }
    const message = stopReason(answer, "task_started", this.#detached);
    if (message !== undefined && answer.verdict !== "accepted") {
      return summarize(this.#payload, "not_started", true, { kind: "StartRefused", message });
    }
    if (interval !== undefined) {
      const line = this.#options.route.openLine((runId) => this.#pushed(runId));
      const beat = () => this.#events.heartbeat();
      this.#pulse = new Pulse(line, interval, beat, (heard) => this.#heard(heard, "heartbeat"));
    }
    this.#heard(answer, "task_started");
    return undefined;
  }

  /** Everything between leave and the ending. Never rejects. */
  async #call(): Promise<Ending> {
    const interrupted = new Promise<() => Ending>((resolve) => {
      this.#interrupt = resolve;
    });
    const returned = this.#callTask().then(
      (value) => () => this.#endings.returned(value),
      (thrown: unknown) => () => this.#ended(thrown),
    );
    const ending = await Promise.race([returned, interrupted]);
    this.#stop.end();
    await this.#reports.close();
    return ending();
  }

  async #callTask(): Promise<unknown> {
    const task = this.#tasks.get(this.#name);
    if (task === undefined) {
      const known = this.#tasks.names.join(", ") || "none";
      const message = `this worker has no task ${JSON.stringify(this.#name)}; it has: ${known}`;
      throw new NotRun("UnknownTaskError", message, "unknown_task");
    }
    const text = this.#payload.argsJson;
    let args;
    try {
      args = parseObject(text ?? "");
    } catch (error) {
      const why = text === undefined ? "there is none" : (error as Error).message;
      const message = `args_json of task ${JSON.stringify(this.#name)}: ${why}`;
      throw new NotRun("PayloadNotLoadableError", message, "payload_not_loadable");
    }
    this.#stop.signal.throwIfAborted();
    return await call(task, args, this.#context(text ?? ""));
  }

  #context(text: string): TaskContext {
    let members: Map<string, string> | undefined;
    return {
      signal: this.#stop.signal,
      runId: this.#payload.runId,
      taskId: this.#payload.taskId,
      taskName: this.#name,
      attempt: this.#payload.attempt,
      traceparent: this.#payload.traceparent,
      progress: (progress) => this.#reports.progress(progress),
      log: (message, options) => this.#reports.log(message, options),
      raw: (name) => (name === undefined ? text : (members ??= memberTexts(text)).get(name)),
    };
  }

  /** The ending of a call that threw. */
  #ended(thrown: unknown): Ending {
    if (thrown instanceof NotRun) {
      return this.#endings.failed(thrown.kind, thrown.message, thrown.code);
    }
    return this.#stop.caused(thrown)
      ? this.#endings.stopped(this.#stop.reason ?? "")
      : this.#endings.raised(thrown);
  }

  /** Deliver the terminal event. */
  async #end(first: Ending): Promise<Summary> {
    let ending = first;
    let answer: Answer;
    try {
      answer = await this.#reporter.deliver(ending.body, this.#terminalSeconds(), true);
      if (asksForLess(answer, frameName(ending.body.event))) {
        const code = answer.status === 413 ? "result_too_large" : "event_refused";
        const was = ending.words ? `${ending.words.kind}: ${ending.words.message}` : "a result";
        const message = `the receiver refused the task's end: ${answer.text}; it was ${was}`;
        ending = this.#endings.minimal("EventRefused", message, code);
        answer = await this.#reporter.deliver(ending.body, this.#terminalSeconds());
      }
    } catch (error) {
      const undelivered = this.#undelivered(ending.outcome, "the end", error);
      if (this.#detached) {
        return undelivered.summary; // its weave may be gone for good
      }
      throw undelivered;
    }
    if (!isDelivered(answer)) {
      throw this.#refused(ending.outcome, answer);
    }
    return summarize(this.#payload, ending.outcome, true, ending.words);
  }

  #terminalSeconds(): number {
    const [shortest, longest] = TERMINAL_SECONDS;
    const ran = Math.min(Math.max(now() - this.#began, shortest), longest);
    const asked = this.#payload.deliveryRetrySeconds ?? 0;
    return asked > 0 ? asked : ran;
  }

  /** An answer to an event of the running task. Nothing stops a detached one. */
  #heard(answer: Answer, frame: string): void {
    const interval = answer.ack?.heartbeatSeconds ?? 0;
    if (interval > 0 && Number.isFinite(interval)) {
      this.#pulse?.setInterval(interval);
    }
    const reason = stopReason(answer, frame, this.#detached);
    if (reason && !this.#detached) {
      this.#stop.ask(reason);
    }
  }

  #pushed(runId: string): void {
    if (runId === this.#payload.runId && !this.#detached) {
      this.#stop.ask("the weave cancelled it");
    }
  }

  #abandonLater(): void {
    this.#abandonTimer ??= after(PATIENCE_SECONDS, () =>
      this.#interrupt(() => {
        this.leftBehind = true;
        return this.#endings.stopped(this.#stop.reason ?? "", true);
      }),
    );
  }

  #undelivered(outcome: Summary["outcome"], what: string, error: unknown): UndeliveredError {
    if (!(error instanceof GaveUp)) {
      throw error;
    }
    const message =
      `the worker could not report ${what} of task ${JSON.stringify(this.#name)} to ` +
      `${redacted(this.#payload.callbackUrl)}: ${error.message}. That address must lead from ` +
      "the worker to the weave's process.";
    return this.#lost(outcome, message);
  }

  #refused(outcome: Summary["outcome"], answer: Answer): UndeliveredError {
    const message =
      `the receiver at ${redacted(this.#payload.callbackUrl)} refused the end of task ` +
      `${JSON.stringify(this.#name)}: ${answer.text}. Its outcome is lost.`;
    return this.#lost(outcome, message);
  }

  #lost(outcome: Summary["outcome"], message: string): UndeliveredError {
    const words = { kind: "CallbackUnreachableError", message };
    return new UndeliveredError(message, summarize(this.#payload, outcome, false, words));
  }
}

/** The task was not called, for a reason of the worker's own. */
class NotRun extends Error {
  readonly kind: string;
  readonly code: "unknown_task" | "payload_not_loadable";

  constructor(kind: string, message: string, code: "unknown_task" | "payload_not_loadable") {
    super(message);
    this.kind = kind;
    this.code = code;
  }
}
