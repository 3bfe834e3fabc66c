/**
 * JSON in which no integer loses a digit.
 *
 * `JSON.parse` makes a double of every number, and Node 20 gives its reviver no source text.
 * So integers that no double holds are put in quotes, behind a mark that no other text has,
 * before the text is parsed, and become `bigint`; on the way out it is the other way round.
 */

import { randomBytes } from "node:crypto";

/** A value of JSON. Integers beyond `Number.MAX_SAFE_INTEGER` are `bigint`. */
export type JsonValue = null | boolean | number | bigint | string | JsonValue[] | JsonObject;

/** An object of JSON. */
export interface JsonObject {
  [name: string]: JsonValue;
}

/** A value that JSON cannot hold. */
export class NotJsonError extends TypeError {
  override readonly name = "NotJsonError";
}

const MARK = `${randomBytes(16).toString("hex")}:`;
const MARKED = new RegExp(`"${MARK}(-?[0-9]+)"`, "g");
const MAY_BE_LARGE = /[0-9]{16}/;
const NUMBER = /-?[0-9]+(\.[0-9]+)?([eE][+-]?[0-9]+)?/y;
const QUOTE = 0x22;
const BACKSLASH = 0x5c;

/**
 * The value of a JSON text.
 *
 * @throws SyntaxError if the text is not one JSON value
 */
export function parseJson(text: string): JsonValue {
  const value = JSON.parse(text) as JsonValue;
  if (!MAY_BE_LARGE.test(text)) {
    return value;
  }
  // The text is known to be JSON: putting quotes into it cannot make it so.
  return JSON.parse(markLargeIntegers(text), (_name, item: JsonValue) =>
    typeof item === "string" && item.startsWith(MARK) ? BigInt(item.slice(MARK.length)) : item,
  ) as JsonValue;
}

/**
 * The JSON text of a value. `undefined` is written as JSON.stringify writes it, and as `null`
 * where it is the whole value.
 *
 * @throws NotJsonError if JSON has no such value: NaN, an infinity, a function, a Map
 */
export function formatJson(value: unknown): string {
  let marked = false;
  const text = JSON.stringify(value === undefined ? null : value, (name, item: unknown) => {
    if (typeof item === "bigint") {
      marked = true;
      return `${MARK}${item}`;
    }
    const problem = notJson(item);
    if (problem) {
      throw new NotJsonError(
        `${problem} has no JSON${name ? ` (at ${JSON.stringify(name)})` : ""}`,
      );
    }
    return item;
  });
  return marked ? text.replace(MARKED, "$1") : text;
}

/** The text of each member of an object, exactly as it is written in the object's text. */
export function memberTexts(text: string): Map<string, string> {
  const members = new Map<string, string>();
  let depth = 0;
  let name: string | undefined;
  let begin = 0;
  for (let at = 0; at < text.length; at++) {
    const char = text[at];
    if (char === '"') {
      const end = endOfString(text, at);
      if (depth === 1 && name === undefined) {
        name = JSON.parse(text.slice(at, end)) as string;
        begin = text.indexOf(":", end) + 1;
        at = begin - 1;
      } else {
        at = end - 1;
      }
    } else if (char === "{" || char === "[") {
      depth++;
    } else if (char === "}" || char === "]" || char === ",") {
      if (depth === 1 && name !== undefined) {
        members.set(name, text.slice(begin, at).trim());
        name = undefined;
      }
      if (char !== ",") {
        depth--;
      }
    }
  }
  return members;
}

function markLargeIntegers(text: string): string {
  const parts: string[] = [];
  let copied = 0;
  for (let at = 0; at < text.length; ) {
    const char = text.charCodeAt(at);
    if (char === QUOTE) {
      at = endOfString(text, at);
      continue;
    }
    NUMBER.lastIndex = at;
    const found = char === 0x2d || (char >= 0x30 && char <= 0x39) ? NUMBER.exec(text) : null;
    if (found === null) {
      at++;
      continue;
    }
    const [number, fraction, exponent] = found;
    at += number.length;
    if (!fraction && !exponent && !Number.isSafeInteger(Number(number))) {
      parts.push(text.slice(copied, at - number.length), `"${MARK}${number}"`);
      copied = at;
    }
  }
  parts.push(text.slice(copied));
  return parts.join("");
}

/** Where the text goes on after the string that begins at `at`. */
function endOfString(text: string, at: number): number {
  for (let end = at + 1; end < text.length; end++) {
    const char = text.charCodeAt(end);
    if (char === BACKSLASH) {
      end++;
    } else if (char === QUOTE) {
      return end + 1;
    }
  }
  return text.length;
}

function notJson(item: unknown): string {
  switch (typeof item) {
    case "number":
      return Number.isFinite(item) ? "" : String(item);
    case "function":
    case "symbol":
      return `a ${typeof item}`;
    case "object":
      // JSON.stringify makes empty or misleading objects of these.
      if (item instanceof Map || item instanceof Set || item instanceof Promise) {
        return `a ${item.constructor.name}`;
      }
      return ArrayBuffer.isView(item) ? `a ${item.constructor.name}` : "";
    default:
      return "";
  }
}
