/** JSON objects to messages, field by field, as the contract wants it read. */

import type { DescField, DescMessage, MessageShape } from "@bufbuild/protobuf";
import { reflect, type ReflectList, type ReflectMessage } from "@bufbuild/protobuf/reflect";

import { parseJson, type JsonObject, type JsonValue } from "../json.js";
import { ContractError } from "./errors.js";
import { readScalar, wrongType } from "./scalars.js";

/** Messages inside messages: a frame, its error, and 32 levels of causes below that. */
const MAX_DEPTH = 34;
/** Lists and objects inside each other, also where they are ignored. */
const MAX_LEVELS = 1000;

/**
 * A JSON object from its text, or from its bytes in UTF-8.
 *
 * @throws ContractError if it is none
 */
export function parseObject(data: string | Uint8Array): JsonObject {
  let value: JsonValue;
  try {
    value = parseJson(typeof data === "string" ? data : decodeUtf8(data));
  } catch (error) {
    if (error instanceof ContractError) {
      throw error;
    }
    // The parser's own words quote the text, which may be secret.
    throw new ContractError("invalid_json", "", "expected one JSON value");
  }
  const object = requireObject(value);
  requireShallow(object);
  return object;
}

/**
 * A message from an object of its protojson. Unknown names are ignored.
 *
 * @throws ContractError if a value does not fit its field
 */
export function readMessage<D extends DescMessage>(desc: D, data: JsonObject): MessageShape<D> {
  const target = reflect(desc);
  fill(target, data, 0);
  return target.message as MessageShape<D>;
}

function decodeUtf8(data: Uint8Array): string {
  try {
    // A byte order mark is kept, so that the parser refuses it.
    return new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(data);
  } catch {
    throw new ContractError("invalid_utf8", "", "expected UTF-8");
  }
}

function requireObject(value: JsonValue): JsonObject {
  if (typeof value !== "object" || value === null || Array.isArray(value)) {
    throw wrongType("an object");
  }
  return value;
}

/** Level by level, for whoever calls itself here is what deep values overflow. */
function requireShallow(data: JsonObject): void {
  let values: JsonValue[] = [data];
  for (let level = 0; values.length > 0; level++) {
    if (level > MAX_LEVELS) {
      throw new ContractError("too_deep", "", "nested deeper than is read");
    }
    const inner: JsonValue[] = [];
    for (const value of values) {
      for (const item of Object.values(value as JsonObject)) {
        if (typeof item === "object" && item !== null) {
          inner.push(item);
        }
      }
    }
    values = inner;
  }
}

function fill(target: ReflectMessage, data: JsonObject, depth: number): void {
  for (const field of target.fields) {
    const name = field.jsonName;
    const value = Object.hasOwn(data, name) ? data[name] : null;
    if (value === null || value === undefined) {
      continue;
    }
    try {
      if (field.oneof && target.oneofCase(field.oneof)) {
        throw new ContractError("conflicting_value", "", `a second ${field.oneof.name} is set`);
      }
      setField(target, field, value, depth);
    } catch (error) {
      throw error instanceof ContractError ? error.inside(name) : error;
    }
  }
}

function setField(
  target: ReflectMessage,
  field: DescField,
  value: JsonValue,
  depth: number,
): void {
  switch (field.fieldKind) {
    case "scalar":
      target.set(field, readScalar(field.scalar, value));
      return;
    case "message":
      target.set(field, readChild(field.message, value, depth));
      return;
    case "list":
      if (!Array.isArray(value)) {
        throw wrongType("a list");
      }
      readList(target.get(field), value, depth);
      return;
    default:
      never(field);
  }
}

function readList(list: ReflectList, values: JsonValue[], depth: number): void {
  const field = list.field();
  values.forEach((value, index) => {
    try {
      if (field.listKind === "message") {
        list.add(readChild(field.message, value, depth));
      } else if (field.listKind === "scalar") {
        list.add(readScalar(field.scalar, value));
      } else {
        never(field);
      }
    } catch (error) {
      throw error instanceof ContractError ? error.inside(`[${index}]`) : error;
    }
  });
}

function readChild(desc: DescMessage, value: JsonValue, depth: number): ReflectMessage {
  const data = requireObject(value);
  if (depth >= MAX_DEPTH) {
    throw new ContractError("too_deep", "", "nested deeper than is read");
  }
  const child = reflect(desc);
  fill(child, data, depth + 1);
  return child;
}

function never(field: DescField): never {
  throw new Error(`the contract has no field like ${field.name}`);
}
