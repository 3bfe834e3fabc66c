/** Whatever a task may throw, as an ErrorInfo within the limits of event.proto. */

import { types } from "node:util";

import { create } from "@bufbuild/protobuf";

import { scrub, scrubMiddle } from "./text.js";
import { ErrorInfoSchema, type ErrorInfo } from "./wovepb/v1/event_pb.js";

const MAX_DEPTH = 8;
const MAX_MEMBERS = 32;
const MESSAGE_BYTES = 64 * 1024;
const TRACEBACK_BYTES = 256 * 1024;

/** Describe what a task threw. Its own code may fail in any way; this function does not. */
export function describe(thrown: unknown): ErrorInfo {
  const info = describeTo(thrown, MAX_DEPTH);
  info.traceback = scrubMiddle(stacks(thrown), TRACEBACK_BYTES);
  info.source = "task";
  return info;
}

function describeTo(thrown: unknown, depth: number): ErrorInfo {
  const info = create(ErrorInfoSchema, {
    kind: scrub(attempt(() => kindOf(thrown), "Error")),
    message: scrub(messageOf(thrown), MESSAGE_BYTES),
  });
  if (depth > 0 && isError(thrown)) {
    const cause = attempt(() => thrown.cause, undefined);
    if (cause !== undefined && cause !== null) {
      info.cause = describeTo(cause, depth - 1);
    }
    const members = attempt(() => (thrown as Partial<AggregateError>).errors, undefined);
    if (Array.isArray(members)) {
      const found = members.slice(0, MAX_MEMBERS);
      info.exceptions = found.map((member) => describeTo(member, depth - 1));
    }
  }
  return info;
}

function kindOf(thrown: unknown): string {
  if (!isError(thrown)) {
    return thrown === null ? "null" : typeof thrown;
  }
  // A class that does not set `name` inherits "Error".
  return thrown.name && thrown.name !== "Error" ? thrown.name : thrown.constructor.name;
}

function messageOf(thrown: unknown): string {
  const read = () => String(isError(thrown) ? thrown.message : thrown);
  return attempt(read, "<its message cannot be read>");
}

function stacks(thrown: unknown): string {
  const parts: string[] = [];
  let found = thrown;
  for (let depth = 0; depth <= MAX_DEPTH && isError(found); depth++) {
    const error = found;
    parts.push(attempt(() => String(error.stack), "<its stack cannot be read>"));
    found = attempt(() => error.cause, undefined);
  }
  return parts.length ? parts.join("\ncaused by: ") : `${messageOf(thrown)} was thrown`;
}

/** Errors of other realms, such as those of `node:vm`, are no instances of ours. */
function isError(thrown: unknown): thrown is Error {
  return types.isNativeError(thrown) || attempt(() => thrown instanceof Error, false);
}

function attempt<T>(read: () => T, otherwise: T): T {
  try {
    return read();
  } catch {
    return otherwise;
  }
}
