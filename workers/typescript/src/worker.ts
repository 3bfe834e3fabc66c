import type { TaskContext } from "./context.js";
import { Execution } from "./execution.js";
import type { JsonObject } from "./json.js";
import type { Arguments, Parameters } from "./parameters.js";
import { decodePayload, type PayloadInput } from "./payloads.js";
import { runProgram } from "./program.js";
import { encodingFrom, routeFor, type Encoding } from "./routing.js";
import type { Summary } from "./summary.js";
import { TaskTable } from "./tasks.js";

/** How one payload is run. */
export interface RunOptions {
  /**
   * The worker is shutting down: stop the task, report it as cancelled, and give up what could
   * not be delivered 15 seconds later.
   */
  readonly signal?: AbortSignal;
  /** By default what `WOVE_ENCODING` says, else what suits the receiver best. */
  readonly encoding?: Encoding;
}

/**
 * Tasks by name, and the ways to run them: `main` for a program that is started once for each
 * payload, `run` for a process that takes payloads from a queue.
 */
export class Worker {
  readonly #tasks = new TaskTable();

  /**
   * Register a task that takes whatever arguments there are. A task may return, or resolve to,
   * what `JSON.stringify` takes, `bigint` too, and JSON text by `rawResult`.
   */
  task(name: string, run: (args: JsonObject, context: TaskContext) => unknown): this;
  /**
   * Register a task with its parameters: a call that does not fit them fails before the
   * function is called.
   */
  task<const P extends Parameters>(
    name: string,
    parameters: P,
    run: (args: Arguments<P>, context: TaskContext) => unknown,
  ): this;
  task(
    name: string,
    ...rest:
      | [run: (args: JsonObject, context: TaskContext) => unknown]
      | [parameters: Parameters, run: (args: never, context: TaskContext) => unknown]
  ): this {
    const [parameters, run] = rest.length === 1 ? [undefined, rest[0]] : rest;
    this.#tasks.add(name, { parameters, run });
    return this;
  }

  /**
   * Run a payload in this process and report to its weave. May be called many times, also
   * several at once.
   *
   * @param payload - as the backend carries it: its object, its JSON, or base64 of that
   * @returns what to give back to the backend; never the task's result. It is the same whether
   *   the task succeeded or failed: the weave has been told
   * @throws InvalidPayloadError if it is no payload
   * @throws UndeliveredError if the last event could not be delivered
   */
  async run(payload: PayloadInput, options: RunOptions = {}): Promise<Summary> {
    const execution = await this.#prepare(payload, options.encoding, false);
    const { signal } = options;
    const shutDown = (): void => execution.shutDown();
    signal?.addEventListener("abort", shutDown);
    if (signal?.aborted) {
      shutDown();
    }
    try {
      return await execution.run();
    } finally {
      signal?.removeEventListener("abort", shutDown);
    }
  }

  /**
   * Be a program that runs one payload, from its first argument or from
   * `WOVE_BACKEND_PAYLOAD`, and ends the process.
   */
  async main(): Promise<never> {
    return await runProgram((payload) => this.#prepare(payload, undefined, true));
  }

  async #prepare(
    input: PayloadInput,
    wish: Encoding | undefined,
    ownProcess: boolean,
  ): Promise<Execution> {
    const { payload, url } = decodePayload(input);
    const encoding = wish ?? encodingFrom(process.env["WOVE_ENCODING"]);
    const way = await routeFor(payload, url, encoding);
    return new Execution(payload, this.#tasks, { ...way, ownProcess });
  }
}
