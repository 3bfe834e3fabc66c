/** Tasks by name, and calling one of them. */

import type { TaskContext } from "./context.js";
import type { JsonObject } from "./json.js";
import { bind, type Parameters } from "./parameters.js";

/** A function with what it takes. */
export interface Task {
  /** undefined: anything. */
  readonly parameters: Parameters | undefined;
  readonly run: (args: never, context: TaskContext) => unknown;
}

/** The tasks of a worker. */
export class TaskTable {
  readonly #tasks = new Map<string, Task>();

  /** @throws Error if there is a task of that name */
  add(name: string, task: Task): void {
    if (this.#tasks.has(name)) {
      throw new Error(`there is a task ${JSON.stringify(name)} already`);
    }
    this.#tasks.set(name, task);
  }

  get(name: string): Task | undefined {
    return this.#tasks.get(name);
  }

  get names(): string[] {
    return [...this.#tasks.keys()].sort();
  }
}

/** Call a task with arguments by name. */
export async function call(
  task: Task,
  args: JsonObject,
  context: TaskContext,
): Promise<unknown> {
  const bound = task.parameters ? bind(task.parameters, args) : args;
  return await task.run(bound as never, context);
}
