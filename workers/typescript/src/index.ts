/**
 * Run tasks of Wove weaves in Node.
 *
 * @packageDocumentation
 */

export { rawResult } from "./context.js";
export type { LogOptions, ProgressReport, RawResult, TaskContext } from "./context.js";
export { InvalidPayloadError, UndeliveredError } from "./errors.js";
export { formatJson, NotJsonError, parseJson } from "./json.js";
export type { JsonObject, JsonValue } from "./json.js";
export type { Arguments, Kind, Parameters } from "./parameters.js";
export type { PayloadInput } from "./payloads.js";
export type { Encoding } from "./routing.js";
export type { Summary } from "./summary.js";
export { VERSION } from "./version.js";
export { Worker } from "./worker.js";
export type { RunOptions } from "./worker.js";
