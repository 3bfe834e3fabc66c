/** What a task takes: checked before it is called, and known to the type checker. */

import type { JsonObject, JsonValue } from "./json.js";

interface Kinds {
  any: JsonValue;
  string: string;
  boolean: boolean;
  number: number;
  bigint: bigint;
  numeric: number | bigint;
}

/**
 * A kind of argument:
 *
 * - `any`: any value of JSON
 * - `string`, `boolean`
 * - `number`: a number that a double holds exactly enough, as `JSON.parse` gives it; integers
 *   beyond `Number.MAX_SAFE_INTEGER` are refused
 * - `bigint`: a whole number of any size, always as `bigint`
 * - `numeric`: `number`, or `bigint` for integers beyond `Number.MAX_SAFE_INTEGER`
 */
export type Kind = keyof Kinds;

/** A task's parameters by name. A kind with `?` may be absent or null, and is then undefined. */
export type Parameters = Record<string, Kind | `${Kind}?`>;

/** The arguments that a task of these parameters is called with. */
export type Arguments<P extends Parameters> = {
  [N in keyof P as P[N] extends Kind ? N : never]: P[N] extends Kind ? Kinds[P[N]] : never;
} & {
  [N in keyof P as P[N] extends Kind ? never : N]?: P[N] extends `${infer K extends Kind}?`
    ? Kinds[K] | undefined
    : never;
};

/**
 * The arguments of a call by the task's parameters.
 *
 * @throws TypeError if one is missing, unknown, or of another kind
 */
export function bind(parameters: Parameters, given: JsonObject): Record<string, unknown> {
  for (const name of Object.keys(given)) {
    if (!Object.hasOwn(parameters, name)) {
      throw new TypeError(`unknown argument ${JSON.stringify(name)}`);
    }
  }
  const bound: Record<string, unknown> = {};
  for (const [name, spec] of Object.entries(parameters)) {
    const optional = spec.endsWith("?");
    const kind = (optional ? spec.slice(0, -1) : spec) as Kind;
    const value = Object.hasOwn(given, name) ? given[name] : undefined;
    if (value === undefined || (optional && value === null)) {
      if (!optional) {
        throw new TypeError(`missing argument ${JSON.stringify(name)}`);
      }
      continue;
    }
    const taken = take(kind, value);
    if (taken === undefined) {
      throw new TypeError(`argument ${JSON.stringify(name)} is no ${kind}`);
    }
    bound[name] = taken;
  }
  return bound;
}

function take(kind: Kind, value: JsonValue): unknown {
  switch (kind) {
    case "any":
      return value;
    case "numeric":
      return typeof value === "number" || typeof value === "bigint" ? value : undefined;
    case "bigint":
      return Number.isSafeInteger(value) ? BigInt(value as number) : takeOf("bigint", value);
    default:
      return takeOf(kind, value);
  }
}

function takeOf(type: string, value: JsonValue): unknown {
  return typeof value === type ? value : undefined;
}
